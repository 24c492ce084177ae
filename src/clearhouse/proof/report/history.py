"""The page of ``clearhouse history --report``: which versions have a flaw, and how it is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clearhouse.proof.entries import NOT_RUN
from clearhouse.proof.explain import place, what_happened
from clearhouse.proof.report.page import render
from clearhouse.proof.report.strip import (
    HEIGHTS,
    Strip,
    declared_by_version,
    shown_status,
    strip_of,
)
from clearhouse.proof.report.verdicts import environment_facts, environment_packages
from clearhouse.proof.report.words import EFFECTS, counted

_MEANINGS: Final = {
    "affected": "an input shows the effect, by the target's doing",
    "clean": "every input ran through without it",
    "refused": "the target itself rejected the input",
    "unrunnable": "cannot be installed or imported here; never counted as unaffected",
    "inconclusive": "a control failed, a limit cut the run short, or results varied; never counted"
    " as unaffected",
    NOT_RUN: "nothing is known of it",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """An entry of the legend: a status and how many versions have it."""

    status: str
    meaning: str
    number: int
    height: int
    fill: str


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version in the table."""

    version: str
    status: str
    how: str
    why: str
    declared: str
    disagrees: bool
    remarks: str


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """Neighbouring versions of which the advisory and the runs say different things."""

    versions: str
    number: int
    run: int
    declared: str
    executed: str
    evidence: str


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """An advisory beside the runs."""

    advisory: str
    declared: str
    withdrawn: str
    agreed: int
    differences: tuple[DifferenceRow, ...]
    undecided: tuple[DifferenceRow, ...]


@dataclass(frozen=True, slots=True)
class HistoryView:
    """The history of one bundle."""

    anchor: str
    headline: str
    id: str
    title: str
    effect: str
    package: str
    attacked: str
    fixed: str
    grade: str
    seen: str
    reason: str
    problem: str
    ranges: tuple[str, ...]
    effort: str
    sampling: str
    meaning: str
    strip: Strip
    summary: str
    kinds: tuple[Kind, ...]
    inferred: bool
    comparison: ComparisonView | None
    agreed: str
    unknown: tuple[tuple[str, str, bool], ...]
    versions: tuple[VersionRow, ...]
    bundle_digest: str
    digest: str
    signature: str
    facts: tuple[tuple[str, str], ...]
    packages: tuple[tuple[str, str], ...]


def history_page(documents: Sequence[Mapping[str, Any]]) -> str:
    """Return the HTML page for documents of ``clearhouse history --json``, in their order."""
    views = [_view(f"h{number}", document) for number, document in enumerate(documents, 1)]
    headline = f"{len(views)} flaws, dated by running them"
    if len(views) == 1:
        headline = views[0].headline
    return render("history.html", title="History report", headline=headline, histories=views)


def _view(anchor: str, document: Mapping[str, Any]) -> HistoryView:
    entries: Sequence[Mapping[str, Any]] = document["versions"]
    statuses = Counter(shown_status(entry) for entry in entries)
    verdict: Mapping[str, Any] = document.get("verdict") or {}
    environment: Mapping[str, Any] = document.get("environment") or {}
    package = str(document["package"])
    return HistoryView(
        anchor=anchor,
        headline=_headline(document, package, statuses),
        id=str(document["bundle"]["id"]),
        title=str(document.get("title") or ""),
        effect=EFFECTS.get(str(document.get("effect")), str(document.get("effect") or "")),
        package=package,
        attacked=str(document.get("attacked") or ""),
        fixed=str(document.get("fixed") or ""),
        grade=str(verdict.get("grade") or ""),
        seen=_seen(str(document.get("effect") or ""), verdict),
        reason=str(verdict.get("reason") or ""),
        problem=str(document.get("problem") or ""),
        ranges=tuple(_range(one) for one in document["ranges"]),
        effort=_effort(document, entries),
        sampling=str((document.get("sampling") or {}).get("risk") or ""),
        meaning=str(document.get("not_affected_means") or ""),
        strip=strip_of(document),
        summary=", ".join(f"{number} {status}" for status, number in statuses.items()),
        kinds=tuple(
            Kind(status, _MEANINGS[status], statuses[status], height, status.replace(" ", "-"))
            for status, height in HEIGHTS.items()
            if statuses[status]
        ),
        inferred=any(not e["run"] and shown_status(e) != NOT_RUN for e in entries),
        comparison=_comparison(document.get("comparison")),
        agreed=_agreed(document.get("comparison")),
        unknown=tuple(
            (str(one["version"]), str(one["status"]), bool(one["inside_a_range"]))
            for one in document.get("unknown") or ()
        ),
        versions=_rows(document, entries),
        bundle_digest=str(document["bundle"].get("digest") or ""),
        digest=str(document.get("digest") or ""),
        signature=str(verdict.get("signature") or ""),
        facts=environment_facts(environment),
        packages=environment_packages(environment),
    )


def _headline(document: Mapping[str, Any], package: str, statuses: Mapping[str, int]) -> str:
    name = package.rpartition("/")[2]
    if document.get("problem"):
        return f"{name}: nothing could be dated"
    releases = counted(sum(statuses.values()), "release")
    return f"{name}: {statuses.get('affected', 0)} of {releases} affected"


def _seen(kind: str, verdict: Mapping[str, Any]) -> str:
    if not verdict.get("observed"):
        return ""
    happened = what_happened({"kind": kind, "observed": verdict["observed"]})
    where = place(verdict.get("attributed_to") or [])
    return f"{happened} in {where}" if where else happened


def _range(one: Mapping[str, Any]) -> str:
    if "fixed" in one:
        return f"from {one['introduced']} until before {one['fixed']}"
    return f"from {one['introduced']} up to and including {one['last_affected']}"


def _effort(document: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> str:
    run = sum(bool(entry["run"]) for entry in entries)
    return (
        f"{counted(int(document['runs']), 'run')} on {run} of {counted(len(entries), 'release')};"
        " the controls on each of them"
    )


def _comparison(raw: Mapping[str, Any] | None) -> ComparisonView | None:
    if not raw:
        return None
    return ComparisonView(
        advisory=str(raw["advisory"]) or "the advisory",
        declared=str(raw["declared"]),
        withdrawn=str(raw.get("withdrawn") or ""),
        agreed=int(raw["agreed"]),
        differences=tuple(_difference(one) for one in raw["differences"]),
        undecided=tuple(_difference(one) for one in raw["undecided"]),
    )


def _agreed(raw: Mapping[str, Any] | None) -> str:
    if not raw:
        return ""
    return f"The runs say the same of {counted(int(raw['agreed']), 'release')}."


def _difference(raw: Mapping[str, Any]) -> DifferenceRow:
    versions = [str(version) for version in raw["versions"]]
    span = versions[0] if len(versions) == 1 else f"{versions[0]} to {versions[-1]}"
    return DifferenceRow(
        span,
        len(versions),
        len(raw["run"]),
        str(raw["declared"]),
        str(raw["executed"]),
        str(raw["evidence"]),
    )


def _rows(
    document: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]
) -> tuple[VersionRow, ...]:
    declared = declared_by_version(document)
    rows = []
    for entry in entries:
        status = shown_status(entry)
        says = declared.get(str(entry["version"]))
        decided = status in ("affected", "clean", "refused")
        remarks = [] if entry.get("ordered", True) else ["outside the version grammar"]
        remarks += ["yanked"] if entry.get("yanked") else []
        rows.append(
            VersionRow(
                version=str(entry["version"]),
                status=status,
                how=f"{entry['hits']} of {entry['poc_runs']}" if entry["run"] else "not run",
                why=str(entry["why"]),
                declared="" if says is None else "affected" if says else "not affected",
                disagrees=says is not None and decided and says is not (status == "affected"),
                remarks=", ".join(remarks),
            )
        )
    return tuple(rows)
