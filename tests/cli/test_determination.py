"""``clearhouse determination verify``: exit codes, words and JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clearhouse.benchmark.evidence import DECISION, PLAN
from clearhouse.cli.exits import ExitCode
from clearhouse.cli.main import main
from clearhouse.ledger.checkpoint import Checkpoint
from clearhouse.ledger.entry import Entry
from clearhouse.ledger.note import SigningKey, sign
from clearhouse.ledger.receipt import Receipt
from tests.benchmark.banks import evidence, plan

KEY = SigningKey("ledger.example", bytes(range(32)))
STRANGER = SigningKey("ledger.example", bytes(32))
VERIFY = ["determination", "verify"]


@pytest.fixture
def archive(tmp_path: Path) -> str:
    path = tmp_path / "evidence.zip"
    path.write_bytes(evidence().as_zip())
    return str(path)


def _receipt(folder: Path, facts: dict[str, str]) -> str:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    entry = Entry(0, "benchmark.committed", "bank-1", at, facts, bytes(16))
    checkpoint = Checkpoint(KEY.verifier.name, 1, entry.leaf_hash)
    path = folder / "receipt.json"
    path.write_bytes(bytes(Receipt.of(entry, (), sign(str(checkpoint), KEY), KEY.verifier)))
    return str(path)


def test_what_holds_ends_with_0_and_says_what_it_does_not_show(
    archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*VERIFY, archive]) == ExitCode.HOLDS
    told = capsys.readouterr().out
    assert "6. the decision is what the rule decides: holds" in told
    assert "verdict:       covered" in told
    assert "--committed with the ledger's receipt" in told


def test_the_committed_plan_is_held_against_a_digest_or_a_receipt(
    archive: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*VERIFY, archive, "--committed", plan().digest]) == 0
    assert "--committed" not in capsys.readouterr().out
    receipt = _receipt(tmp_path, {"plan": plan().digest})
    assert main([*VERIFY, archive, "--committed", receipt, "--key", str(KEY.verifier)]) == 0
    (tmp_path / "key").write_text(str(KEY.verifier))
    key = str(tmp_path / "key")
    assert main([*VERIFY, archive, "--committed", receipt, "--key", key]) == 0


def test_another_plan_or_another_ledger_ends_with_1(archive: str, tmp_path: Path) -> None:
    other = "sha256:" + "0" * 64
    assert main([*VERIFY, archive, "--committed", other]) == ExitCode.DOES_NOT_HOLD
    receipt = _receipt(tmp_path, {"plan": other})
    assert main([*VERIFY, archive, "--committed", receipt]) == ExitCode.DOES_NOT_HOLD
    receipt = _receipt(tmp_path, {"plan": plan().digest})
    strange = [*VERIFY, archive, "--committed", receipt, "--key", str(STRANGER.verifier)]
    assert main(strange) == ExitCode.DOES_NOT_HOLD


def test_an_alteration_is_named_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, raw in evidence().members.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(raw)
    path = tmp_path / DECISION
    path.write_bytes(path.read_bytes().replace(b'"covered"', b'"not-covered"'))
    assert main([*VERIFY, str(tmp_path), "--json"]) == ExitCode.DOES_NOT_HOLD
    document = json.loads(capsys.readouterr().out)
    assert document["holds"] is False
    failed = [one for one in document["checks"] if one["outcome"] == "fails"]
    assert [one["number"] for one in failed] == [1, 6]
    assert all(DECISION in one["why"] for one in failed)
    (tmp_path / PLAN).write_text("{")
    assert main([*VERIFY, str(tmp_path)]) == ExitCode.DOES_NOT_HOLD
    assert "plan.json can be read: fails" in capsys.readouterr().out


def test_bad_input_ends_with_2(archive: str, tmp_path: Path) -> None:
    assert main([*VERIFY, str(tmp_path / "nothing")]) == ExitCode.BAD_INPUT
    assert main([*VERIFY, str(tmp_path)]) == ExitCode.BAD_INPUT
    assert main([*VERIFY, archive, "--committed", "nothing"]) == ExitCode.BAD_INPUT
    assert main([*VERIFY, archive, "--key", "x"]) == ExitCode.BAD_INPUT
    receipt = _receipt(tmp_path, {"other": "fact"})
    assert main([*VERIFY, archive, "--committed", receipt]) == ExitCode.BAD_INPUT


def test_notes_stand_on_the_assessors_page_only(archive: str, tmp_path: Path) -> None:
    notes, page = tmp_path / "notes.txt", tmp_path / "page.html"
    notes.write_text("attempt 2 looked odd\n")
    report = ["determination", "report", archive, "-o", str(page), "--notes", str(notes)]
    assert main([*report, "--for", "developer"]) == ExitCode.BAD_INPUT
    assert not page.exists()
    assert main([*report, "--for", "assessor"]) == 0
    assert "attempt 2 looked odd" in page.read_text()
