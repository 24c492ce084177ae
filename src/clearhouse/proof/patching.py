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
from clearhouse.proof.answers import Answer, turns_down, usual_rejections
from clearhouse.proof.base_runs import Base, base_of, run_control, run_pocs
from clearhouse.proof.build.sources import Tree
from clearhouse.proof.bundle import Bundle, Language
from clearhouse.proof.code_change import Handler, changes_code, unsilenced
from clearhouse.proof.diff import FilePatch
from clearhouse.proof.effects import Effect
from clearhouse.proof.environment import describe
from clearhouse.proof.import_runs import import_effects
from clearhouse.proof.judge import Case, Grade, behaves_differently, judge, shows
from clearhouse.proof.new_effects import (
    NewEffect,
    another_finding,
    faults_of,
    new_effects,
    still_shows,
)
from clearhouse.proof.observation import Outcome, Run
from clearhouse.proof.own_tests import OwnTests, Suite
from clearhouse.proof.patch_verdict import (
    AsFixed,
    Behaviour,
    PatchVerdict,
    Seen,
    StillTriggering,
    Variants,
    decide,
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
from clearhouse.proof.variants import DEEPER, Variant, hints_of
from clearhouse.proof.witness import Witness

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
        bundle, hashlib.sha256(raw_patch).hexdigest(), seen, decide(seen),
        describe(bundle, dict(_packages(distribution.tree))), time.monotonic() - started,
    )  # fmt: skip


def _packages(tree: Installed | Tree) -> list[tuple[str, str]]:
    if isinstance(tree, Tree):
        return [(tree.purl, f"sha256:{tree.sha256}")]
    return [(one.purl, f"sha256:{one.sha256}") for one in tree.packages]


def _changes_code(distribution: Distribution, applied: PatchResult) -> bool:
    known = set(distribution.names)
    return any(
        changes_code(path, distribution.read(path) if path in known else None, content)
        for path, content in applied.changes.items()
    )


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
        base = base_of(self._bundle, self._workshop, self._options.runs, self._progress)
        if not base.judgement.grade.proven:
            return replace(seen, baseline=base.judgement.reason)
        with ExitStack() as stack:
            changes = self._applied.changes
            copy = stack.enter_context(
                patched_copy(self._distribution, changes, self._store, _PATCHED)
            )
            try:
                runner = self._workshop.on(self._bundle, copy.tree, copy.version)
            except Unavailable as error:  # built a moment ago without the patch
                return replace(seen, not_loaded=str(error))
            tests = stack.enter_context(self._own_tests(copy)) if seen.code_changed else None
            pocs = run_pocs(self._bundle, runner, self._options.runs, self._progress)
            broken = next((run for run in pocs if run.outcome is Outcome.NOT_LOADED), None)
            if broken is not None:
                return replace(seen, not_loaded=broken.why)
            controls = [run_control(runner, c, self._progress) for c in self._bundle.controls]
            seen = replace(
                seen,
                effect_looked_at=True,
                effect=_effect_trouble(base.case, pocs),
                controls=behaves_differently(base.case.controls, controls, "the patched version"),
            )
            witness = Witness(copy, [*zip(base.case.controls, controls, strict=True)])
            if seen.effect is None:
                seen = self._further(seen, base, runner, pocs, witness, also, copy)
            witness.look(zip(base.case.pocs, pocs, strict=True))
            effects = [*witness.found, *self._unseen(copy, seen)]
            return replace(
                seen,
                new_effects=tuple(effects),
                tests=tests.result() if tests is not None else None,
            )

    # -- levels 3 and 4 ------------------------------------------------------------------------

    def _further(
        self, seen: Seen, base: Base, runner: Runner, pocs: list[Run], witness: Witness,
        also: Sequence[Bundle], copy: Distribution,
    ) -> Seen:  # fmt: skip
        options, added = self._options, _added_lines(self._patch)
        signature = base.judgement.signature
        search = Search(
            self._bundle, base.case, signature, base.runner, options.seed, self._progress
        )
        found = search.triggering(options.variants, options.variant_seconds, hints_of(added))
        witness.known_faults |= faults_of(one.run for one in found.near)
        variants, afters = self._variants(base, runner, found, witness)
        others = self._others(base, also, copy)
        variants = replace(
            variants,
            tried=variants.tried + others.tried,
            still=(*variants.still, *others.still),
            notes=(*variants.notes, *others.notes),
        )
        usual = usual_rejections((one.run for one in found.near), base.case.controls)
        quiet = self._silenced(base, pocs, usual)
        harmless = search.harmless(options.harmless, options.harmless_seconds)
        behaviour = self._behaviour(base.runner, runner, harmless, witness, usual)
        as_fixed = self._as_fixed(found, pocs, afters)
        return replace(
            seen, variants=variants, silenced=quiet, behaviour=behaviour, as_fixed=as_fixed
        )

    def _variants(
        self, base: Base, runner: Runner, found: Found, witness: Witness
    ) -> tuple[Variants, dict[str, Run]]:
        still: list[StillTriggering] = []
        afters: dict[str, Run] = {}
        for one in found.triggering:
            self._progress(f"{runner.version}: variant {len(afters) + 1}")
            after = afters[one.name] = runner.run(one.name, one.variant.data)
            if still_shows(base.case, one.run, after):
                still.append(StillTriggering(one.name, one.variant, after.why))
                if len(still) >= _ENOUGH_STILL:
                    break
            elif DEEPER not in one.variant.changes:  # what is large takes long with a right patch
                witness.look([(one.run, after)])
        other = [kind for run in afters.values() if (kind := another_finding(run))]
        notes = [f"{len(other)} variants now end in another finding: {other[0]}"] if other else []
        return Variants(len(afters), tuple(still), found.made, tuple(notes)), afters

    def _others(self, base: Base, also: Sequence[Bundle], copy: Distribution) -> Variants:
        """Other proofs of the same flaw, with their own harnesses."""
        tried, still, notes = 0, list[StillTriggering](), list[str]()
        for other in also:
            mine, theirs = self._bundle.target, other.target
            if (mine.purl, mine.source) != (theirs.purl, theirs.source):
                notes.append(f"{other.id} attacks {other.target}, so it was not run")
                continue
            before = base_of(other, self._workshop, 1, self._progress)
            if before.judgement.signature != base.judgement.signature:
                notes.append(f"{other.id} shows no or another flaw, so it says nothing here")
                continue
            runner = self._workshop.on(other, copy.tree, copy.version)
            runs = run_pocs(other, runner, 1, self._progress)
            for run, poc in zip(runs, other.pocs, strict=True):
                tried += 1
                if shows(before.case, run):
                    variant = Variant(poc.data, (f"the proof of {other.id}",))
                    still.append(StillTriggering(f"{other.id}:{poc.name}", variant, run.why))
        return Variants(tried, tuple(still), 0, tuple(notes))

    def _behaviour(
        self, before: Runner, after: Runner, harmless: Sequence[Tried], witness: Witness,
        usual: frozenset[Answer],
    ) -> Behaviour:  # fmt: skip
        tried, altered, turned_down = 0, list[str](), list[str]()
        for one in harmless:
            self._progress(f"{after.version}: harmless input {tried + 1}")
            run = after.run(one.name, one.variant.data)
            differs = behaves_differently([one.run], [run], "the patched version")
            if differs is not None:
                again = before.run(one.name, one.variant.data)
                if behaves_differently([one.run], [again], "the same version") is not None:
                    continue  # it differs by itself
                which = turned_down if turns_down(one.run, run, usual) else altered
                which.append(f"{differs}, by {one.variant.how}")
            witness.look([(one.run, run)])
            tried += 1
        return Behaviour(tried, tuple(altered), tuple(turned_down))

    def _silenced(self, base: Base, pocs: Sequence[Run], usual: frozenset[Answer]) -> str | None:
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
        return silenced(self._bundle.effect, handlers, returned, pocs, usual)

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
        before = self._workshop.on(watched, self._distribution.tree, self._distribution.version)
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
            suite = Suite(unpack_source(str(purl)), tree, purl.name, default_targets())
            return suite.run(copy.tree, self._applied.changes, self._progress)
        except (NotFound, Unavailable) as error:
            return OwnTests(ran=False, reason=f"they cannot be run here: {error}")


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
