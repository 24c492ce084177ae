"""Proving a bundle: install, run, judge.  The I/O around :mod:`clearhouse.proof.judge`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from clearhouse.errors import NotFound, Unavailable
from clearhouse.proof.bundle import Bundle, Input
from clearhouse.proof.environment import describe
from clearhouse.proof.exchange import exchange
from clearhouse.proof.judge import Case, judge, shows
from clearhouse.proof.observation import Outcome, Run
from clearhouse.proof.runners.base import Runner
from clearhouse.proof.runners.choose import Workshop
from clearhouse.proof.verdict import Verdict

RUNS = 3
_RUNS_WHEN_UNSURE = 20

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    pass


def prove(
    bundle: Bundle, workshop: Workshop, *, runs: int = RUNS, progress: Progress = _silent
) -> Verdict:
    """Run a bundle and judge it.

    Raises :class:`Unavailable` where it cannot be run on this machine, :class:`NotFound` where the
    registry has no such package or version.
    """
    progress("installing")
    attacked = workshop.attacked(bundle)
    pocs = _poc_runs(bundle, attacked, runs, progress)
    case = Case(
        effect=bundle.effect,
        expect=bundle.expect,
        package=workshop.package_of(bundle),
        harness_text=bundle.harness_code.decode("utf-8", "replace"),
        pocs=pocs,
        controls=(),
        fixed_version=bundle.target.fixed,
    )
    runners = [attacked]
    if any(shows(case, run) for run in pocs):  # else there is nothing to compare with
        controls = [_control(attacked, c, progress) for c in bundle.controls]
        case = replace(case, controls=controls)
        tried = exchange(bundle, attacked, bundle.pocs[0].data, controls)
        case = replace(case, counterfactual=tried)
        if bundle.target.fixed is not None and all(shows(case, run) for run in pocs):
            case, fixed = _against_fixed(bundle, case, workshop, runs, progress)
            runners += [fixed] if fixed else []
    progress("judging")
    packages = dict(package for runner in runners for package in runner.packages)
    notes = tuple(dict.fromkeys(note for runner in runners for note in runner.notes))
    return Verdict(bundle, judge(case), case, describe(bundle, packages), notes)


def _label(bundle: Bundle, poc: Input) -> str:
    return "poc" if len(bundle.pocs) == 1 else f"poc:{poc.name}"


def _control(runner: Runner, control: Input, progress: Progress) -> Run:
    progress(f"{runner.version}: control {control.name}")
    return runner.run(f"control:{control.name}", control.data)


def _poc_runs(bundle: Bundle, runner: Runner, runs: int, progress: Progress) -> list[Run]:
    """Each poc ``runs`` times; more often when some runs show the effect and some do not."""
    probe = Case(bundle.effect, bundle.expect, "", "", (), ())
    found: list[Run] = []
    for poc in bundle.pocs:
        label = _label(bundle, poc)
        mine: list[Run] = []
        while len(mine) < runs:
            progress(f"{runner.version}: {label}, run {len(mine) + 1}")
            mine.append(runner.run(label, poc.data))
            stopped = mine[-1].outcome is Outcome.KILLED and not shows(probe, mine[-1])
            if stopped or not mine[-1].ran:
                break  # it would be stopped again
        hits = sum(shows(probe, run) for run in mine)
        while 0 < hits < len(mine) < _RUNS_WHEN_UNSURE:
            progress(f"{runner.version}: {label}, run {len(mine) + 1}")
            mine.append(runner.run(label, poc.data))
            hits += shows(probe, mine[-1])
        found += mine
    return found


def _against_fixed(
    bundle: Bundle, case: Case, workshop: Workshop, runs: int, progress: Progress
) -> tuple[Case, Runner | None]:
    try:
        progress(f"installing {bundle.target.fixed}")
        fixed = workshop.fixed(bundle)
    except (NotFound, Unavailable) as error:
        return replace(
            case, fixed_problem=f"{bundle.target.fixed} cannot be run here: {error}"
        ), None
    return replace(
        case,
        fixed_pocs=_plain_runs(bundle, fixed, 1 if all_alike(case.pocs) else runs, progress),
        fixed_controls=[_control(fixed, c, progress) for c in bundle.controls],
    ), fixed


def all_alike(runs: Sequence[Run]) -> bool:
    """Whether the runs of each input went the same way: nothing was left to chance, as it seems."""
    ways: dict[str, set[object]] = {}
    for run in runs:
        calls = tuple((c.line, c.callee, c.count, c.given, c.types) for c in run.calls)
        way = run.outcome, run.marks, run.number, run.came_out, calls
        ways.setdefault(run.input, set()).add(way)
    return all(len(different) == 1 for different in ways.values())


def _plain_runs(bundle: Bundle, runner: Runner, runs: int, progress: Progress) -> list[Run]:
    found = []
    for poc in bundle.pocs:
        for number in range(runs):
            progress(f"{runner.version}: {_label(bundle, poc)}, run {number + 1}")
            found.append(runner.run(_label(bundle, poc), poc.data))
    return found
