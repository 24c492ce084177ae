"""No sandbox without a passing check: what is kept, for how long, and what a failure does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clearhouse.proof.sandbox import gate
from clearhouse.proof.sandbox.check import Report, Result

STOPPED = Result("run", "network", "connect", True, "ENETUNREACH", 0.0)
THROUGH = Result("run", "files", "read /etc/shadow", False, "it was done", 0.0)

# Each test asks in a process of its own: a passing check is remembered for a process's life.
ASK = """
import time
from clearhouse.errors import Unavailable
from clearhouse.proof.sandbox import gate
from clearhouse.proof.sandbox.check import Report, Result
made = []
def check():
    made.append(1)
    time.sleep({seconds})
    return Report((Result("run", "network", "connect", {stopped}, "because", 0.0),), 0.1, None)
try:
    gate.require_checked_sandbox(check)
    print("open", len(made))
except Unavailable as error:
    print("shut", len(made), error)
    try:
        gate.require_checked_sandbox(check)
    except Unavailable:
        print("shut again", len(made))
"""


def ask(cache: Path, *, stopped: bool = True, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(stopped=stopped, seconds=0)],
        env={**os.environ, "CLEARHOUSE_CACHE": str(cache), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def kept(cache: Path) -> list[Path]:
    return sorted((cache / "sandbox").glob("*.json"))


def test_the_first_start_checks_and_the_next_does_not(tmp_path: Path) -> None:
    assert ask(tmp_path) == "open 1"
    assert ask(tmp_path) == "open 0"
    assert len(kept(tmp_path)) == 1


def test_a_failed_check_stops_every_start_and_is_not_kept(tmp_path: Path) -> None:
    said = ask(tmp_path, stopped=False)
    assert said.startswith("shut 1 the sandbox does not hold on this machine")
    assert "run: connect (because)" in said
    assert said.endswith("shut again 1")
    assert kept(tmp_path) == []
    assert ask(tmp_path) == "open 1"


@pytest.mark.parametrize("age", [gate.VALID_S + 60, -60.0, -10 * gate.VALID_S])
def test_an_old_result_and_one_from_the_future_are_not_used(tmp_path: Path, age: float) -> None:
    ask(tmp_path)
    (path,) = kept(tmp_path)
    path.write_text(json.dumps({"format": 1, "checked": time.time() - age, "tried": 1}))
    assert ask(tmp_path) == "open 1"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"checked": "today"}', '{"checked": NaN}', "\0"])
def test_a_damaged_result_is_not_used(tmp_path: Path, text: str) -> None:
    ask(tmp_path)
    (path,) = kept(tmp_path)
    path.write_text(text)
    assert ask(tmp_path) == "open 1"


def test_another_bubblewrap_is_checked_anew(tmp_path: Path) -> None:
    ask(tmp_path / "cache")
    other = tmp_path / "bwrap"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    assert ask(tmp_path / "cache", PATH=path) == "open 1"


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("not a folder")
    assert ask(tmp_path / "cache") == "open 1"


def test_of_many_that_start_at_once_one_makes_the_check(tmp_path: Path) -> None:
    several = [
        subprocess.Popen(
            [sys.executable, "-c", ASK.format(stopped=True, seconds=0.5)],
            env={**os.environ, "CLEARHOUSE_CACHE": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    said = sorted(process.communicate()[0].strip() for process in several)
    assert said == ["open 0", "open 0", "open 0", "open 1"]


def test_the_way_of_a_process_that_has_been_let_in_is_short() -> None:
    with gate.being_checked():
        began = time.perf_counter()
        for _ in range(1000):
            gate.require_checked_sandbox()
        assert time.perf_counter() - began < 1.0  # a thousand of them


def test_a_report_holds_only_if_nothing_got_through() -> None:
    assert Report((STOPPED,), 0.0, None).holds
    assert not Report((STOPPED, THROUGH), 0.0, None).holds
    assert Report((STOPPED, THROUGH), 0.0, None).through == (THROUGH,)
