"""The ``bench`` commands: what they say, and with which exit code they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest

from clearhouse.benchmark.building import write_files
from clearhouse.benchmark.items import read_items
from clearhouse.benchmark.openings import parse as parse_openings
from clearhouse.cli.bench_build import _practice
from clearhouse.cli.exits import ExitCode
from clearhouse.cli.main import main
from clearhouse.errors import Invalid
from tests.benchmark.making import CANARY, SAMPLES, files_of, folder_of, sample

Output = Callable[[], str]


@pytest.fixture
def items(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "items", "one", "two")


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Output:
    return lambda: capsys.readouterr().out


def _keepers(folder: Path, count: int = 3) -> list[tuple[str, str]]:
    """Files with identities, and their recipients."""
    found = []
    for number in range(count):
        identity = pyrage.x25519.Identity.generate()
        path = folder / f"keeper-{number}"
        path.write_text(f"# created: today\n# public key: {identity.to_public()}\n{identity}\n")
        found.append((str(path), str(identity.to_public())))
    return found


# -- show and check ----------------------------------------------------------------------------


def test_items_are_listed_with_their_families(items: Path, said: Output) -> None:
    assert main(["bench", "show", str(items)]) == 0
    lines = said().splitlines()
    assert lines[0].split() == ["one", "injection", "bypass", "javascript", "2021-03-04", "no"]
    assert lines[-1] == "2 item(s): 2 injection"
    assert main(["bench", "show", str(items), "--json"]) == 0
    document = json.loads(said())
    assert [row["name"] for row in document["items"]] == ["one", "two"]
    assert document["items"][0]["levels"] == [0, 1, 2, 3]


def test_only_items_after_a_day_are_listed(items: Path, said: Output) -> None:
    for day, count in (("2021-03-03", 2), ("2021-03-04", 0)):
        assert main(["bench", "show", str(items), "--after", day, "--json"]) == 0
        assert len(json.loads(said())["items"]) == count
    assert main(["bench", "show", str(items), "--after", "yesterday"]) == ExitCode.BAD_INPUT


def test_the_prompt_of_an_item_is_shown(items: Path, said: Output) -> None:
    assert main(["bench", "show", str(items), "two", "--level", "1"]) == 0
    assert said() == read_items(items)[1].prompt(1)
    assert main(["bench", "show", str(items), "three"]) == ExitCode.BAD_INPUT


def test_sound_items_hold_and_an_altered_one_does_not(
    items: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "check", str(items)]) == 0
    assert "nothing gives an input away" in capsys.readouterr().out
    (items / "two" / "given/0/harness.js").write_text("x")
    assert main(["bench", "check", str(items)]) == ExitCode.BAD_INPUT
    assert "two: given/0/harness.js: was altered" in capsys.readouterr().err
    assert main(["bench", "check", str(items.parent / "nowhere")]) == ExitCode.BAD_INPUT


def test_an_item_that_gives_its_input_away_does_not_hold(tmp_path: Path, said: Output) -> None:
    poc = sample().pocs[0].data
    told = files_of(sample(), more={"given/1/description.txt": poc.hex().encode()})
    write_files(told, tmp_path / "items" / "an-item")
    assert main(["bench", "check", str(tmp_path / "items"), "--json"]) == ExitCode.DOES_NOT_HOLD
    (problem,) = json.loads(said())["problems"]
    assert problem["what"].endswith("the whole reference input, as hexadecimal")


def test_a_canary_in_a_log_is_found(items: Path, tmp_path: Path, said: Output) -> None:
    clean, dirty = tmp_path / "clean.log", tmp_path / "dirty.log"
    clean.write_text("nothing of interest")
    dirty.write_text(f"... {CANARY[:-2]}01 ...")
    assert main(["bench", "check", str(items), "--canary", str(clean)]) == 0
    assert "no canary in 1 text(s)" in said()
    arguments = ["bench", "check", str(items), "--canary", str(clean), "--canary", str(dirty)]
    assert main(arguments) == ExitCode.DOES_NOT_HOLD
    assert f"{dirty}: byte 4: canary {CANARY[:-2]}01 of two" in said()


# -- sealed sets -------------------------------------------------------------------------------


def test_a_set_is_sealed_opened_by_two_and_recorded(
    items: Path, tmp_path: Path, said: Output
) -> None:
    keepers = _keepers(tmp_path)
    sealed, opened = str(tmp_path / "set"), tmp_path / "opened"
    to = [part for _, recipient in keepers for part in ("--to", recipient)]
    assert main(["bench", "seal", str(items), "-o", sealed, *to]) == 0
    announced = json.loads(said())
    assert (announced["items"], announced["keepers"], announced["together"]) == (2, 3, 2)
    assert Path(sealed).stat().st_mode & 0o777 == 0o600
    opening = ["bench", "open", sealed, "-i", keepers[0][0], "--why", "a review", "--by", "Ann"]
    assert main([*opening, "-o", str(opened)]) == ExitCode.DOES_NOT_HOLD
    assert not opened.exists()
    share = str(tmp_path / "share")
    lending = ["bench", "lend", sealed, "-i", keepers[1][0], "--to", keepers[0][1], "-o", share]
    assert main(lending) == 0
    assert main([*opening, "--share", share, "-o", str(opened)]) == 0
    record = json.loads(said())
    assert (record["number"], record["by"], record["why"]) == (1, "Ann", "a review")
    assert record["keepers"] == sorted(recipient for _, recipient in keepers[:2])
    assert read_items(opened) == read_items(items)
    assert opened.stat().st_mode & 0o777 == 0o700
    raw = Path(f"{sealed}.openings").read_bytes()
    assert len(parse_openings(raw, of=announced["sealed"], where="here")) == 1
    again = ["bench", "open", sealed, "-i", keepers[1][0], "-i", keepers[2][0], "--why", "again"]
    assert main([*again, "-o", str(tmp_path / "twice")]) == 0
    assert json.loads(said())["number"] == 2


def test_one_item_is_revealed_and_checked_against_what_was_committed_to(
    items: Path, tmp_path: Path, said: Output
) -> None:
    keepers = _keepers(tmp_path, 2)
    sealed, opened = str(tmp_path / "set"), str(tmp_path / "opened")
    to = [part for _, recipient in keepers for part in ("--to", recipient)]
    main(["bench", "seal", str(items), "-o", sealed, *to])
    (tmp_path / "commitment").write_text(said())
    identities = [part for path, _ in keepers for part in ("-i", path)]
    assert main(["bench", "open", sealed, *identities, "--why", "a test", "-o", opened]) == 0
    said()
    assert main(["bench", "reveal", opened, "one"]) == 0
    revealed = tmp_path / "revealed"
    revealed.write_text(said())
    against = ["--against", str(tmp_path / "commitment")]
    assert main(["bench", "reveal", f"{opened}/one", str(revealed), *against]) == 0
    assert said() == "one: was in the bank that was committed to\n"
    other = main(["bench", "reveal", f"{opened}/two", str(revealed), *against])
    assert other == ExitCode.DOES_NOT_HOLD
    assert "was NOT" in said()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["seal", "ITEMS", "-o", "SET", "--to", "RECIPIENT"], 2, "at least 2 different keepers"),
        (["seal", "ITEMS", "-o", "SET", "--to", "x", "--to", "y"], 2, "begins with 'age1'"),
        (["seal", "EMPTY", "-o", "SET", "--to", "x", "--to", "y"], 2, "holds no items"),
        (["seal", "ITEMS", "-o", "KEEPER", "--to", "x", "--to", "y"], 1, "is there already"),
        (["open", "KEEPER", "-i", "KEEPER", "--why", "w", "-o", "OUT"], 2, "expected a folder"),
        (["open", "KEEPER", "-i", "KEEPER", "-o", "OUT"], 2, "--why"),
        (["open", "KEEPER", "-i", "KEEPER", "--why", "w", "-o", "ITEMS"], 1, "is not empty"),
        (["reveal", "ITEMS", "one"], 2, "cannot be read"),
        (["build", "-o", "OUT"], 2, "name bundles"),
        (["build", "--practice", "--samples", "EMPTY", "-o", "OUT"], 2, "holds no practice set"),
        (["build", "KEEPER", "-o", "OUT"], 2, None),
        (["build", "KEEPER", "-o", "BROKEN"], 2, "was altered"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], code: int, words: str | None, items: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    ((keeper, recipient),) = _keepers(tmp_path, 1)
    broken = folder_of(tmp_path / "broken", "one")
    (broken / "one" / "given/0/try").write_text("")
    (tmp_path / "empty").mkdir()
    places = {
        "ITEMS": str(items), "SET": str(tmp_path / "set"), "OUT": str(tmp_path / "out"),
        "KEEPER": keeper, "RECIPIENT": recipient, "EMPTY": str(tmp_path / "empty"),
        "BROKEN": str(broken),
    }  # fmt: skip
    assert main(["bench", *(places.get(one, one) for one in arguments)]) == code
    if words is not None:
        assert words in capsys.readouterr().err


# -- building ----------------------------------------------------------------------------------


def test_the_practice_set_is_every_bundle_of_its_two_folders(tmp_path: Path) -> None:
    for name in ("proofs/b", "proofs/a", "practice/c", "cheats/d"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "proof.toml").write_text("")
    (tmp_path / "proofs" / "no bundle").mkdir()
    assert [path.name for path in _practice(tmp_path)] == ["a", "b", "c"]
    with pytest.raises(Invalid, match="holds no practice set"):
        _practice(tmp_path / "cheats")
    assert len(_practice(SAMPLES.parent)) >= 49


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.network
def test_bundles_are_built_once_and_refused_with_the_reason(tmp_path: Path, said: Output) -> None:
    folder = tmp_path / "items"
    good, cheat = str(SAMPLES / "CVE-2014-2525"), str(SAMPLES.parent / "cheats" / "raises-itself")
    assert main(["bench", "build", good, cheat, "-o", str(folder), "--json"]) == 1
    built, refused = json.loads(said())["items"]
    assert (built["state"], built["name"], built["levels"]) == (
        "built", "cve-2014-2525", [0, 1, 2, 3],
    )  # fmt: skip
    assert refused["state"] == "refused"
    assert refused["reason"].startswith("claimed: ")
    assert main(["bench", "build", good, "-o", str(folder), "--json"]) == 0
    (kept,) = json.loads(said())["items"]
    assert (kept["state"], kept["digest"]) == ("kept", built["digest"])
    assert main(["bench", "check", str(folder), "--run"]) == 0
    late = ["bench", "build", str(SAMPLES / "CVE-2020-13757"), "-o", str(folder), "--json"]
    said()
    assert main([*late, "--after", "2024-01-01"]) == 0
    (left,) = json.loads(said())["items"]
    assert (left["state"], left["reason"]) == ("left-out", "its fix was published 2020-06-10")
