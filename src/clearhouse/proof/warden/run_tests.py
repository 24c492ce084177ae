"""Runs a package's own tests inside the sandbox and reports the outcome of each.

Started as a program of its own: the tree under ``/build/src`` is copied to the working folder, the
test files named in the job are run there, by pytest where ``/runtime/pytest`` holds one, else by
unittest.  One line for each test goes to descriptor 3, so that a run cut short has told what it
knew.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import unittest
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

_REPORT, _JOB = 3, 5
_TREE = "/work/src"

Say = Callable[..., None]


def main() -> None:
    """Never returns."""
    with os.fdopen(_JOB, "rb") as file:
        job = json.load(file)
    key = job["key"].encode()

    def say(**message: Any) -> None:
        os.write(_REPORT, key + json.dumps(message).encode() + b"\n")

    shutil.copytree("/build/src", _TREE, copy_function=shutil.copyfile, symlinks=True)
    os.chdir(_TREE)
    sys.path[:0] = job["search"]
    sys.dont_write_bytecode = True
    warnings.simplefilter("ignore")
    with_pytest = os.path.isdir("/runtime/pytest/site")
    if with_pytest:
        sys.path.append("/runtime/pytest/site")
    try:
        (_pytest if with_pytest else _unittest)(job["files"], say)
    except BaseException as error:  # the sandbox's edge: the tests' own code
        say(ended=f"{type(error).__name__}: {error}"[:300])
    say(done=True)
    os._exit(0)


def _pytest(files: list[str], say: Say) -> None:
    import pytest

    class Reporter:
        """Tells each test's outcome; a test fails when any of its three phases does.

        One that its authors mark as flaky is left out: that it fails, or not, says nothing.
        """

        def __init__(self) -> None:
            self._bad: set[str] = set()

        def pytest_collection_modifyitems(self, items: list[Any]) -> None:
            items[:] = [one for one in items if one.get_closest_marker("flaky") is None]

        def pytest_collectreport(self, report: Any) -> None:
            if report.failed:
                say(broken=report.nodeid, why=_last_line(report.longrepr))

        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.failed and not hasattr(report, "wasxfail"):
                self._bad.add(report.nodeid)
            if report.when == "teardown":
                outcome = "failed" if report.nodeid in self._bad else "passed"
                say(test=report.nodeid, outcome=outcome)

    pytest.main(
        [
            "-q", "--tb=line", "--no-header", "-p", "no:cacheprovider", "-p", "no:faulthandler",
            "-o", "addopts=", "-o", "xfail_strict=false", "-W", "ignore",
            "--continue-on-collection-errors", *files,
        ],
        plugins=[Reporter()],
    )  # fmt: skip


def _last_line(text: object) -> str:
    lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _unittest(files: list[str], say: Say) -> None:
    class Result(unittest.TestResult):
        """Tells each test's outcome."""

        def _tell(self, test: unittest.TestCase, outcome: str) -> None:
            say(test=test.id(), outcome=outcome)

        def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
            self._tell(test, "passed")

        def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
            self._tell(test, "passed")

        def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
            self._tell(test, "passed")

        def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
            self._tell(test, "passed")

        def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
            if test.id().startswith("unittest.loader."):
                say(broken=test.id(), why=f"{err[0].__name__}: {err[1]}"[:300])
            else:
                self._tell(test, "failed")

        def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
            self._tell(test, "failed")

    loader = unittest.TestLoader()
    sys.path.insert(0, _TREE)
    for file in files:
        path = Path(file)
        folder = path.parent
        while (Path(_TREE) / folder / "__init__.py").is_file():
            folder = folder.parent
        top = str(Path(_TREE) / folder)
        if top not in sys.path:
            sys.path.insert(0, top)
        name = ".".join(path.relative_to(folder).with_suffix("").parts)
        loader.loadTestsFromName(name).run(Result())


if __name__ == "__main__":
    main()
