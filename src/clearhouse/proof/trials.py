"""Running one release for a history: controls first, then every poc.  I/O around ``standing``."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from clearhouse.errors import ClearhouseError, Unavailable
from clearhouse.proof.bundle import Bundle, Input
from clearhouse.proof.entries import Ran
from clearhouse.proof.environment import describe
from clearhouse.proof.exchange import exchange
from clearhouse.proof.judge import Case, frames_json, judge, shows
from clearhouse.proof.memory import Memory
from clearhouse.proof.observation import Run
from clearhouse.proof.runners.base import Runner
from clearhouse.proof.runners.choose import Workshop
from clearhouse.proof.search import RUNS_AT_BOUNDARY
from clearhouse.proof.standing import Finding, Reference, Status, Trial, stand
from clearhouse.proof.target import TargetUnavailable
from clearhouse.proof.target.model import PASSING
from clearhouse.proof.target.store import Store

_FRAMES_SHOWN: Final = 12


def run_trial(bundle: Bundle, runner: Runner, runs: int, earlier: Trial | None = None) -> Trial:
    """Run each control once and each poc ``runs`` times, those of an earlier trial counted.

    Where a control cannot even be loaded no poc is run.  Raises Unavailable when the sandbox
    fails.
    """
    if earlier is not None:
        controls = earlier.controls
    else:
        controls = tuple(runner.run(f"control:{one.name}", one.data) for one in bundle.controls)
    if not all(control.ran for control in controls):
        return Trial((), controls)
    before = earlier.pocs if earlier is not None else ()
    pocs: list[Run] = []
    for poc in bundle.pocs:
        label = label_of(bundle, poc)
        mine = [run for run in before if run.input == label]
        mine += [runner.run(label, poc.data) for _ in range(runs - len(mine))]
        pocs += mine
    return counterfactual(bundle, runner, Trial(tuple(pocs), controls))


def label_of(bundle: Bundle, poc: Input) -> str:
    """The name of a poc's runs, as in verdicts."""
    return "poc" if len(bundle.pocs) == 1 else f"poc:{poc.name}"


def counterfactual(bundle: Bundle, runner: Runner, trial: Trial) -> Trial:
    """Add the runs that the attribution of a broken guarantee needs, where one was broken."""
    case = Case(bundle.effect, bundle.expect, "", "", (), ())
    if not any(shows(case, run) for run in trial.pocs):
        return trial
    found = exchange(bundle, runner, bundle.pocs[0].data, trial.controls)
    return replace(trial, counterfactual=found)


def ran_of(finding: Finding, trial: Trial, runs: int) -> Ran:
    """A finding with the number of runs that it rests on."""
    more = trial.counterfactual.runs if trial.counterfactual is not None else 0
    return Ran(finding, runs, len(trial.pocs) + len(trial.controls) + more)


class Attacked:
    """The version attacked: judged as ``prove`` does, then the reference for all others.

    Its runs are only done when something has to be compared with them.
    """

    def __init__(self, bundle: Bundle, *, afresh: bool = False) -> None:
        self.bundle, self._afresh = bundle, afresh
        self._lock = threading.Lock()
        self._reference: Reference | None = None

    def meet(self, workshop: Workshop, store: Store) -> tuple[Memory, Ran, dict[str, Any]]:
        """Run and judge it, or remember how that went.

        Raises NotFound where the registry does not have it, Unavailable where it cannot be run.
        """
        runner = workshop.attacked(self.bundle)
        memory = Memory(
            store,
            self.bundle.digest,
            describe(self.bundle, {}),
            runner.packages,
            afresh=self._afresh,
        )
        ran, verdict = memory.recall(runner.packages, RUNS_AT_BOUNDARY), memory.recall_verdict()
        if ran is None or verdict is None:
            trial = run_trial(self.bundle, runner, RUNS_AT_BOUNDARY)
            reference = self._reference = self._refer(trial)
            ran = ran_of(stand(reference, trial), trial, RUNS_AT_BOUNDARY)
            verdict = self._judge(workshop, trial)
            memory.keep(runner.packages, ran)
            if not ran.finding.passing:
                memory.keep_verdict(verdict)
        return memory, replace(ran, reason="the version attacked"), verdict

    def reference(self, workshop: Workshop) -> Reference:
        """The runs on the version attacked, done again where they were only remembered."""
        with self._lock:
            if self._reference is None:
                runner = workshop.attacked(self.bundle)
                self._reference = self._refer(run_trial(self.bundle, runner, RUNS_AT_BOUNDARY))
            return self._reference

    def still_runs(self, workshop: Workshop) -> None:
        """Run a control on it once more; raises Unavailable where the sandbox fails on it too."""
        control = self.bundle.controls[0]
        workshop.attacked(self.bundle).run(f"control:{control.name}", control.data)

    def _refer(self, trial: Trial) -> Reference:
        bundle = self.bundle
        return Reference(
            effect=bundle.effect,
            expect=bundle.expect,
            harness_text=bundle.harness_code.decode("utf-8", "replace"),
            version=str(bundle.target.purl.version) if bundle.target.purl else "",
            pocs=trial.pocs,
            controls=trial.controls,
        )

    def _judge(self, workshop: Workshop, trial: Trial) -> dict[str, Any]:
        bundle = self.bundle
        idle = next((run for run in trial.controls if not run.ran), None)
        case = Case(
            effect=bundle.effect,
            expect=bundle.expect,
            package=workshop.package_of(bundle),
            harness_text=bundle.harness_code.decode("utf-8", "replace"),
            pocs=trial.pocs,
            controls=trial.controls,
            counterfactual=trial.counterfactual,
        )
        found = judge(case)
        reason = found.reason if idle is None else f"{idle.input}: {idle.why}"
        return {
            "grade": found.grade.value,
            "proven": found.grade.proven,
            "reason": None if found.grade.proven else reason,
            "observed": dict(found.observed),
            "attributed_to": frames_json(found.frames[:_FRAMES_SHOWN]),
            "signature": found.signature,
        }


def run_release(
    attacked: Attacked,
    version: str,
    runs: int,
    workshop: Workshop,
    memory: Memory,
    *,
    earlier: Trial | None = None,
) -> tuple[Ran, Trial | None]:
    """Run a release ``runs`` times and hold it against the version attacked.

    What was run before is remembered, and then there is no trial.  Raises Unavailable where the
    sandbox fails on the version attacked as well.
    """
    bundle = attacked.bundle
    try:
        runner = workshop.at(bundle, version)
    except ClearhouseError as error:
        passing = isinstance(error, TargetUnavailable) and error.reason in PASSING
        return unrunnable(error, runs, passing=passing), None
    known = memory.recall(runner.packages, runs)
    if known is not None:
        return known, None
    reference = attacked.reference(workshop)
    try:
        trial = run_trial(bundle, runner, runs, earlier)
    except Unavailable:
        # The release's doing, or the machine's: where the version attacked fails as well,
        # the error goes up and ends the history.
        attacked.still_runs(workshop)
        try:
            trial = run_trial(bundle, runner, runs, earlier)
        except Unavailable as error:
            why = str(error).strip().splitlines()[-1]
            finding = Finding(Status.INCONCLUSIVE, f"the sandbox fails: {why}", passing=True)
            return Ran(finding, runs, 0), None
    ran = ran_of(stand(reference, trial), trial, runs)
    memory.keep(runner.packages, ran)
    return ran, trial


def problem_with(verdict: Mapping[str, Any], version: str) -> str | None:
    """Why a history cannot be made: the proof does not hold on the version attacked itself."""
    if verdict["proven"]:
        return None
    return f"on {version}, the version attacked, the proof does not hold: {verdict['reason']}"


def unrunnable(error: Exception, runs: int, *, passing: bool) -> Ran:
    """A release that could not be brought here."""
    return Ran(Finding(Status.UNRUNNABLE, str(error), passing=passing), runs, 0)
