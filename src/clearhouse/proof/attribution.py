"""Where an effect arose: in the target's code, or somewhere else.  Pure.

The harness is the finder's and may lie.  An effect is laid at the target's door only when all of
these hold (docs/proof-trust.md says what each of them does and does not rule out):

1. the harness keeps the contract: nothing in it could act on the observer or change the target;
2. nothing it did while running was such an act either;
3. on the stack of the effect, going outwards, the target's code comes before the harness's, and the
   harness has neither used up what then runs out nor does its part while the effect builds up;
4. there is a control with which the harness went every way that it went with the poc by then;
5. with that control it made the same calls of the target, with arguments of the same kinds, and
   gave it the same kinds of answers when called back;
6. what the effect touched is not spelled out in the harness itself, and where the harness may catch
   what the target raises, the control's call did not raise the same;
7. ``bypass`` only: given the control's answers the same harness does not complain about the poc,
   and given the poc's answers it complains about the control.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clearhouse.proof.effects import Effect
from clearhouse.proof.observation import (
    CallState,
    Event,
    Frame,
    Owner,
    Run,
    Stack,
    TargetCall,
)

_SAMPLES_IN_TARGET = 0.8
_SAMPLES_DRAWN = 0.5  # where the harness's loop runs for as long as an iterator of the target
_SAMPLES_IN_ONE_CALL, _FEW_CALLS = 0.5, 8
_OBJECT_LENGTH = 5  # shorter names stand in any text by chance
_GROWTH_IN_CALL = 0.8  # of the memory that a memory proof shows
_VALUES_GIVEN = 1000  # while the target calls back; a callback that only listens gives none
_FRAMES_OUTSIDE = 60  # of a recursion's thousand, those outwards of the target
_HARNESS_FRAMES = 20
#: Begins the file of a frame whose code was made from text while running.
MADE = "eval in "
#: Parts of the standard library that stand between a harness and a target without doing much.
_GLUE = ("contextlib", "functools", "asyncio", "typing", "abc", "dataclasses", "enum", "runners")
#: Errors that tell of the sandbox's limits, whoever reached them (errno(3), Linux).
_OWN_LIMITS = {
    1: "EPERM", 11: "EAGAIN", 12: "ENOMEM", 13: "EACCES", 23: "ENFILE", 24: "EMFILE", 27: "EFBIG",
    28: "ENOSPC", 30: "EROFS", 122: "EDQUOT",
}  # fmt: skip
_ERRNO = re.compile(r"^\[Errno (\d+)\]")
_FROM_OUTSIDE = frozenset({"KeyboardInterrupt", "CancelledError", "GeneratorExit"})


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
    call: int = 0  # how many calls of the target the harness had made, 0 where that is unknown


def moment_of(stack: Stack, call: CallState) -> Moment:
    """The moment at which a stack was read."""
    return Moment(stack, call.marks, call.site, call=call.number)


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
    # What is in code made from text, its names included, is the input's; who made it says more.
    return tuple(f for f in found if not f.file.startswith(MADE)) or tuple(found)


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The harness on one input after another, with answers exchanged.

    ``real`` is the poc after a control, ``answered_as_control`` the same with the answers that the
    target gave on the control; ``answered_as_poc`` is the control after the poc with the answers
    given on the poc, or None where that cannot be tried.
    """

    real: Run
    answered_as_control: Run
    answered_as_poc: Run | None = None

    @property
    def runs(self) -> int:
        """How many runs it consists of."""
        return 2 if self.answered_as_poc is None else 3


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
    wanted = 0.0
    if effect in (Effect.HANG, Effect.MEMORY):
        wanted = _SAMPLES_DRAWN if _endless(inside, controls) else _SAMPLES_IN_TARGET
    if not inside or len(inside) < wanted * len(moments):
        return NotAttributed(_where_instead(moments))
    part = _takes_part(effect, run, inside, controls)
    if part is not None:
        return NotAttributed(part)
    # 4, 5, 6: for the moments that are the target's, the last being the surest
    reasons = []
    for moment in reversed(inside):
        reason = _same_way(run, moment, controls) or _own_doing(run, moment, controls, harness_text)
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
        return NotAttributed(f"the harness acted on more than the target: {run.tampering[0]}")
    return None


def _many_calls(moments: Sequence[Moment]) -> str | None:
    """Why a hang is the harness's repeating, or None: most of it happens within one call."""
    calls = [m.call for m in moments]
    if max(calls) <= _FEW_CALLS:
        return None
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


# -- 3: what runs out, and who does it ------------------------------------------------------------


def _takes_part(
    effect: Effect, run: Run, inside: Sequence[Moment], controls: Sequence[Run]
) -> str | None:
    match effect:
        case Effect.EXCEPTION:
            return _runs_out(run)
        case Effect.HANG:
            return _repeats(run, inside, controls)
        case Effect.MEMORY:
            return _repeats(run, inside, controls) or _own_memory(run)
        case _:
            return None


def _runs_out(run: Run) -> str | None:
    """An exception that says that something ran out must not be of the harness's making."""
    raised = run.raised
    if raised is None:
        return None
    outside = _FROM_OUTSIDE.intersection(raised.names)
    if outside:
        return f"{min(outside)} comes from outside the target"
    found = _ERRNO.match(raised.text)
    if found and int(found[1]) in _OWN_LIMITS:
        return f"{_OWN_LIMITS[int(found[1])]} is a limit of the sandbox, which anything can reach"
    if "RecursionError" not in raised.names:
        return None
    outer = _outwards(raised.stack)
    if sum(f.owner is Owner.HARNESS for f in outer) > _HARNESS_FRAMES:
        return "the harness's own recursion uses up the stack"
    strange = [f for f in outer if f.owner is Owner.RUNTIME and not _is_glue(f)]
    if strange or len(outer) > _FRAMES_OUTSIDE:
        name = strange[0].name if strange else outer[0].name
        return f"the stack is used up before the target is reached, by {name}"
    return None


def _outwards(stack: Stack) -> Stack:
    """The frames outwards of the outermost one of the target."""
    last = max((i for i, f in enumerate(stack) if f.owner is Owner.TARGET), default=-1)
    return stack[last + 1 :]


def _is_glue(frame: Frame) -> bool:
    return frame.file.rpartition("/")[2].removesuffix(".py") in _GLUE or "/asyncio/" in frame.file


def _repeats(run: Run, inside: Sequence[Moment], controls: Sequence[Run]) -> str | None:
    """Whether the harness keeps the effect going, by calling or by being called."""
    if not _endless(inside, controls):
        many = _many_calls(inside)
        if many is not None:
            return many
    return _gives_values(run, controls)


def _endless(inside: Sequence[Moment], controls: Sequence[Run]) -> bool:
    """Whether an iterator of the target does not end which does so by itself with a control."""
    return bool(inside) and any(inside[-1].site in control.ended for control in controls)


def _gives_values(run: Run, controls: Sequence[Run]) -> str | None:
    last = run.samples[-1] if run.samples else None
    if last is None:
        return None
    usual = max((c.given for c in controls), default=0)
    if last.call.given > _VALUES_GIVEN + 20 * usual:
        return f"the harness goes on giving the target values, {last.call.given} so far"
    return None


def _own_memory(run: Run) -> str | None:
    """The memory has to be taken within a call of the target, not before it or by a callback."""
    grown = [s.rss_bytes - s.call.rss_bytes for s in run.samples if s.call.rss_bytes]
    if grown and max(grown) < _GROWTH_IN_CALL * run.growth_bytes:
        return "most of the memory is taken by the harness, not by the call of the target"
    return None


# -- 4, 5, 6 --------------------------------------------------------------------------------------


def _lines(run: Run, marks: Iterable[int]) -> list[int]:
    lines = run.mark_lines
    return sorted({lines[m] for m in marks if m < len(lines)})


def _same_way(run: Run, moment: Moment, controls: Sequence[Run]) -> str | None:
    """Why no control goes the poc's way; None when one does."""
    if not run.mark_lines:
        return None  # a harness that leaves no marks is compared by its runner (C and C++)
    reasons = [_unlike(run, moment, control) for control in controls]
    if not reasons:
        return "there is no control to compare with"
    if None in reasons:
        return None
    # The control that came furthest says most.
    steps = sorted((reason for reason in reasons if reason), key=lambda r: r[0], reverse=True)
    return steps[0][1]


def _unlike(run: Run, moment: Moment, control: Run) -> tuple[int, str] | None:
    """How far a control keeps company with the poc, and what parts them; None when nothing does."""
    alone = moment.marks - control.marks
    if alone:
        line = (_lines(run, alone) or [0])[0]
        why = f"the harness goes its own way with the poc: no control passes line {line} as it does"
        return 0, why
    theirs = {(c.line, c.callee): c for c in control.calls}
    for call in _calls_by(run, moment):
        other = theirs.get((call.line, call.callee))
        if other is None:
            return 1, f"no control calls {call.callee} from line {call.line}"
        kinds = {t for c in control.calls if c.callee == call.callee for t in c.types}
        at = call.at or (0,) * len(call.types)
        for kind, number in zip(call.types, at, strict=False):
            if kind not in kinds and (not moment.call or number <= moment.call):
                given = ", ".join(kind) or "nothing"
                what = f"{call.callee} is given other kinds of argument than on a control: {given}"
                return 2, what
    usual = {(line, name) for line, name, _ in control.ways}
    for line, name, before in sorted(run.ways):
        if (line, name) not in usual and (not moment.call or before < moment.call):
            return 2, f"no control calls {name} from line {line}"
    for line, answer in sorted(run.gave - control.gave):
        if answer != "NoneType":
            return 3, f"the harness answers the target at line {line} with another kind: {answer}"
    return None


def _calls_by(run: Run, moment: Moment) -> list[TargetCall]:
    """The calls of the target that were made by then; where that is unknown, those of the line."""
    if any(call.at for call in run.calls):
        by = moment.call
        return [c for c in run.calls if not by or not c.at or min(c.at) <= by]
    return [c for c in run.calls if c.line == moment.site]


def _own_doing(run: Run, moment: Moment, controls: Sequence[Run], harness_text: str) -> str | None:
    if moment.object and len(moment.object) > _OBJECT_LENGTH and moment.object in harness_text:
        return f"{moment.object} stands in the harness, not in the input"
    if run.raised is not None and run.escape is not None:
        same = (run.escape.site, run.escape.callee, run.raised.type)
        for control in controls:
            if same in control.came_out and control.raised is None:
                return (
                    f"{run.escape.callee} raises {run.raised.type} with {control.input} as well; "
                    "the harness lets only the poc's pass"
                )
    return None


# -- 7 ---------------------------------------------------------------------------------------------


def _bypass(
    run: Run, controls: Sequence[Run], counterfactual: Counterfactual | None
) -> Attributed | NotAttributed:
    if not run.calls:
        return NotAttributed("the harness complains without having called the target")
    if counterfactual is None:
        return NotAttributed("whether the target's answer decides could not be tried")
    tried = exchange_fails(controls, counterfactual)
    if tried is not None:
        return NotAttributed(tried)
    called = {c.callee for r in controls for c in r.calls}
    frames = tuple(
        Frame("call", "", c.callee, None, Owner.TARGET) for c in run.calls if c.callee in called
    )
    if not frames:
        return NotAttributed("no control makes the call that the poc's complaint is about")
    return Attributed(frames[::-1], run.raised.stack if run.raised else ())


def exchange_fails(controls: Sequence[Run], tried: Counterfactual) -> str | None:
    """Why the target's answers do not decide whether the harness complains; None when they do."""
    for one in (tried.real, tried.answered_as_control, tried.answered_as_poc):
        kept = _contract(one) if one is not None else None
        if kept is not None:
            return kept.reason
    if not _complains(tried.real):
        return "the harness complains only when it is the first to run"
    altered, converse = tried.answered_as_control, tried.answered_as_poc
    if _complains(altered):
        return "the harness complains about the poc even when the target answers as on the control"
    parted = [_unlike(altered, Moment((), altered.marks, 0), control) for control in controls]
    if parted and None not in parted:
        return (
            "the harness tells the poc from a control by itself, not by the target's answer: "
            + max(reason for reason in parted if reason)[1]
        )
    if converse is not None and not _complains(converse):
        return (
            "the harness does not complain about the control when the target answers as on the poc"
        )
    return None


def _complains(run: Run) -> bool:
    return run.raised is not None and run.raised.guarantee


def event_moment(event: Event) -> Moment:
    """The moment of a kernel event."""
    touched = event.details.get("path") or event.details.get("address")
    if event.kind == "execute":
        arguments = event.details.get("arguments") or []
        touched = arguments[-1] if len(arguments) > 1 else event.details.get("program")
    if event.kind == "read-outside":
        touched = None  # the canary's name is no secret; that the poc names it is intended
    call = event.call
    return Moment(event.stack, call.marks, call.site, object=touched, call=call.number)
