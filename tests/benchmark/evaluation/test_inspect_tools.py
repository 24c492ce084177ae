"""Inspect's own tools, and ours, in the sandbox ``bwrap``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("inspect_ai")

from inspect_ai import Task
from inspect_ai import eval as run_task
from inspect_ai.agent import as_solver, react
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalSample, read_eval_log
from inspect_ai.tool import Tool, bash, bash_session, python, text_editor

from clearhouse.benchmark.evaluation.sandbox import BubblewrapSandbox
from clearhouse.benchmark.evaluation.tools import editor, shell
from tests.benchmark.evaluation.attempts import Turn, said, scripted

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

END: Turn = [("submit", {"answer": "done"})]


def used(tools: list[Tool], turns: list[Turn], logs: Path) -> EvalSample:
    assert BubblewrapSandbox.default_concurrency()  # its import registers the name
    task = Task(
        dataset=MemoryDataset([Sample(input="use the tools", files={"given.txt": "given\n"})]),
        solver=as_solver(react(tools=tools)),
        sandbox="bwrap",
    )
    model = scripted([*turns, END])
    (log,) = run_task(task, model=model, log_dir=str(logs), display="none", ctl_server=False)
    assert log.samples is not None
    assert log.samples[0].error is None, log.samples[0].error.traceback
    return log.samples[0]


def call(name: str, **arguments: Any) -> Turn:
    return [(name, arguments)]


def test_inspects_bash_and_python_and_the_files_of_a_sample(tmp_path: Path) -> None:
    sample = used(
        [bash(timeout=5), python(timeout=20)],
        [
            call("bash", command="cat given.txt; echo err >&2"),
            call("python", code="print(6 * 7)"),
            call("bash", command="sleep 30"),
            call("bash", command="yes"),
        ],
        tmp_path,
    )
    answers = said(sample)
    assert answers[0] == "err\n\ngiven\n"
    assert answers[1] == "42\n"
    assert "timed out" in answers[2]
    assert "limit" in answers[3]


def test_inspects_text_editor_and_bash_session_bring_their_own_program(tmp_path: Path) -> None:
    sample = used(
        [text_editor(), bash_session()],
        [
            call("text_editor", command="create", path="/work/new.txt", file_text="one\ntwo\n"),
            call("text_editor", command="view", path="/work/new.txt"),
            call("bash_session", action="type_submit", input="cd /tmp; kept=yes"),
            call("bash_session", action="type_submit", input="pwd; echo $kept"),
        ],
        tmp_path,
    )
    answers = said(sample)
    assert "two" in answers[1]
    assert "/tmp" in answers[3]
    assert "yes" in answers[3]


def test_our_shell_keeps_what_a_shell_keeps(tmp_path: Path) -> None:
    sample = used(
        [shell(), editor()],
        [
            call("shell", command="cd /tmp; kept=yes; f() { echo from f; }; false"),
            call("shell", command="pwd; echo $kept; f; sleep 500 & echo $! > pid"),
            call("shell", command="echo begun; sleep 60", seconds=1),
            call("shell", command="kill -0 $(cat pid) && echo lives; echo $kept"),
            call("shell", command="echo 'unclosed"),
            call("shell", command="exit 3"),
            call("shell", command="echo anew; pwd"),
            call("shell", command="yes | head -c 3000000"),
            call("editor", action="create", path="a.txt", text="one\ntwo\n"),
            call("editor", action="insert", path="a.txt", text="and", line=1),
            call("editor", action="replace", path="a.txt", old="two", text="three"),
            call("editor", action="replace", path="a.txt", old="nowhere", text=""),
            call("editor", action="view", path="a.txt"),
        ],
        tmp_path,
    )
    answers = said(sample)
    assert "[exit code 1]" in answers[0]
    assert answers[1] == "/tmp\nyes\nfrom f\n"
    assert answers[2].startswith("begun\n")
    assert "[ended after 1 s]" in answers[2]
    assert answers[3] == "lives\nyes\n"
    assert "unexpected EOF" in answers[4]
    assert "the shell has ended" in answers[5]
    assert answers[6] == "anew\n/work\n"
    assert "bytes left out" in answers[7] or "truncated" in answers[7]
    assert "occurs 0 times" in answers[11]
    assert answers[12].split() == ["1", "one", "2", "and", "3", "three"]


def test_a_log_opens_in_inspects_viewer(tmp_path: Path) -> None:
    used([bash(timeout=5)], [call("bash", command="true")], tmp_path / "logs")
    (path,) = (tmp_path / "logs").glob("*.eval")
    assert read_eval_log(str(path)).status == "success"
    inspect = [sys.executable, "-m", "inspect_ai"]
    out = tmp_path / "site"
    bundle = [*inspect, "view", "bundle", "--log-dir", str(path.parent), "--output-dir", str(out)]
    subprocess.run(bundle, check=True, capture_output=True)
    assert (out / "index.html").is_file()
    assert any(file.suffix == ".eval" for file in out.rglob("*"))
