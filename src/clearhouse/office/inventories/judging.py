"""How urgent each exposure is: made from what catalogues say and what the owner has answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final

from clearhouse.errors import Invalid
from clearhouse.exposure.judging.facts import (
    Epss,
    Fact,
    Flaw,
    Known,
    Scored,
    published,
)
from clearhouse.exposure.judging.facts import System as Judged
from clearhouse.exposure.judging.judgement import Judgement
from clearhouse.exposure.judging.judgement import judge as judge_one
from clearhouse.exposure.judging.reason import reason
from clearhouse.exposure.matching import Answer
from clearhouse.formats.cvss import parse
from clearhouse.office.feeds.models import Signal
from clearhouse.office.feeds.queries import editions, signals_of
from clearhouse.office.inventories.models import Exposure, System
from clearhouse.office.inventories.obliging import obliged_dates
from clearhouse.protocol.sectors import Sector
from clearhouse.protocol.system_questions import points_of

_OWNER: Final = "its owner"
_END_OF_DAY: Final = time(23, 59, 59)
_KEV: Final = "CISA's KEV catalogue"
_EPSS: Final = "EPSS, FIRST"


def judge(system: System, exposures: Sequence[Exposure]) -> None:
    """Write the judgement into each of the exposures of a system; the caller saves them."""
    for one, judgement in zip(exposures, judgements_of(system, exposures), strict=True):
        one.due = judgement.due
        one.rank = judgement.order.text
        one.judged = _noted(judgement)


def judgements_of(system: System, exposures: Sequence[Exposure]) -> list[Judgement]:
    """The judgement of each exposure of a system, from what is known now."""
    signals = signals_of(name for one in exposures for name in one.ids)
    loaded = editions()
    judged = system_of(system)
    obliged = obliged_dates([one.pk for one in exposures if one.pk])
    return [
        judge_one(
            Known(
                flaw_of(one, signals, loaded), judged, one.detected_at, Answer(one.answer),
                obliged.get(one.pk),
            )
        )
        for one in exposures
    ]  # fmt: skip


def system_of(system: System) -> Judged:
    """What its owner has said of a system, as facts."""
    single = {key: given for key, given in system.answers.items() if isinstance(given, str)}
    points = {key: Fact(value, _OWNER) for key, value in points_of(single).items()}
    sector = Fact(Sector(system.sector), _OWNER) if system.sector else None
    upgrades = tuple(
        datetime.combine(day, _END_OF_DAY, UTC)
        for day in (system.past_upgrade, system.next_upgrade)
        if day is not None
    )
    return Judged(system.name, system.title, points, sector, upgrades)


def flaw_of(
    one: Exposure, signals: Mapping[str, Sequence[Signal]], loaded: Mapping[str, datetime]
) -> Flaw:
    """What is known of a flaw, with who says it.

    That a catalogue does not name it is known from the day on which the catalogue was loaded, and
    not where it never was.
    """
    said = [row for name in one.ids for row in signals.get(name, ())]
    points: dict[str, Fact[str]] = {}
    for row in sorted(_of(said, Signal.Kind.SSVC), key=lambda row: row.at):
        words = {
            "E": row.said.get("exploitation"), "A": row.said.get("automatable"),
            "TI": row.said.get("technical_impact"),
        }  # fmt: skip
        points |= published(words, row.source, _day(row.at))
    epss = next(iter(_of(said, Signal.Kind.EPSS)), None)
    return Flaw(
        id=one.flaw,
        kev=_listed(said, loaded),
        epss=None
        if epss is None
        else Fact(
            Epss(epss.said["probability"], epss.said["percentile"]), _EPSS, _day(epss.at)
        ),
        scores=tuple(_scores(one, said)),
        points=points,
        called=_said(said, "name"),
        described=_said(said, "description"),
    )  # fmt: skip


def _said(said: Iterable[Signal], key: str) -> str:
    found = (str(row.said.get(key) or "") for row in _of(said, Signal.Kind.KEV))
    return next(filter(None, found), "")


def _listed(said: Sequence[Signal], loaded: Mapping[str, datetime]) -> Fact[date | None] | None:
    edition = loaded.get(Signal.Kind.KEV)
    found = [date.fromisoformat(row.said["added"]) for row in _of(said, Signal.Kind.KEV)]
    if found:
        return Fact(min(found), _KEV, edition.date() if edition else None)
    return Fact(None, _KEV, edition.date()) if edition is not None else None


def _scores(one: Exposure, said: Sequence[Signal]) -> Iterable[Fact[Scored]]:
    given: list[tuple[str, str, date | None]] = [
        (vector, source, None) for vector, source in one.scores
    ]
    given += [
        (vector, row.source, _day(row.at))
        for row in _of(said, Signal.Kind.CVSS)
        for vector in row.said["vectors"]
    ]
    for vector, source, at in given:
        try:
            yield Fact(Scored(parse(vector)), source, at)
        except Invalid:
            continue  # a score that is none says nothing; the record stays readable


def _of(said: Iterable[Signal], kind: Signal.Kind) -> list[Signal]:
    return [row for row in said if row.kind == kind]


def _day(at: str) -> date | None:
    return datetime.fromisoformat(at).date() if at else None


def _noted(judgement: Judgement) -> dict[str, Any]:
    """What lists and other rooms read of a judgement."""
    rated, epss = judgement.rating, judgement.known.flaw.epss
    kev = judgement.known.flaw.kev
    return {
        "why": reason(judgement),
        "remediation": list(judgement.remediation.possible),
        "priority": list(judgement.priority.possible),
        "forensic": judgement.timeline.forensic,
        "severity": rated.severity.value if rated is not None else None,
        "score": rated.score if rated is not None else None,
        "epss": epss.value.probability if epss is not None else None,
        "called": judgement.known.flaw.called,
        "kev": None if kev is None else (kev.value.isoformat() if kev.value else ""),
    }
