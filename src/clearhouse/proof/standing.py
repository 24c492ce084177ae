"""How a release stands towards a proof: one of five statuses, from recorded runs.  Pure.

The same effect test and the same attribution as for a verdict, with the runs on the version
attacked as the reference: an exception of another class is another effect, and a control that
does not do what it did there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from clearhouse.proof.attribution import Counterfactual, NotAttributed, attribute, target_frames
from clearhouse.proof.effects import Effect, Expectation
from clearhouse.proof.explain import place, what_happened
from clearhouse.proof.judge import frames_json
from clearhouse.proof.observation import MEGABYTE, Outcome, Raised, Run
from clearhouse.proof.search import Standing
from clearhouse.proof.showing import Showing, disturbs, showing

#: A poc that stays under this share of a limit is without the effect; between that and the limit
#: another machine might see it. (Processor times of one run here vary by less than a third.)
_CLEARLY_UNDER: Final = 0.5


_OBJECT: Final = re.compile(r"<[\w.]+(<locals>[\w.]+)*>")
#: Results that a harness may give whatever the target does.
_SAYS_NOTHING: Final[tuple[object, ...]] = (None, True, False, 0, 1, "", [], {})
#: Exceptions that say the release does not fit the runtime or the dependencies it has here: what it
#: would have made of the input stays open.  By class, and a pattern of the text where that matters.
_MISFITS: Final = (
    ("ModuleNotFoundError", re.compile("")),
    ("ImportError", re.compile("")),
    ("SyntaxError", re.compile(r"\.py, line \d+\)$")),  # of a module imported late
    ("NameError", re.compile("")),  # unicode, basestring, unichr: names of Python 2
    ("AttributeError", re.compile(r"^(partially initialized )?module '.*' has no attribute ")),
    ("ReferenceError", re.compile(r" is not defined$")),
    ("TypeError", re.compile(r" is not a (function|constructor)$")),
    ("Error", re.compile(r"^Cannot find module ")),
)


class Status(StrEnum):
    """What ``clearhouse history`` says of a version."""

    AFFECTED = "affected"
    CLEAN = "clean"
    REFUSED = "refused"
    UNRUNNABLE = "unrunnable"
    INCONCLUSIVE = "inconclusive"

    @property
    def standing(self) -> Standing:
        """What the search makes of it: the last two are never counted as unaffected."""
        return _STANDING[self]


_STANDING: Final = {
    Status.AFFECTED: Standing.AFFECTED,
    Status.CLEAN: Standing.UNAFFECTED,
    Status.REFUSED: Standing.UNAFFECTED,
    Status.UNRUNNABLE: Standing.UNDECIDED,
    Status.INCONCLUSIVE: Standing.UNDECIDED,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A status with the sentence that carries it."""

    status: Status
    why: str
    hits: int = 0
    """Runs of the pocs that show the effect."""
    passing: bool = False
    """It may lie in the machine's state, not in the release: to be run again another time."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What the bundle does on the version it attacks."""

    effect: Effect
    expect: Expectation
    harness_text: str
    version: str
    pocs: tuple[Run, ...]
    controls: tuple[Run, ...]

    @property
    def pinned(self) -> Expectation:
        """Without a stated class of exception, the one seen on the version attacked is meant."""
        first = next((run.raised for run in self.pocs if run.raised), None)
        if self.effect is Effect.EXCEPTION and self.expect.exception is None and first is not None:
            return replace(self.expect, exception=first.type)
        return self.expect


@dataclass(frozen=True, slots=True)
class Trial:
    """The runs of one release; every poc several times."""

    pocs: tuple[Run, ...]
    controls: tuple[Run, ...]
    counterfactual: Counterfactual | None = None


def stand(reference: Reference, trial: Trial) -> Finding:
    """Say how a release stands.

    1. everything was loaded, or nothing was: ``unrunnable``
    2. every control behaves as one, and as on the version attacked
    3. a poc that shows the effect does so in each run, and by the target's doing: ``affected``
    4. every poc ran to its end, clearly without the effect, and did what it did on the version
       attacked: ``clean``, or ``refused`` where the target ended it

    Whatever does not hold makes it ``inconclusive``.
    """
    # 1
    idle = [run for run in (*trial.controls, *trial.pocs) if not run.ran]
    if idle:
        broken = next((run for run in idle if run.outcome is Outcome.BROKEN), None)
        if broken is not None:
            return Finding(
                Status.INCONCLUSIVE, f"the sandbox failed: {_brief(broken.why)}", passing=True
            )
        if len(idle) < len(trial.controls) + len(trial.pocs):
            why = f"it is loaded in some runs only: {_brief(idle[0].why)}"
            return Finding(Status.INCONCLUSIVE, why, passing=True)
        return Finding(Status.UNRUNNABLE, f"it cannot be loaded here: {_brief(idle[0].why)}")
    # 2
    if not trial.controls:
        return Finding(Status.INCONCLUSIVE, "there is no control to compare with")
    for control in trial.controls:
        trouble = _control(reference, control)
        if trouble is not None:
            cut = control.outcome is Outcome.KILLED
            return Finding(Status.INCONCLUSIVE, f"{control.input} {trouble}", passing=cut)
    # 3
    found = _affected(reference, trial)
    if found is not None:
        return found
    # 4
    if not trial.pocs:
        return Finding(Status.INCONCLUSIVE, "no poc was run")
    return _unaffected(reference, trial)


def _brief(text: str) -> str:
    """The first line of a message, which says what is missing; the rest is where it was missed."""
    return (text.strip().splitlines() or ["it said nothing"])[0][:200]


def _control(reference: Reference, control: Run) -> str | None:
    trouble = disturbs(reference.effect, control, reference.pinned)
    if trouble:
        return f"fails as a control: {trouble}"
    before = next((run for run in reference.controls if run.input == control.input), None)
    if before is None:
        return f"was not run on {reference.version}"
    if control.outcome is not before.outcome:
        return f"behaves otherwise than on {reference.version}: {control.why}, there: {before.why}"
    if before.raised and control.raised and before.raised.type != control.raised.type:
        return f"raises {control.raised.type}, on {reference.version} {before.raised.type}"
    answered = {call.line for call in control.calls if call.returned} | _hidden(control, before)
    for call in before.calls:
        if call.returned and call.line not in answered:
            return f"gets no answer from {_simple(call.callee)} (line {call.line})"
    if _truths(control.value) != _truths(before.value):
        return f"gives another result than on {reference.version}"
    for mine, there in _pairs(control, before):
        if _truths(mine) != _truths(there):
            return f"is answered otherwise than on {reference.version}"
    return None


def _hidden(control: Run, before: Run) -> frozenset[int]:
    """Lines whose call of the target cannot be told as one here, though it was made.

    Compiled functions do not always name the module they come from. That the control has the very
    result that it had on the version attacked, and one that says something, shows the call.
    """
    if control.value != before.value or control.value in _SAYS_NOTHING:
        return frozenset()
    called = {call.line for call in control.calls}
    return frozenset(call.line for call in before.calls if call.line not in called)


def _simple(callee: str) -> str:
    return callee.rpartition(".")[2]


def _pairs(control: Run, before: Run) -> Iterator[tuple[Any, Any]]:
    mine = {(call.line, _simple(call.callee)): call for call in control.calls}
    for call in before.calls:
        other = mine.get((call.line, _simple(call.callee)))
        if other is not None:
            yield from zip(other.returned, call.returned, strict=False)


def _truths(value: object) -> tuple[bool, ...] | None:
    """A value's truth values, in which versions must agree; texts and objects change with time."""
    if isinstance(value, bool):
        return (value,)
    if isinstance(value, list) and value and all(isinstance(one, bool) for one in value):
        return tuple(value)
    return None


def _affected(reference: Reference, trial: Trial) -> Finding | None:
    shown = [(run, showing(reference.effect, run, reference.pinned)) for run in trial.pocs]
    hits = sum(isinstance(seen, Showing) for _, seen in shown)
    doubt: Finding | None = None
    for name in dict.fromkeys(run.input for run in trial.pocs):
        mine = [(run, seen) for run, seen in shown if run.input == name]
        showed = [(run, seen) for run, seen in mine if isinstance(seen, Showing)]
        if not showed:
            continue
        if len(showed) < len(mine):
            why = f"{name} shows the effect in {len(showed)} of {len(mine)} runs"
            doubt = doubt or Finding(Status.INCONCLUSIVE, why, hits, passing=True)
            continue
        words = ""
        for run, seen in showed:
            found = attribute(
                reference.effect, run, seen.moments, trial.controls,
                harness_text=reference.harness_text, counterfactual=trial.counterfactual,
            )  # fmt: skip
            if isinstance(found, NotAttributed):
                why = f"{name} shows the effect, but not by the target's doing: {found.reason}"
                doubt = doubt or Finding(Status.INCONCLUSIVE, why, hits)
                break
            words = words or _words(reference, seen, place(frames_json(found.frames[:1])))
        else:
            return Finding(Status.AFFECTED, words, hits)
    return doubt


def _words(reference: Reference, seen: Showing, where: str) -> str:
    what = what_happened({"kind": reference.effect.value, "observed": seen.observed})
    return f"{what} in {where}" if where else what


def _unaffected(reference: Reference, trial: Trial) -> Finding:
    refusal = ""
    hidden = frozenset[int]().union(
        *(
            _hidden(control, before)
            for control in trial.controls
            for before in reference.controls
            if before.input == control.input
        )
    )
    for run in trial.pocs:
        trouble = _unfinished(reference, run, hidden)
        if trouble is not None:
            return Finding(Status.INCONCLUSIVE, trouble, passing=run.outcome is Outcome.KILLED)
        if run.raised is not None:
            refusal = refusal or f"the target rejects {run.input}: {run.why}"
    endings = {(run.input, run.outcome, run.raised and run.raised.type) for run in trial.pocs}
    if len(endings) > len({run.input for run in trial.pocs}):
        return Finding(Status.INCONCLUSIVE, "its runs end in different ways", passing=True)
    remark = _remark(reference, trial)
    if refusal:
        return Finding(Status.REFUSED, refusal + remark)
    return Finding(Status.CLEAN, _without(reference, trial) + remark)


def _remark(reference: Reference, trial: Trial) -> str:
    """Say where a control has another result than on the version attacked."""
    for control in trial.controls:
        for before in reference.controls:
            if before.input != control.input:
                continue
            changed = [mine != there for mine, there in _answers(control, before)]
            if any(changed):
                return f"; {control.input} has another result than on {reference.version}"
    return ""


def _answers(control: Run, before: Run) -> Iterator[tuple[Any, Any]]:
    for mine, there in ((control.value, before.value), *_pairs(control, before)):
        yield _shape(mine), _shape(there)


def _shape(value: object) -> object:
    """A value without the names of its objects' classes, which are moved between modules."""
    if isinstance(value, str):
        return "<object>" if _OBJECT.fullmatch(value) else value
    if isinstance(value, list):
        return [_shape(one) for one in value]
    if isinstance(value, dict):
        return {key: _shape(one) for key, one in value.items()}
    return value


def _unfinished(reference: Reference, run: Run, hidden: frozenset[int]) -> str | None:
    """Why a run without the effect does not show its absence; None where it does."""
    if run.outcome is Outcome.KILLED:
        return f"{run.input} is {run.why}"
    if run.outcome in (Outcome.SIGNAL, Outcome.EXITED):
        return f"{run.input} ends in another way: {run.why}"
    near = _near(reference, run)
    if near is not None:
        return f"{run.input} takes {near}"
    raised = run.raised
    if raised is not None:
        if raised.by_harness or raised.guarantee:
            return f"the harness gives {run.input} up: {run.why}"
        inside = target_frames(raised.stack) or (run.escape is not None and run.escape.native)
        if not inside:
            return f"{run.input} fails in the harness: {run.why}"
        if _is_misfit(raised):
            return f"it does not work here: {run.why}"
    return _did_not_call(reference, run, hidden)


def _is_misfit(raised: Raised) -> bool:
    first = raised.text.strip().split("\n")[0]
    return any(raised.type == kind and pattern.search(first) for kind, pattern in _MISFITS)


def _near(reference: Reference, run: Run) -> str | None:
    expect, near = reference.expect, "too near to the limit of"
    if reference.effect is Effect.HANG and run.cpu_s > _CLEARLY_UNDER * expect.cpu_seconds:
        return f"{run.cpu_s:.2f} s of processor time, {near} {expect.cpu_seconds:g} s"
    grown = run.growth_bytes / MEGABYTE
    if reference.effect is Effect.MEMORY and grown > _CLEARLY_UNDER * expect.rss_mb:
        return f"{grown:.0f} MiB, {near} {expect.rss_mb} MiB"
    return None


def _did_not_call(reference: Reference, run: Run, hidden: frozenset[int]) -> str | None:
    """The harness must try here what it tried on the version attacked."""
    before = next((other for other in reference.pocs if other.input == run.input), None)
    if before is None or not before.calls:
        return None
    here = {(call.line, _simple(call.callee)) for call in run.calls}
    there = {(call.line, _simple(call.callee)) for call in before.calls}
    lines = {line for line, _ in here}
    missing = sorted(call for call in there - here if call[0] not in lines | hidden)
    if run.raised is None and missing:
        line, callee = missing[0]
        return f"the harness does not call {callee} (line {line}) for {run.input}"
    if not run.calls and not hidden:
        return f"the harness does not call the target for {run.input}"
    return None


def _without(reference: Reference, trial: Trial) -> str:
    match reference.effect:
        case Effect.HANG:
            most = max(run.cpu_s for run in trial.pocs)
            return f"{most:.2f} s of processor time, limit {reference.expect.cpu_seconds:g} s"
        case Effect.MEMORY:
            most = max(run.growth_bytes for run in trial.pocs) / MEGABYTE
            return f"{most:.0f} MiB of memory, limit {reference.expect.rss_mb} MiB"
        case _:
            return "ran through without the effect"
