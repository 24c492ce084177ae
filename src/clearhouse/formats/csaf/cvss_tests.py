"""Tests on scores: CSAF 2.0, sections 6.1.7 to 6.1.10.

The vector takes precedence; everything beside it has to say what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cvss import CVSS2, CVSS3
from cvss.exceptions import CVSSError

from clearhouse.formats.csaf.document import Object, objects, text, texts, vulnerabilities

Found = Iterator[tuple[str, str]]
"""Places, and what is wrong there."""

_IMPACT_3: Final = {"N": "NONE", "L": "LOW", "H": "HIGH"}
_LEVEL: Final = {"L": "LOW", "H": "HIGH"}
_REQUIREMENT: Final = {"L": "LOW", "M": "MEDIUM", "H": "HIGH"}
_VECTOR_3: Final = {"N": "NETWORK", "A": "ADJACENT_NETWORK", "L": "LOCAL", "P": "PHYSICAL"}
_INTERACTION: Final = {"N": "NONE", "R": "REQUIRED"}
_SCOPE: Final = {"U": "UNCHANGED", "C": "CHANGED"}
_IMPACT_2: Final = {"N": "NONE", "P": "PARTIAL", "C": "COMPLETE"}
_NO_WORD: Final = "NOT_DEFINED"

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
_OPTIONAL_2: Final = frozenset({"E", "RL", "RC", "CDP", "TD", "CR", "IR", "AR"})
_BASE_3: Final = frozenset({"AV", "AC", "PR", "UI", "S", "C", "I", "A"})


@dataclass(frozen=True, slots=True)
class _Scheme:
    """One CVSS object of CSAF: what it has to have, and how its vector is read."""

    versions: frozenset[str]
    required: tuple[str, ...]
    metrics: Metrics
    optional: frozenset[str]
    read: Callable[[str], CVSS2 | CVSS3]


_SCHEMES: Final[Mapping[str, _Scheme]] = {
    "cvss_v2": _Scheme(
        frozenset({"2.0"}),
        ("version", "vectorString", "baseScore"),
        _METRICS_2,
        _OPTIONAL_2,
        CVSS2,
    ),
    "cvss_v3": _Scheme(
        frozenset({"3.0", "3.1"}),
        ("version", "vectorString", "baseScore", "baseSeverity"),
        _METRICS_3,
        frozenset(name for name, _ in _METRICS_3.values()) - _BASE_3,
        CVSS3,
    ),
}
_KINDS: Final = ("base", "temporal", "environmental")
_SEVERITIES: Final = frozenset({"NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"})


def _scores(document: Object) -> Iterator[tuple[str, _Scheme, Object]]:
    for path, vulnerability in vulnerabilities(document):
        for place, score in objects(vulnerability, "scores", path):
            for name, scheme in _SCHEMES.items():
                if isinstance(score.get(name), Mapping):
                    yield f"{place}/{name}", scheme, score[name]


def repeated_scores(document: Object) -> Found:
    """6.1.7: a product has one vector of each CVSS version."""
    for path, vulnerability in vulnerabilities(document):
        seen: set[tuple[str, str]] = set()
        for place, score in objects(vulnerability, "scores", path):
            versions = [
                str(score[name].get("version", name))
                for name in _SCHEMES
                if isinstance(score.get(name), Mapping)
            ]
            for where, product in texts(score, "products", place):
                for version in versions:
                    if (product, version) in seen:
                        yield where, f"{product!r} has another score of CVSS {version}"
                    seen.add((product, version))


def invalid_scores(document: Object) -> Found:
    """6.1.8: each CVSS object is what its schema asks for."""
    for path, scheme, score in _scores(document):
        for name in scheme.required:
            if name not in score:
                yield path, f"{name} is missing"
        yield from _wrong_values(path, scheme, score)


def _wrong_values(path: str, scheme: _Scheme, score: Object) -> Found:
    version = text(score, "version")
    if "version" in score and version not in scheme.versions:
        yield f"{path}/version", f"is none of {', '.join(sorted(scheme.versions))}"
    vector = text(score, "vectorString")
    if "vectorString" in score:
        if vector is None or _read(scheme, vector) is None:
            yield f"{path}/vectorString", "is no vector of that version"
        elif version in {"3.0", "3.1"} and not vector.startswith(f"CVSS:{version}/"):
            yield f"{path}/vectorString", f"is no vector of CVSS {version}"
    for kind in _KINDS:
        value = _number(score, f"{kind}Score")
        if f"{kind}Score" in score and (value is None or not 0 <= value <= 10):
            yield f"{path}/{kind}Score", "is no number from 0 to 10"
        if f"{kind}Severity" in score and text(score, f"{kind}Severity") not in _SEVERITIES:
            yield f"{path}/{kind}Severity", "is no severity"
    for name, (metric, words) in scheme.metrics.items():
        known = set(words.values()) | ({_NO_WORD} if metric in scheme.optional else set())
        if name in score and text(score, name) not in known:
            yield f"{path}/{name}", f"{score[name]!r} is no value of {metric}"


def _number(score: Object, name: str) -> float | None:
    """The number under this name, None where there is none."""
    value = score.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _read(scheme: _Scheme, vector: str) -> CVSS2 | CVSS3 | None:
    try:
        return scheme.read(vector)
    except CVSSError:
        return None


def miscomputed_scores(document: Object) -> Found:
    """6.1.9: scores and severities are those that the vector computes to."""
    for path, scheme, score in _scores(document):
        read = _read(scheme, text(score, "vectorString") or "")
        if read is None:
            continue
        expected = read.scores()[0]
        severities = read.severities() if scheme.read is CVSS3 else ("", "", "")
        for kind, computed, severity in zip(_KINDS, read.scores(), severities, strict=True):
            # CVSS 2.0 without metrics of a kind: each is worth nothing or one (section 3.2).
            expected = expected if computed is None else computed
            value, word = _number(score, f"{kind}Score"), text(score, f"{kind}Severity")
            if value is not None and abs(value - float(expected)) > 1e-9:
                yield f"{path}/{kind}Score", f"is {value}, the vector gives {expected}"
            if word is not None and severity and word != severity.upper():
                yield f"{path}/{kind}Severity", f"is {word}, the vector gives {severity.upper()}"


def inconsistent_scores(document: Object) -> Found:
    """6.1.10: no property says other than the vector."""
    for path, scheme, score in _scores(document):
        vector = text(score, "vectorString") or ""
        if _read(scheme, vector) is None:
            continue
        parts = dict(part.split(":", 1) for part in vector.strip("()").split("/") if ":" in part)
        for name, (metric, words) in scheme.metrics.items():
            said = words.get(parts.get(metric, ""), _NO_WORD)
            if name in score and score[name] != said:
                yield f"{path}/{name}", f"is {score[name]!r}, the vector says {said}"
        version = text(score, "version")
        named = parts.get("CVSS", version)
        if version is not None and version != named:
            yield f"{path}/version", f"is {version}, the vector says {named}"
