"""A judgement in plain words, for whoever has to act and has no time to learn the field's.

What it is, where you have it, by when, what to do, what if you cannot.  Short sentences; what is
not known is asked for, and what was assumed is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clearhouse.exposure.judging.facts import Flaw
from clearhouse.exposure.judging.inputs import Input
from clearhouse.exposure.judging.judgement import Judgement, Outcome
from clearhouse.exposure.judging.reason import PERIODS, day, how_bad, reason
from clearhouse.exposure.matching import Answer
from clearhouse.formats.advisory import Remediation, Remedy
from clearhouse.protocol.directives.deadlines import zoned
from clearhouse.protocol.ssvc.points import (
    AUTOMATABLE,
    EXPLOITATION,
    IN_KEV,
    MISSION_IMPACT,
    PUBLICLY_EXPOSED,
    SAFETY_IMPACT,
    SYSTEM_EXPOSURE,
    TECHNICAL_IMPACT,
)
from clearhouse.protocol.system_questions import EXPOSURE, MISSION, SAFETY

#: Characters that are taken over from an advisory's text.
_LONGEST: Final = 500
_ASKED: Final = {
    PUBLICLY_EXPOSED.key: EXPOSURE.text,
    SYSTEM_EXPOSURE.key: EXPOSURE.text,
    MISSION_IMPACT.key: MISSION.text,
    SAFETY_IMPACT.key: SAFETY.text,
}
_WAITED_FOR: Final = {
    IN_KEV.key: "whether it is in CISA's list of flaws that are attacked",
    EXPLOITATION.key: "whether it is attacked",
    AUTOMATABLE.key: "whether attacks on it can be automated",
    TECHNICAL_IMPACT.key: "whether an attacker gets full control",
}
_SUPPOSED: Final = {
    (AUTOMATABLE.key, "Y"): "Attacks on it can be automated.",
    (AUTOMATABLE.key, "N"): "Attacks on it cannot be automated.",
    (TECHNICAL_IMPACT.key, "T"): "An attacker gets full control.",
    (TECHNICAL_IMPACT.key, "P"): "An attacker does not get full control.",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the flaw is: a package in a version, and the version that mends it, if one is known."""

    package: str
    version: str
    fixed: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A judgement in words: each a sentence or a few, or a list of them."""

    reason: str
    """In one sentence, why it is as urgent as it is."""
    what: str
    how_bad: str
    where: str
    by_when: str
    do: tuple[str, ...]
    otherwise: tuple[str, ...]
    """What to do if that cannot be done."""
    asked: tuple[str, ...]
    """What its owner can answer, and would change it."""
    unknown: tuple[str, ...]
    """What nobody has said yet, and would change it."""
    assumed: tuple[str, ...]
    """What it rests on that may be wrong, with what would be so otherwise."""


def tell(
    judgement: Judgement,
    title: str,
    places: Sequence[Place],
    remediations: Iterable[Remediation] = (),
    *,
    now: datetime,
) -> Told:
    """A judgement in words.

    ``title`` is what the flaw is called, ``places`` are the packages on this system that have it,
    ``remediations`` what advisories say to do; ``now`` has a zone.  Raises
    :class:`clearhouse.errors.Invalid` where it has none.
    """
    zoned(now, "now")
    open_ones = _once(*judgement.remediation.missing, *judgement.priority.missing)
    exposed = judgement.inputs.by_key[PUBLICLY_EXPOSED.key].values != ("N",)
    return Told(
        reason(judgement),
        " ".join(_what(judgement.known.flaw, title)),
        how_bad(judgement),
        _where(judgement, places),
        _by_when(judgement, now),
        tuple(_do(judgement, places, list(remediations))),
        tuple(_otherwise(exposed=exposed)),
        tuple(dict.fromkeys(_ASKED[k] for k in open_ones if k in _ASKED)),
        tuple(_WAITED_FOR[key] for key in open_ones if key in _WAITED_FOR),
        tuple(_assumed(judgement.remediation)),
    )


def _what(flaw: Flaw, title: str) -> Iterable[str]:
    yield _sentence(title)
    if flaw.described:
        yield _sentence(flaw.described)
    yield f"Its identifier is {flaw.id}."


def _where(judgement: Judgement, places: Sequence[Place]) -> str:
    named = ", ".join(f"{one.package} {one.version}".strip() for one in places)
    system = judgement.known.system.name
    if judgement.known.affected is Answer.UNDECIDED:
        return f"{system} may have it, in {named}: whether this version has it, nobody can tell."
    return f"{system} has it, in {named}."


def _by_when(judgement: Judgement, now: datetime) -> str:
    if judgement.due is None:
        return "When you next update this system as planned."
    due = judgement.due.astimezone(now.tzinfo)
    days = (due.date() - now.date()) // timedelta(days=1)
    if due < now:
        return f"It was due on {day(due)}. Do it now."
    if days == 0:
        return f"Today, {day(due)}."
    return f"By {day(due)}, {'tomorrow' if days == 1 else f'in {days} days'}."


def _do(
    judgement: Judgement, places: Sequence[Place], remediations: Sequence[Remediation]
) -> Iterable[str]:
    forensic = judgement.timeline.forensic
    if forensic:
        yield "First copy the logs of this system to another place: an update can overwrite them."
    for one in places:
        if one.fixed is not None:
            yield f"Update {one.package} to {one.fixed} or later."
    without = [one.package for one in places if one.fixed is None]
    if without:
        yield from _without_update(", ".join(without), remediations)
    if forensic:
        yield (
            "Then look for signs that somebody was there: accounts and programs that nobody knows,"
            " logins at odd hours. If you find any, change nothing and call for help."
        )


def _without_update(packages: str, remediations: Sequence[Remediation]) -> Iterable[str]:
    said = {one.kind for one in remediations}
    for one in remediations:
        if one.kind is Remedy.FIX and one.text.strip():
            yield f"For {packages}, the advisory says: {_cut(one.text)}"
    if Remedy.NONE_PLANNED in said:
        yield f"There will be no update for {packages}. Plan to replace it, or to take it away."
    elif Remedy.FIX not in said:
        yield f"No update for {packages} is known yet. Ask whoever you have it from."
    for one in remediations:
        if one.kind in (Remedy.MITIGATION, Remedy.WORKAROUND) and one.text.strip():
            yield f"Until there is an update: {_cut(one.text)}"


def _otherwise(*, exposed: bool) -> Iterable[str]:
    if exposed:
        yield "Cut the system off from the internet until it is done, or switch it off."
    yield "Let only those people and machines reach it that cannot work without it."
    yield "If people's safety depends on it, talk to those who use it before you change anything."
    yield "Tell the office why it cannot be done, and by when it can: it can help, or agree."


def _assumed(outcome: Outcome) -> Iterable[str]:
    for one in outcome.assumed:
        others = {change.possible[-1] for change in outcome.changes if change.point is one.point}
        otherwise = ", or ".join(PERIODS[key] for key in PERIODS if key in others)
        said = f"{_SUPPOSED[one.point.key, one.values[0]]} This is assumed from {one.because}."
        yield f"{said} Otherwise: {otherwise}." if otherwise else said


def _once(*open_ones: Input) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.point.key for one in open_ones))


def _sentence(text: str) -> str:
    cut = _cut(text)
    return cut if cut.endswith((".", "!", "?")) else f"{cut}."


def _cut(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST].rstrip()} [...]"
