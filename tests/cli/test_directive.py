"""``clearhouse directive``: a document alone, and what a whole office on the loopback says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from clearhouse.cli.exits import ExitCode
from clearhouse.cli.main import main
from clearhouse.formats.directive import parse, read
from tests.office.api.live import Live, live_office

SAMPLE = Path(__file__).parents[2] / "samples" / "exposure" / "directive.json"
Run: TypeAlias = Callable[..., tuple[int, str, str]]

#: A hospital with a flaw on a system, and an authority's directive about it.
_ISSUE = """
import django
django.setup()
from django.utils import timezone
from tests.office.directives.made import a_system, agency, hospital, in_force
from tests.office.directives.made import installed, known, record
now = timezone.now()
deployer = hospital()
installed(deployer, a_system(deployer), "jinja2==1.0", now=now)
known(record("PYSEC-1", "jinja2", aliases=["CVE-2026-1001"]), now=now)
print(in_force(agency(), now=now).name)
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command: its exit code, what it printed, and what it said beside it."""

    def ran(*arguments: str) -> tuple[int, str, str]:
        code = main(["directive", *arguments])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return ran


def test_a_document_is_read_out_in_plain_words(run: Run) -> None:
    code, said, _ = run("check", str(SAMPLE))
    assert code == ExitCode.HOLDS
    for text in (
        "Mend template engines that strangers can reach",
        "organisations in Healthcare and Public Health",
        "flaws that are known to be exploited; or flaws of severity medium or worse and",
        "that can be reached from the internet or of which nobody has said who can reach them",
        "Within 14 days from the day the flaw was detected.",
        "    - Where there is none, take the page off the internet.",
        "    - a new inventory of the system",
    ):
        assert text in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "wrong.json"),
        (b"\x00", "wrong.json"),
        (b'{"format": "clearhouse-directive/1"}', "has to be there"),
        (b" " * 1_000_001, "wrong.json"),
    ],
)
def test_a_document_that_is_none_ends_with_its_place_and_code_two(
    content: bytes, said: str, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.json"
    file.write_bytes(content)
    code, out, told = run("check", str(file))
    assert (code, out) == (ExitCode.BAD_INPUT, "")
    assert said in told


def test_a_file_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    code, _, told = run("check", str(tmp_path / "nowhere.json"))
    assert code == ExitCode.BAD_INPUT
    assert "nowhere.json: cannot be read" in told


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    roles = {"hospital": ["deployer"], "bank": ["deployer"], "agency": ["authority"]}
    with live_office(tmp_path_factory.mktemp("office"), roles) as live:
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _ISSUE], env=dict(live.environment), check=True
        )
        yield live


@pytest.fixture
def of(office: Live, run: Run, tmp_path: Path) -> Callable[[str], Run]:
    """The command with the key of an organisation."""

    def keyed(who: str) -> Run:
        key = tmp_path / who
        key.write_text(office.keys[who])
        return lambda *rest: run(*rest, "--to", office.url, "--key-file", str(key))

    return keyed


@pytest.mark.slow
def test_a_deployer_lists_what_is_asked_of_it_and_reads_it(of: Callable[[str], Run]) -> None:
    mine = of("hospital")
    code, said, _ = mine("list")
    assert code == ExitCode.HOLDS
    assert "Remediate vulnerabilities by their risk (CISA-BOD-26-04): 1 to do, 0 overdue" in said
    name = said.split()[0]
    code, said, _ = mine("todo")
    assert code == ExitCode.DOES_NOT_HOLD
    [line] = said.splitlines()
    assert "CVE-2026-1001  Patient records  jinja2 1.0  open" in line
    assert mine("todo", "--directive", name)[0] == ExitCode.DOES_NOT_HOLD
    [document] = (json.loads(one) for one in mine("todo", "--json")[1].splitlines())
    assert document["directive"] == name
    code, said, _ = mine("show", name)
    assert "Remediate vulnerabilities by their risk" in said
    assert "By the table of BOD 26-04" in said


@pytest.mark.slow
def test_what_show_prints_as_json_can_be_checked_and_drafted_from(
    of: Callable[[str], Run], run: Run, tmp_path: Path
) -> None:
    name = of("agency")("list")[1].split()[0]
    shown = tmp_path / "shown.json"
    shown.write_text(of("agency")("show", name, "--json")[1])
    assert parse(shown.read_bytes(), "shown").key == "CISA-BOD-26-04"
    assert run("check", str(shown))[0] == ExitCode.HOLDS
    assert read(json.loads(shown.read_text()), "shown").audience.everybody


@pytest.mark.slow
def test_who_has_nothing_to_do_gets_code_zero_and_an_unknown_name_is_told(
    of: Callable[[str], Run],
) -> None:
    assert of("bank")("todo") == (ExitCode.HOLDS, "", "")
    code, _, told = of("bank")("show", "D-NOWHERE")
    assert code == ExitCode.BAD_INPUT
    assert "there is no such thing here" in told
