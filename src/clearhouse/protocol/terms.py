"""The terms of a review: six texts, each with its version, agreed to by digest.

Who agrees, agrees to the digest of all six as they are at that moment.  Another text has another
digest, so that no agreement has to be taken back: it does not cover the new one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from clearhouse.errors import Invalid


class Subject(StrEnum):
    """What a text is about (Executive Order, section 3(b))."""

    CONFIDENTIALITY = "confidentiality"
    PERMITTED_USE = "permitted-use"
    NONDISCLOSURE = "nondisclosure"
    INTELLECTUAL_PROPERTY = "intellectual-property"
    DATA_RETENTION = "data-retention"
    INSIDER_RISK = "insider-risk"


#: Characters of one text.
LONGEST_TEXT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Text:
    """One text of the terms; ``version`` counts from 1 within a review."""

    subject: Subject
    version: int
    text: str

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise Invalid("say what is agreed on", key=self.subject.value)
        if len(self.text) > LONGEST_TEXT:
            raise Invalid(f"at most {LONGEST_TEXT} characters", key=self.subject.value)

    @property
    def digest(self) -> str:
        """``sha256:`` and the digest of subject, version and text."""
        return _digest([self.subject.value, self.version, self.text])


@dataclass(frozen=True, slots=True)
class Terms:
    """The six texts, in the order of :class:`Subject`."""

    texts: tuple[Text, ...]

    @classmethod
    def of(cls, texts: Iterable[Text]) -> Terms:
        """The terms made of these.  Raises :class:`Invalid` unless there is one of each."""
        found = {one.subject: one for one in texts}
        missing = [one.value for one in Subject if one not in found]
        if missing:
            raise Invalid(f"no text for {', '.join(missing)}", key="terms")
        return cls(tuple(found[one] for one in Subject))

    @property
    def digest(self) -> str:
        """What is agreed to: the digest over the digests of all texts."""
        return _digest([one.digest for one in self.texts])

    def about(self, subject: Subject) -> Text:
        """The text about something."""
        return next(one for one in self.texts if one.subject is subject)

    def changed(self, subject: Subject, text: str) -> Terms:
        """The terms with another text; the same text is no change."""
        before = self.about(subject)
        if before.text == text:
            return self
        after = replace(before, version=before.version + 1, text=text)
        return Terms(tuple(after if one is before else one for one in self.texts))


def is_bound(party: str, terms: Terms, agreements: Mapping[str, str]) -> bool:
    """Whether a party has agreed to the terms as they are; ``agreements`` has digests by party."""
    return agreements.get(party) == terms.digest


def are_bound(parties: Collection[str], terms: Terms, agreements: Mapping[str, str]) -> bool:
    """Whether all of them have; nobody is no agreement."""
    return bool(parties) and all(is_bound(one, terms, agreements) for one in parties)


def _digest(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
