"""One exposure told whole: in plain words, and with everything that its judgement rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clearhouse.exposure.judging.inputs import Basis
from clearhouse.exposure.judging.judgement import Judgement, Outcome
from clearhouse.exposure.judging.words import Place, Told, tell
from clearhouse.office.inventories.judging import judgements_of
from clearhouse.office.inventories.models import Exposure

_PLACES: Final = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that a table was asked with."""

    question: str
    answer: str
    basis: str
    because: str
    otherwise: str
    """What another answer would change; empty where nothing."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a table says, and why."""

    name: str
    outcome: str
    asked: Sequence[Asked]


@dataclass(frozen=True, slots=True)
class Whole:
    """The words, the tables, and the scores."""

    words: Told
    tables: Sequence[Table]
    scores: Sequence[tuple[str, str, str]]
    """Vector, score with severity, and who says so; the one that counts first."""
    score_because: str


def of(one: Exposure, *, now: datetime) -> Whole:
    """An exposure as it is judged by what is known now."""
    [judgement] = judgements_of(one.system, [one])
    places = dict.fromkeys(
        Place(found["package"], found["version"], found["fixed"] or None)
        for found in one.found
        if not found.get("is_taken_back")
    )
    named = list(places)[:_PLACES]
    return Whole(
        words=tell(judgement, one.title or one.flaw, named, now=now),
        tables=[_table(judgement.remediation), _table(judgement.priority)],
        scores=list(_scores(judgement)),
        score_because=judgement.rating.because if judgement.rating is not None else "",
    )


_BASIS: Final = {
    Basis.PUBLISHED: "said",
    Basis.DERIVED: "follows",
    Basis.ASSUMED: "assumed",
    Basis.UNKNOWN: "not known",
}


def _table(outcome: Outcome) -> Table:
    names = [outcome.table.outcome.name_of(key) for key in outcome.possible]
    said = names[-1]
    if len(names) > 1:
        said += f"; it may turn out to be {' or '.join(reversed(names[:-1]))}"
    return Table(outcome.table.name, said, tuple(_asked(outcome)))


def _asked(outcome: Outcome) -> Iterable[Asked]:
    for one in outcome.inputs:
        changes = [
            f"{one.point.name_of(change.value)}: "
            + " or ".join(outcome.table.outcome.name_of(key) for key in change.possible)
            for change in (*outcome.changes, *outcome.contradictions)
            if change.point is one.point
        ]
        known = one.basis is not Basis.UNKNOWN
        yield Asked(
            question=one.point.name,
            answer=", or ".join(one.names) if known else "not known",
            basis=_BASIS[one.basis],
            because=one.because,
            otherwise="; ".join(changes),
        )


def _scores(judgement: Judgement) -> Iterable[tuple[str, str, str]]:
    rated = judgement.rating
    if rated is not None:
        for one in (rated.leading, *rated.others):
            scored = one.value.cvss
            yield scored.vector, f"{scored.score} ({scored.severity.value})", one.said
