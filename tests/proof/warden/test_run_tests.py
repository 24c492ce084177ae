"""What a package's own tests say: an outcome each, but for those that fail by chance."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

TESTS = """
import pytest

def test_right():
    pass

def test_wrong():
    assert False

@pytest.mark.flaky
def test_by_chance():
    assert False

@pytest.mark.xfail
def test_known_to_fail():
    assert False
"""
RUN = """
import json, sys
from clearhouse.proof.warden import run_tests
run_tests._pytest(["test_some.py"], lambda **said: print(json.dumps(said), file=sys.stderr))
"""


def test_a_test_that_its_authors_call_flaky_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    done = subprocess.run([sys.executable, "-c", RUN], cwd=tmp_path, capture_output=True, text=True)
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert {one["test"].partition("::")[2]: one["outcome"] for one in told} == {
        "test_right": "passed", "test_wrong": "failed", "test_known_to_fail": "passed",
    }, done.stdout + done.stderr  # fmt: skip
