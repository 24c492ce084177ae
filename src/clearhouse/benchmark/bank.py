"""The bank: what is known of each item, as a frozen value and a document with a digest.

All numbers are integers of millionths, so that the document has one spelling, and whoever computes
with it starts from the same numbers in any language and on any machine.  The unit of ability and
difficulty is the logit of an item of the typical slope; the unit of slope is the typical slope.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from clearhouse.errors import Invalid
from clearhouse.formats.json_value import JsonValue, decode, shown
from clearhouse.ledger.entry import canonical

MICRO: Final = 1_000_000
FORMAT: Final = "clearhouse-bank/1"
MOST_BYTES: Final = 16 << 20
MOST_ITEMS: Final = 20_000
#: Beyond these no fit arrives, and the exponential of what would follow has no use.
_MOST_LOG_SLOPE: Final = 5 * MICRO
_MOST_DIFFICULTY: Final = 50 * MICRO
_NUMBERS: Final = ("log_slope", "difficulty", "log_slope_sd", "difficulty_sd", "correlation")


@dataclass(frozen=True, slots=True)
class Item:
    """An item's parameters in millionths: log slope and difficulty are jointly normal.

    ``correlation`` is theirs, from -MICRO to MICRO.  Raises :class:`Invalid` for what is no such
    distribution.
    """

    name: str
    family: str
    log_slope: int
    difficulty: int
    log_slope_sd: int
    difficulty_sd: int
    correlation: int

    def __post_init__(self) -> None:
        for key, most in (
            ("log_slope", _MOST_LOG_SLOPE),
            ("difficulty", _MOST_DIFFICULTY),
            ("log_slope_sd", _MOST_LOG_SLOPE),
            ("difficulty_sd", _MOST_DIFFICULTY),
            ("correlation", MICRO),
        ):
            value = getattr(self, key)
            if not (0 if key.endswith("_sd") else -most) <= value <= most:
                raise Invalid(f"the item {shown(self.name)} has a {key} out of range: {value}")
        if not self.name or not self.family:
            raise Invalid("an item has a name and a family")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A reference system's ability in millionths, from the fit that made the bank.

    ``items`` is how many of the bank's items it had run.
    """

    name: str
    model: str
    ability: int
    ability_sd: int
    items: int

    def __post_init__(self) -> None:
        most = 2 * _MOST_DIFFICULTY
        if abs(self.ability) > most or not 0 <= self.ability_sd <= most or self.items < 0:
            raise Invalid(f"the anchor {shown(self.name)} has an ability out of range")

    def interval(self) -> tuple[int, int]:
        """Where its ability lies with 95 %, in millionths."""
        half = self.ability_sd * 196 // 100
        return self.ability - half, self.ability + half


@dataclass(frozen=True, slots=True)
class Bank:
    """Items and anchors.  Raises :class:`Invalid` for a bank without items or a name twice."""

    items: tuple[Item, ...]
    anchors: tuple[Anchor, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.items) <= MOST_ITEMS:
            raise Invalid(f"a bank has 1 to {MOST_ITEMS} items, not {len(self.items)}")
        for what, names in (
            ("item", [one.name for one in self.items]),
            ("anchor", [one.name for one in self.anchors]),
        ):
            if len(set(names)) != len(names):
                raise Invalid(f"the name of an {what} stands twice in the bank")

    def __bytes__(self) -> bytes:
        """The document, in canonical form (RFC 8785)."""
        return canonical(
            {
                "format": FORMAT,
                "items": [asdict(one) for one in self.items],
                "anchors": [asdict(one) for one in self.anchors],
            }
        )

    @property
    def digest(self) -> str:
        """``sha256:`` and the digest of the document."""
        return digest_of(bytes(self))

    @classmethod
    def parse(cls, raw: bytes, where: str) -> Bank:
        """Read the document.  Raises :class:`Invalid` with the place, also for another spelling."""
        document = JsonValue(decode(raw, where, most_bytes=MOST_BYTES), where)
        document.check_keys(("format", "items", "anchors"), ())
        check_format(document, FORMAT)
        items = tuple(_item(one) for one in document.listed("items"))
        anchors = tuple(_anchor(one) for one in document.listed("anchors"))
        found = cls(items, anchors)
        check_spelling(bytes(found), raw, where)
        return found


def digest_of(raw: bytes) -> str:
    """``sha256:`` and the SHA-256 of ``raw``."""
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def check_format(document: JsonValue, expected: str) -> None:
    """Raises :class:`Invalid` where a document is of another format."""
    if document.text_at("format") != expected:
        raise document.wrong(f"expected the format {expected}")


def check_spelling(canonical_bytes: bytes, raw: bytes, where: str) -> None:
    """Raises :class:`Invalid` where a document says the right thing in another spelling."""
    if canonical_bytes != raw:
        raise Invalid("is not in canonical form (RFC 8785)", where=where)


def texts(one: JsonValue, *keys: str) -> dict[str, str]:
    """The texts under these keys, which have to be there."""
    return {key: JsonValue.text(_there(one, key)) for key in keys}


def integers(one: JsonValue, *keys: str) -> dict[str, int]:
    """The integers under these keys, which have to be there."""
    return {key: JsonValue.integer(_there(one, key)) for key in keys}


def _there(one: JsonValue, key: str) -> JsonValue:
    found = one.get(key)
    if found is None:
        raise one.wrong(f"has no {key}")
    return found


def _item(one: JsonValue) -> Item:
    one.check_keys(("name", "family", *_NUMBERS), ())
    named: Mapping[str, Any] = {**texts(one, "name", "family"), **integers(one, *_NUMBERS)}
    return Item(**named)


def _anchor(one: JsonValue) -> Anchor:
    one.check_keys(("name", "model", "ability", "ability_sd", "items"), ())
    named: Mapping[str, Any] = {
        **texts(one, "name", "model"),
        **integers(one, "ability", "ability_sd", "items"),
    }
    return Anchor(**named)
