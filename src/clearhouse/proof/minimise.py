"""The smallest input that still shows the same.

:func:`smallest` is delta debugging (Zeller and Hildebrandt 2002, "Simplifying and isolating
failure-inducing input", algorithm ddmin) over lines, tokens and bytes, inside containers as well.
It is pure: whether an input still does is asked of a function. :func:`minimise` is the part that
runs: an input does when the verdict keeps its grade and its signature.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Final, TypeVar

from clearhouse.errors import Refused
from clearhouse.proof.bundle import Bundle, Input
from clearhouse.proof.containers import WHOLE, View, views
from clearhouse.proof.exchange import exchange
from clearhouse.proof.judge import Grade, judge, shows
from clearhouse.proof.manifest import parse_bundle
from clearhouse.proof.observation import Run
from clearhouse.proof.prove import prove
from clearhouse.proof.runners.base import Runner
from clearhouse.proof.runners.choose import Workshop
from clearhouse.proof.verdict import Verdict

SECONDS: Final = 120.0
_LINES: Final = re.compile(rb"[^\n]*\n|[^\n]+")
_TOKENS: Final = re.compile(rb"\w+|\s+|.", re.DOTALL)
_ROUNDS: Final = 4
_CONFIRMATIONS: Final = 3

Piece = TypeVar("Piece")
Test = Callable[[bytes], bool]
Progress = Callable[[str], None]


class _Spent(Exception):
    """No more tests are allowed."""


def smallest(data: bytes, test: Test, *, go_on: Callable[[], bool]) -> bytes:
    """Return the smallest input found for which ``test`` holds, as it does for ``data``.

    ``go_on`` is asked before each test; once it says no, the best so far is returned. The result
    is 1-minimal (no single byte can be left out) when it never does, up to what containers allow.
    """
    search = _Search(data, test, go_on)
    try:
        for _ in range(_ROUNDS):
            before = search.best
            search.inside_containers()
            search.by_pieces(_LINES)
            search.by_pieces(_TOKENS)
            search.by_bytes()
            if search.best == before:
                break
    except _Spent:
        pass
    return search.best


class _Search:
    def __init__(self, data: bytes, test: Test, go_on: Callable[[], bool]) -> None:
        self.best = data
        self._test, self._go_on = test, go_on
        self._known = {data: True}

    def holds(self, data: bytes) -> bool:
        """Whether ``data`` still does, asked once; it is the best when it is the smallest."""
        known = self._known.get(data)
        if known is None:
            if not self._go_on():
                raise _Spent
            known = self._known[data] = self._test(data)
        if known and len(data) < len(self.best):
            self.best = data
        return known

    def by_pieces(self, pattern: re.Pattern[bytes]) -> None:
        """Leave out what the pattern finds, as many at once as possible."""
        pieces = pattern.findall(self.best)
        if 1 < len(pieces) < len(self.best):
            ddmin(pieces, lambda kept: self.holds(b"".join(kept)))

    def by_bytes(self) -> None:
        """Leave out bytes."""
        ddmin([bytes([b]) for b in self.best], lambda kept: self.holds(b"".join(kept)))

    def inside_containers(self) -> None:
        """Leave out what stands inside containers, lengths and checksums made right."""
        for kind in [v.kind for v in views(self.best) if v.kind != WHOLE]:
            view = next((v for v in views(self.best) if v.kind == kind), None)
            if view is not None and self.holds(view.build(view.parts)):
                self._inside(view)

    def _inside(self, view: View) -> None:
        parts, size = list(view.parts), view.group
        if size:
            groups = [parts[i : i + size] for i in range(0, len(parts), size)]
            left = ddmin(groups, lambda kept: self.holds(view.build([*chain(*kept)])))
            parts = [*chain(*left)]
        for at, part in enumerate(parts):
            test = partial(self._with_part, view, parts[:at], parts[at + 1 :])
            parts[at] = b"".join(ddmin([bytes([b]) for b in part], test))

    def _with_part(
        self, view: View, before: list[bytes], behind: list[bytes], kept: Sequence[bytes]
    ) -> bool:
        return self.holds(view.build([*before, b"".join(kept), *behind]))


def ddmin(pieces: Sequence[Piece], test: Callable[[Sequence[Piece]], bool]) -> list[Piece]:
    """Return a 1-minimal sublist of ``pieces`` for which ``test`` holds, as it does for all."""
    kept = list(pieces)
    if kept and test([]):
        return []
    size = max(1, len(kept) // 2)
    while kept:
        at, shorter = 0, False
        while at < len(kept):
            without = [*kept[:at], *kept[at + size :]]
            if without and test(without):
                kept, shorter = without, True
            else:
                at += size
        if size == 1 and not shorter:
            break
        size = max(1, size // 2)
    return kept


@dataclass(frozen=True, slots=True)
class Shrunk:
    """One input before and after: sizes in bytes."""

    name: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Minimised:
    """A bundle with smaller inputs, and the verdict on it."""

    bundle: Bundle
    verdict: Verdict
    inputs: tuple[Shrunk, ...]
    runs: int
    complete: bool  # no time limit cut the search short


def minimise(
    bundle: Bundle,
    workshop: Workshop,
    *,
    seconds: float = SECONDS,
    progress: Progress = lambda _: None,
) -> Minimised:
    """Shrink every poc of a bundle while grade and signature stay what they are.

    ``seconds`` limits the search, not the proofs before and after it. Raises :class:`Refused` for
    a bundle that is not proven, :class:`Unavailable` where it cannot be run here.
    """
    verdict = prove(bundle, workshop, progress=progress)
    if not verdict.grade.proven:
        raise Refused(f"{bundle.id} is not proven ({verdict.judgement.reason}): nothing to keep")
    strict = _with_margin(bundle)
    held = prove(strict, workshop, runs=1, progress=progress)
    if not _same(held.judgement.grade, held.judgement.signature, verdict):
        strict, held = bundle, verdict
    deadline = time.monotonic() + seconds
    keeper = _Keeper(strict, held, workshop)
    pocs, inputs = [], []
    for poc in bundle.pocs:
        small = keeper.smallest(poc, deadline, progress)
        inputs.append(Shrunk(poc.name, len(poc.data), len(small)))
        pocs.append(Input(poc.name, small))
    files = {**bundle.files, **{poc.name: poc.data for poc in pocs}}
    smaller = parse_bundle(files, where=bundle.id)
    again = prove(smaller, workshop, progress=progress)
    if not _same(again.grade, again.judgement.signature, verdict):
        raise Refused(
            f"{bundle.id}: the smaller input does not hold each time"
            f" ({again.judgement.reason}); the bundle stays as it is"
        )
    return Minimised(smaller, again, tuple(inputs), keeper.runs, time.monotonic() < deadline)


def _with_margin(bundle: Bundle) -> Bundle:
    """The bundle with twice its limit: what only just passes one would not pass it elsewhere."""
    expect = bundle.expect
    double = replace(expect, cpu_seconds=2 * expect.cpu_seconds, rss_mb=2 * expect.rss_mb)
    return replace(bundle, expect=double)


def _same(grade: Grade, signature: str | None, verdict: Verdict) -> bool:
    return grade is verdict.grade and signature == verdict.judgement.signature


class _Keeper:
    """Asks of one candidate whether the verdict would stay, with as few runs as can tell."""

    def __init__(self, bundle: Bundle, verdict: Verdict, workshop: Workshop) -> None:
        self._bundle, self._verdict = bundle, verdict
        self._attacked = workshop.attacked(bundle)
        differential = verdict.grade is Grade.DIFFERENTIAL
        self._fixed: Runner | None = workshop.fixed(bundle) if differential else None
        self.runs = 0

    def smallest(self, poc: Input, deadline: float, progress: Progress) -> bytes:
        """The smallest form of one poc."""
        held = [poc.data]

        def test(data: bytes) -> bool:
            size = min(map(len, held))
            progress(f"{poc.name}: {size} bytes of {len(poc.data)}, {self.runs} runs")
            holds = self._holds(data)
            if holds:
                held.append(data)
            return holds

        smallest(poc.data, test, go_on=lambda: time.monotonic() < deadline)
        return self._sure(held)

    def _sure(self, held: Sequence[bytes]) -> bytes:
        """The smallest that holds again and again; each step back is twice as long."""
        ordered = sorted(held, key=len)
        at = 0
        while at < len(ordered) - 1:
            if all(self._holds(ordered[at]) for _ in range(_CONFIRMATIONS)):
                return ordered[at]
            at = 2 * at + 1
        return ordered[-1]

    def _holds(self, data: bytes) -> bool:
        run = self._run(self._attacked, data)
        case = replace(self._verdict.case, pocs=[run], fixed_pocs=[])
        if not shows(case, run):
            return False
        tried = exchange(self._bundle, self._attacked, data, case.controls)
        if tried is not None:
            case = replace(case, counterfactual=tried)
            self.runs += tried.runs
        alone = judge(replace(case, fixed_version=None))
        if alone.grade is not Grade.ATTRIBUTED:
            return False
        if alone.signature != self._verdict.judgement.signature:
            return False
        if self._fixed is None:
            return True
        fixed = judge(replace(case, fixed_pocs=[self._run(self._fixed, data)]))
        return fixed.grade is Grade.DIFFERENTIAL

    def _run(self, runner: Runner, data: bytes) -> Run:
        self.runs += 1
        return runner.run("poc", data)
