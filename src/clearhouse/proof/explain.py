"""A verdict in words: one line for a tired triager, or the whole evidence.  Pure; plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from clearhouse.proof.text import printable

_WIDTH = 160
_OBSERVED = {
    "type": "{}",
    "signal": "{}",
    "kind": "{}",
    "limit_s": "over {} s of processor time",
    "limit_mb": "over {} MiB of memory",
    "canary": "the canary was {}",
    "guarantee": "broken: {}",
}
_GRADES = {
    "claimed": "not shown by running",
    "reproduced": "shows in every run and on no control, but not laid at the target's door",
    "attributed": "shows in every run, on no control, and arises in the target's code",
    "differential": "shows in every run, on no control, arises in the target's code, and is gone "
    "in the fixed version",
}


def one_line(verdict: Mapping[str, Any]) -> str:
    """Grade, id, target, what happened and where, and why the grade is not higher."""
    effect = verdict["effect"]
    parts = [printable(str(verdict["bundle"]["id"])), printable(str(verdict["target"]))]
    seen = what_happened(effect)
    where = place(effect["attributed_to"])
    parts.append(f"{seen} in {where}" if where else seen)
    rate = verdict["hit_rate"]
    if rate and verdict["grade"] != "claimed":
        parts.append(f"{rate['hits']}/{rate['runs']} runs")
    parts.append(printable(verdict["reason"]))
    return " · ".join(part for part in parts if part)


def what_happened(effect: Mapping[str, Any]) -> str:
    """The effect in a few words: ``exception RecursionError``."""
    observed = effect["observed"]
    for key, text in _OBSERVED.items():
        if key in observed:
            return printable(f"{effect['kind']} {text.format(observed[key])}", limit=_WIDTH)
    for key in ("paths", "programs", "addresses"):
        if key in observed:
            listed = ", ".join(str(x) for x in observed[key][:3])
            return printable(f"{effect['kind']} {listed}", limit=_WIDTH)
    return str(effect["kind"])


def place(frames: Sequence[Mapping[str, Any]]) -> str:
    """The innermost frame of the target: function, file and line."""
    if not frames:
        return ""
    frame = frames[0]
    line = f":{frame['line']}" if frame.get("line") else ""
    where = f" ({frame['file']}{line})" if frame["file"] else ""
    return printable(f"{frame['function']}{where}", limit=_WIDTH)


def _folded(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Equal neighbours as one, with how often: a recursion fills no screen."""
    for text, same in groupby(lines):
        count = sum(1 for _ in same)
        yield text, f"  ({count} times)" if count > 1 else ""


def explain(verdict: Mapping[str, Any]) -> Iterator[str]:
    """The whole evidence, line by line: which input, what happened, where, how sure."""
    bundle, effect = verdict["bundle"], verdict["effect"]
    yield f"{printable(str(bundle['id']))}: {printable(str(verdict['title']))}"
    yield f"  bundle       {bundle['digest']}"
    yield f"  target       {printable(str(verdict['target']))}"
    yield f"  grade        {verdict['grade']}: {_GRADES[verdict['grade']]}"
    yield f"  because      {printable(verdict['reason'])}"
    yield f"  effect       {what_happened(effect)}"
    if verdict["hit_rate"]:
        rate = verdict["hit_rate"]
        low, high = rate["interval95"]
        yield (
            f"  hit rate     {rate['hits']} of {rate['runs']} runs "
            f"(95 % interval {low:.0%} to {high:.0%})"
        )
    if effect["attributed_to"]:
        yield "  arises in    (innermost first)"
        for text, count in _folded(place([frame]) for frame in effect["attributed_to"]):
            yield f"    {text}{count}"
    if effect["stack"]:
        yield "  stack at that moment"
        lines = (f"{frame['owner']:<11}{place([frame])}" for frame in effect["stack"])
        for text, count in _folded(lines):
            yield f"    {text}{count}"
    yield "  runs"
    for run in verdict["runs"]:
        mark = "effect" if run["effect"] else "none"
        yield (
            f"    {printable(str(run['version'])):<14} {printable(run['input']):<24} {mark:<7}"
            f"{run['cpu_s']:>8.3f} s cpu {run['rss_mb']:>7.1f} MiB  "
            f"{printable(run['why'], limit=100)}"
        )
    if verdict["signature"]:
        yield f"  signature    {verdict['signature']}"
    environment = verdict["environment"]
    yield (
        f"  environment  {environment['runtime']}, {environment['kernel']}, "
        f"{environment['sandbox']}, clearhouse {environment['clearhouse']}"
    )
    for package in environment["packages"]:
        yield f"    {printable(package['purl'])}  {package['digest']}"
    for note in verdict["notes"]:
        yield f"  note         {printable(note)}"
    yield f"  digest       {verdict['digest']}"
