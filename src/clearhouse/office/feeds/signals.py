"""What a document says of a flaw besides which versions it affects.  Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from clearhouse.exposure.documents import Document
from clearhouse.formats.cve_reading import Container, CveRecord
from clearhouse.formats.epss import Score
from clearhouse.formats.kev import Listing
from clearhouse.office.feeds.models import Signal
from clearhouse.office.storable import storable, storable_json

_CISA: Final = "CISA"
_FIRST: Final = "FIRST"
_LONGEST_SOURCE: Final = 120


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a source says of a flaw."""

    flaw: str
    kind: Signal.Kind
    source: str
    at: str
    said: dict[str, Any]

    @property
    def key(self) -> tuple[str, str, str]:
        """By what it is replaced."""
        return self.flaw, self.kind.value, self.source


def said_by(document: Document) -> Iterator[Said]:
    """What a document says of flaws: nothing, for records and statements about products."""
    at = _time(document.modified)
    match document.value:
        case Listing() as listing:
            yield Said(
                listing.cve, Signal.Kind.KEV, _CISA, at,
                {
                    "added": listing.added.isoformat(),
                    "due": listing.due.isoformat() if listing.due else None,
                    "ransomware": listing.in_ransomware,
                    "action": storable(listing.action)[:1000],
                    "name": storable(listing.name)[:300],
                    "description": storable(listing.description)[:1000],
                },
            )  # fmt: skip
        case Score() as score:
            values = {
                "probability": score.probability, "percentile": score.percentile,
                "model": score.model,
            }  # fmt: skip
            yield Said(score.cve, Signal.Kind.EPSS, _FIRST, at, storable_json(values))
        case CveRecord() as record:
            for container in record.containers:
                yield from _by_container(record.id, container, at)
        case _:
            return


def _by_container(flaw: str, one: Container, otherwise: str) -> Iterator[Said]:
    source = storable(one.provider)[:_LONGEST_SOURCE] or "not named"
    at = _time(one.updated) or otherwise
    for point in one.ssvc:
        said = {
            "exploitation": point.exploitation, "automatable": point.automatable,
            "technical_impact": point.technical_impact, "role": point.role,
            "version": point.version,
        }  # fmt: skip
        yield Said(flaw, Signal.Kind.SSVC, source, _time(point.at) or at, storable_json(said))
    if one.metrics:
        vectors = [metric.vector for metric in one.metrics]
        yield Said(flaw, Signal.Kind.CVSS, source, at, storable_json({"vectors": vectors}))


def _time(at: datetime | None) -> str:
    return at.isoformat() if at is not None else ""
