"""Tests on scores: CSAF 2.0, sections 6.1.7 to 6.1.10.

The vector takes precedence; everything beside it has to say what it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cvss import CVSS3

from clearhouse.formats.csaf.cvss_terms import KINDS, NOT_DEFINED, SCHEMES, Scheme
from clearhouse.formats.csaf.document import Object, objects, text, texts, vulnerabilities

Found = Iterator[tuple[str, str]]
"""Places, and what is wrong there."""

_SEVERITIES: Final = frozenset({"NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"})


def _scores(document: Object) -> Iterator[tuple[str, Scheme, Object]]:
    for path, vulnerability in vulnerabilities(document):
        for place, score in objects(vulnerability, "scores", path):
            for name, scheme in SCHEMES.items():
                if isinstance(score.get(name), Mapping):
                    yield f"{place}/{name}", scheme, score[name]


def repeated_scores(document: Object) -> Found:
    """6.1.7: a product has one vector of each CVSS version."""
    for path, vulnerability in vulnerabilities(document):
        seen: set[tuple[str, str]] = set()
        for place, score in objects(vulnerability, "scores", path):
            versions = [
                str(score[name].get("version", name))
                for name in SCHEMES
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


def _wrong_values(path: str, scheme: Scheme, score: Object) -> Found:
    version = text(score, "version")
    if "version" in score and version not in scheme.versions:
        yield f"{path}/version", f"is none of {', '.join(sorted(scheme.versions))}"
    vector = text(score, "vectorString")
    if "vectorString" in score:
        if vector is None or scheme.read(vector) is None:
            yield f"{path}/vectorString", "is no vector of that version"
        elif version in {"3.0", "3.1"} and not vector.startswith(f"CVSS:{version}/"):
            yield f"{path}/vectorString", f"is no vector of CVSS {version}"
    for kind in KINDS:
        value = _number(score, f"{kind}Score")
        if f"{kind}Score" in score and (value is None or not 0 <= value <= 10):
            yield f"{path}/{kind}Score", "is no number from 0 to 10"
        if f"{kind}Severity" in score and text(score, f"{kind}Severity") not in _SEVERITIES:
            yield f"{path}/{kind}Severity", "is no severity"
    for name, (metric, words) in scheme.metrics.items():
        known = set(words.values()) | ({NOT_DEFINED} if metric in scheme.optional else set())
        if name in score and text(score, name) not in known:
            yield f"{path}/{name}", f"{score[name]!r} is no value of {metric}"


def _number(score: Object, name: str) -> float | None:
    """The number under this name, None where there is none."""
    value = score.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def miscomputed_scores(document: Object) -> Found:
    """6.1.9: scores and severities are those that the vector computes to."""
    for path, scheme, score in _scores(document):
        read = scheme.read(text(score, "vectorString") or "")
        if read is None:
            continue
        expected = read.scores()[0]
        severities = read.severities() if isinstance(read, CVSS3) else ("", "", "")
        for kind, computed, severity in zip(KINDS, read.scores(), severities, strict=True):
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
        if scheme.read(vector) is None:
            continue
        for name, said in scheme.words(vector).items():
            if name in score and score[name] != said:
                yield f"{path}/{name}", f"is {score[name]!r}, the vector says {said}"
