"""Stacks read out of another process's memory are the stacks that it has."""

from __future__ import annotations

import ast
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

from clearhouse.proof.warden.frames_python import Layout, PythonStacks, line_of, measure


def codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


@pytest.mark.parametrize("module", [ast, subprocess, json, select], ids=lambda m: m.__name__)
def test_line_numbers_are_those_of_the_interpreter(module: object) -> None:
    source = getattr(module, "__file__", None) or subprocess.__file__
    if not source.endswith(".py"):
        source = subprocess.__file__
    top = compile(Path(source).read_text(encoding="utf-8"), source, "exec")
    checked = 0
    for code in codes(top):
        for start, _end, line in code.co_lines():
            if line is not None:
                assert line_of(code.co_firstlineno, code.co_linetable, start) == line
                checked += 1
    assert checked > 100


def test_the_layout_of_this_interpreter_can_be_measured() -> None:
    layout = measure()
    assert Layout(**layout.as_dict()) == layout


CHILD = """
import json, os, sys, re
sys.path.insert(0, sys.argv[1])
from warden.frames_python import measure
print(json.dumps(measure().as_dict()), flush=True)

class Thing:
    def method(self):
        return [self.spin(x) for x in (1,)]

    def spin(self, x):
        print("ready", flush=True)
        return re.match(r"(a+)+$", "a" * 60 + "b")

Thing().method()
"""


def test_a_process_busy_inside_a_c_function_is_read_from_outside(tmp_path: Path) -> None:
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    folder = Path(__file__).resolve().parents[3] / "src" / "clearhouse" / "proof"
    with subprocess.Popen(
        [sys.executable, "-I", str(script), str(folder)], stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            layout = Layout(**json.loads(child.stdout.readline()))
            assert child.stdout.readline() == "ready\n"
            time.sleep(0.1)
            reader = PythonStacks(child.pid, layout)
            frames = reader.read(None)
            reader.close()
        finally:
            child.kill()
    names = [frame.name for frame in frames]
    assert names[0] == "match"
    assert "Thing.spin" in names
    assert names[-1] == "<module>"
    spin = next(f for f in frames if f.name == "Thing.spin")
    assert (os.path.basename(spin.file), spin.line) == ("child.py", 13)
