"""Where an effect arose: in the target's code, or somewhere else.  Pure.

The harness is the finder's and may lie.  An effect is laid at the target's door only when all of
these hold (docs/proof-trust.md says what each of them does and does not rule out):

1. the harness keeps the contract: nothing in it could act on the observer or change the target;
2. nothing it did while running was such an act either;
3. on the stack of the effect, going outwards, the target's code comes before the harness's; a
   hang or growth takes place in one call of the target, not in many that the harness makes;
4. up to that moment the harness went no way with the poc that it did not go with a control;
5. a control makes the same call of the target, with arguments of the same kinds;
6. what the effect touched is not spelled out in the harness itself;
7. ``bypass`` only: given the control's answers, the same harness does not complain about the poc.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clearhouse.proof.effects import Effect
from clearhouse.proof.observation import Event, Frame, Owner, Run, Stack

_SAMPLES_IN_TARGET = 0.8
_SAMPLES_IN_ONE_CALL = 0.5
_OBJECT_LENGTH = 5  # shorter names stand in any text by chance


@dataclass(frozen=True, slots=True)
class Attributed:
    """The frames of the target that carry the effect, innermost first."""

    frames: Stack
    stack: Stack  # the whole of it, as evidence


@dataclass(frozen=True, slots=True)
class NotAttributed:
    """Why the effect cannot be laid at the target's door: a sentence for the finder."""

    reason: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One appearance of an effect: its stack, and how far the harness was."""

    stack: Stack
    marks: frozenset[int]
    site: int
    native_call: str | None = None  # the compiled function of the target that raised, if one did
    object: str | None = None  # the path, program or address that was touched
    call: int = 0  # how many calls of the target the harness had made


def target_frames(stack: Stack) -> Stack:
    """The target's frames, when they come before the harness's going outwards; else nothing."""
    for index, frame in enumerate(stack):
        if frame.owner is Owner.TARGET:
            return _until_harness(stack[index:])
        if frame.owner is Owner.HARNESS:
            return ()
    return ()


def _until_harness(stack: Sequence[Frame]) -> Stack:
    found = []
    for frame in stack:
        if frame.owner is Owner.HARNESS:
            break
        if frame.owner is Owner.TARGET:
            found.append(frame)
    return tuple(found)


def attribute(
    effect: Effect,
    run: Run,
    moments: Sequence[Moment],
    controls: Sequence[Run],
    *,
    harness_text: str,
    counterfactual: Counterfactual | None = None,
) -> Attributed | NotAttributed:
    """Judge one poc run that shows the effect; steps are numbered as in the module's text."""
    # 1 and 2
    kept = _contract(run)
    if kept is not None:
        return kept
    if effect is Effect.BYPASS:
        return _bypass(run, controls, counterfactual)
    if not moments:
        return NotAttributed("no stack of the effect could be read")
    # 3
    inside = [m for m in moments if target_frames(m.stack) or m.native_call]
    wanted = _SAMPLES_IN_TARGET if effect in (Effect.HANG, Effect.MEMORY) else 0.0
    if not inside or len(inside) < wanted * len(moments):
        return NotAttributed(_where_instead(moments))
    if effect in (Effect.HANG, Effect.MEMORY) and (many := _many_calls(inside)):
        return NotAttributed(many)
    # 4, 5, 6: for the moments that are the target's, the last being the surest
    reasons = []
    for moment in reversed(inside):
        reason = _same_way(run, moment, controls) or _own_doing(moment, harness_text)
        if reason is None:
            frames = target_frames(moment.stack)
            if not frames and moment.native_call:
                module, _, name = moment.native_call.rpartition(".")
                frames = (Frame("native", module, name, None, Owner.TARGET),)
            return Attributed(frames, moment.stack)
        reasons.append(reason)
    return NotAttributed(reasons[0])


def _contract(run: Run) -> NotAttributed | None:
    if run.contract:
        more = f" (and {len(run.contract) - 1} more)" if len(run.contract) > 1 else ""
        return NotAttributed(f"the harness could cause this itself: {run.contract[0]}{more}")
    if run.tampering:
        return NotAttributed(f"the harness acted on the interpreter: {run.tampering[0]}")
    return None


def _many_calls(moments: Sequence[Moment]) -> str | None:
    """Why a hang is the harness's repeating, or None: most of it happens within one call."""
    calls = [m.call for m in moments]
    longest = max(calls.count(call) for call in set(calls))
    if longest >= _SAMPLES_IN_ONE_CALL * len(calls):
        return None
    return f"no one call of the target takes that much: the harness makes {max(calls)} of them"


def _where_instead(moments: Sequence[Moment]) -> str:
    for moment in reversed(moments):
        for frame in moment.stack:
            if frame.owner is Owner.HARNESS:
                where = f"line {frame.line}" if frame.line else frame.name
                return f"the harness does it itself, at {where}, not the target"
    return "no frame of the target stands on the effect's stack"


def _lines(run: Run, marks: Iterable[int]) -> list[int]:
    lines = run.mark_lines
    return sorted({lines[m] for m in marks if m < len(lines)})


def _same_way(run: Run, moment: Moment, controls: Sequence[Run]) -> str | None:
    if not run.mark_lines:
        return None  # a harness that leaves no marks is compared by its runner (C and C++)
    gone = frozenset[int]().union(*(c.marks for c in controls))
    alone = moment.marks - gone
    if alone:
        lines = _lines(run, alone) or [0]
        where = f"no control passes line {lines[0]} as it does"
        return f"the harness goes its own way with the poc: {where}"
    mine = [c for c in run.calls if c.line == moment.site]
    if not mine:
        return None
    theirs = {(c.line, c.callee): c for r in controls for c in r.calls}
    for call in mine:
        other = theirs.get((call.line, call.callee))
        if other is None:
            return f"no control calls {call.callee} from line {call.line}"
        kinds = {t for r in controls for c in r.calls if c.callee == call.callee for t in c.types}
        strange = [t for t in call.types if t not in kinds]
        if strange:
            given = ", ".join(strange[0]) or "nothing"
            return f"{call.callee} is given other kinds of argument than on a control: {given}"
    return None


def _own_doing(moment: Moment, harness_text: str) -> str | None:
    if moment.object and len(moment.object) > _OBJECT_LENGTH and moment.object in harness_text:
        return f"{moment.object} stands in the harness, not in the input"
    return None


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The harness on the poc after a control, once for real and once with the control's answers."""

    real: Run
    answered_as_control: Run


def _bypass(
    run: Run, controls: Sequence[Run], counterfactual: Counterfactual | None
) -> Attributed | NotAttributed:
    if not run.calls:
        return NotAttributed("the harness complains without having called the target")
    if counterfactual is None:
        return NotAttributed("whether the target's answer decides could not be tried")
    real, altered = counterfactual.real, counterfactual.answered_as_control
    if real.raised is None or not real.raised.guarantee:
        return NotAttributed("the harness complains only when it is the first to run")
    if altered.raised is not None and altered.raised.guarantee:
        return NotAttributed(
            "the harness complains about the poc even when the target answers as on the control"
        )
    gone = frozenset[int]().union(*(c.marks for c in controls))
    alone = altered.marks - gone
    if alone:
        line = (_lines(altered, alone) or [0])[0]
        return NotAttributed(
            f"the harness tells the poc from a control by itself, at line {line}, "
            "not by the target's answer"
        )
    called = {c.callee for r in controls for c in r.calls}
    frames = tuple(
        Frame("call", "", c.callee, None, Owner.TARGET) for c in run.calls if c.callee in called
    )
    if not frames:
        return NotAttributed("no control makes the call that the poc's complaint is about")
    return Attributed(frames[::-1], run.raised.stack if run.raised else ())


def event_moment(event: Event) -> Moment:
    """The moment of a kernel event."""
    touched = event.details.get("path") or event.details.get("address")
    if event.kind == "execute":
        arguments = event.details.get("arguments") or []
        touched = arguments[-1] if len(arguments) > 1 else event.details.get("program")
    if event.kind == "read-outside":
        touched = None  # the canary's name is no secret; that the poc names it is intended
    return Moment(event.stack, event.call.marks, event.call.site, object=touched)
