"""CVSS 2.0 and 3.x as CSAF 2.0 writes them: the words for a vector's values (FIRST's schemas)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from cvss import CVSS2, CVSS3
from cvss.exceptions import CVSSError

_IMPACT_3: Final = {"N": "NONE", "L": "LOW", "H": "HIGH"}
_LEVEL: Final = {"L": "LOW", "H": "HIGH"}
_REQUIREMENT: Final = {"L": "LOW", "M": "MEDIUM", "H": "HIGH"}
_VECTOR_3: Final = {"N": "NETWORK", "A": "ADJACENT_NETWORK", "L": "LOCAL", "P": "PHYSICAL"}
_INTERACTION: Final = {"N": "NONE", "R": "REQUIRED"}
_SCOPE: Final = {"U": "UNCHANGED", "C": "CHANGED"}
_IMPACT_2: Final = {"N": "NONE", "P": "PARTIAL", "C": "COMPLETE"}
NOT_DEFINED: Final = "NOT_DEFINED"

Metrics = Mapping[str, tuple[str, Mapping[str, str]]]
"""Properties of a score's object: the metric's abbreviation, and the word for each value."""

#: Base metrics are required in a vector; for all others ``X`` is the value of one left out.
_METRICS_3: Final[Metrics] = {
    "attackVector": ("AV", _VECTOR_3),
    "attackComplexity": ("AC", _LEVEL),
    "privilegesRequired": ("PR", _IMPACT_3),
    "userInteraction": ("UI", _INTERACTION),
    "scope": ("S", _SCOPE),
    "confidentialityImpact": ("C", _IMPACT_3),
    "integrityImpact": ("I", _IMPACT_3),
    "availabilityImpact": ("A", _IMPACT_3),
    "exploitCodeMaturity": (
        "E",
        {"U": "UNPROVEN", "P": "PROOF_OF_CONCEPT", "F": "FUNCTIONAL", "H": "HIGH"},
    ),
    "remediationLevel": (
        "RL",
        {"O": "OFFICIAL_FIX", "T": "TEMPORARY_FIX", "W": "WORKAROUND", "U": "UNAVAILABLE"},
    ),
    "reportConfidence": ("RC", {"U": "UNKNOWN", "R": "REASONABLE", "C": "CONFIRMED"}),
    "confidentialityRequirement": ("CR", _REQUIREMENT),
    "integrityRequirement": ("IR", _REQUIREMENT),
    "availabilityRequirement": ("AR", _REQUIREMENT),
    "modifiedAttackVector": ("MAV", _VECTOR_3),
    "modifiedAttackComplexity": ("MAC", _LEVEL),
    "modifiedPrivilegesRequired": ("MPR", _IMPACT_3),
    "modifiedUserInteraction": ("MUI", _INTERACTION),
    "modifiedScope": ("MS", _SCOPE),
    "modifiedConfidentialityImpact": ("MC", _IMPACT_3),
    "modifiedIntegrityImpact": ("MI", _IMPACT_3),
    "modifiedAvailabilityImpact": ("MA", _IMPACT_3),
}
_METRICS_2: Final[Metrics] = {
    "accessVector": ("AV", {"L": "LOCAL", "A": "ADJACENT_NETWORK", "N": "NETWORK"}),
    "accessComplexity": ("AC", {"H": "HIGH", "M": "MEDIUM", "L": "LOW"}),
    "authentication": ("Au", {"M": "MULTIPLE", "S": "SINGLE", "N": "NONE"}),
    "confidentialityImpact": ("C", _IMPACT_2),
    "integrityImpact": ("I", _IMPACT_2),
    "availabilityImpact": ("A", _IMPACT_2),
    "exploitability": (
        "E",
        {"U": "UNPROVEN", "POC": "PROOF_OF_CONCEPT", "F": "FUNCTIONAL", "H": "HIGH"},
    ),
    "remediationLevel": (
        "RL",
        {"OF": "OFFICIAL_FIX", "TF": "TEMPORARY_FIX", "W": "WORKAROUND", "U": "UNAVAILABLE"},
    ),
    "reportConfidence": ("RC", {"UC": "UNCONFIRMED", "UR": "UNCORROBORATED", "C": "CONFIRMED"}),
    "collateralDamagePotential": (
        "CDP",
        {"N": "NONE", "L": "LOW", "LM": "LOW_MEDIUM", "MH": "MEDIUM_HIGH", "H": "HIGH"},
    ),
    "targetDistribution": ("TD", {"N": "NONE", "L": "LOW", "M": "MEDIUM", "H": "HIGH"}),
    "confidentialityRequirement": ("CR", _REQUIREMENT),
    "integrityRequirement": ("IR", _REQUIREMENT),
    "availabilityRequirement": ("AR", _REQUIREMENT),
}
_TEMPORAL: Final = frozenset({"E", "RL", "RC"})
_OPTIONAL_2: Final = frozenset({"E", "RL", "RC", "CDP", "TD", "CR", "IR", "AR"})
_BASE_3: Final = frozenset({"AV", "AC", "PR", "UI", "S", "C", "I", "A"})


@dataclass(frozen=True, slots=True)
class Scheme:
    """One CVSS object of CSAF: what it has to have, and how its vector is read."""

    versions: frozenset[str]
    required: tuple[str, ...]
    metrics: Metrics
    optional: frozenset[str]
    parse: Callable[[str], CVSS2 | CVSS3]

    def metrics_of(self, kind: str) -> frozenset[str]:
        """The metrics of a kind of score."""
        names = frozenset(metric for metric, _ in self.metrics.values())
        temporal = names & _TEMPORAL
        of_kind = {
            "base": names - self.optional,
            "temporal": temporal,
            "environmental": self.optional - temporal,
        }
        return of_kind[kind]

    def read(self, vector: str) -> CVSS2 | CVSS3 | None:
        """The vector with its scores, None where it is none of this scheme."""
        try:
            return self.parse(vector)
        except CVSSError:
            return None

    def words(self, vector: str) -> dict[str, str]:
        """The word for each property, of a vector that can be read."""
        parts = dict(part.split(":", 1) for part in vector.strip("()").split("/") if ":" in part)
        return {
            name: words.get(parts.get(metric, ""), NOT_DEFINED)
            for name, (metric, words) in self.metrics.items()
        }


SCHEMES: Final[Mapping[str, Scheme]] = {
    "cvss_v2": Scheme(
        frozenset({"2.0"}),
        ("version", "vectorString", "baseScore"),
        _METRICS_2,
        _OPTIONAL_2,
        CVSS2,
    ),
    "cvss_v3": Scheme(
        frozenset({"3.0", "3.1"}),
        ("version", "vectorString", "baseScore", "baseSeverity"),
        _METRICS_3,
        frozenset(name for name, _ in _METRICS_3.values()) - _BASE_3,
        CVSS3,
    ),
}
#: Kinds of scores, in the order in which the library returns them.
KINDS: Final = ("base", "temporal", "environmental")
