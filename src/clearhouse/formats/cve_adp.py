"""What CISA adds to CVE records (Vulnrichment): SSVC decision points and the listing in KEV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from clearhouse.formats.instants import instant
from clearhouse.formats.json_value import JsonValue

_SSVC: Final = {
    "Exploitation": ("none", "poc", "active"),
    "Automatable": ("no", "yes"),
    "Technical Impact": ("partial", "total"),
}
#: SSVC 2.1 says ``public poc`` where 2.0 said ``poc``.
_OTHER_WORDS: Final = {"public poc": "poc"}


@dataclass(frozen=True, slots=True)
class Ssvc:
    """Decision points of SSVC; None is not given, which is not known."""

    exploitation: str | None
    """``none``, ``poc`` or ``active``."""
    automatable: str | None
    technical_impact: str | None
    role: str
    version: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class KevReference:
    """That CISA lists it as exploited."""

    added: date
    address: str


def time_of(raw: str | None) -> datetime | None:
    """A time; older records leave out the zone, which is UTC."""
    return instant(raw) or (instant(f"{raw}Z") if raw else None)


def ssvc(content: JsonValue) -> Ssvc:
    """Read decision points.  Raises Invalid for a value that the decision does not have."""
    found: dict[str, str] = {}
    for option in content.listed("options"):
        for point, value in option.table().items():
            if point not in _SSVC:
                continue  # of another decision
            word = str(value).lower()
            word = _OTHER_WORDS.get(word, word)
            if word not in _SSVC[point]:
                raise option.wrong(f"expected {point} as one of {', '.join(_SSVC[point])}")
            found[point] = word
    return Ssvc(
        found.get("Exploitation"),
        found.get("Automatable"),
        found.get("Technical Impact"),
        content.text_at("role") or "",
        content.text_at("version") or "",
        time_of(content.text_at("timestamp")),
    )


def kev(content: JsonValue) -> KevReference:
    """Read the listing in KEV.  Raises Invalid where it has no day."""
    raw = content.text_at("dateAdded") or ""
    try:
        return KevReference(date.fromisoformat(raw[:10]), content.text_at("reference") or "")
    except ValueError:
        raise content.wrong("expected dateAdded as a day, such as 2026-11-22") from None
