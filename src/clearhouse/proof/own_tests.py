"""The package's own tests, from its source distribution, before and after a patch.

They are the authors' idea of what has to stay. They run inside the sandbox, on the interpreter that
runs the proof, with the patched files laid over the source tree and the installed package in front
of it. Tests that fail without the patch say nothing about it, nor do those that their authors mark
as flaky; where no test passes without the patch, or there are none, the answer is unknown, never a
pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from clearhouse.proof.runners.base import new_token
from clearhouse.proof.sandbox import bubblewrap
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.cell import MEGABYTE, Cell, Job, Limits, Watch
from clearhouse.proof.target import Installed, SourceTree, running_interpreter
from clearhouse.proof.target.layout import placements, read_layout
from clearhouse.proof.target.store import key_of, link_tree
from clearhouse.proof.target.targets import Targets
from clearhouse.proof.test_tools import pytest_alone, pytest_with_needs

#: Processor seconds for one run of the tests; what is not done by then is not compared.
SECONDS: Final = 10.0
#: Wall time for each processor second: tests wait, and other work goes on beside them.
_WAITING: Final = 2.0
#: How much longer the patched version may take.
_MORE_TIME: Final = 1.5
_FORMAT: Final = 4
_FILES: Final = 150
#: Of so many that fail only after the patch it is asked again whether they do, so many times.
_AGAIN: Final = 40
_TRIES: Final = 2
_TEST_FILE: Final = re.compile(r"(?:test_[^/]*|[^/]*_tests?|tests?)\.py")
_NOT_OURS: Final = frozenset({"build", "dist", "node_modules", "vendor", "_vendor", ".tox", "venv"})
_SHOWN: Final = 20
_ERROR: Final = re.compile(r"\b\w*(?:Error|Exception): .*")
_MISSING: Final = re.compile(r"No module named|fixture '")

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """One run of the tests: outcome by test, files that do not load, the limit that ended it."""

    tests: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    limit: str = ""

    @property
    def cut_short(self) -> bool:
        """Whether tests may be missing that would have run."""
        return bool(self.limit)

    @property
    def passed(self) -> frozenset[str]:
        """Tests that passed or were skipped."""
        return frozenset(name for name, outcome in self.tests.items() if outcome == "passed")


@dataclass(frozen=True, slots=True)
class OwnTests:
    """Tests before and after: counts, and the names of those that fail only after."""

    ran: bool
    reason: str = ""  # why they did not run, or what limits the answer
    passed: int = 0  # both times
    failed_before: int = 0
    failed_after: int = 0
    newly_failing: tuple[str, ...] = ()

    @property
    def worse(self) -> bool:
        """Whether the patch makes a test fail."""
        return bool(self.newly_failing)

    def as_json(self) -> dict[str, Any]:
        """The part of the document named ``tests``."""
        return {
            "ran": self.ran,
            "passed": self.passed,
            "failed_before": self.failed_before,
            "failed_after": self.failed_after,
            "newly_failing": list(self.newly_failing[:_SHOWN]),
            "reason": self.reason or None,
        }


def compare(before: Outcomes, after: Outcomes) -> OwnTests:
    """Compare two runs.  A test that passed and is not heard of any more counts as failing.

    Unless the run was cut short: then it is not known, and the answer says so.
    """
    if not before.passed:
        why = next(iter(before.broken.values()), "none of them passes without the patch")
        return OwnTests(ran=False, reason=f"they cannot be run here: {why}")
    known = before.passed if not after.cut_short else before.passed & after.tests.keys()
    newly = tuple(sorted(known - after.passed))
    failing = before.tests.keys() - before.passed
    still = {n for n in failing - after.passed if n in after.tests or not after.cut_short}
    failed_before = len(failing) + len(before.broken)
    failed_after = len(newly) + len(still) + len(before.broken.keys() & after.broken.keys())
    cut = before.cut_short or after.cut_short
    return OwnTests(
        ran=bool(known),
        reason=_cut_short(known) if cut else "",
        passed=len(known & after.passed),
        failed_before=failed_before,
        failed_after=failed_after,
        newly_failing=newly,
    )


def _cut_short(known: frozenset[str]) -> str:
    which = "part of them" if known else "all that pass without the patch"
    return f"the time limit left out {which}"


def files_with_tests(names: Sequence[str]) -> list[str]:
    """Files of a source tree that hold tests."""
    return [
        name
        for name in names
        if _TEST_FILE.fullmatch(PurePosixPath(name).name)
        and not _NOT_OURS.intersection(PurePosixPath(name).parts)
    ]


def nearest_first(
    files: Sequence[str], read: Callable[[str], bytes], modules: Sequence[str]
) -> list[str]:
    """The test files, those that speak of a changed module first: time may not do for all."""
    words = [re.compile(rb"\b" + re.escape(m.encode()) + rb"\b") for m in modules if m]

    def far(name: str) -> tuple[int, str]:
        text = read(name)
        near = sum(1 for w in words if w.search(text))
        stem = PurePosixPath(name).stem.removeprefix("test_").removesuffix("_test")
        return -near - (2 if stem in modules else 0), name

    return sorted(files, key=far)[:_FILES]


class Suite:
    """The own tests of one package, ready to run on any copy of it."""

    def __init__(
        self, source: SourceTree, original: Installed, project: str, targets: Targets
    ) -> None:
        self._source, self._original = source, original
        self._targets, self._store = targets, targets.store
        python = running_interpreter().python
        layout = read_layout(source.src, (python.major, python.minor, python.micro))
        #: Paths below ``site/`` by the path in the source tree that they come from.
        self._placed = placements(source.src, layout, project)
        self._pytest = pytest_alone()

    def run(
        self, patched: Installed, changes: Mapping[str, bytes | None], progress: Progress
    ) -> OwnTests:
        """Run the tests without and with the patch and compare.

        ``changes`` are the patched files by their path in the installed tree.
        """
        src = self._source.src
        names = sorted(str(p.relative_to(src)) for p in src.rglob("*.py") if p.is_file())
        found = files_with_tests(names)
        if not found:
            return OwnTests(ran=False, reason="the source distribution carries no tests")
        modules = sorted({part for path in changes for part in _words(path)})
        files = nearest_first(found, lambda name: (src / name).read_bytes(), modules)
        progress("own tests, before")
        before = self._before(files)
        if any(_MISSING.search(why) for why in before.broken.values()):
            before = self._with_needs(files, before, progress)
        if not before.passed:
            return compare(before, before)
        progress("own tests, after")
        with ExitStack() as stack:
            tree = self._overlaid(stack, changes)
            after = self._once(patched, tree, files, SECONDS * _MORE_TIME)
            compared = compare(before, after)
            if 0 < len(compared.newly_failing) <= _AGAIN:
                progress("own tests, again those that fail")
                again = self._confirmed(patched, tree, compared.newly_failing)
                compared = _without(compared, again)
        return compared

    def _with_needs(self, files: Sequence[str], before: Outcomes, progress: Progress) -> Outcomes:
        """Run them again with what the package names for its tests; more may load then."""
        progress("own tests, what they need")
        richer = pytest_with_needs(self._targets, self._source.src)
        if richer is None:
            return before
        plain, self._pytest = self._pytest, richer
        again = self._before(files)
        if len(again.passed) <= len(before.passed):
            self._pytest = plain
            return before
        return again

    def _before(self, files: Sequence[str]) -> Outcomes:
        tools = self._pytest.digest if self._pytest else ""
        python = running_interpreter().identity
        key = key_of(
            str(_FORMAT), self._source.sha256, self._original.digest, tools, python, *files
        )
        kept = self._store.read_json("own-tests", f"{key}.json")
        if kept is not None:
            return Outcomes(**kept)
        with ExitStack() as stack:
            tree = self._overlaid(stack, {})
            outcomes = self._once(self._original, tree, files, SECONDS)
        if outcomes.limit != "wall":  # what a busy machine had no time for is no property of it
            self._store.write_json(asdict(outcomes), "own-tests", f"{key}.json")
        return outcomes

    def _confirmed(self, patched: Installed, tree: Path, names: Sequence[str]) -> frozenset[str]:
        """Of tests that fail only with the patch, those that do so each time: some measure time."""
        failing = frozenset(names)
        for _ in range(_TRIES):
            files = sorted({name.partition("::")[0] for name in failing})
            if not all(file.endswith(".py") for file in files):
                break  # unittest's names: no file to run again
            with ExitStack() as stack:
                plain = self._overlaid(stack, {})
                before = self._once(self._original, plain, files, SECONDS)
            after = self._once(patched, tree, files, SECONDS * _MORE_TIME)
            failing &= before.passed - after.passed
            if not failing:
                break
        return failing

    def _overlaid(self, stack: ExitStack, changes: Mapping[str, bytes | None]) -> Path:
        """A copy of the source tree with the patched files, and with what only a build makes."""
        folder = stack.enter_context(self._store.staging()) / "tree"
        folder.mkdir(mode=0o755)  # read by the sandbox's user
        src, tree = self._source.src, folder / "src"
        link_tree(src, tree, {n: n for n in _files(src)})
        site = self._original.root / "site"
        for own, into in self._placed.items():
            placed = site / into
            if placed.is_dir():
                missing = {f"{own}/{n}": f"{into}/{n}" for n in _files(placed)}
                link_tree(site, tree, missing)
        for path, content in changes.items():
            target = self._in_tree(path)
            if target is None:
                continue
            (tree / target).unlink(missing_ok=True)
            if content is not None:
                (tree / target).parent.mkdir(parents=True, exist_ok=True)
                (tree / target).write_bytes(content)
        return folder

    def _in_tree(self, path: str) -> str | None:
        installed = path.removeprefix("site/")
        for own, into in self._placed.items():
            if installed == into:
                return own
            if installed.startswith(f"{into}/"):
                return f"{own}/{installed.removeprefix(f'{into}/')}"
        return None

    def _once(
        self, installed: Installed, tree: Path, files: Sequence[str], seconds: float
    ) -> Outcomes:
        binds = [Bind(installed.root, "/target"), Bind(tree, "/build")]
        if self._pytest is not None:
            binds.append(Bind(self._pytest.root, "/runtime/pytest"))
        job = Job(
            runtime="program",
            input=b"",
            token=new_token(),
            limits=Limits(
                cpu_s=seconds, wall_s=_WAITING * seconds, memory_bytes=1536 * MEGABYTE,
                output_bytes=16 * MEGABYTE,
            ),
            watch=Watch("none", 1e9, 1 << 62, reads=False, stack="none", unwind=False,
                        runtime_execs=1),
            extra={"files": list(files), "search": ["/target/site"]},
            argv=[bubblewrap.interpreter(), "-I", "-S",
                  "/runtime/clearhouse/warden/run_tests.py"],
        )  # fmt: skip
        with Cell(binds) as cell:
            return read_outcomes(cell.run(job))


def read_outcomes(raw: Mapping[str, Any]) -> Outcomes:
    """Parse the record of a run of the tests."""
    tests: dict[str, str] = {}
    broken: dict[str, str] = {}
    done = False
    for message in raw["report"]:
        if "test" in message:
            tests[str(message["test"])] = str(message["outcome"])
        elif "broken" in message:
            broken[str(message["broken"])] = str(message["why"])
        elif "ended" in message:
            broken["the run"] = str(message["ended"])
        done = done or bool(message.get("done"))
    if not tests and not broken:
        # A conftest.py that does not load ends pytest before it could tell of any test.
        output = raw["output"]["out"] + raw["output"]["err"]
        errors = _ERROR.findall(output)
        told = errors[-1] if errors else str(raw["killed"] or output[-200:] or "they said nothing")
        broken["the run"] = told.strip()[:300]
    return Outcomes(tests, broken, "" if done else str(raw["killed"] or "end"))


def _without(compared: OwnTests, confirmed: frozenset[str]) -> OwnTests:
    """The comparison without the failures that did not come again."""
    chance = len(compared.newly_failing) - len(confirmed)
    return OwnTests(
        compared.ran, compared.reason, compared.passed + chance, compared.failed_before,
        compared.failed_after - chance, tuple(sorted(confirmed)),
    )  # fmt: skip


def _files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def _words(path: str) -> list[str]:
    parts = PurePosixPath(path.removeprefix("site/")).with_suffix("").parts
    return [part for part in parts[1:] or parts if part != "__init__"] or list(parts[:1])
