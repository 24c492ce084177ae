"""JavaScript stacks read out of a stopped process are the stacks that it has."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clearhouse.proof.node import find_node
from clearhouse.proof.warden import frames_v8, kernel

SCRIPT = """\
const work = {
  expression: () => /^(a+)+$/.test('a'.repeat(60) + 'b'),
  loop() { for (let x = 0; ; x = (x * 31 + 7) % 65521); },
  builtin() { const list = Array.from({ length: 1e6 }, (_, i) => (i * 7919) % 1000003);
              for (;;) list.sort((a, b) => a - b).reverse(); },
  native: () => require('crypto').pbkdf2Sync('a', 'b', 2 ** 30, 32, 'sha256'),
  collection() { for (let kept = []; ; kept = kept.length > 1e6 ? [] : kept) kept.push([{}]); },
  code: () => new Function('for (;;);')(),
};
class Outer { method(name) { return [name].map((one) => work[one]()); } }
console.log('ready');
new Outer().method(process.argv[2]);
"""


@contextmanager
def stopped(script: Path, work: str) -> Iterator[int]:
    """A Node.js at work that can be stopped by the kernel; its process id."""
    command = [str(find_node().program), str(script), work]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            kernel.ptrace(kernel.PTRACE_SEIZE, process.pid)
            yield process.pid
        finally:
            os.kill(process.pid, signal.SIGKILL)


def look(pid: int, script: Path) -> list[frames_v8.V8Frame]:
    """Stop the process, read the frames of the script and of what it made, and let it go on."""
    kernel.ptrace(kernel.PTRACE_INTERRUPT, pid)
    while not os.WIFSTOPPED(os.waitpid(pid, 0)[1]):
        pass
    found = [f for f in frames_v8.read(pid, pid) if f.file.endswith(str(script))]
    kernel.ptrace(kernel.PTRACE_CONT, pid)
    return found


def at_work(pid: int, script: Path, innermost: str) -> list[frames_v8.V8Frame]:
    """Look until the work has begun: the process says that it is ready a moment before."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = look(pid, script)
        if innermost in [f.name for f in found]:
            return found
        time.sleep(0.01)
    pytest.fail(f"no stack has {innermost}")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The file that Node.js works at."""
    path = tmp_path / "work.js"
    path.write_text(SCRIPT)
    return path


@pytest.mark.parametrize("work", ["expression", "loop", "builtin", "native", "collection"])
def test_the_stack_is_read_whatever_the_process_is_in(work: str, script: Path) -> None:
    with stopped(script, work) as pid:
        at_work(pid, script, work)
        for _ in range(5):
            names = [f.name for f in look(pid, script)]
            assert names[-4:] == [work, "", "method", ""]


def test_a_function_is_placed_where_its_text_begins(script: Path) -> None:
    with stopped(script, "loop") as pid:
        frames = at_work(pid, script, "loop")
    method = next(f for f in frames if f.name == "method")
    assert method.position is not None
    assert SCRIPT[method.position :].startswith("(name)")


def test_code_made_of_a_text_names_the_script_that_made_it(script: Path) -> None:
    with stopped(script, "code") as pid:
        at_work(pid, script, "code")
        time.sleep(0.2)
        frames = look(pid, script)
    assert [f.file for f in frames[:2]] == [f"eval in {script}", str(script)]
    assert frames[1].name == "code"


def test_a_program_without_v8_has_no_stack_of_it() -> None:
    assert frames_v8.constants("/bin/sh") == {}
    with pytest.raises(frames_v8.Unreadable):
        frames_v8.layout_of("/bin/sh")
