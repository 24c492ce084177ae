"""The sandbox for building: what gets out of it, and what does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clearhouse.errors import Unavailable
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.build import (
    SITE,
    BuildLimits,
    BuildSandbox,
    Command,
    CommandsKilled,
    Result,
)

pytestmark = pytest.mark.sandbox
MEBIBYTE = 1 << 20


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[BuildSandbox]:
    tmp_path.chmod(0o755)
    (tmp_path / "given.txt").write_text("given")
    limits = BuildLimits(cpu_s=20, wall_s=20, memory_bytes=512 * MEBIBYTE, processes=40)
    binds = [Bind(tmp_path, "/given")]
    with BuildSandbox(binds, limits=limits, site_bytes=8 * MEBIBYTE, site_files=200) as opened:
        yield opened


def shell(sandbox: BuildSandbox, script: str) -> Result:
    return sandbox.run([Command(["/bin/sh", "-c", script])])[0]


def test_commands_run_and_files_come_out(sandbox: BuildSandbox) -> None:
    sandbox.put("in/a.txt", b"text")
    done = shell(sandbox, "cat in/a.txt /given/given.txt; echo no >&2; echo out > b.txt; exit 3")
    assert done == Result(3, "textgiven", "no\n")
    assert sandbox.get("b.txt") == b"out\n"
    assert [(x.path, x.size) for x in sandbox.list()] == [("b.txt", 4), ("in/a.txt", 4)]


def test_commands_run_side_by_side_and_answer_in_order(sandbox: BuildSandbox) -> None:
    commands = [Command(["/bin/sh", "-c", f"sleep {1 - n}; echo {n}"]) for n in range(2)]
    assert [r.out for r in sandbox.run(commands, parallel=2)] == ["0\n", "1\n"]


def test_a_program_that_is_not_there_is_a_result(sandbox: BuildSandbox) -> None:
    assert sandbox.run([Command(["/usr/bin/no-such-program"])])[0].code == 127


@pytest.mark.parametrize(
    "place", ["/usr", "/given", "/", "/etc", "/dev", "/run", "/runtime", "/proc"]
)
def test_nothing_but_the_site_is_writable(sandbox: BuildSandbox, place: str) -> None:
    assert shell(sandbox, f"echo x > {place}/x").code != 0


def test_commands_are_nobody(sandbox: BuildSandbox) -> None:
    status = shell(sandbox, "cat /proc/self/status").out
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(fields["CapEff"], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"
    assert set(fields["Uid"].split()) == {"1000"}


def test_there_is_no_network(sandbox: BuildSandbox) -> None:
    assert shell(sandbox, "cat /proc/net/dev").out.count("\n") == 3  # two lines of title, loopback


def test_the_site_is_limited(sandbox: BuildSandbox) -> None:
    full = shell(
        sandbox,
        "head -c 20000000 /dev/zero > big; rm big; for i in $(seq 300); do : > f$i || exit 9; done",
    )
    assert "No space left" in full.err
    assert full.code == 9 or "cannot create" in full.err


def test_memory_time_and_output_are_limited(sandbox: BuildSandbox) -> None:
    with pytest.raises(CommandsKilled, match="memory"):
        shell(sandbox, "exec python3 -c 'a = [bytearray(1 << 24) for _ in range(200)]; input()'"
              " || tail /dev/zero")  # fmt: skip
    with pytest.raises(CommandsKilled, match="output"):
        shell(sandbox, "yes")
    with BuildSandbox([], limits=BuildLimits(wall_s=1)) as other:
        with pytest.raises(CommandsKilled, match="wall"):
            shell(other, "sleep 60")
        assert shell(other, "echo on").out == "on\n"


def test_nothing_a_command_started_outlives_it(sandbox: BuildSandbox) -> None:
    shell(sandbox, "(sleep 300 &) ; (setsid sleep 301 &)")
    assert "sleep" not in shell(sandbox, "cat /proc/[0-9]*/comm").out


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("ln -s /etc/passwd odd", "symbolic links"),
        ("mkdir odd", "no regular file"),
        ("ln -s / top; true", "No such file"),
        ("head -c 2000 /dev/zero > odd", "larger than"),
    ],
)
def test_odd_files_do_not_come_out(sandbox: BuildSandbox, made: str, said: str) -> None:
    assert shell(sandbox, made).code == 0
    with pytest.raises(Unavailable, match=said):
        sandbox.get("odd", limit=1000)


def test_no_way_leads_out_of_the_site(sandbox: BuildSandbox) -> None:
    shell(sandbox, "ln -s /usr way; mkdir in; echo a > in/a")
    for path in ("../etc/passwd", "way/bin/env", f"{SITE}/in/a", "/etc/passwd"):
        with pytest.raises(Unavailable):
            sandbox.get(path)
    assert [x.path for x in sandbox.list()] == ["in/a"]


def test_no_command_gets_the_output_of_another(sandbox: BuildSandbox) -> None:
    """Those that close their output before they end free a descriptor that the next one gets."""
    script = "echo {n}; exec >&- 2>&-; sleep 0.0{sleep}"
    commands = [Command(["/bin/sh", "-c", script.format(n=n, sleep=n % 7)]) for n in range(60)]
    answers = [result.out for result in sandbox.run(commands, parallel=4)]
    assert answers == [f"{n}\n" for n in range(60)]
