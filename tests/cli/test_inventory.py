"""``clearhouse inventory`` against a whole office on the loopback."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clearhouse.cli import office_client
from clearhouse.cli.exits import ExitCode
from clearhouse.cli.main import main
from clearhouse.cli.office_client import OfficeClient
from tests.office.api.live import Live, live_office

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).parents[2] / "samples" / "exposure"
RPM = b"openssl-1:1.1.1k-12.el8_9.x86_64\nbash-0:4.4.20-5.el8.x86_64\n"
RPM_WITHOUT_EPOCHS = b"openssl-1.1.1k-12.el8_9.x86_64\nbash-4.4.20-5.el8.x86_64\n"
DPKG = b"postgresql-9.6\t9.6.10-0+deb9u1\nbash\t4.4-5\n"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    roles = {"hospital": ["deployer"], "bank": ["deployer"]}
    with live_office(tmp_path_factory.mktemp("office"), roles) as live:
        loaded = live.run("feeds", "load", *(str(SAMPLES / one) for one in _RECORDS))
        assert loaded.returncode == 0, loaded.stderr
        yield live


_RECORDS = ("advisories.ndjson", "kev.json")


@dataclass(frozen=True)
class Machine:
    """A machine of an organisation: its system's name, and ``clearhouse inventory`` with its key.

    ``run`` gives the exit code, what was printed, and what was said beside it.
    """

    system: str
    run: Callable[..., tuple[int, str, str]]


_counted = iter(range(1000))


@pytest.fixture
def machine(office: Live, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Machine:
    """A system of the hospital's that nobody has handed anything in for."""
    key_file = tmp_path / "key"
    key_file.write_text(office.keys["hospital"] + "\n")
    client = OfficeClient(office.url, office.keys["hospital"])
    demand = json.dumps({"title": f"Machine {next(_counted)}"}).encode()
    made = client.post("/systems", demand, "application/json").content

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["inventory", *arguments, "--to", office.url, "--key-file", str(key_file)])
        shown = capsys.readouterr()
        assert office.keys["hospital"] not in shown.out + shown.err
        return code, shown.out, shown.err

    return Machine(made["name"], run)


def _typed(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))


def test_a_list_is_handed_in_and_says_what_to_do_until_it_is_mended(
    machine: Machine, tmp_path: Path
) -> None:
    file = tmp_path / "installed.txt"
    file.write_text("idna==3.6\n")
    code, said, _ = machine.run("push", str(file), "--system", machine.system)
    assert code == ExitCode.HOLDS
    assert said.startswith("IN-")
    assert said.endswith("1 package, 0 not identified (requirements.txt)\n")
    code, said, _ = machine.run("todo", "--system", machine.system)
    assert code == ExitCode.DOES_NOT_HOLD
    assert "idna 3.6; fixed in 3.7" in said
    assert all(machine.system in line for line in said.splitlines())
    code, said, _ = machine.run("systems")
    assert code == ExitCode.HOLDS
    assert any(line.startswith(f"{machine.system}  Machine ") for line in said.splitlines())
    file.write_text("idna==3.7\n")
    machine.run("push", str(file), "--system", machine.system)
    assert machine.run("todo", "--system", machine.system) == (ExitCode.HOLDS, "", "")


def test_what_cannot_be_identified_is_said_and_ends_nothing(
    machine: Machine, tmp_path: Path
) -> None:
    file = tmp_path / "installed.txt"
    file.write_text("idna==3.6\n")
    machine.run("push", str(file), "--system", machine.system)
    file.write_text("flask==3.1.0\nidna>=3\n")
    _, said, _ = machine.run("push", str(file), "--system", machine.system)
    assert "1 package, 1 not identified" in said
    code, said, beside = machine.run("todo", "--system", machine.system)
    assert code == ExitCode.DOES_NOT_HOLD
    assert "idna; cannot be told" in said
    assert beside.startswith("1 entry of your lists could not be identified")
    _, said, _ = machine.run("systems")
    [line] = [one for one in said.splitlines() if one.startswith(machine.system)]
    assert "1 not identified" in line
    file.write_bytes(DPKG)
    given = ("--system", machine.system, "--distribution", "Debian:9")
    _, _, beside = machine.run("push", str(file), *given)
    assert "the list before had 1 package of PyPI, and this one has none" in beside
    _, said, _ = machine.run("todo", "--system", machine.system)
    assert "idna; cannot be told" in said


def test_todo_as_json_is_one_document_a_line_what_is_due_first_at_the_top(
    machine: Machine,
) -> None:
    file = SAMPLES / "juice-shop-11.1.2.cdx.json"
    machine.run("push", str(file), "--system", machine.system)
    code, said, _ = machine.run("todo", "--system", machine.system, "--json")
    assert code == ExitCode.DOES_NOT_HOLD
    found = [json.loads(line) for line in said.splitlines()]
    assert {one["system"] for one in found} == {machine.system}
    dues = [one["due"] or "9999" for one in found]
    assert dues == sorted(dues)
    code, lines, _ = machine.run("todo", "--system", machine.system)
    assert len(lines.splitlines()) == len(found)


@pytest.mark.parametrize(
    ("raw", "distribution", "packages"),
    [
        (RPM, "AlmaLinux:8", 2),
        (RPM_WITHOUT_EPOCHS, "AlmaLinux:8", 2),
        (DPKG, "Debian:9", 2),
        (b"jinja2==3.1.3\nflask==3.0\n", "", 2),
    ],
    ids=["rpm with epochs", "rpm", "dpkg-query", "pip freeze"],
)
def test_what_a_machine_prints_is_taken_from_standard_input(
    raw: bytes, distribution: str, packages: int, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _typed(monkeypatch, raw)
    code, said, _ = machine.run(
        "push", "-", "--system", machine.system, "--distribution", distribution, "--json"
    )
    assert code == ExitCode.HOLDS
    taken = json.loads(said)
    assert (taken["state"], taken["components"]) == ("read", packages)
    assert (taken["file"], taken["is_current"]) == ("standard input", True)


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="no dpkg on this machine")
def test_this_machine_hands_itself_in_by_the_line_of_the_guide(
    office: Live, machine: Machine, tmp_path: Path
) -> None:
    key_file = tmp_path / "its-key"
    key_file.write_text(office.keys["hospital"])
    line = (
        r"dpkg-query -W -f '${source:Package}\t${source:Version}\n' |"
        f" {sys.executable} -m clearhouse inventory push - --system {machine.system}"
        f" --distribution Debian:12 --to {office.url} --key-file {key_file} --json"
    )
    done = subprocess.run(
        ["/bin/sh", "-c", line], env=dict(office.environment), capture_output=True, check=False
    )
    assert done.returncode == ExitCode.HOLDS, done.stderr
    taken: dict[str, Any] = json.loads(done.stdout)
    assert taken["components"] > 50


def test_a_large_list_is_said_to_be_read_later(machine: Machine, tmp_path: Path) -> None:
    file = tmp_path / "large.txt"
    file.write_text("jinja2==3.1.3\n" + ("# " + "x" * 1000 + "\n") * 5000)
    code, said, _ = machine.run("push", str(file), "--system", machine.system)
    assert code == ExitCode.HOLDS
    assert said.endswith("received; it is large and is being read\n")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "is empty"),
        (b"\x00\x01", "NUL"),
        (b"{}", "no known format"),
        (b'{"bomFormat": ' + b"[" * 100_000, "nest"),
        (RPM, "distribution"),
    ],
    ids=["empty", "NUL", "no list", "deep", "rpm without distribution"],
)
def test_what_is_no_list_is_refused_with_the_reason(
    raw: bytes, reason: str, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _typed(monkeypatch, raw)
    code, said, beside = machine.run("push", "-", "--system", machine.system)
    assert (code, said) == (ExitCode.BAD_INPUT, "")
    assert reason in beside
    assert "Traceback" not in beside
    client = machine.run("systems", "--json")[1]
    [one] = [one for one in json.loads(client) if one["name"] == machine.system]
    assert one["inventory_at"] is None, "nothing is kept of it"


def test_a_file_that_is_not_there_is_named(machine: Machine, tmp_path: Path) -> None:
    code, _, beside = machine.run("push", str(tmp_path / "no.json"), "--system", machine.system)
    assert code == ExitCode.BAD_INPUT
    assert "no.json" in beside
    assert "No such file" in beside


@pytest.mark.parametrize("command", ["push", "todo"])
def test_a_system_of_somebody_else_is_as_one_that_does_not_exist(
    command: str, office: Live, machine: Machine, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    bank = tmp_path / "bank-key"
    bank.write_text(office.keys["bank"])
    key = ["--key-file", str(bank)]
    file = SAMPLES / "metering.txt"
    machine.run("push", str(file), "--system", machine.system)
    told = []
    for system in (machine.system, "SY-0000000000"):
        given = [str(file)] if command == "push" else []
        code = main(["inventory", command, *given, "--system", system, "--to", office.url, *key])
        shown = capsys.readouterr()
        told.append((code, (shown.out + shown.err).replace(system, "SY")))
    assert told[0] == told[1]


def test_a_wrong_key_is_refused_and_not_repeated_on_the_terminal(
    office: Live, machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong-key"
    wrong.write_text(key := "chk_0123456789_" + "a" * 43)
    command = ["push", str(SAMPLES / "metering.txt"), "--system", machine.system]
    code = main(["inventory", *command, "--to", office.url, "--key-file", str(wrong)])
    shown = capsys.readouterr()
    assert (code, shown.out) == (ExitCode.DOES_NOT_HOLD, "")
    assert "key" in shown.err
    assert key not in shown.err


@pytest.mark.exhaustive
def test_an_office_that_cannot_be_reached_is_asked_for_a_minute_and_then_named(
    office: Live,
) -> None:
    address = "http://127.0.0.1:9"  # nobody listens there (discard, RFC 863)
    command = ["push", str(SAMPLES / "metering.txt"), "--system", "SY-0000000000"]
    done = subprocess.run(
        [sys.executable, "-m", "clearhouse", "inventory", *command, "--to", address],
        env={**office.environment, office_client.KEY_VARIABLE: office.keys["hospital"]},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (ExitCode.COULD_NOT_RUN, "")
    assert done.stderr.count("trying again") == 6
    assert "127.0.0.1:9 cannot be reached" in done.stderr.splitlines()[-1]
