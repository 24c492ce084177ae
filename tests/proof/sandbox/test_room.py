"""The room of an agent: what it lasts for, what it allows, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clearhouse.errors import Unavailable
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.room import Done, Room, RoomCommand, RoomLimits, RoomSpent

pytestmark = pytest.mark.sandbox

MEGABYTE = 1 << 20
SMALL = RoomLimits(
    memory_bytes=192 * MEGABYTE,
    disk_bytes=24 * MEGABYTE,
    file_bytes=8 * MEGABYTE,
    processes=32,
)


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    with Room(limits=SMALL) as started:
        yield started


def sh(room: Room, text: str, **more: float) -> Done:
    return room.run(RoomCommand(["bash", "-c", text], **more))  # type: ignore[arg-type]


def test_a_command_has_its_input_folder_environment_outputs_and_code(room: Room) -> None:
    sh(room, "mkdir -p in/side")
    command = RoomCommand(
        ["bash", "-c", "cat; pwd; echo $GIVEN >&2; exit 7"],
        input=b"given\n",
        cwd="in/side",
        environment={"GIVEN": "also"},
    )
    done = room.run(command)
    assert (done.code, done.killed) == (7, None)
    assert done.out == b"given\n/work/in/side\n"
    assert done.err == b"also\n"


def test_a_program_that_is_not_there_or_no_program_is_told_apart(room: Room) -> None:
    assert room.run(RoomCommand(["no-such-program"])).code == 127
    assert room.run(RoomCommand(["true"], cwd="/no/such")).code == 126
    with pytest.raises(PermissionError):
        room.run(RoomCommand(["/etc/passwd"]))


def test_nothing_of_the_hosts_environment_and_home_is_there(room: Room) -> None:
    os.environ["CLEARHOUSE_ROOM_TEST"] = "seen"
    try:
        with Room(limits=SMALL) as another:
            said = sh(another, "env; ls -A $HOME /home /tmp /srv /opt /mnt").out
    finally:
        del os.environ["CLEARHOUSE_ROOM_TEST"]
    assert b"seen" not in said
    assert b"HOME=/home/user" in said
    assert {path.name for path in Path.home().iterdir()}.isdisjoint(said.decode().split())


def test_installed_packages_of_the_runtime_are_not_shown(room: Room) -> None:
    """A fixed version of what is examined may be among them."""
    for name in ("dist-packages", "site-packages", "_bundled", "node_modules"):
        for folder in sh(room, f"find / -name {name} -not -path '/proc/*'").out.decode().split():
            assert sh(room, f"ls -A {folder}").out == b"", folder
    assert sh(room, "python3 -c 'import json, ssl, sqlite3'").code == 0


def test_what_is_bound_is_read_only_and_where_it_should_be(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "file").write_text("of the target")
    with Room([Bind(tmp_path, "/target"), Bind(tmp_path, "/data/more")], SMALL) as room:
        assert sh(room, "cat /target/file /data/more/file").out == b"of the target" * 2
        assert sh(room, "echo x > /target/file").code != 0
        assert sh(room, "rm -f /target/file").code != 0
        assert sh(room, "touch /data/more/new").code != 0
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_server_started_by_one_command_serves_the_next(room: Room) -> None:
    server = "import socket; s = socket.create_server(('127.0.0.1', 9000)); print('on', flush=True)"
    serve = f"{server}\nwhile True: s.accept()[0].sendall(b'hello')"
    started = f'python3 -c "{serve}" & sleep 0.5'
    assert sh(room, started).out == b"on\n"
    asked = "exec 3<>/dev/tcp/127.0.0.1/9000; cat <&3"
    assert sh(room, asked).out == b"hello"
    assert sh(room, asked).out == b"hello"


def test_a_command_over_its_time_goes_with_its_children_and_others_stay(room: Room) -> None:
    sh(room, "sleep 301 >/dev/null 2>&1 &")
    done = sh(room, "sleep 302 & (setsid sleep 303 &) ; sleep 304", timeout_s=0.5)
    assert done.killed == "timeout"
    left = sh(room, "ps -eo args").out
    assert b"sleep 301" in left
    assert b"sleep 302" not in left
    assert b"sleep 304" not in left
    sh(room, "pkill sleep")


def test_a_command_is_stopped_from_another_thread(room: Room) -> None:
    number = room.number()
    threading.Timer(0.3, room.stop, [number]).start()
    assert room.run(RoomCommand(["sleep", "60"]), number=number).killed == "stopped"


def test_commands_run_side_by_side(room: Room) -> None:
    met = "for i in $(seq 100); do [ -e {0} ] && exit 0; sleep 0.05; done; exit 1"
    codes: list[int] = []

    def one(mine: str, others: str) -> None:
        codes.append(sh(room, f"touch {mine}; " + met.format(others)).code)

    threads = [
        threading.Thread(target=one, args=names) for names in (("here", "there"), ("there", "here"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0, 0]


def test_output_beyond_its_limit_ends_the_command_and_its_beginning_is_kept(room: Room) -> None:
    done = room.run(RoomCommand(["yes"], output_bytes=1000))
    assert done.killed == "output:out"
    assert done.out == b"y\n" * 500
    assert room.run(RoomCommand(["bash", "-c", "yes >&2"], output_bytes=10)).killed == "output:err"


def test_files_go_in_and_out_whole(room: Room) -> None:
    data = bytes(range(256)) * 4096
    room.write("some/where/data.bin", data)
    assert room.read("some/where/data.bin", len(data)) == data
    assert sh(room, "stat -c %s some/where/data.bin").out == b"1048576\n"
    room.write("some/where/data.bin", b"short")
    assert room.read("/work/some/where/data.bin", 100) == b"short"
    with pytest.raises(OverflowError):
        room.read("some/where/data.bin", 4)


@pytest.mark.parametrize(
    "target",
    [
        "/proc/1/fd/200",
        "/proc/1/fd/201",
        "/proc/self/fd/0",
        "/proc/self/mem",
        "/proc/self/environ",
        "/proc/1/root/etc",
        "/dev/null",
        "/dev/tty",
    ],
)
def test_the_engine_reads_and_writes_no_kernels_files_for_the_agent(
    room: Room, target: str
) -> None:
    """A link to them would have the steward hand out, or overwrite, what is its own."""
    sh(room, f"ln -sfn {target} link")
    with pytest.raises(OSError):  # noqa: PT011 - the kernel's reasons differ
        room.read("link", 100)
    with pytest.raises(OSError):  # noqa: PT011
        room.write("link", b"x")
    assert sh(room, "echo still here").out == b"still here\n"


def test_a_name_that_leaves_the_room_leads_nowhere(room: Room, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    up = "../" * 40
    sh(room, f"ln -sfn {secret} out; ln -sfn {tmp_path} folder")
    for name in (
        str(secret),
        up + str(secret),
        "out",
        "folder/secret",
        "/proc/1/root" + str(secret),
    ):
        with pytest.raises(OSError):  # noqa: PT011
            room.read(name, 100)
    room.write(str(secret), b"in the room")
    assert secret.read_text() == "of the host"


def test_a_pipe_or_socket_is_no_file(room: Room) -> None:
    bind = "import socket; socket.socket(socket.AF_UNIX).bind('/work/local')"
    sh(room, f'python3 -c "{bind}"')
    with pytest.raises(OSError):  # noqa: PT011
        room.read("local", 100)


def test_what_holds_most_memory_is_ended_and_the_rest_stays(room: Room) -> None:
    sh(room, "sleep 305 >/dev/null 2>&1 &")
    done = sh(room, "python3 -c 'x = bytearray(1 << 30)'", timeout_s=60)
    assert done.killed == "memory"
    assert sh(room, "echo on").out == b"on\n"


def test_the_disk_and_files_have_their_limits(room: Room) -> None:
    assert sh(room, "head -c 9000000 /dev/urandom > big").code != 0
    assert sh(room, "for i in 1 2 3 4 5; do head -c 7000000 /dev/urandom > b$i; done").code != 0
    with pytest.raises(OSError, match="No space"):
        room.write("more", bytes(20 * MEGABYTE))
    sh(room, "rm -f big b? more")


def test_processes_have_their_limit_and_a_fork_bomb_ends_with_its_command(room: Room) -> None:
    forks = "import os\nwhile True:\n try: os.fork()\n except OSError: pass"
    done = sh(room, f'python3 -c "{forks}"', timeout_s=1.0)
    assert done.killed == "timeout"
    assert sh(room, "echo on").out == b"on\n"


def test_processor_time_is_counted_for_the_whole_room() -> None:
    with Room(limits=RoomLimits(cpu_s=1.0)) as room:
        burn = "import os, time\nwhile time.process_time() < 0.4: pass"
        for _ in range(20):
            try:
                if sh(room, f'python3 -c "{burn}"').killed == "cpu":
                    break
            except RoomSpent:
                break
        else:
            pytest.fail("eight seconds of processor time were had")
        with pytest.raises(RoomSpent, match="processor"):
            sh(room, "true")


def test_wall_time_ends_everything() -> None:
    with Room(limits=RoomLimits(wall_s=1.0)) as room:
        assert sh(room, "sleep 60").killed == "wall"
        with pytest.raises(RoomSpent, match="wall"):
            room.read("/etc/passwd", 1000)


def test_who_works_in_a_room_cannot_stop_or_starve_its_steward(room: Room) -> None:
    attack = """
import ctypes, os, resource, signal
for number in range(1, 65):
    try: os.kill(1, number)
    except OSError: pass
libc = ctypes.CDLL(None, use_errno=True)
room = (ctypes.c_ulong * 2)(0, 0)
got = [libc.prlimit(1, kind, room, None) for kind in range(16)]
print(set(got))
print(libc.ptrace(16, 1, 0, 0))
for path in ("/proc/1/mem", "/proc/1/environ", "/proc/1/fd"):
    try: print(open(path, "rb").read(1) if path != "/proc/1/fd" else os.listdir(path))
    except OSError as error: print(error.strerror)
"""
    room.write("attack.py", attack.encode())
    said = sh(room, "python3 attack.py").out.decode().splitlines()
    assert said == ["{-1}", "-1", *["Permission denied"] * 3]
    assert sh(room, "kill -9 -1; true", timeout_s=10).killed is None
    assert sh(room, "echo on").out == b"on\n"


def test_a_closed_room_is_gone_with_everything_in_it() -> None:
    room = Room(limits=SMALL)
    name = f"room-{os.getpid()}"
    sh(room, f"for i in 1 2 3; do (setsid bash -c 'exec -a {name} sleep 400' &) ; done; sleep 0.2")
    assert len(_running(name)) == 3
    room.close()
    assert _running(name) == []
    assert room.ended
    with pytest.raises(Unavailable):
        sh(room, "true")
    room.close()


def test_whoever_waits_is_told_when_the_room_ends() -> None:
    room = Room(limits=SMALL)
    threading.Timer(0.3, room.close).start()
    with pytest.raises(Unavailable):
        sh(room, "sleep 60")


_ENGINE = """
import sys, time
sys.path.insert(0, sys.argv[1])
from clearhouse.proof.sandbox.room import Room, RoomCommand
room = Room()
sleeper = f"setsid bash -c 'exec -a {sys.argv[2]} sleep 400' & sleep 0.2"
room.run(RoomCommand(["bash", "-c", sleeper]))
print("on", flush=True)
time.sleep(60)
"""


def test_a_room_ends_with_its_engine_however_that_ends() -> None:
    name = f"orphan-{os.getpid()}"
    source = str(Path(__file__).resolve().parents[3] / "src")
    command = [sys.executable, "-c", _ENGINE, source, name]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as engine:
        assert engine.stdout is not None
        try:
            assert engine.stdout.readline() == b"on\n"
            assert len(_running(name)) == 1
        finally:
            engine.kill()
    for _ in range(200):
        if not _running(name):
            break
        time.sleep(0.05)
    assert _running(name) == []


def _running(name: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(name.encode() + b"\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
