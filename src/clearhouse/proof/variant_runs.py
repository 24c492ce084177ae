"""Finding variants by running them on the version without the patch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from clearhouse.proof.bundle import Bundle
from clearhouse.proof.effects import Effect
from clearhouse.proof.judge import Case, judge, shows
from clearhouse.proof.minimise import smallest
from clearhouse.proof.observation import Outcome, Run
from clearhouse.proof.runners.base import Runner
from clearhouse.proof.showing import disturbs
from clearhouse.proof.variants import Hints, Mutator, Variant, deeper

#: Variants made at most for each that is wanted.
_MADE: Final = 16
#: So many are made on a slow machine as well, in up to so many times the time.
_AT_LEAST: Final = 40
_SLOW: Final = 3.0
#: The share of the time that shrinking the poc may take.
_SHRINKING: Final = 0.2
_NEAR: Final = 60

Progress = Callable[[str], None]


def exhausts_the_stack(run: Run) -> bool:
    """Whether a run went deeper than the stack goes."""
    if run.sanitizer is not None and run.sanitizer.kind == "stack-overflow":
        return True
    raised = run.raised
    if raised is None:
        return False
    # V8 has no class of its own for it.
    return raised.type == "RecursionError" or "Maximum call stack size exceeded" in raised.text


@dataclass(frozen=True, slots=True)
class Tried:
    """An input and its run without the patch."""

    name: str
    variant: Variant
    run: Run


@dataclass(slots=True)
class Found:
    """Variants of a proof: those that show the same flaw, and some that do not."""

    triggering: list[Tried] = field(default_factory=list)
    near: list[Tried] = field(default_factory=list)
    made: int = 0


@dataclass(frozen=True, slots=True)
class Search:
    """Looks for variants of one bundle on the version that it attacks."""

    bundle: Bundle
    case: Case
    signature: str | None
    runner: Runner
    seed: int
    progress: Progress

    def triggering(self, wanted: int, seconds: float, hints: Hints) -> Found:
        """Variants of the pocs that show the same flaw without the patch.

        Small ones first; then mutations until ``wanted`` are found or the time is over.
        """
        found = Found()
        start = time.monotonic()
        self._shrunk(found, wanted, start + _SHRINKING * seconds)
        pocs = [poc.data for poc in self.bundle.pocs]
        others = [control.data for control in self.bundle.controls]
        mutator = Mutator(pocs, others, seed=self.seed, hints=hints)
        for small in found.triggering:
            mutator.keep(small.variant)
        limit = wanted * _MADE
        while len(found.triggering) < wanted and found.made < limit:
            spent = time.monotonic() - start
            if spent > seconds and (found.made >= _AT_LEAST or spent > _SLOW * seconds):
                break
            variant = mutator.next()
            if variant is None:
                break
            if self._try(variant, found):
                mutator.keep(variant)
        if any(map(exhausts_the_stack, self.case.pocs)):
            for variant in (one for poc in pocs for one in deeper(poc)):
                self._try(variant, found)
        return found

    def harmless(self, wanted: int, seconds: float) -> list[Tried]:
        """Variants of the controls on which the version without the patch runs well."""
        start = time.monotonic()
        found: list[Tried] = []
        controls = [control.data for control in self.bundle.controls]
        mutator = Mutator(controls, controls, seed=self.seed + 1)
        for made, variant in enumerate(mutator):
            if len(found) >= wanted or made >= 4 * wanted or time.monotonic() - start > seconds:
                break
            self.progress(f"{self.runner.version}: harmless input {len(found) + 1}")
            name = f"control~{made + 1}"
            run = self.runner.run(name, variant.data)
            if run.outcome is not Outcome.RETURNED or run.events:
                continue
            if disturbs(self.bundle.effect, run, self.bundle.expect):
                continue
            found.append(Tried(name, variant, run))
            if all(call.count == len(call.returned) for call in run.calls):
                mutator.keep(variant)  # the target took it: a better place to go on from
        return found

    def _try(self, variant: Variant, found: Found) -> bool:
        found.made += 1
        name = f"poc~{found.made}"
        self.progress(f"{self.runner.version}: variant {found.made}, {len(found.triggering)} found")
        run = self.runner.run(name, variant.data)
        if self.is_same_flaw(run):
            found.triggering.append(Tried(name, variant, run))
            return True
        if run.ran and len(found.near) < _NEAR and not shows(self.case, run):
            found.near.append(Tried(name, variant, run))
        return False

    def is_same_flaw(self, run: Run) -> bool:
        """Whether a run shows the effect, and at the place where the proof has it."""
        if not shows(self.case, run):
            return False
        if self.bundle.effect is Effect.BYPASS:
            return True  # its place is told by a counterfactual, which is a proof of its own
        alone = judge(replace(self.case, pocs=[run], fixed_version=None))
        return alone.signature == self.signature

    def _shrunk(self, found: Found, wanted: int, deadline: float) -> None:
        for poc in self.bundle.pocs:
            held: list[Tried] = []

            def test(data: bytes, held: list[Tried] = held) -> bool:
                before = len(found.triggering)
                done = self._try(Variant(data, ("made smaller",)), found)
                held += found.triggering[before:]
                return done

            smallest(poc.data, test, go_on=lambda: time.monotonic() < deadline)
            # The way down is many nearly equal inputs: the smallest and a few others will do.
            held.sort(key=lambda one: len(one.variant.data))
            keep = held[:: max(1, len(held) // 3)][: max(2, wanted // 6)]
            dropped = {one.name for one in held} - {one.name for one in keep}
            found.triggering = [one for one in found.triggering if one.name not in dropped]
