"""What the page of an advisory says, kept with each revision.  Pure.

The page shows what was published, not what the case has become since.
"""

from __future__ import annotations

from typing import Any

from clearhouse.formats.advisory import Advisory, VersionRanges
from clearhouse.formats.csaf.cwe import NAMES
from clearhouse.formats.cvss import parse
from clearhouse.formats.osv import Bound, Event


def shown(advisory: Advisory) -> dict[str, Any]:
    """Everything that the page says, as JSON."""
    leading = advisory.leading_score
    score = parse(leading.vector) if leading is not None else None
    return {
        "title": advisory.title,
        "summary": advisory.summary,
        "details": advisory.details,
        "cve": advisory.cve or "",
        "weaknesses": [f"CWE-{one} {NAMES.get(one, '')}".strip() for one in advisory.weaknesses],
        "score": None
        if score is None or leading is None
        else {
            "value": score.score, "word": score.severity.value, "vector": score.vector,
            "by": leading.by,
        },
        "other_scores": [
            {"vector": one.vector, "by": one.by} for one in advisory.scores if one is not leading
        ],
        "packages": [
            {
                "purl": str(one.purl),
                "supplier": one.supplier,
                "fixed": list(one.fixed),
                "executed": _ranges(one.executed) if one.executed is not None else None,
                "declared": [_ranges(ranges) for ranges in one.declared],
            }
            for one in advisory.packages
        ],
        "remedies": [one.text for one in advisory.remediations],
        "credits": [
            {"name": one.name, "role": one.role.value, "organisation": one.organisation}
            for one in advisory.credits
        ],
        "references": [
            {"url": one.url, "summary": one.summary, "kind": one.kind}
            for one in advisory.references
        ],
    }  # fmt: skip


def _ranges(ranges: VersionRanges) -> dict[str, Any]:
    return {
        "text": "; ".join(_interval(one) for one in ranges.intervals) or "none",
        "affected": len(ranges.affected),
        "unaffected": len(ranges.unaffected),
        "undecided": list(ranges.undecided),
        "by": ranges.by,
    }


def _interval(events: tuple[Event, ...]) -> str:
    """An interval in words."""
    first, *rest = events
    begin = "every version" if first.version == "0" else f"{first.version}"
    if not rest:
        return begin if first.version == "0" else f"{begin} and later"
    last = rest[-1]
    until = "up to" if last.bound is Bound.LAST_AFFECTED else "before"
    return (
        f"{begin} {until} {last.version}"
        if first.version == "0"
        else (f"{begin} and later, {until} {last.version}")
    )
