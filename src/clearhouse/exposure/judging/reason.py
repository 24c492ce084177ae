"""Why a flaw on a system is as urgent as it is, in one sentence, and how bad it is, in another."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from clearhouse.exposure.judging.facts import Epss
from clearhouse.exposure.judging.inputs import Basis, Input
from clearhouse.exposure.judging.judgement import Judgement
from clearhouse.protocol.ssvc.points import AUTOMATABLE, EXPLOITATION, IN_KEV, PUBLICLY_EXPOSED

#: The outcomes of BOD 26-04 in words, from the least urgent to the most.
PERIODS: Final = {
    "FSU": "at the next planned update",
    "60D": "60 days",
    "14D": "14 days",
    "3D": "3 days",
    "3DF": "3 days, and look for signs of an attack",
}


def reason(judgement: Judgement) -> str:
    """Why it is as urgent as it is, in one sentence."""
    by_key = judgement.inputs.by_key
    attacked = by_key[EXPLOITATION.key].values == ("A",)
    clauses = [_attacks(judgement), _reach(by_key[PUBLICLY_EXPOSED.key])]
    automatable = by_key[AUTOMATABLE.key]
    if automatable.values == ("Y",) and not attacked:
        probably = "probably " if automatable.basis is Basis.ASSUMED else ""
        clauses.append(f"attacks on it can {probably}be automated")
    *first, last = clauses
    return f"{', '.join(first)}, and {last}: {_period(judgement)}."


def how_bad(judgement: Judgement) -> str:
    """How severe and how likely, with who says so."""
    rated, epss = judgement.rating, judgement.known.flaw.epss
    severity = "Nobody has said how severe it is."
    if rated is not None:
        whose = rated.leading.said
        severity = f"Severity: {rated.severity.value}, {rated.score} of 10 ({whose})."
    if epss is None:
        return f"{severity} Nobody has estimated how likely attacks are."
    return f"{severity} Chance of attacks in the next 30 days: {_chance(epss.value)} ({epss.said})."


def _attacks(judgement: Judgement) -> str:
    by_key = judgement.inputs.by_key
    match by_key[EXPLOITATION.key].values:
        case ("A",):
            return "Attackers already use it"
        case ("P",):
            return "How to attack it is public"
        case ("N",):
            return "No attacks are known"
        case _ if by_key[IN_KEV.key].values == ("N",):
            return "It is not in CISA's list of flaws that are attacked"
        case _:
            return "Nobody has said whether it is attacked"


def _reach(exposed: Input) -> str:
    match exposed.values:
        case ("Y",):
            return "this system can be reached from the internet"
        case ("N",):
            return "this system cannot be reached from the internet"
        case _:
            return "nobody has said whether this system can be reached from the internet"


def _period(judgement: Judgement) -> str:
    obliged, due = judgement.known.obliged, judgement.timeline.due or judgement.upgrade
    if obliged is not None and (due is None or obliged.value < due):
        return f"{day(obliged.value)}, as {obliged.source} asks"
    said = PERIODS[judgement.remediation.worst]
    if judgement.upgrade is not None:
        said += f", on {day(judgement.upgrade)}"
    if len(judgement.remediation.possible) == 1:
        return said
    missing = {one.point.key for one in judgement.remediation.missing}
    if missing == {PUBLICLY_EXPOSED.key}:
        return f"{said}, until somebody answers that"
    return f"{said}, until more is known"


def _chance(epss: Epss) -> str:
    percent = epss.probability * 100
    if percent < 1:
        return "less than 1 in 100"
    return f"about {round(percent)} in 100"


def day(at: datetime) -> str:
    """A day as people write it: ``Monday, 7 December 2026``."""
    return f"{at:%A}, {at.day} {at:%B} {at.year}"
