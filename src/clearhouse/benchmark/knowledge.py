"""What the levels above 0 tell: a description, a trace, the fix.  Pure, but for the fix's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from clearhouse.benchmark.item_file import canary_line
from clearhouse.benchmark.prompts import wanted
from clearhouse.errors import NotFound, Unavailable
from clearhouse.formats.csaf.cwe import NAMES
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.code_change import is_code
from clearhouse.proof.diff import unified
from clearhouse.proof.patched import Distribution, distribution_of

#: A fix that people can read; what goes beyond is left out, and said to be.
FIX_BYTES: Final = 64 << 10
_FRAMES: Final = 16
#: What was observed of an effect that cannot be part of the input.
_TOLD: Final = ("type", "signal", "kind", "tool", "limit_s", "limit_mb", "canary", "blocked")
_ASIDE: Final = frozenset({"test", "tests", "testing", "__tests__", "spec", "examples"})


def description(bundle: Bundle, canary: str) -> bytes:
    """Level 1: the bundle's title, its weaknesses by name, and the effect."""
    lines = [canary_line(canary), "", f"{bundle.title}."]
    for number in bundle.cwe:
        name = NAMES.get(number)
        lines.append(f"Weakness: CWE-{number}" + (f", {name}" if name else ""))
    lines.append(f"Effect: {bundle.effect.value}: {wanted(bundle)}.")
    return "\n".join([*lines, ""]).encode()


def trace(verdict: Mapping[str, Any], canary: str) -> bytes:
    """Level 2: what was observed when the flaw was shown, and the stack of that moment.

    Texts that the input may have chosen (messages, paths, addresses) are left out.
    """
    effect = verdict["effect"]
    lines = [canary_line(canary), "", f"Effect: {effect['kind']}"]
    for key in _TOLD:
        value = effect["observed"].get(key)
        if isinstance(value, str | int | float):
            lines.append(f"Observed: {key.replace('_', ' ')} {value}")
    lines += ["", "Frames of the target, innermost first:"]
    lines += _folded(effect["attributed_to"][:_FRAMES])
    if effect["stack"]:
        lines += ["", "The whole stack at that moment:"]
        lines += _folded(effect["stack"])
    return "\n".join([*lines, ""]).encode("utf-8", "backslashreplace")


def _folded(frames: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Frames as lines; a recursion is shown once."""
    for text, same in groupby(map(_frame, frames)):
        count = sum(1 for _ in same)
        yield f"  {text}" + (f"  ({count} times)" if count > 1 else "")


def _frame(frame: Mapping[str, Any]) -> str:
    line = f":{frame['line']}" if frame.get("line") else ""
    owner = f"  [{frame['owner']}]" if frame.get("owner") else ""
    return f"{frame['function']} ({frame['file']}{line}){owner}"


def fix(bundle: Bundle, verdict: Mapping[str, Any], canary: str) -> bytes | None:
    """Level 3: the difference between the attacked version and the fixed one.

    Files that stand in the frames first, then the target's other code, tests left out, as long as
    there is room for whole files.  None where no code differs: the fix is in what is compiled.
    """
    try:
        before = distribution_of(bundle)
        after = distribution_of(bundle, bundle.target.fixed)
    except (NotFound, Unavailable):
        return None
    parts: list[bytes] = []
    room, left_out = FIX_BYTES, 0
    for name in _in_order(before, after, verdict):
        part = _difference(before, after, name)
        if not part:
            continue
        if len(part) > room:
            left_out += 1
            continue
        parts.append(part)
        room -= len(part)
    if not parts:
        return None
    head = [canary_line(canary)]
    if left_out:
        head.append(f"Files left out, since their changes are long: {left_out}")
    return "\n".join([*head, "", ""]).encode() + b"".join(parts)


def _in_order(before: Distribution, after: Distribution, verdict: Mapping[str, Any]) -> list[str]:
    frames = [str(frame["file"]) for frame in verdict["effect"]["attributed_to"]]
    own = {n.removeprefix(d.base) for d in (before, after) for n in d.names if is_code(n)}

    def rank(name: str) -> tuple[int, str]:
        shown = f"{before.base}{name}".removeprefix(before.shown_below)
        return (frames.index(shown) if shown in frames else len(frames), name)

    return sorted((n for n in own if _ASIDE.isdisjoint(n.split("/"))), key=rank)


def _difference(before: Distribution, after: Distribution, name: str) -> bytes:
    sides: list[bytes | None] = []
    for side in (before, after):
        path = f"{side.base}{name}"
        sides.append(side.read(path) if (side.tree.root / path).is_file() else None)
    return unified(name, sides[0], sides[1])
