"""Checking a patch: apply it to the distribution, run everything, judge.

The runs around :mod:`clearhouse.proof.patch_verdict`. The order is that of the four levels there;
what a level has refused is not looked into further where that could not change the answer.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final

from clearhouse.errors import NotFound, Unavailable
from clearhouse.proof.bundle import Bundle, Input, Language
from clearhouse.proof.code_change import Handler, changes_code, unsilenced
from clearhouse.proof.diff import FilePatch
from clearhouse.proof.effects import Effect
from clearhouse.proof.import_runs import import_effects
from clearhouse.proof.judge import Case, Grade, Judgement, behaves_differently, judge, shows
from clearhouse.proof.new_effects import NewEffect, faults_of, new_effects
from clearhouse.proof.observation import Frame, Outcome, Run
from clearhouse.proof.own_tests import OwnTests, Suite
from clearhouse.proof.patch_verdict import (
    AsFixed,
    Behaviour,
    PatchVerdict,
    Seen,
    StillTriggering,
    Variants,
    decide,
    differences_of,
)
from clearhouse.proof.patched import Distribution, distribution_of, patched_copy
from clearhouse.proof.placing import PatchResult
from clearhouse.proof.runners.base import Runner
from clearhouse.proof.runners.choose import Workshop
from clearhouse.proof.silencing import silenced
from clearhouse.proof.target import Installed, unpack_source
from clearhouse.proof.target.store import Store
from clearhouse.proof.target.targets import default_targets
from clearhouse.proof.variant_runs import Found, Search, Tried
from clearhouse.proof.variants import Variant, hints_of

_PATCHED: Final = "patch"
#: With so many variants that the patch does not stop, more add nothing.
_ENOUGH_STILL: Final = 6
_AS_FIXED: Final = 12
_READS: Final = 4

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How much is run: counts of inputs, seconds for finding each sort, the seed of chance."""

    runs: int = 3
    variants: int = 24
    variant_seconds: float = 10.0
    harmless: int = 32
    harmless_seconds: float = 5.0
    own_tests: str = "run"  # or "skip"
    seed: int = 1


def check_patch(
    bundle: Bundle,
    patch: Sequence[FilePatch],
    raw_patch: bytes,
    workshop: Workshop,
    *,
    also: Sequence[Bundle] = (),
    options: Options = Options(),
    progress: Progress = lambda _: None,
) -> PatchVerdict:
    """Judge a patch against a proof; ``also`` are other proofs of the same flaw.

    Raises :class:`Unavailable` and :class:`NotFound` where the target cannot be run here.
    """
    started = time.monotonic()
    progress("applying")
    distribution = distribution_of(bundle)
    applied = distribution.apply(patch)
    seen = Seen(applied, code_changed=_changes_code(distribution, applied))
    if applied.applies:
        store = default_targets().store
        check = _Check(bundle, distribution, applied, patch, workshop, store, options, progress)
        seen = check.run(seen, also)
    return PatchVerdict(
        bundle.id, bundle.digest, str(bundle.target), hashlib.sha256(raw_patch).hexdigest(),
        seen, decide(seen), time.monotonic() - started,
    )  # fmt: skip


def _changes_code(distribution: Distribution, applied: PatchResult) -> bool:
    known = set(distribution.names)
    return any(
        changes_code(path, distribution.read(path) if path in known else None, content)
        for path, content in applied.changes.items()
    )


@dataclass(frozen=True, slots=True)
class _Base:
    """The proof without the patch: its runs, and the judgement on them."""

    runner: Runner
    case: Case
    judgement: Judgement


class _Check:
    """One patch against one proof."""

    def __init__(
        self, bundle: Bundle, distribution: Distribution, applied: PatchResult,
        patch: Sequence[FilePatch], workshop: Workshop, store: Store, options: Options,
        progress: Progress,
    ) -> None:  # fmt: skip
        self._bundle, self._distribution, self._applied = bundle, distribution, applied
        self._patch, self._workshop, self._store = patch, workshop, store
        self._options, self._progress = options, progress

    def run(self, seen: Seen, also: Sequence[Bundle]) -> Seen:
        """Look at everything that the judgement needs."""
        base = self._base()
        if not base.judgement.grade.proven:
            return replace(seen, baseline=base.judgement.reason)
        with ExitStack() as stack:
            changes = self._applied.changes
            copy = stack.enter_context(
                patched_copy(self._distribution, changes, self._store, _PATCHED)
            )
            runner = self._workshop.on(self._bundle, copy.tree, copy.version)
            tests = stack.enter_context(self._own_tests(copy)) if seen.code_changed else None
            pocs = self._pocs(runner)
            broken = next((run for run in pocs if run.outcome is Outcome.NOT_LOADED), None)
            if broken is not None:
                return replace(seen, not_loaded=broken.why)
            controls = [self._control(runner, c) for c in self._bundle.controls]
            seen = replace(
                seen,
                effect_looked_at=True,
                effect=_effect_trouble(base.case, pocs),
                controls=behaves_differently(base.case.controls, controls, "the patched version"),
            )
            witness = _Witness(copy, [*zip(base.case.controls, controls, strict=True)])
            if seen.effect is None:
                seen = self._further(seen, base, runner, pocs, witness, also)
            witness.look(zip(base.case.pocs, pocs, strict=True))
            effects = [*witness.found, *self._unseen(copy, seen)]
            return replace(
                seen,
                new_effects=tuple(effects),
                tests=tests.result() if tests is not None else None,
            )

    # -- level 2 -------------------------------------------------------------------------------

    def _base(self) -> _Base:
        """The proof on the version that it attacks, judged without a fixed version."""
        bundle = self._bundle
        runner = self._workshop.attacked(bundle)
        pocs = self._pocs(runner)
        case = Case(
            effect=bundle.effect,
            expect=bundle.expect,
            package=self._workshop.package_of(bundle),
            harness_text=bundle.harness_code.decode("utf-8", "replace"),
            pocs=pocs,
            controls=[self._control(runner, c) for c in bundle.controls],
        )
        if bundle.effect is Effect.BYPASS and bundle.controls:
            first = bundle.controls[0].data
            case = replace(case, counterfactual=runner.counterfactual(first, bundle.pocs[0].data))
        return _Base(runner, case, judge(case))

    def _pocs(self, runner: Runner) -> list[Run]:
        found = []
        for poc in self._bundle.pocs:
            label = "poc" if len(self._bundle.pocs) == 1 else f"poc:{poc.name}"
            for number in range(self._options.runs):
                self._progress(f"{runner.version}: {label}, run {number + 1}")
                found.append(runner.run(label, poc.data))
        return found

    def _control(self, runner: Runner, control: Input) -> Run:
        self._progress(f"{runner.version}: control {control.name}")
        return runner.run(f"control:{control.name}", control.data)

    # -- levels 3 and 4 ------------------------------------------------------------------------

    def _further(
        self, seen: Seen, base: _Base, runner: Runner, pocs: list[Run], witness: _Witness,
        also: Sequence[Bundle],
    ) -> Seen:  # fmt: skip
        options, added = self._options, _added_lines(self._patch)
        signature = base.judgement.signature
        search = Search(
            self._bundle, base.case, signature, base.runner, options.seed, self._progress
        )
        found = search.triggering(options.variants, options.variant_seconds, hints_of(added))
        witness.known_faults |= faults_of(one.run for one in found.near)
        variants, afters = self._variants(base, runner, found, witness)
        others = self._others(base, also)
        variants = replace(
            variants,
            tried=variants.tried + others.tried,
            still=(*variants.still, *others.still),
            notes=others.notes,
        )
        quiet = self._silenced(base, pocs, found.near)
        harmless = search.harmless(options.harmless, options.harmless_seconds)
        behaviour = self._behaviour(base.runner, runner, harmless, witness)
        as_fixed = self._as_fixed(found, pocs, afters)
        return replace(
            seen, variants=variants, silenced=quiet, behaviour=behaviour, as_fixed=as_fixed
        )

    def _variants(
        self, base: _Base, runner: Runner, found: Found, witness: _Witness
    ) -> tuple[Variants, dict[str, Run]]:
        still: list[StillTriggering] = []
        afters: dict[str, Run] = {}
        for one in found.triggering:
            self._progress(f"{runner.version}: variant {len(afters) + 1}")
            after = afters[one.name] = runner.run(one.name, one.variant.data)
            if shows(base.case, after):
                still.append(StillTriggering(one.name, one.variant, after.why))
                if len(still) >= _ENOUGH_STILL:
                    break
            else:
                witness.look([(one.run, after)])
        return Variants(len(afters), tuple(still), found.made), afters

    def _others(self, base: _Base, also: Sequence[Bundle]) -> Variants:
        """Other proofs of the same flaw, with their own harnesses."""
        tried, still, notes = 0, list[StillTriggering](), list[str]()
        for other in also:
            if str(other.target.purl) != str(self._bundle.target.purl):
                notes.append(f"{other.id} attacks {other.target}, so it was not run")
                continue
            check = _Check(
                other, self._distribution, self._applied, self._patch, self._workshop,
                self._store, replace(self._options, runs=1), self._progress,
            )  # fmt: skip
            before = check._base()
            if before.judgement.signature != base.judgement.signature:
                notes.append(f"{other.id} shows no or another flaw, so it says nothing here")
                continue
            changes = self._applied.changes
            with patched_copy(self._distribution, changes, self._store, _PATCHED) as copy:
                for run, poc in zip(
                    check._pocs(self._workshop.on(other, copy.tree, copy.version)),
                    other.pocs,
                    strict=True,
                ):
                    tried += 1
                    if shows(before.case, run):
                        variant = Variant(poc.data, (f"the proof of {other.id}",))
                        still.append(StillTriggering(f"{other.id}:{poc.name}", variant, run.why))
        return Variants(tried, tuple(still), 0, tuple(notes))

    def _behaviour(
        self, before: Runner, after: Runner, harmless: Sequence[Tried], witness: _Witness
    ) -> Behaviour:
        pairs: list[tuple[str, str | None]] = []
        for one in harmless:
            self._progress(f"{after.version}: harmless input {len(pairs) + 1}")
            run = after.run(one.name, one.variant.data)
            differs = behaves_differently([one.run], [run], "the patched version")
            if differs is not None:
                again = before.run(one.name, one.variant.data)
                if behaves_differently([one.run], [again], "the same version") is not None:
                    continue  # it differs by itself
                differs = f"{differs}, by {one.variant.how}"
            witness.look([(one.run, run)])
            pairs.append((one.name, differs))
        return differences_of(pairs)

    def _silenced(self, base: _Base, pocs: Sequence[Run], near: Sequence[Tried]) -> str | None:
        """Run the patch with its silencing handlers raising again: the effect may come back."""
        changes = dict(self._applied.changes)
        known = set(self._distribution.names)
        handlers: list[Handler] = []
        for path, content in self._applied.changes.items():
            if content is None:
                continue
            before = self._distribution.read(path) if path in known else None
            opened = unsilenced(path, before, content)
            if opened is not None:
                changes[path] = opened.content
                handlers += opened.handlers
        if not handlers:
            return None
        with patched_copy(self._distribution, changes, self._store, "patch, raising") as copy:
            runner = self._workshop.on(self._bundle, copy.tree, copy.version)
            self._progress("the patch with its handlers raising again")
            loud = [runner.run("poc", poc.data) for poc in self._bundle.pocs]
        returned = [run for run in loud if shows(base.case, run)]
        answers = [one.run for one in near]
        return silenced(self._bundle.effect, handlers, returned, pocs, base.case.controls, answers)

    def _as_fixed(
        self, found: Found, pocs: Sequence[Run], afters: dict[str, Run]
    ) -> AsFixed | None:
        """How often the patched version does what the fixed release does."""
        version = self._bundle.target.fixed
        if version is None:
            return None
        try:
            fixed = self._workshop.fixed(self._bundle)
        except (NotFound, Unavailable):
            return None
        pairs = list(zip(self._bundle.pocs, pocs[:: self._options.runs], strict=True))
        inputs = [(run, poc.data) for poc, run in pairs]
        inputs += [
            (afters[one.name], one.variant.data)
            for one in found.triggering[:_AS_FIXED]
            if one.name in afters
        ]
        same = 0
        for mine, data in inputs:
            self._progress(f"{version}: {mine.input}")
            theirs = fixed.run(mine.input, data)
            same += behaves_differently([theirs], [mine], "the patched version") is None
        return AsFixed(version, len(inputs), same)

    # -- what the proof's own effect does not have watched ---------------------------------------

    def _unseen(self, copy: Distribution, seen: Seen) -> list[NewEffect]:
        """Effects when the package is imported, and reads of what no input should reach."""
        found: list[NewEffect] = []
        tree = self._distribution.tree
        if isinstance(tree, Installed) and isinstance(copy.tree, Installed):
            self._progress("importing it")
            language = self._bundle.harness.language
            found += import_effects(language, tree, copy.tree)
        if self._bundle.effect is Effect.READ_OUTSIDE or seen.effect is not None:
            return found
        watched = replace(self._bundle, effect=Effect.READ_OUTSIDE)
        inputs = [*self._bundle.controls, *self._bundle.pocs][:_READS]
        before = self._workshop.on(watched, tree, self._distribution.version)
        after = self._workshop.on(watched, copy.tree, copy.version)
        for one in inputs:
            self._progress(f"{after.version}: reads with {one.name}")
            run = after.run(one.name, one.data)
            if any(e.kind == "read-outside" for e in run.events) or run.leaked:
                plain = before.run(one.name, one.data)
                found += [
                    e
                    for e in new_effects(plain, run, known_faults=(), line_of=lambda _: "raise")
                    if e.kind == "read-outside"
                ]
        return found

    # -- own tests -----------------------------------------------------------------------------

    @contextmanager
    def _own_tests(self, copy: Distribution) -> Iterator[Future[OwnTests]]:
        """The own tests, run beside everything else: they have a sandbox of their own."""
        with ThreadPoolExecutor(1) as pool:
            yield pool.submit(self._run_own_tests, copy)

    def _run_own_tests(self, copy: Distribution) -> OwnTests:
        bundle, tree = self._bundle, self._distribution.tree
        if self._options.own_tests == "skip":
            return OwnTests(ran=False, reason="not asked for")
        if bundle.harness.language is not Language.PYTHON or not isinstance(tree, Installed):
            return OwnTests(ran=False, reason="only those of Python packages can be run yet")
        purl = bundle.target.purl
        assert purl is not None
        assert isinstance(copy.tree, Installed)
        try:
            suite = Suite(unpack_source(str(purl)), tree, purl.name, self._store)
            return suite.run(copy.tree, self._applied.changes, self._progress)
        except (NotFound, Unavailable) as error:
            return OwnTests(ran=False, reason=f"they cannot be run here: {error}")


class _Witness:
    """Gathers new effects over pairs of runs without and with the patch."""

    def __init__(self, copy: Distribution, pairs: Sequence[tuple[Run, Run]]) -> None:
        self._copy = copy
        self._lines: dict[str, list[str]] = {}
        self.known_faults: frozenset[str] = frozenset()
        self.found: list[NewEffect] = []
        self.look(pairs)

    def look(self, pairs: Sequence[tuple[Run, Run]] | Iterator[tuple[Run, Run]]) -> None:
        """Compare runs of the same inputs."""
        for before, after in pairs:
            found = new_effects(
                before, after, known_faults=self.known_faults, line_of=self._line_of
            )
            self.found += [
                one for one in found if (one.kind, one.what) not in
                {(known.kind, known.what) for known in self.found}
            ]  # fmt: skip

    def _line_of(self, frame: Frame) -> str | None:
        if frame.line is None:
            return None
        top = self._copy.base.split("/", 1)[0]
        name = f"{top}/{frame.file}"
        if name not in self._lines:
            path = self._copy.tree.root / name
            raw = path.read_bytes() if path.is_file() else b""
            self._lines[name] = raw.decode("utf-8", "replace").splitlines()
        lines = self._lines[name]
        return lines[frame.line - 1] if 0 < frame.line <= len(lines) else None


def _effect_trouble(case: Case, pocs: Sequence[Run]) -> str | None:
    """Why the proof is not stopped by the patch, or None; the controls are another matter."""
    same = replace(
        case, fixed_version="the patched version", fixed_pocs=pocs, fixed_controls=case.controls
    )
    judged = judge(same)
    return None if judged.grade is Grade.DIFFERENTIAL else judged.reason


def _added_lines(patch: Sequence[FilePatch]) -> list[str]:
    return [
        line.text.decode("utf-8", "replace")
        for one in patch
        for hunk in one.hunks
        for line in hunk.lines
        if line.kind == "+"
    ]
