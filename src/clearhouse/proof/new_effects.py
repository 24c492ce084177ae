"""What a patched version does that the one before did not: flaws that a patch adds.  Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from clearhouse.proof.effects import Effect
from clearhouse.proof.judge import Case, shows
from clearhouse.proof.observation import MEGABYTE, Frame, Outcome, Owner, Run
from clearhouse.proof.warden.paths import temporary

#: Classes that say that the code itself went wrong, not that it turns the input down. Raised by a
#: ``raise`` of the target's own they are an answer all the same.
FAULTS: Final = frozenset(
    {
        "AssertionError", "AttributeError", "ImportError", "IndexError", "InternalError",
        "KeyError", "MemoryError", "ModuleNotFoundError", "NameError", "RangeError",
        "RecursionError", "ReferenceError", "SystemError", "TypeError", "UnboundLocalError",
        "ZeroDivisionError",
    }
)  # fmt: skip
#: Of these, the ones with which code answers an argument that it does not take.
_ANSWERS: Final = frozenset({"RangeError", "TypeError"})
#: What no ``except Exception`` of a caller stops: raised by a library, they end the program.
_ENDS: Final = frozenset({"GeneratorExit", "KeyboardInterrupt", "SystemExit"})
_SLOWER, _SLOW_S = 10.0, 1.0
_LARGER, _LARGE = 4.0, 64 * MEGABYTE
#: A run that ends at its limit is slower than one that came near to it anyway only from here on.
_STOPPED_SLOWER = 3.0

_UBSAN: Final = "UndefinedBehaviorSanitizer"

SourceLine = Callable[[Frame], str | None]


@dataclass(frozen=True, slots=True)
class NewEffect:
    """One effect that is new with the patch: its kind, the input and a sentence."""

    kind: str
    input: str
    what: str


def new_effects(
    before: Run, after: Run, *, known_faults: Iterable[str], line_of: SourceLine
) -> list[NewEffect]:
    """Compare one input's runs without and with the patch.

    ``known_faults`` are exception classes that come out of the unpatched version on malformed
    inputs as well; ``line_of`` gives the patched source line of a frame.
    """
    if not after.ran:
        return []
    had = _deeds(before)
    found = {k: what for k, what in _deeds(after).items() if k not in had}
    if another_finding(after) and any(kind.startswith("crash") for kind in had):
        # The run without the patch crashed before it came so far: nothing is known to be new.
        found = {k: what for k, what in found.items() if not k.startswith("crash")}
    found |= _costs(before, after)
    earlier = before.raised.type if before.raised else None
    fault = _fault(after, line_of, instead=earlier in FAULTS)
    if fault is not None and fault not in (earlier, *known_faults):
        assert after.raised is not None
        place = next((f for f in after.raised.stack if f.owner is Owner.TARGET), None)
        where = f" in {place.name}" if place else ""
        found[f"exception {fault}"] = f"{fault} comes out{where}"
    return [NewEffect(kind.split(" ")[0], after.input, what) for kind, what in found.items()]


def another_finding(run: Run) -> str | None:
    """The kind of undefined behaviour that ended a run, which is no corruption of memory."""
    return run.sanitizer.kind if run.sanitizer and run.sanitizer.tool == _UBSAN else None


def still_shows(case: Case, before: Run, after: Run) -> bool:
    """Whether the effect that an input shows without the patch is the one it shows with it.

    A crash of another kind, or another exception, is another effect.
    """
    if not shows(case, after):
        return False
    if case.effect is Effect.CRASH and before.sanitizer and after.sanitizer:
        return before.sanitizer.kind == after.sanitizer.kind
    if case.effect is Effect.EXCEPTION and before.raised and after.raised:
        return case.expect.exception is not None or before.raised.type == after.raised.type
    return True


def _deeds(run: Run) -> dict[str, str]:
    """What the kernel saw the run do, by a name that is the same for the same deed."""
    found: dict[str, str] = {}
    for event in run.events:
        details = event.details
        match event.kind:
            case "execute":
                found[f"execute {details.get('program')}"] = f"starts {details.get('program')}"
            case "connect":
                found["connect"] = f"tries to reach {details.get('address')}"
            case "write-outside" if not temporary(str(details["path"])):
                found["write-outside"] = f"changes {details['path']}"
            case "read-outside":
                found["read-outside"] = f"opens {details.get('path', 'the canary')}"
    if run.leaked:
        found["read-outside"] = "the canary's content comes out"
    if run.outcome is Outcome.SIGNAL or run.sanitizer is not None:
        kind = run.sanitizer.kind if run.sanitizer else run.fatal.signal if run.fatal else "signal"
        found[f"crash {kind}"] = f"{kind} ({run.why})"
    if run.outcome is Outcome.EXITED:
        found["exit"] = run.why
    elif run.raised is not None and run.raised.type in _ENDS and not run.raised.by_harness:
        found["exit"] = f"{run.raised.type} comes out, which ends the caller's program"
    if run.raised is not None and run.raised.guarantee:
        found["bypass"] = f"a guarantee is broken: {run.raised.text[:200]}"
    return found


def _costs(before: Run, after: Run) -> dict[str, str]:
    found: dict[str, str] = {}
    stopped = after.outcome is Outcome.KILLED and before.outcome is not Outcome.KILLED
    if stopped and after.killed in ("cpu", "wall"):
        if after.cpu_s > _STOPPED_SLOWER * before.cpu_s or after.killed == "wall":
            found["hang"] = f"{after.why}; before it took {before.cpu_s:.2f} s"
    elif stopped:
        found["memory" if after.killed == "memory" else "flood"] = after.why
    elif after.cpu_s > max(_SLOW_S, _SLOWER * before.cpu_s):
        found["hang"] = f"takes {after.cpu_s:.1f} s of processor time, {before.cpu_s:.2f} s before"
    if after.growth_bytes > max(_LARGE, _LARGER * before.growth_bytes):
        mine, theirs = after.growth_bytes // MEGABYTE, before.growth_bytes // MEGABYTE
        found["memory"] = f"takes {mine} MiB, {theirs} MiB before"
    return found


def _fault(run: Run, line_of: SourceLine, *, instead: bool) -> str | None:
    """The class of an exception that is a fault of the target's code, not an answer of it.

    With ``instead`` the run without the patch ended in a fault: to raise another class of fault on
    purpose exchanges it, and is no answer either.
    """
    raised = run.raised
    if raised is None or raised.by_harness or raised.guarantee or raised.type not in FAULTS:
        return None
    if not any(frame.owner is Owner.TARGET for frame in raised.stack):
        return None
    innermost = raised.stack[0]
    line = line_of(innermost) if innermost.owner is Owner.TARGET else None
    # A name that is not there, say, is raised from a line that meant to raise something else.
    if instead and raised.type not in _ANSWERS:
        return raised.type
    deliberate = rf"\b(?:raise|throw)\b.*\b{re.escape(raised.type)}\b"
    return None if line is not None and re.search(deliberate, line) else raised.type


def faults_of(runs: Iterable[Run]) -> frozenset[str]:
    """Classes of fault that come out of the unpatched version anyway."""
    return frozenset(
        r.raised.type for r in runs if r.raised is not None and not r.raised.by_harness
    )
