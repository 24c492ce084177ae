"""The proof on the version that it attacks: what a patch is compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from clearhouse.proof.bundle import Bundle, Input
from clearhouse.proof.exchange import exchange
from clearhouse.proof.judge import Case, Judgement, judge
from clearhouse.proof.observation import Run
from clearhouse.proof.runners.base import Runner
from clearhouse.proof.runners.choose import Workshop

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Base:
    """A proof without the patch: its runs, and the judgement on them."""

    runner: Runner
    case: Case
    judgement: Judgement


def base_of(bundle: Bundle, workshop: Workshop, runs: int, progress: Progress) -> Base:
    """Run a proof on the version that it attacks, each poc ``runs`` times, and judge it.

    Raises :class:`Unavailable` where it cannot be run here.
    """
    runner = workshop.attacked(bundle)
    case = Case(
        effect=bundle.effect,
        expect=bundle.expect,
        package=workshop.package_of(bundle),
        harness_text=bundle.harness_code.decode("utf-8", "replace"),
        pocs=run_pocs(bundle, runner, runs, progress),
        controls=[run_control(runner, control, progress) for control in bundle.controls],
    )
    tried = exchange(bundle, runner, bundle.pocs[0].data, case.controls)
    case = replace(case, counterfactual=tried)
    return Base(runner, case, judge(case))


def run_pocs(bundle: Bundle, runner: Runner, runs: int, progress: Progress) -> list[Run]:
    """Run every poc ``runs`` times, one after the other."""
    found = []
    for poc in bundle.pocs:
        label = "poc" if len(bundle.pocs) == 1 else f"poc:{poc.name}"
        for number in range(runs):
            progress(f"{runner.version}: {label}, run {number + 1}")
            found.append(runner.run(label, poc.data))
    return found


def run_control(runner: Runner, control: Input, progress: Progress) -> Run:
    """Run one control."""
    progress(f"{runner.version}: control {control.name}")
    return runner.run(f"control:{control.name}", control.data)
