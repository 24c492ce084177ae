"""An entry of the ledger: one decision, and the bytes of it that are hashed.

The bytes are JSON in its canonical form (RFC 8785), so that there is one spelling only.  They end
in a random salt: hashes of entries are public in tiles, and without it whoever guesses an entry's
content could check the guess.  For the same reason facts are small: ids, digests, states.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias, cast

from clearhouse.errors import Invalid
from clearhouse.ledger.tiles import MOST_ENTRY_BYTES
from clearhouse.ledger.tree import leaf_hash

JSON: TypeAlias = "bool | int | str | Sequence[JSON] | Mapping[str, JSON] | None"
"""What facts may hold: no fractions, whose spelling differs between languages."""

LEAST_SALT_BYTES: Final = 16
FORMAT: Final = 1
_KEYS: Final = frozenset({"v", "kind", "subject", "at", "facts", "salt"})
_KIND: Final = re.compile(r"[a-z][a-z0-9_.-]{0,59}", re.ASCII)
_SUBJECT: Final = re.compile(r"[^\x00-\x1f\x7f]{1,80}")
_NAME: Final = re.compile(r"[\x20-\x7e]{1,100}")
_SALT: Final = re.compile(r"(?:[0-9a-f]{2}){16,64}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
#: The integers that every reader of JSON keeps exactly (RFC 7493, section 2.2).
_MOST_INTEGER: Final = 2**53 - 1
_DEEPEST: Final = 8
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision: of which kind, about what, when, and what was decided.

    ``index`` is its place in the log; the tree vouches for it, so the leaf does not repeat it.
    ``leaf`` are the bytes that are hashed.
    Raises :class:`Invalid` for values that an entry cannot hold.
    """

    index: int
    kind: str
    subject: str
    at: datetime
    facts: Mapping[str, JSON]
    salt: bytes
    leaf: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.index < 0:
            raise Invalid("entries are counted from 0", key="index")
        if not _KIND.fullmatch(self.kind):
            raise Invalid("a kind is at most 60 of a-z, 0-9, '.', '_' and '-'", key="kind")
        if not _SUBJECT.fullmatch(self.subject):
            raise Invalid("a subject is 1 to 80 printable characters", key="subject")
        if self.at.tzinfo is None or self.at.utcoffset():
            raise Invalid("a time is in UTC", key="at")
        if not LEAST_SALT_BYTES <= len(self.salt) <= 4 * LEAST_SALT_BYTES:
            raise Invalid(f"a salt has at least {LEAST_SALT_BYTES} bytes", key="salt")
        if not isinstance(self.facts, Mapping):
            raise Invalid("facts are an object", key="facts")
        _check(self.facts, "facts", 0)
        leaf = canonical(
            {
                "v": FORMAT,
                "kind": self.kind,
                "subject": self.subject,
                "at": time_text(self.at),
                "facts": self.facts,
                "salt": self.salt.hex(),
            }
        )
        object.__setattr__(self, "leaf", leaf)
        if len(leaf) > MOST_ENTRY_BYTES:
            raise Invalid(f"an entry has {MOST_ENTRY_BYTES} bytes at most", key="facts")

    @classmethod
    def parse(cls, raw: bytes, *, index: int) -> Entry:
        """Read a leaf.  Raises :class:`Invalid` where it is none, or is spelt in another way."""
        document = _object(raw)
        if document.keys() != _KEYS or document["v"] != FORMAT or document["v"] is True:
            raise Invalid("an entry has exactly the keys " + ", ".join(sorted(_KEYS)))
        for key in ("kind", "subject", "at", "salt"):
            if not isinstance(document[key], str):
                raise Invalid("expected a text", key=key)
        if not _SALT.fullmatch(document["salt"]):
            raise Invalid("a salt is at least 16 bytes in hexadecimal", key="salt")
        found = cls(
            index,
            document["kind"],
            document["subject"],
            _time(document["at"]),
            document["facts"],
            bytes.fromhex(document["salt"]),
        )
        if found.leaf != raw:
            raise Invalid("the entry is not in canonical form (RFC 8785)")
        return found

    @property
    def leaf_hash(self) -> bytes:
        """The hash by which it stands in the tree."""
        return leaf_hash(self.leaf)


def time_text(at: datetime) -> str:
    """A time in UTC as entries spell it."""
    return f"{at.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def canonical(value: JSON) -> bytes:
    """JSON as RFC 8785 spells it, for values without fractions and with ASCII keys.

    Raises :class:`Invalid` for text that has no UTF-8.
    """
    try:
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError as error:
        raise Invalid("half of a surrogate pair is no text") from error


def _check(value: Any, key: str, depth: int) -> None:  # noqa: ANN401 - it is found out here
    if depth > _DEEPEST:
        raise Invalid(f"nested deeper than {_DEEPEST}", key=key)
    match value:
        case None | bool() | str():
            return
        case int():
            if abs(value) > _MOST_INTEGER:
                raise Invalid("an integer beyond 2^53 is written as a text", key=key)
        case Mapping():
            for name, one in value.items():
                if not isinstance(name, str) or not _NAME.fullmatch(name):
                    raise Invalid("keys are 1 to 100 printable ASCII characters", key=key)
                _check(one, f"{key}.{name}", depth + 1)
        case list() | tuple():
            for at, one in enumerate(value):
                _check(one, f"{key}[{at}]", depth + 1)
        case _:
            raise Invalid("expected text, integers, true, false, null, lists, objects", key=key)


def _object(raw: bytes) -> dict[str, Any]:
    if len(raw) > MOST_ENTRY_BYTES:
        raise Invalid(f"an entry has {MOST_ENTRY_BYTES} bytes at most")
    try:
        document = json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise Invalid("an entry is a JSON document in UTF-8") from error
    if not isinstance(document, dict):
        raise Invalid("an entry is a JSON object")
    return cast("dict[str, Any]", document)


def _time(text: str) -> datetime:
    if not _TIME.fullmatch(text):
        raise Invalid("expected a time like 2026-01-01T00:00:00.000000Z", key="at")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid("there is no such time", key="at") from error
