"""Whether a patch mends a fault or only keeps quiet about it.  Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from clearhouse.proof.code_change import Handler
from clearhouse.proof.effects import Effect
from clearhouse.proof.new_effects import FAULTS
from clearhouse.proof.observation import Frame, Owner, Run

Answer = tuple[tuple[str, str], ...]


def silenced(
    effect: Effect,
    handlers: Sequence[Handler],
    returned: Sequence[Run],
    patched: Sequence[Run],
    controls: Sequence[Run],
    malformed: Sequence[Run],
) -> str | None:
    """The sentence that says where a fault is only silenced, or None.

    ``returned`` are runs that show the effect once the patch's handlers raise again, ``patched``
    the runs of the poc with the patch, ``controls`` and ``malformed`` runs without the patch.

    1. Without such a run the handlers are not what stops the effect.
    2. A handler is fine that catches a stated class from the very line it guards: asking
       forgiveness is a way to write a check. One that catches everything, or a fault of code
       called further down, lets that code break off half way.
    3. Even so it is fine where the caller gets the target's usual answer to malformed input, one
       that no control gets: then turning the input down is what the handler does.
    """
    # 1
    if not returned:
        return None
    raised = returned[0].raised
    # 2
    suspects = [
        h for h in handlers
        if h.broad or effect is not Effect.EXCEPTION or raised is None
        or (raised.type in FAULTS and _from_below(h, raised.stack))
    ]  # fmt: skip
    if not suspects:
        return None
    # 3
    usual = {_answer(run) for run in malformed} - {_answer(run) for run in controls}
    if patched and all(_plain(_answer(run)) and _answer(run) in usual for run in patched):
        return None
    what = raised.type if raised is not None else effect.value
    return (
        f"the fault still happens and is only silenced: {suspects[0]}, and with that handler"
        f" raising again the effect is back ({what})"
    )


def _from_below(handler: Handler, stack: Sequence[Frame]) -> bool:
    """Whether the fault comes from a function that the guarded code calls."""
    if not handler.function:
        return True  # JavaScript: which function it is, is not read
    for frame in stack:
        if frame.owner is Owner.TARGET:
            own = re.sub(r"<locals>\.", "", frame.name)
            return own != handler.function
    return True


def _answer(run: Run) -> Answer:
    """What the target gave the harness: a value or an exception for each of its calls."""
    given = [
        (call.callee, repr(value) if _is_constant(value) else f"={value!r}")
        for call in run.calls
        for value in call.returned
    ]
    given += [(call.callee, "raises") for call in run.calls if call.count > len(call.returned)]
    if run.raised is not None:
        given.append(("", f"raises {run.raised.type}"))
    return tuple(given)


def _is_constant(value: object) -> bool:
    """None, a truth value, an object or a raised exception: an answer in kind, not content."""
    if value is None or isinstance(value, bool):
        return True
    return isinstance(value, str) and value.startswith("<") and value.endswith(">")


def _plain(answer: Answer) -> bool:
    return not any(text.startswith("=") for _, text in answer)
