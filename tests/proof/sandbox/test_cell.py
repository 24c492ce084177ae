"""A warm sandbox: what goes in comes out, what an import leaves running does not stay."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clearhouse.errors import Unavailable
from clearhouse.proof.sandbox import bombs, bubblewrap
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.cell import MEGABYTE, Cell, Job, Limits
from clearhouse.proof.sandbox.gate import being_checked

pytestmark = pytest.mark.sandbox


@pytest.fixture(autouse=True)
def _unchecked() -> Iterator[None]:
    with being_checked():
        yield


@pytest.fixture(scope="module")
def cell() -> Iterator[Cell]:
    with being_checked(), Cell([]) as started:
        yield started


def script(code: str, *, data: bytes = b"", limits: Limits | None = None) -> Job:
    """A job that runs ``code`` as a program of its own."""
    job = bombs.program("", "", "", limits=limits or Limits())
    argv = [bubblewrap.interpreter(), "-I", "-S", "-c", code]
    return replace(job, argv=argv, input=data)


def importing(folder: Path, code: str, **more: float) -> Cell:
    """A sandbox in which ``code`` is imported ahead."""
    (folder / "ahead.py").write_text(code)
    folder.chmod(0o755)
    return Cell([Bind(folder, "/target")], preload=["ahead"], search=["/target"], **more)  # type: ignore[arg-type]


@pytest.fixture
def folder(open_folder: Path, request: pytest.FixtureRequest) -> Path:
    made = open_folder / f"{request.node.name[:60]}"
    made.mkdir()
    return made


@pytest.mark.parametrize("size", [0, 1, 65536, 5 * MEGABYTE])
def test_an_input_of_any_size_reaches_a_program_unchanged(cell: Cell, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    code = "import hashlib, os, sys\nprint(hashlib.sha256(open(4, 'rb').read()).hexdigest())"
    record = cell.run(script(code, data=data))
    assert record["output"]["out"].strip() == hashlib.sha256(data).hexdigest()


def test_an_input_larger_than_the_socket_reaches_a_python_harness(cell: Cell) -> None:
    source = b"import os\ndef TestOneInput(data):\n    os.write(1, b'%d' % len(data))\n"
    extra = {"name": "h.py", "source": base64.b64encode(source).decode(), "target": []}
    watch = replace(bombs.NOTHING, runtime_execs=0)
    record = cell.run(Job("python", b"x" * 3 * MEGABYTE, "none", Limits(), watch, extra))
    assert record["output"]["out"].strip() == str(3 * MEGABYTE)


def test_a_run_finds_nothing_of_the_engine_around_it(cell: Cell) -> None:
    code = (
        "import json, os\n"
        "print(json.dumps([sorted(os.environ), os.getcwd(), os.listdir('.'), os.listdir('/tmp'),"
        " os.getuid(), sorted(map(int, os.listdir('/proc/self/fd')))]))"
    )
    environment, cwd, work, tmp, uid, descriptors = json.loads(
        cell.run(script(code))["output"]["out"]
    )
    assert "CLEARHOUSE_CACHE" not in environment
    assert (cwd, work, tmp, uid) == ("/work", [], [], 1000)
    assert descriptors == [0, 1, 2, 3, 4, 5, 6, 7]  # 7 is the listing's own


def test_pages_that_forks_share_count_once(cell: Cell) -> None:
    code = (
        "import os, time\n"
        "kept = bytearray(os.urandom(1 << 20)) * 120\n"
        "for _ in range(8):\n"
        "    if os.fork() == 0:\n"
        "        time.sleep(0.6); os._exit(0)\n"
        "for _ in range(8): os.wait()\n"
    )
    limits = Limits(memory_bytes=400 * MEGABYTE)
    record = cell.run(script(code, limits=limits))
    assert (record["killed"], record["exit_status"]) == (None, 0)


def test_memory_of_many_processes_counts_together(cell: Cell) -> None:
    code = (
        "import os, time\n"
        "for _ in range(8):\n"
        "    if os.fork() == 0:\n"
        "        kept = bytearray(os.urandom(1 << 20)) * 100\n"
        "        time.sleep(20); os._exit(0)\n"
        "for _ in range(8): os.wait()\n"
    )
    record = cell.run(script(code, limits=Limits(memory_bytes=400 * MEGABYTE)))
    assert record["killed"] == "memory"


def test_processes_left_by_an_import_are_ended_and_runs_go_on(folder: Path) -> None:
    code = (
        "import os, time\n"
        "for _ in range(4):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0: time.sleep(60)\n"
        "        os._exit(0)\n"
    )
    with importing(folder, code) as cell:
        for _ in range(3):
            record = cell.run(
                script("import os; print(len([p for p in os.listdir('/proc') if p.isdigit()]))")
            )
            assert record["output"]["out"].strip() == "2"
            assert record["init"] == "ended"


def test_an_import_whose_threads_go_on_is_ended_between_runs(folder: Path) -> None:
    code = (
        "import threading\n"
        "def spin():\n"
        "    while True: pass\n"
        "threading.Thread(target=spin, daemon=True).start()\n"
    )
    with importing(folder, code) as cell:
        (inside,) = _children(cell.pid)
        (warden,) = _children(inside)
        deadline = time.monotonic() + 120
        while (zygotes := _children(warden)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert zygotes == []
        with contextlib.suppress(Unavailable):
            assert cell.run(script("pass"))["init"] == "zygote gone"


def _children(pid: int) -> list[int]:
    """Living children of a process."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    states = {c: Path(f"/proc/{c}/stat").read_bytes().rpartition(b") ")[2][:1] for c in children}
    return [int(child) for child, state in states.items() if state not in b"ZX"]


def test_an_import_whose_threads_sleep_is_left_alone(folder: Path) -> None:
    code = (
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    with importing(folder, code) as cell:
        time.sleep(1.0)
        assert cell.run(script("pass"))["init"] == "ended"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("while True: pass", "importing it took over 0.5 s"),
        ("import os; os._exit(0)", "importing it ended the process"),
        ("kept = []\nwhile True: kept.append(bytearray(1 << 24))", "MiB of memory"),
    ],
)
def test_an_import_that_cannot_be_had_says_why(folder: Path, code: str, why: str) -> None:
    limits = {"start_s": 0.5} if "0.5 s" in why else {"import_bytes": 64 * MEGABYTE}
    with pytest.raises(Unavailable, match=why):
        importing(folder, code, **limits).close()


def test_long_names_do_not_make_a_record_long(cell: Cell) -> None:
    """Frames are named by the run; a record of many must not fill the engine's memory."""
    code = (
        "import base64, os\n"
        "def TestOneInput(data):\n"
        "    name = 'n' * 4000\n"
        "    space = {}\n"
        "    text = f'def {name}(f, n):\\n return {name}(f, n - 1) if n else f()'\n"
        "    exec(compile(text, 'f' * 4000, 'exec'), space)\n"
        "    for number in range(100):\n"
        "        space[name](lambda: open(f'/tmp/{number}', 'w').close(), 100)\n"
    )
    extra = {"name": "h.py", "source": base64.b64encode(code.encode()).decode(), "target": []}
    watch = replace(bombs.NOTHING, runtime_execs=0, stack="python")
    record = cell.run(Job("python", b"", "none", Limits(), watch, extra))
    assert record["events"]
    assert len(json.dumps(record)) < 16 * MEGABYTE


def test_files_that_do_not_count_take_no_room_from_those_that_do(cell: Cell) -> None:
    source = b"""
def TestOneInput(data):
    for i in range(300):
        open(f"/tmp/tmpabcdefgh.{i}", "w").close()
    open("/tmp/evil", "w").close()
"""
    extra = {"name": "h.py", "source": base64.b64encode(source).decode(), "target": []}
    watch = replace(bombs.NOTHING, runtime_execs=0)
    record = cell.run(Job("python", b"", "none", Limits(), watch, extra))
    paths = [event["path"] for event in record["events"] if event["kind"] == "write-outside"]
    assert paths[-1] == "/tmp/evil"
    assert 0 < record["events_left_out"] == 301 - len(paths)


def test_temporary_files_have_the_same_names_in_every_run(cell: Cell) -> None:
    source = b"""
import os, tempfile
def TestOneInput(data):
    with tempfile.TemporaryDirectory() as folder:
        os.write(1, folder.encode())
"""
    extra = {"name": "h.py", "source": base64.b64encode(source).decode(), "target": []}
    watch = replace(bombs.NOTHING, runtime_execs=0)
    job = Job("python", b"", "none", Limits(), watch, extra)
    first, second = (cell.run(job)["output"]["out"] for _ in range(2))
    assert first.startswith("/tmp/tmp")
    assert first == second
