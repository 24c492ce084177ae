"""What the judge said of one attempt, and of which item: the document that evidence hands over.

A verdict of the proof engine names a bundle, which is the item's with another input in it.  This
document says which item that is, by the digest that the plan has, and what was handed in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from clearhouse.benchmark.bank import check_format, check_spelling, digest_of
from clearhouse.benchmark.item_file import HANDED_IN, JUDGE, Record
from clearhouse.errors import Invalid
from clearhouse.formats.json_value import JsonValue, decode
from clearhouse.proof.bundle import digest_of_listing
from clearhouse.proof.judge import Grade
from clearhouse.proof.manifest import MANIFEST
from clearhouse.proof.members import BUNDLE_LIMITS

FORMAT: Final = "clearhouse-judged/1"
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with what it is of.

    ``item`` is the item's digest, as ``item.toml`` gives it and the plan has it.  ``handed_in`` is
    the SHA-256 of the input as it was handed in, ``run`` that of the input as it was run: the same
    but for an item under other names, which are given back first.  ``instead`` names the files of
    the item's bundle in whose place it stood: the reference inputs.  ``verdict`` is the proof
    engine's document.  Raises :class:`Invalid` for what is no such verdict.
    """

    item: str
    handed_in: str
    run: str
    instead: tuple[str, ...]
    verdict: Mapping[str, Any]

    def __post_init__(self) -> None:
        for value in (self.item, self.handed_in, self.run):
            if not _DIGEST.fullmatch(value):
                raise Invalid("a digest is sha256: and 64 hexadecimal digits")
        if self.verdict.get("grade") not in list(Grade):
            raise Invalid("the verdict has none of the proof engine's grades")

    def __bytes__(self) -> bytes:
        """The document: JSON with sorted keys and no spaces; figures of runs are fractions."""
        document = {
            "format": FORMAT,
            "item": self.item,
            "handed_in": self.handed_in,
            "run": self.run,
            "instead": list(self.instead),
            "verdict": self.verdict,
        }
        text = json.dumps(
            document, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        )
        return text.encode("utf-8", "backslashreplace")

    @property
    def digest(self) -> str:
        """``sha256:`` and the digest of the document: what an outcome names."""
        return digest_of(bytes(self))

    @property
    def grade(self) -> Grade:
        """What the input was found to show."""
        return Grade(self.verdict["grade"])

    def is_of(self, record: Record) -> bool:
        """Whether the bundle that was proven is the item's, with what was handed in for its input.

        It is computed again from the digests of the item's files: the harness, the controls and
        all that the manifest says are the item's, or the bundle's digest is another.
        """
        listed = {
            name.removeprefix(JUDGE): digest
            for name, digest in record.files.items()
            if name.startswith(JUDGE)
        }
        replaced = {listed.pop(name, None) for name in self.instead}
        if None in replaced or MANIFEST not in listed:
            return False
        if not record.renamed and self.run != self.handed_in:
            return False
        listed[HANDED_IN] = self.run.removeprefix("sha256:")
        bundle = self.verdict.get("bundle")
        return isinstance(bundle, dict) and bundle.get("digest") == digest_of_listing(listed)

    @classmethod
    def parse(cls, raw: bytes, where: str) -> Judged:
        """Read the document.  Raises :class:`Invalid` with the place, also for another spelling."""
        document = JsonValue(decode(raw, where, most_bytes=BUNDLE_LIMITS.member_bytes), where)
        document.check_keys(("format", "item", "handed_in", "run", "instead", "verdict"), ())
        check_format(document, FORMAT)
        texts = {key: document.text_at(key) or "" for key in ("item", "handed_in", "run")}
        instead = tuple(one.text() for one in document.listed("instead"))
        verdict = document.get("verdict")
        try:
            found = cls(
                **texts, instead=instead, verdict=verdict.table() if verdict is not None else {}
            )
        except Invalid as error:
            raise error if error.where else Invalid(error.message, where=where) from None
        check_spelling(bytes(found), raw, where)
        return found
