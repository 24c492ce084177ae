"""The command line's edge: exit codes, messages, and a start that imports nothing heavy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from clearhouse import __version__
from clearhouse.cli.exits import ExitCode, exit_code_of
from clearhouse.cli.main import cli, main
from clearhouse.errors import (
    ClearhouseError,
    Conflict,
    Invalid,
    NotFound,
    Refused,
    Unavailable,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Invalid("x"), 2),
        (NotFound("x"), 2),
        (Refused("x"), 1),
        (Conflict("x"), 1),
        (Unavailable("x"), 3),
    ],
)
def test_each_error_has_its_exit_code(error: ClearhouseError, code: int) -> None:
    assert exit_code_of(error) == code


def test_every_member_of_the_family_is_mapped() -> None:
    unmapped = [
        kind
        for kind in ClearhouseError.__subclasses__()
        if exit_code_of(kind("x")) == ExitCode.INTERNAL
    ]
    assert unmapped == []


@pytest.fixture
def raising(request: pytest.FixtureRequest) -> Iterator[str]:
    """Add a command that raises what the test names, for the length of the test."""

    @click.command("raising")
    def command() -> int:
        raise request.param

    cli.add_command(command)
    yield "raising"
    cli.commands.pop("raising")


@pytest.mark.parametrize("raising", [Unavailable("no bwrap \x1b[31m here")], indirect=True)
def test_an_error_is_one_safe_line_on_standard_error(
    raising: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([raising]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "clearhouse: no bwrap \\x1b[31m here\n"


@pytest.mark.parametrize("raising", [KeyError("secret")], indirect=True)
def test_a_bug_is_neither_a_verdict_nor_a_traceback(
    raising: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLEARHOUSE_DEBUG", raising=False)
    assert main([raising]) == 70
    err = capsys.readouterr().err
    assert "KeyError" in err
    assert "secret" not in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("raising", [KeyError("secret")], indirect=True)
def test_a_developer_gets_the_traceback(raising: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARHOUSE_DEBUG", "1")
    with pytest.raises(KeyError):
        main([raising])


@pytest.mark.parametrize("raising", [KeyboardInterrupt()], indirect=True)
def test_an_interrupt_ends_as_shells_report_it(raising: str) -> None:
    assert main([raising]) == 130


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["proofs"]) == 2
    assert "did you mean 'proof'?" in capsys.readouterr().err


def test_an_unknown_option_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-such-option"]) == 2
    assert "--no-such-option" in capsys.readouterr().err


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"clearhouse {__version__}\n"


def test_every_listed_command_loads() -> None:
    """A table entry that names nothing would be found by a user otherwise."""

    def load(group: click.Command, path: str) -> None:
        context = click.Context(group)
        if isinstance(group, click.Group):
            for name in group.list_commands(context):
                command = group.get_command(context, name)
                assert command is not None, f"{path} {name}"
                load(command, f"{path} {name}")

    load(cli, "clearhouse")


def test_help_imports_no_engine() -> None:
    program = (
        "import sys; from clearhouse.cli.main import main; main(['--help'])\n"
        "heavy = [m for m in sys.modules if m.split('.')[0] in "
        "{'rich', 'jinja2', 'pypi_simple', 'requests', 'pydantic', 'packageurl'}"
        " or m.startswith('clearhouse.proof.')]\n"
        "sys.exit(','.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "proof" in done.stdout


def test_a_closed_pipe_is_no_verdict() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "clearhouse", "--help"], stdout=closed, stderr=subprocess.PIPE
        )
    assert (done.returncode, done.stderr) == (141, b"")


def test_shell_completion_knows_the_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "clearhouse"],
        env={
            "_CLEARHOUSE_COMPLETE": "bash_complete",
            "COMP_WORDS": "clearhouse pro",
            "COMP_CWORD": "1",
        },
        capture_output=True,
        text=True,
    )
    assert "plain,proof" in done.stdout.split()
