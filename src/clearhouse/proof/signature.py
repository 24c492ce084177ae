"""The signature of a flaw: equal for duplicates, different otherwise, as well as runs can tell.

Made of the effect and of the place in the target where it arises: the innermost function and the
text of its statement; for a recursion the functions that recur; for a hang or a loss of memory the
innermost function that nearly every sample passes through.  Left out, because they change without
the flaw changing: line numbers, versions, inputs, the harness, and by which of its functions the
target was entered.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence

from clearhouse.proof.effects import Effect
from clearhouse.proof.observation import Frame, Owner, Stack

_RECURRENCES = 5
# What only takes part of the time, however large, would be in some runs and not in others.
_NEARLY_ALL = 0.95
_INNER = re.compile(r"\.<locals>\.|<locals>|<(lambda|listcomp|dictcomp|setcomp|genexpr)>")


def signature(
    effect: Effect, package: str, kind: str, stacks: Sequence[Stack], frames: Sequence[Frame]
) -> str:
    """``sig1:`` and 32 hex digits.

    ``kind`` tells effects of one sort apart (an exception's class, a sanitizer's finding);
    ``stacks`` are all stacks the effect was seen with, ``frames`` the target's on the surest one.
    """
    place = common_place(stacks) if effect in (Effect.HANG, Effect.MEMORY) else ()
    if not place:
        place = _innermost(frames)
    text = json.dumps([1, effect.value, package, kind, place], separators=(",", ":"))
    return "sig1:" + hashlib.sha256(text.encode()).hexdigest()[:32]


def function_of(frame: Frame) -> str:
    """A frame's file and function, without what changes between neighbouring versions."""
    name = _INNER.sub(".", frame.name).strip(".")
    name = re.sub(r"\.{2,}", ".", name)
    return f"{frame.file}:{name}"


def _innermost(frames: Sequence[Frame]) -> tuple[str, ...]:
    functions = [function_of(f) for f in frames]
    cycle = _recursive(functions)
    if cycle:
        return cycle
    # Who called it is the harness's choice; which statement of it fails is the flaw's.
    return tuple(f"{function_of(f)}:{f.code or ''}" for f in frames[:1])


def _recursive(functions: Sequence[str]) -> tuple[str, ...]:
    """The functions of a recursion in order of name: where it is cut off is chance."""
    counted = Counter(functions)
    return tuple(sorted(f for f, count in counted.items() if count >= _RECURRENCES))


def common_place(stacks: Sequence[Stack]) -> tuple[str, ...]:
    """The innermost function of the target that nearly all samples pass through."""
    counted: dict[str, int] = {}
    depth: dict[str, int] = {}
    for stack in stacks:
        own = [function_of(f) for f in stack if f.owner is Owner.TARGET]
        for place in set(own):
            counted[place] = counted.get(place, 0) + 1
            depth[place] = max(depth.get(place, 0), len(own) - own.index(place))
    enough = [p for p, n in counted.items() if n >= _NEARLY_ALL * len(stacks)]
    if not enough:
        return ()
    return (max(enough, key=lambda p: (depth[p], p)),)
