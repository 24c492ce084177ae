"""What decision tables are asked with: published, derived, assumed or unknown, and on what ground.

CISA publishes Automatable and Technical Impact for many flaws, not for all, and for none that is
not public.  Where they are missing the CVSS vector says enough in the clear cases; what is taken
from it is an assumption, told as such, and the outcome without it stands beside.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Final

from clearhouse.exposure.judging.facts import Fact, Flaw, System
from clearhouse.exposure.judging.rating import Rating, rating
from clearhouse.protocol.ssvc.deriving import DERIVED
from clearhouse.protocol.ssvc.points import (
    AUTOMATABLE,
    EXPLOITATION,
    HUMAN_IMPACT,
    IN_KEV,
    POINTS,
    PUBLICLY_EXPOSED,
    SYSTEM_EXPOSURE,
    TECHNICAL_IMPACT,
)
from clearhouse.protocol.ssvc.table import Point, Table
from clearhouse.protocol.system_questions import criticalities


class Basis(StrEnum):
    """How an answer is known."""

    PUBLISHED = "published"  # somebody says exactly this
    DERIVED = "derived"  # it follows by definition from what somebody says
    ASSUMED = "assumed"  # it is likely, and may be wrong
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Input:
    """The answer to a decision point: what is possible, how that is known, and from what."""

    point: Point
    values: tuple[str, ...]
    """Keys of the point's values; all of them where nothing is known."""
    basis: Basis
    because: str

    @property
    def names(self) -> tuple[str, ...]:
        """The values in words."""
        return tuple(self.point.name_of(one) for one in self.values)


@dataclass(frozen=True, slots=True)
class Inputs:
    """The answers to all decision points, by their keys."""

    by_key: Mapping[str, Input]

    def of(self, table: Table) -> tuple[Input, ...]:
        """Those that a table asks for, itself or through the tables that answer its points."""
        return tuple(self.by_key[key] for key in _keys(table))

    def answers(self, *without: Basis) -> dict[str, str | Collection[str]]:
        """What tables are asked with; answers on the grounds in ``without`` are left out."""
        return {
            key: one.values[0] if len(one.values) == 1 else one.values
            for key, one in self.by_key.items()
            if one.basis is not Basis.UNKNOWN and one.basis not in without
        }


@cache
def _keys(table: Table) -> tuple[str, ...]:
    inner = (_keys(DERIVED[one.key]) for one in table.inputs if one.key in DERIVED)
    return (*(one.key for one in table.inputs), *(key for keys in inner for key in keys))


def inputs(flaw: Flaw, system: System | None = None) -> Inputs:
    """The answers for a flaw, on a system where one is given.

    1. What is published of the flaw; of the system, what its owner says.  2. What KEV lists is
    attacked, whatever else is published.  3. A system that is publicly exposed is no small
    exposure.  4. Automatable and Technical Impact that nobody published are assumed from the CVSS
    vector that counts, in the clear cases.  5. The rest is unknown.
    """
    stated = {**flaw.points, **(system.points if system is not None else {})}
    found = {
        key: Input(POINTS[key], (fact.value,), Basis.PUBLISHED, fact.said)
        for key, fact in stated.items()
    }  # 1
    _state_criticality(found, stated)
    if flaw.kev is not None:
        found |= _listed(flaw.kev)  # 2
    exposed = found.get(PUBLICLY_EXPOSED.key)
    if exposed is not None and exposed.values == ("Y",):
        because = f"it is publicly exposed ({exposed.because})"
        narrow = Input(SYSTEM_EXPOSURE, ("C", "O"), Basis.DERIVED, because)
        found.setdefault(SYSTEM_EXPOSURE.key, narrow)  # 3
    rated = rating(flaw.scores)
    if rated is not None:
        for point, assume in _ASSUMED:
            said = assume(rated)
            if said is not None and point.key not in found:
                value, because = said
                found[point.key] = Input(point, (value,), Basis.ASSUMED, because)  # 4
    unknown = {
        key: Input(point, tuple(point.values), Basis.UNKNOWN, "nobody has said")
        for key, point in POINTS.items()
    }  # 5
    return Inputs({**unknown, **found})


def _state_criticality(found: dict[str, Input], stated: Mapping[str, Fact[str]]) -> None:
    """Leave out a criticality where what was said of safety and mission says more."""
    key = HUMAN_IMPACT.key
    values = {one: fact.value for one, fact in stated.items()}
    if key in found and criticalities(values) != found[key].values:
        del found[key]


def _listed(kev: Fact[date | None]) -> dict[str, Input]:
    if kev.value is None:
        said = f"not listed ({kev.said})"
        return {IN_KEV.key: Input(IN_KEV, ("N",), Basis.PUBLISHED, said)}
    said = f"listed on {kev.value:%Y-%m-%d} ({kev.said})"
    return {
        IN_KEV.key: Input(IN_KEV, ("Y",), Basis.PUBLISHED, said),
        EXPLOITATION.key: Input(EXPLOITATION, ("A",), Basis.DERIVED, f"KEV: {said}"),
    }


def _automatable(rated: Rating) -> tuple[str, str] | None:
    """Whether attacks can be automated, as far as exploitability metrics say.

    SSVC, Automatable: reconnaissance to exploitation without anybody's help.  Version 2.0 of CVSS
    does not ask whether a user has to do something, so it never says yes.
    """
    metrics = rated.metrics
    needs = {
        "access to the network or the machine": metrics["AV"] != "N",
        "an account": metrics.get("PR", metrics.get("Au")) != "N",
        "somebody to do something": metrics.get("UI", "N") != "N",
    }
    needed = [what for what, is_needed in needs.items() if is_needed]
    if needed:
        return "N", f"{_of(rated)}: an attack needs {' and '.join(needed)}"
    if metrics["AC"] == "L" and metrics.get("AT", "N") == "N" and "UI" in metrics:
        return "Y", f"{_of(rated)}: over the network, nothing special, nobody's help needed"
    return None


def _technical_impact(rated: Rating) -> tuple[str, str] | None:
    """Whether an attack takes all: confidentiality and integrity lost wholly, or neither."""
    metrics = rated.metrics
    losses = [metrics.get(f"V{one}", metrics.get(one)) in {"H", "C"} for one in "CI"]
    if all(losses):
        return "T", f"{_of(rated)}: confidentiality and integrity are lost wholly"
    if not any(losses):
        return "P", f"{_of(rated)}: neither confidentiality nor integrity is lost wholly"
    return None


def _of(rated: Rating) -> str:
    return f"{rated.leading.value.cvss.vector} ({rated.leading.said})"


_ASSUMED: Final = ((AUTOMATABLE, _automatable), (TECHNICAL_IMPACT, _technical_impact))
