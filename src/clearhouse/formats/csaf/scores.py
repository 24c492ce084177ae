"""An advisory's CVSS scores as CSAF 2.0 takes them: one vector of a version for each product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cvss import CVSS2, CVSS3, CVSS4
from cvss.exceptions import CVSSError

from clearhouse.errors import Invalid
from clearhouse.formats.advisory import Advisory, Score
from clearhouse.formats.csaf.cvss_terms import KINDS, NOT_DEFINED, SCHEMES


def score_entries(advisory: Advisory, affected: Sequence[str]) -> list[dict[str, Any]]:
    """The leading score of each CVSS version up to 3.1, for the affected products.

    CSAF 2.0 has no CVSS 4.0 and no place for whose a score is: notes tell all scores.
    """
    leading = advisory.leading_score
    ranked = sorted(advisory.scores, key=lambda score: score is not leading)
    chosen: dict[str, dict[str, Any]] = {}
    for score in ranked:
        read = parse(score)
        if not isinstance(read, CVSS4):
            found = _object(score.vector, read)
            chosen.setdefault(found["version"], found)
    if not affected:
        return []
    return [
        {"cvss_v2" if version == "2.0" else "cvss_v3": found, "products": list(affected)}
        for version, found in chosen.items()
    ]


def parse(score: Score) -> CVSS2 | CVSS3 | CVSS4:
    """The vector with its scores.  Raises Invalid for what is no vector of CVSS."""
    vector = score.vector
    try:
        if vector.startswith("CVSS:4.0/"):
            return CVSS4(vector)
        return CVSS3(vector) if vector.startswith("CVSS:3") else CVSS2(vector)
    except CVSSError as error:
        raise Invalid(f"is no CVSS vector: {error}", key="scores") from None


def in_words(score: Score) -> str:
    """A score for people: the version, the score and severity, the vector, and whose it is."""
    read = parse(score)
    version = score.vector[5:8] if score.vector.startswith("CVSS:") else "2.0"
    severity = read.severities()[0]
    whose = f" ({score.by}{', the supplier' if score.is_suppliers else ''})" if score.by else ""
    return f"CVSS {version}: {read.scores()[0]} {severity}, {score.vector}{whose}"


def _object(vector: str, read: CVSS2 | CVSS3) -> dict[str, Any]:
    """The object with the words for what the vector says, and the scores it computes to."""
    scheme = SCHEMES["cvss_v3" if isinstance(read, CVSS3) else "cvss_v2"]
    found: dict[str, Any] = {
        name: word for name, word in scheme.words(vector).items() if word != NOT_DEFINED
    }
    found["version"] = vector[5:8] if isinstance(read, CVSS3) else "2.0"
    found["vectorString"] = vector
    given = {metric for name, (metric, _) in scheme.metrics.items() if name in found}
    severities = read.severities() if isinstance(read, CVSS3) else ()
    for number, kind in enumerate(KINDS):
        if kind == "base" or given & scheme.metrics_of(kind):
            found[f"{kind}Score"] = float(read.scores()[number])
            if severities:
                found[f"{kind}Severity"] = severities[number].upper()
    return found
