"""The judgement: recorded runs in, verdict out.  Pure; running is somebody else's job."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from clearhouse.proof.attribution import (
    Attributed,
    Counterfactual,
    NotAttributed,
    attribute,
    target_frames,
)
from clearhouse.proof.effects import Effect, Expectation
from clearhouse.proof.observation import Frame, Outcome, Run, Stack, TargetCall
from clearhouse.proof.showing import NotShown, Showing, disturbs, showing
from clearhouse.proof.signature import signature

_Z95 = 1.959964


class Grade(StrEnum):
    """What has been shown; each grade includes those before it (docs/proof-trust.md)."""

    CLAIMED = "claimed"
    REPRODUCED = "reproduced"
    ATTRIBUTED = "attributed"
    DIFFERENTIAL = "differential"

    @property
    def proven(self) -> bool:
        """From ``attributed`` up a finding counts as proven."""
        return self in (Grade.ATTRIBUTED, Grade.DIFFERENTIAL)


@dataclass(frozen=True, slots=True)
class HitRate:
    """How often the poc showed the effect, with a 95 % Wilson interval."""

    hits: int
    runs: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval (Wilson 1927): sound for small counts and for 0 and 1."""
        n, p, z = self.runs, self.hits / self.runs, _Z95
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)

    def as_json(self) -> dict[str, Any]:
        """The rate as verdicts show it."""
        low, high = self.interval
        return {
            "hits": self.hits, "runs": self.runs, "rate": round(self.hits / self.runs, 3),
            "interval95": [round(low, 3), round(high, 3)],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that a judgement needs."""

    effect: Effect
    expect: Expectation
    package: str
    harness_text: str
    pocs: Sequence[Run]  # all runs of all poc inputs on the attacked version
    controls: Sequence[Run]
    fixed_version: str | None = None
    fixed_pocs: Sequence[Run] = ()
    fixed_controls: Sequence[Run] = ()
    counterfactual: Counterfactual | None = None
    fixed_problem: str | None = None  # why the fixed version could not be brought here


@dataclass(frozen=True, slots=True)
class Judgement:
    """The grade, what carries it, and why it is not higher."""

    grade: Grade
    reason: str  # one sentence: why not the next grade, or what shows the highest
    observed: Mapping[str, Any]
    frames: Stack = ()
    stack: Stack = ()
    signature: str | None = None
    hit_rate: HitRate | None = None


def shows(case: Case, run: Run) -> bool:
    """Whether one run shows the case's effect."""
    return isinstance(showing(case.effect, run, case.expect), Showing)


def judge(case: Case) -> Judgement:
    """Grade a case.

    1. every run of every poc shows the effect, no control does or fails: ``reproduced``
    2. the effect arises in the target, in every one of those runs: ``attributed``
    3. the fixed version runs the same poc without it, by the same way, and its controls behave as
       before: ``differential``
    """
    # 1
    seen = [showing(case.effect, run, case.expect) for run in case.pocs]
    hits = [s for s in seen if isinstance(s, Showing)]
    rate = HitRate(len(hits), len(seen)) if seen else None
    observed: Mapping[str, Any] = hits[0].observed if hits else {}
    if not hits:
        whys = list(dict.fromkeys(s.why for s in seen if isinstance(s, NotShown)))
        return Judgement(
            Grade.CLAIMED, "the poc does not show it: " + "; ".join(whys[:2]), {}, hit_rate=rate
        )
    if len(hits) < len(seen):
        assert rate is not None
        low, high = rate.interval
        reason = (
            f"shows in {rate.hits} of {rate.runs} runs only "
            f"({low:.0%} to {high:.0%} of runs, 95 % interval)"
        )
        return Judgement(Grade.CLAIMED, reason, observed, hit_rate=rate)
    if not case.controls:
        return Judgement(
            Grade.CLAIMED, "there is no control to compare with", observed, hit_rate=rate
        )
    for control in case.controls:
        trouble = control.why if not control.ran else disturbs(case.effect, control, case.expect)
        if trouble:
            return Judgement(
                Grade.CLAIMED,
                f"{control.input} fails as a control: {trouble}",
                observed,
                hit_rate=rate,
            )
    # 2
    found: Attributed | None = None
    for run, shown in zip(case.pocs, hits, strict=True):
        result = attribute(
            case.effect, run, shown.moments, case.controls,
            harness_text=case.harness_text, counterfactual=case.counterfactual,
        )  # fmt: skip
        if isinstance(result, NotAttributed):
            return Judgement(Grade.REPRODUCED, result.reason, observed, hit_rate=rate)
        found = found or result
    assert found is not None
    # One flaw crashes in the way that the input has it; an exception's class is firmer.
    kind = str(observed.get("type", "")) if case.effect is Effect.EXCEPTION else ""
    mark = signature(
        case.effect,
        case.package,
        kind,
        [moment.stack for hit in hits for moment in hit.moments],
        found.frames,
    )
    proven = Judgement(Grade.ATTRIBUTED, "", observed, found.frames, found.stack, mark, rate)
    # 3
    if case.fixed_version is None:
        return replace(proven, reason="the bundle names no fixed version to compare with")
    trouble = case.fixed_problem or _fixed_trouble(case)
    if trouble:
        return replace(proven, reason=trouble)
    return replace(
        proven,
        grade=Grade.DIFFERENTIAL,
        reason=f"gone in {case.fixed_version}, where the controls behave as before",
    )


def _fixed_trouble(case: Case) -> str | None:
    version = case.fixed_version
    if not case.fixed_pocs:
        return f"nothing was run on {version}"
    for run in (*case.fixed_pocs, *case.fixed_controls):
        if not run.ran:
            return f"{version} could not be run: {run.why}"
        for broken in (*run.contract, *run.tampering):
            return f"on {version} the harness goes beyond calling the target: {broken}"
    for run in case.fixed_pocs:
        if isinstance(showing(case.effect, run, _pinned(case)), Showing):
            return f"the effect shows on {version} as well"
        if run.outcome is Outcome.KILLED:
            return f"on {version} the poc is {run.why}"
        if run.outcome is Outcome.SIGNAL:
            return f"on {version} the poc ends otherwise: {run.why}"
        other = _other_way(case, run)
        if other:
            return other
    return behaves_differently(case.controls, case.fixed_controls, str(version))


def _pinned(case: Case) -> Expectation:
    """Without a stated exception class, the class seen on the attacked version is the effect."""
    first = case.pocs[0].raised
    if case.effect is Effect.EXCEPTION and case.expect.exception is None and first is not None:
        return replace(case.expect, exception=first.type)
    return case.expect


def _other_way(case: Case, run: Run) -> str | None:
    """The harness must try on the fixed version what it did on the attacked one."""
    version = case.fixed_version
    before = case.pocs[0].calls
    refused = run.raised is not None and not run.raised.by_harness and not run.raised.guarantee
    refused = refused and bool(target_frames(run.raised.stack) if run.raised else ())
    refused = refused or run.escape is not None
    mine = {(c.line, _simple_name(c)) for c in run.calls}
    missing = {(c.line, _simple_name(c)) for c in before} - mine
    if missing and not refused and len(missing) == len({(c.line, _simple_name(c)) for c in before}):
        line, callee = min(missing)
        return f"on {version} the harness does not call {callee} (line {line}) at all"
    # Until the target first answers otherwise, the harness has no reason to ask otherwise.
    for old, new in zip(before, run.calls, strict=False):
        if (old.line, _simple_name(old)) != (new.line, _simple_name(new)):
            break
        if old.given[:1] != new.given[:1]:
            called = f"{_simple_name(new)} (line {new.line})"
            return f"on {version} the harness gives {called} something else"
        if len(old.given) > 1 or _simple(old.returned) != _simple(new.returned):
            break
    return None


def _simple_name(call: TargetCall) -> str:
    return call.callee.rpartition(".")[2]


def behaves_differently(before: Sequence[Run], after: Sequence[Run], version: str) -> str | None:
    """The first way in which a control behaves otherwise on another version, or None."""
    by_name = {run.input: run for run in after}
    for run in before:
        other = by_name.get(run.input)
        if other is None or not other.ran:
            return f"{run.input} was not run on {version}"
        if run.outcome is not other.outcome:
            return f"{run.input} behaves otherwise on {version}: {other.why}, before: {run.why}"
        if run.raised and other.raised and run.raised.type != other.raised.type:
            return f"{run.input} raises {other.raised.type} on {version}, {run.raised.type} before"
        if run.value != other.value:
            return f"{run.input} gives another result on {version}"
        if {c.line for c in run.calls} != {c.line for c in other.calls}:
            return f"{run.input} makes other calls on {version}"
        other_reads = _reads(other)
        for place, values in _reads(run).items():
            if other_reads.get(place, values) != values:
                return f"{run.input} reads another {place[1]} on {version} (line {place[0]})"
        for mine, theirs in zip(run.calls, other.calls, strict=False):
            if mine.line == theirs.line and _simple(mine.returned) != _simple(theirs.returned):
                ends = _raises_instead(mine, theirs, other) or "returns another value"
                return f"{run.input}: {mine.callee} {ends} on {version}"
            if mine.line == theirs.line and mine.given != theirs.given:
                return f"{run.input}: {mine.callee} is given something else on {version}"
    return None


def _raises_instead(before: TargetCall, after: TargetCall, other: Run) -> str | None:
    """That a call which returned raises now; a harness that catches it does not show it."""
    raised = [kind for line, _, kind in other.came_out if line == after.line]
    if not before.returned or after.returned or not raised:
        return None
    return f"raises {raised[0]} instead of returning"


def _reads(run: Run) -> dict[tuple[int, str], set[str]]:
    """What the harness read off the target, by line and name."""
    found: dict[tuple[int, str], set[str]] = {}
    for line, name, digest in run.reads:
        found.setdefault((line, name), set()).add(digest)
    return found


def _simple(values: Sequence[Any]) -> list[Any]:
    """Returned values as far as versions must agree on them: classes may be renamed."""
    return [
        "<object>" if isinstance(v, str) and v.startswith("<") and v.endswith(">") else v
        for v in values
    ]


def frames_json(frames: Sequence[Frame]) -> list[dict[str, Any]]:
    """Frames as verdicts show them."""
    return [f.as_json() for f in frames]
