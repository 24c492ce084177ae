"""How severe a flaw is: of several CVSS vectors, which one counts and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from clearhouse.exposure.judging.facts import Fact, Scored
from clearhouse.formats.cvss import Version
from clearhouse.protocol.severity import Severity


@dataclass(frozen=True, slots=True)
class Rating:
    """The vector that counts, why, and the others."""

    leading: Fact[Scored]
    because: str
    others: tuple[Fact[Scored], ...]

    @property
    def score(self) -> float:
        """The base score, 0.0 to 10.0."""
        return self.leading.value.cvss.score

    @property
    def severity(self) -> Severity:
        """The word for it."""
        return self.leading.value.cvss.severity

    @property
    def metrics(self) -> dict[str, str]:
        """The vector's metrics."""
        parts = self.leading.value.cvss.vector.split("/")
        pairs = (one.partition(":") for one in parts if not one.startswith("CVSS:"))
        return {metric: value for metric, _, value in pairs}


def rating(scores: Iterable[Fact[Scored]]) -> Rating | None:
    """The vector that counts; None where there is none.

    1. The supplier's own, whose judgement goes before that of others.  2. The newest version of
    CVSS.  3. The highest score.
    """
    ordered = sorted(scores, key=_place)
    if not ordered:
        return None
    first, *others = ordered
    why = "the only score"
    if others:
        second = others[0].value
        if first.value.is_suppliers and not second.is_suppliers:
            why = "the supplier's own score goes before those of others"
        elif first.value.cvss.version is not second.cvss.version:
            why = f"CVSS {first.value.cvss.version} is the newest version that there is"
        else:
            why = f"the highest score in CVSS {first.value.cvss.version}"
    return Rating(first, why, tuple(others))


def _place(fact: Fact[Scored]) -> tuple[bool, int, float, str, str]:
    scored = fact.value
    version = list(Version).index(scored.cvss.version)
    score = scored.cvss
    return not scored.is_suppliers, -version, -score.score, score.vector, fact.said
