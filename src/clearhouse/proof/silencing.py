"""Whether a patch mends a fault or only keeps quiet about it.  Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from clearhouse.proof.answers import Answer, answer_of
from clearhouse.proof.code_change import Handler
from clearhouse.proof.effects import Effect
from clearhouse.proof.new_effects import FAULTS
from clearhouse.proof.observation import Frame, Owner, Run


def silenced(
    effect: Effect,
    handlers: Sequence[Handler],
    returned: Sequence[Run],
    patched: Sequence[Run],
    usual: frozenset[Answer],
) -> str | None:
    """The sentence that says where a fault is only silenced, or None.

    ``returned`` are runs that show the effect once the patch's handlers raise again, ``patched``
    the runs of the poc with the patch, ``usual`` the answers that malformed inputs get without it.

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
    if patched and all(answer_of(run) in usual for run in patched):
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
