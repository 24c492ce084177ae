"""The page of ``clearhouse prove --report``: a summary, a table, the evidence of each verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clearhouse.proof.report.page import render
from clearhouse.proof.report.runs import RunGroup, run_groups
from clearhouse.proof.report.stack import FrameView, Part, folded, frame_view
from clearhouse.proof.report.words import (
    EFFECTS,
    GRADES,
    SUMMARIES,
    TROUBLES,
    counted,
    joined,
    observed_shortly,
    what_was_seen,
)

_NOT_JUDGED: Final = "not judged"
_TWINS_SHOWN: Final = 8
_LADDER: Final = tuple(GRADES)
_NO_EFFECT: Final[Mapping[str, Any]] = {
    "kind": "", "observed": {}, "attributed_to": [], "stack": [],
}  # fmt: skip
_NAMES: Final = {
    "clearhouse": "clearhouse",
    "python": "Python",
    "kernel": "Kernel",
    "sandbox": "Sandbox",
    "runtime": "Runtime",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A rung of the ladder of grades: ``state`` is reached, stopped or ahead."""

    grade: str
    meaning: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class VerdictView:
    """One verdict, or what stands in its place where none could be made."""

    anchor: str
    id: str
    grade: str
    title: str
    target: str
    fixed: str
    effect: str
    observed: str
    place: FrameView | None  # the innermost frame of the target
    hits: str
    interval: str
    reason: str
    said: str
    ladder: tuple[Step, ...]
    stack: tuple[Part, ...]
    cut: int  # frames shown of a stack that goes on; 0 where it is whole
    carried_by: tuple[FrameView, ...]
    groups: tuple[RunGroup, ...]
    limited: bool  # the bars carry a limit
    signature: str
    twins: tuple[tuple[str, str], ...]  # anchor and id of others with the same signature
    more_twins: int
    facts: tuple[tuple[str, str], ...]
    packages: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    bundle_digest: str
    digest: str


@dataclass(frozen=True, slots=True)
class Count:
    """A grade, how many verdicts have it, and its share in per cent with where that begins."""

    grade: str
    summary: str
    number: int
    start: float
    share: float


def verdicts_page(documents: Sequence[Mapping[str, Any]]) -> str:
    """Return the HTML page for verdict documents (``clearhouse prove --json``), in their order."""
    anchors = {n: f"v{n}" for n in range(1, len(documents) + 1)}
    twins: dict[str, list[tuple[str, str]]] = {}
    for number, document in enumerate(documents, 1):
        if document.get("signature"):
            twin = (anchors[number], str(document["bundle"]["id"]))
            twins.setdefault(str(document["signature"]), []).append(twin)
    views = [_view(anchors[n], d, twins) for n, d in enumerate(documents, 1)]
    environments = list(dict.fromkeys(v.facts for v in views if v.facts))
    return render(
        "verdicts.html",
        title="Proof report",
        headline=_headline(views),
        counts=_counts(views),
        figures=_figures(documents, views),
        environments=environments,
        verdicts=views,
    )


def _headline(views: Sequence[VerdictView]) -> str:
    proven = sum(v.grade in ("attributed", "differential") for v in views)
    if len(views) == 1:
        undecided = _NOT_JUDGED if views[0].grade == _NOT_JUDGED else "not proven"
        return f"{views[0].id} is {'proven' if proven else undecided}"
    reported = counted(len(views), "reported vulnerability", "reported vulnerabilities")
    return f"{proven} of {reported} proven"


def _counts(views: Sequence[VerdictView]) -> list[Count]:
    number = Counter(v.grade for v in views)
    counts = []
    start = 0.0
    for grade in (*reversed(_LADDER), _NOT_JUDGED):
        share = 100 * number[grade] / max(1, len(views))
        place = (round(start, 3), round(share, 3))
        counts.append(Count(grade, SUMMARIES[grade], number[grade], *place))
        start += share
    return counts


def _figures(
    documents: Sequence[Mapping[str, Any]], views: Sequence[VerdictView]
) -> list[tuple[str, str]]:
    """What was run, in numbers."""
    runs = [(str(d["target"]), run) for d in documents for run in d.get("runs", ())]
    versions = {(target.rpartition("@")[0] or target, run["version"]) for target, run in runs}
    packages = {package for package, _ in versions}
    effects = Counter(v.effect for v in views if v.effect)
    shown = [
        ("Runs", f"{counted(len(runs), 'run')} in the sandbox"),
        ("Targets", f"{counted(len(versions), 'version')} of {counted(len(packages), 'package')}"),
        ("Processor time", f"{sum(float(r['cpu_s']) for _, r in runs):.2f} s"),
    ]
    if effects:
        shown.append(("Effects", ", ".join(f"{effect} {n}" for effect, n in effects.most_common())))
    return shown


def _view(
    anchor: str, document: Mapping[str, Any], twins: Mapping[str, Sequence[tuple[str, str]]]
) -> VerdictView:
    bundle = document["bundle"]
    error = document.get("error")
    effect = document.get("effect") or _NO_EFFECT
    rate = document.get("hit_rate")
    grade = _NOT_JUDGED if error else str(document["grade"])
    reason = str(error["message"]) if error else str(document["reason"])
    environment = document.get("environment") or {}
    signature = str(document.get("signature") or "")
    same = [twin for twin in twins.get(signature, ()) if twin[0] != anchor]
    groups = run_groups(document)
    stack = tuple(frame_view(f) for f in effect["stack"])
    carried = tuple(frame_view(f, "target") for f in effect["attributed_to"])
    return VerdictView(
        anchor=anchor,
        id=str(bundle["id"]),
        grade=grade,
        title=str(document.get("title") or ""),
        target=str(document.get("target") or ""),
        fixed=str(document.get("fixed") or ""),
        effect=EFFECTS.get(effect["kind"], str(effect["kind"])),
        observed="" if error else observed_shortly(effect["observed"]),
        place=carried[0] if carried else None,
        hits=f"{rate['hits']} of {rate['runs']}" if rate else "",
        interval=_interval(rate) if rate else "",
        reason=reason,
        said=_trouble(error) if error else _said(effect, reason, groups),
        ladder=() if error else _ladder(grade, reason),
        stack=folded(stack),
        cut=0 if any(f.owner == "harness" for f in stack) else len(stack),
        carried_by=() if set(carried) & set(stack) else carried,
        groups=groups,
        limited="limit_s" in effect["observed"] or "limit_mb" in effect["observed"],
        signature=signature,
        twins=tuple(same[:_TWINS_SHOWN]),
        more_twins=len(same[_TWINS_SHOWN:]),
        facts=environment_facts(environment),
        packages=environment_packages(environment),
        notes=tuple(str(note) for note in document.get("notes", ())),
        bundle_digest=str(bundle.get("digest") or ""),
        digest=str(document.get("digest") or ""),
    )


def environment_facts(environment: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What an environment names besides its packages."""
    return tuple(
        (_NAMES.get(key, key), str(value))
        for key, value in environment.items()
        if key != "packages" and value
    )


def environment_packages(environment: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The packages of an environment, each with the digest of its artifact."""
    return tuple((str(one["purl"]), str(one["digest"])) for one in environment.get("packages", ()))


def _interval(rate: Mapping[str, Any]) -> str:
    low, high = rate["interval95"]
    return f"{100 * low:.0f} to {100 * high:.0f} %"


def _trouble(error: Mapping[str, Any]) -> str:
    kind = TROUBLES.get(str(error.get("kind")), "an error")
    return f"No verdict ({kind}): {error['message']}."


def _ladder(grade: str, reason: str) -> tuple[Step, ...]:
    reached = _LADDER.index(grade)
    steps = []
    for number, (name, meaning) in enumerate(GRADES.items()):
        state = "reached" if number <= reached else "stopped" if number == reached + 1 else "ahead"
        steps.append(Step(name, meaning, state, reason if state == "stopped" else ""))
    return tuple(steps)


def _said(effect: Mapping[str, Any], reason: str, groups: Sequence[RunGroup]) -> str:
    """What happened; where it arises; how often it was seen, and where it was not."""
    seen = what_was_seen(str(effect["kind"]), effect["observed"])
    said = [f"{seen}." if seen else f"The effect was not seen: {reason}."]
    where = effect["attributed_to"]
    if where:
        frame = frame_view(where[0])
        place = f" ({frame.where})" if frame.where else ""
        said.append(f"It arises in {frame.function}{place}.")
    tallies = _tallies(groups)
    if seen and tallies:
        said.append(f"Seen in {joined(tallies)}.")
    return " ".join(said)


def _tallies(groups: Sequence[RunGroup]) -> list[str]:
    """How many runs showed the effect: of the poc anywhere, of controls on the version attacked."""
    found = []
    for group in groups:
        pocs = [run.effect for run in group.runs if run.kind == "poc"]
        controls = [run.effect for run in group.runs if run.kind == "control"]
        if pocs:
            found.append(f"{_of(pocs)} {'run' if len(pocs) == 1 else 'runs'} on {group.version}")
        if controls and not group.fixed:
            found.append(f"{_of(controls)} control {'run' if len(controls) == 1 else 'runs'}")
    return found


def _of(shown: Sequence[bool]) -> str:
    return f"{sum(shown) or 'none'} of {len(shown)}"
