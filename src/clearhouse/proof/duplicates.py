"""Which proven findings are one flaw, and why.  Pure: verdicts in, groups and reasons out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any


@dataclass(frozen=True, slots=True)
class Pair:
    """Two bundles, whether they are the same flaw, and the reason in a sentence."""

    first: str
    second: str
    joined: bool
    why: str


@dataclass(frozen=True, slots=True)
class Groups:
    """Bundles grouped by flaw, the pairs that were compared, and those without a signature."""

    groups: tuple[tuple[str, ...], ...]
    pairs: tuple[Pair, ...]
    unproven: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """The document of ``clearhouse dedupe --json``."""
        return {
            "format": 1,
            "groups": [list(group) for group in self.groups],
            "pairs": [
                {"bundles": [p.first, p.second], "joined": p.joined, "why": p.why}
                for p in self.pairs
            ],
            "unproven": [{"bundle": name, "why": why} for name, why in self.unproven],
        }


def group(verdicts: Sequence[tuple[str, Mapping[str, Any]]]) -> Groups:
    """Group verdicts by signature.

    ``verdicts`` are names (as the caller knows the bundles) and documents of ``clearhouse prove``.
    A bundle that is not proven has no signature and is joined with nothing: that two unproven
    claims look alike says nothing about a flaw.
    """
    proven = [(name, v) for name, v in verdicts if v.get("signature")]
    unproven = tuple((name, _why_unproven(v)) for name, v in verdicts if not v.get("signature"))
    by_signature: dict[str, list[str]] = {}
    for name, verdict in proven:
        by_signature.setdefault(str(verdict["signature"]), []).append(name)
    pairs = tuple(_compare(a, b) for a, b in combinations(proven, 2))
    return Groups(tuple(tuple(names) for names in by_signature.values()), pairs, unproven)


def _why_unproven(verdict: Mapping[str, Any]) -> str:
    error = verdict.get("error")
    return str(error["message"]) if error else str(verdict["reason"])


def _compare(one: tuple[str, Mapping[str, Any]], two: tuple[str, Mapping[str, Any]]) -> Pair:
    (first, a), (second, b) = one, two
    if a["signature"] == b["signature"]:
        same = "the same bundle" if a["bundle"]["digest"] == b["bundle"]["digest"] else None
        why = same or f"{_effect(a)} in {_place(a)} of {_package(a)}, in both"
        return Pair(first, second, joined=True, why=why)
    return Pair(first, second, joined=False, why=_difference(a, b))


def _difference(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    if _package(a) != _package(b):
        return f"different packages: {_package(a)} and {_package(b)}"
    if _effect(a) != _effect(b):
        return f"different effects: {_effect(a)} and {_effect(b)}"
    if _place(a) != _place(b):
        return f"{_effect(a)} in different code: {_place(a)} and {_place(b)}"
    return f"{_effect(a)} in {_place(a)}, but reached by different callers"


def _package(verdict: Mapping[str, Any]) -> str:
    return str(verdict["target"]).rpartition("@")[0] or str(verdict["target"])


def _effect(verdict: Mapping[str, Any]) -> str:
    effect = verdict["effect"]
    kind = effect["observed"].get("type") if effect["kind"] == "exception" else None
    return f"{effect['kind']} {kind}" if kind else str(effect["kind"])


def _place(verdict: Mapping[str, Any]) -> str:
    frames = verdict["effect"]["attributed_to"]
    if not frames:
        return "the target"
    frame = frames[0]
    return f"{frame['file']}:{frame['function']}" if frame["file"] else str(frame["function"])
