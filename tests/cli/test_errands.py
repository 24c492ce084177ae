"""``hunt``, ``prove --with`` and ``patch``: what they take, before any model is asked."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import pytest

from clearhouse.benchmark.hunt.record import Flaw, Judged
from clearhouse.cli.exits import ExitCode
from clearhouse.cli.found import row_of, show_rows, submitted, write_flaw
from clearhouse.cli.main import main
from clearhouse.cli.model_options import show_course, tell
from clearhouse.cli.office_client import OfficeClient
from clearhouse.cli.prove_with import _reports, names_it
from clearhouse.errors import Invalid
from clearhouse.proof.authoring import pack
from clearhouse.proof.door import open_bundle

SAMPLES = Path(__file__).parents[2] / "samples/proofs"
ECDSA = "pkg:pypi/ecdsa@0.13.2"
BUNDLE = str(SAMPLES / "CVE-2019-14853")
HUNT = ["hunt", ECDSA, "--model", "m/m"]


@pytest.fixture
def without_inspect(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*sys.modules]:
        if name.startswith("clearhouse.benchmark.evaluation"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "inspect_ai", None)


@pytest.mark.usefixtures("without_inspect")
def test_what_is_to_be_installed_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.txt"
    report.write_text("It breaks.")
    out, logs = str(tmp_path / "out"), ["--log-dir", str(tmp_path / "logs")]
    for command in (
        [*HUNT, "-o", out, *logs],
        ["prove", str(report), "--with", "m/m", "--target", ECDSA, "-o", out, *logs],
        ["patch", BUNDLE, "--with", "m/m", "-o", out, *logs],
    ):
        assert main(command) == ExitCode.COULD_NOT_RUN
        assert "clearhouse[evaluation]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["hunt", ECDSA, "-o", "OUT"], "--model"),
        ([*HUNT], "--output"),
        ([*HUNT, "-o", "OUT/deep/deeper", "--log-dir", "LOGS"], "no such folder"),
        ([*HUNT, "-o", "OUT", "--usd", "2", "--log-dir", "LOGS"], "--prices"),
        ([*HUNT, "-o", "OUT"], "--log-dir"),
        ([*HUNT, "-o", "OUT", "--submit", "--log-dir", "LOGS"], "CLEARHOUSE_API_KEY"),
        (["prove", BUNDLE, "--target", ECDSA], "--target goes with --with"),
        (["prove", BUNDLE, "--tokens", "5"], "--tokens goes with --with"),
        (["prove", "REPORT", "--with", "m/m", "-o", "OUT"], "--target"),
        (["prove", "REPORT", "--with", "m/m", "--target", ECDSA], "--output"),
        (["patch", BUNDLE, "--with", "m/m", "-o", "REPORT", "--log-dir", "LOGS"], "there already"),
        (["patch", BUNDLE, "-o", "OUT", "--log-dir", "LOGS"], "--with"),
    ],
)
def test_what_is_missing_or_wrong_is_said_before_anything_is_done(
    command: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delenv("CLEARHOUSE_API_KEY", raising=False)
    (tmp_path / "REPORT").write_text("It breaks.")
    places = {name: str(tmp_path / name) for name in ("OUT", "LOGS", "REPORT")}
    for name, place in places.items():
        command = [part.replace(name, place) if part.startswith(name) else part for part in command]
    assert main(command) == ExitCode.BAD_INPUT
    assert said in capsys.readouterr().err
    assert not (tmp_path / "LOGS").exists()


# -- reports -----------------------------------------------------------------------------------


def sarif(*messages: str) -> str:
    results = [{"ruleId": "R", "message": {"text": text}} for text in messages]
    run = {"tool": {"driver": {"name": "scan"}}, "results": results}
    return json.dumps({"version": "2.1.0", "runs": [run]})


def test_texts_reports_and_every_result_of_a_log_are_reports(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("It breaks.")
    (tmp_path / "b.json").write_text(json.dumps({"title": "One"}))
    (tmp_path / "c.sarif").write_text(sarif("Overflow", "Underflow"))
    found = dict(_reports(sorted(tmp_path.iterdir())))
    assert len(found) == 4
    texts = [text for _, text in found.values()]
    assert texts[0] == b"It breaks."
    assert json.loads(texts[1]) == {"title": "One"}
    assert b"Underflow" in texts[3]
    assert [where.rpartition("/")[2] for where, _ in found.values()][2:] == [
        "c.sarif, result 1",
        "c.sarif, result 2",
    ]
    assert all(name.startswith("report-") and name.isascii() for name in found)


@pytest.mark.parametrize(
    "raw", [b"", b"  \n", b"\x00\x01", b"{", b"[" * 9 + b"\0", b"{" * 100_000, b'{"headline": 1}',
            b"x" * ((1 << 20) + 1), b'{"version": "2.1.0", "runs": []}'],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_report_is_refused(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "report").write_bytes(raw)
    with pytest.raises(Invalid, match="report"):
        dict(_reports([tmp_path / "report"]))


def test_a_report_with_large_files_is_given_without_them(tmp_path: Path) -> None:
    attached = {"poc.bin": base64.b64encode(bytes(1 << 20)).decode(), "b.bin": "eA=="}
    (tmp_path / "r.json").write_text(json.dumps({"title": "One", "attachments": attached}))
    [(_, text)] = dict(_reports([tmp_path / "r.json"])).values()
    assert json.loads(text)["attachments"] == ["b.bin", "poc.bin"]


@pytest.mark.parametrize(
    ("report", "named"),
    [
        (b"remove_integer in der.py is wrong", True),
        (b"ecdsa/der.py: remove_integer", True),
        (b"remove_integer in keys.py", False),
        (b"der.py", False),
        (b"\xff\xfe", False),
    ],
)
def test_a_report_names_what_was_shown_by_function_and_file(report: bytes, named: bool) -> None:
    frames = [{"function": "remove_integer", "file": "ecdsa/der.py"}]
    assert names_it(report, {"effect": {"attributed_to": frames}}) is named
    assert not names_it(report, {"effect": {"attributed_to": []}})


# -- what is written ---------------------------------------------------------------------------


def test_a_bundle_is_written_below_the_folder_under_its_signature(tmp_path: Path) -> None:
    bundle = open_bundle(Path(BUNDLE))
    verdict = {
        "bundle": {"id": "../../../etc/passwd", "digest": bundle.digest}, "title": "\x1b[2J",
        "effect": {"kind": "exception"}, "grade": "attributed", "digest": "sha256:0",
        "signature": "sig1:15d821bd342ca769ec8ea3e97de5da8c",
    }  # fmt: skip
    flaw = Flaw(Judged("hunt", "k", good=True, reason="", verdict=verdict, data=pack(bundle)), 0)
    place = write_flaw(flaw, tmp_path / "out")
    assert place == tmp_path / "out" / "flaw-15d821bd342ca769"
    assert open_bundle(place).digest == bundle.digest
    assert write_flaw(flaw, tmp_path / "out") == place
    assert [p.name for p in (tmp_path / "out").iterdir()] == [place.name]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert row_of(flaw, place)["digest"] == bundle.digest


def test_texts_of_models_and_targets_do_not_steer_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "\x1b[2J\x1b]0;owned\x07\u202eaccepted\r\n" + "x" * 5000
    tell(Judged("hunt", "k", good=False, reason=text))
    show_rows(
        [{"grade": "attributed", "path": "out/flaw", "title": text, "duplicates": 1}],
        {"reasons": [{"reason": text, "count": 2}]},
    )
    show_course(
        {"attempts": 1, "outcomes": {"error": 1}, "tokens": 0, "errors": {text: 1},
         "logs": ["/logs/\x1b[2J/x.eval"]}
    )  # fmt: skip
    shown = capsys.readouterr()
    for line in (shown.out + shown.err).splitlines():
        assert line.isprintable()
        assert len(line) < 1200
    assert len(shown.out.splitlines()) == 5


def test_what_was_found_is_told_also_where_the_office_cannot_be_reached() -> None:
    client = OfficeClient("http://127.0.0.1:9", "chk_0123456789_" + "a" * 43, pause=lambda _: None)
    documents, code = submitted([Path(BUNDLE), Path(BUNDLE)], client)
    assert code == ExitCode.COULD_NOT_RUN
    assert [one["status"] for one in documents] == ["not-sent"] * 2
    assert "cannot be reached" in documents[0]["reason"]
