"""The ``ledger`` commands: what they say, and with which exit code they end."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from clearhouse.cli.exits import ExitCode
from clearhouse.cli.main import main
from clearhouse.formats.report import read_report
from clearhouse.ledger.receipt import Receipt
from clearhouse.office.findings.actions import commit as take_commitment
from clearhouse.office.ledgerbook.actions import receipt_for, record, sign_checkpoint
from clearhouse.office.ledgerbook.keys import signing_key
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.commitment import commit
from clearhouse.protocol.roles import Role
from tests.office.ledgerbook.office import NOW, copy_of_database, signed_ledger
from tests.office.story import somebody

SECRET = bytes(range(32))
REPORT = json.dumps({"title": "A flaw", "target": "pkg:pypi/pyasn1@0.6.2"}).encode()


def test_a_receipt_holds_with_the_key_and_says_what_it_is_worth_without(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receipt = str(files / "receipt.json")
    assert main(["ledger", "check-receipt", receipt, "--key", str(files / "key")]) == 0
    told = capsys.readouterr().out
    assert "2. the key is the ledger's: holds" in told
    assert "trusts that key because" not in told
    assert main(["ledger", "check-receipt", receipt, "--key", (files / "key").read_text()]) == 0
    capsys.readouterr()
    assert main(["ledger", "check-receipt", receipt]) == 0
    assert "worth no more than the key named in the receipt" in capsys.readouterr().out


def test_a_receipt_as_json_has_every_step(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "check-receipt", str(files / "receipt.json"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["holds"] is True
    assert [one["number"] for one in document["checks"]] == [1, 2, 3, 4]


def test_an_altered_receipt_ends_with_1_and_what_is_none_with_2(files: Path) -> None:
    path = files / "receipt.json"
    altered = json.loads(path.read_text()) | {"index": 3}
    path.write_text(json.dumps(altered))
    assert main(["ledger", "check-receipt", str(path)]) == ExitCode.DOES_NOT_HOLD
    path.write_text("{}")
    assert main(["ledger", "check-receipt", str(path)]) == ExitCode.BAD_INPUT
    assert main(["ledger", "check-receipt", str(files / "nothing")]) == ExitCode.BAD_INPUT


def test_a_checkpoint_of_another_size_ends_with_3_and_of_the_same_with_0(files: Path) -> None:
    base = ["ledger", "check-receipt", str(files / "receipt.json"), "--key", str(files / "key")]
    assert main([*base, "--checkpoint", str(files / "checkpoint")]) == ExitCode.HOLDS
    assert main([*base, "--checkpoint", str(files / "older")]) == ExitCode.COULD_NOT_RUN


def test_a_commitment_opens_with_its_finding_and_key_only(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["ledger", "check-receipt", str(files / "receipt.json"), "--key", str(files / "key")]
    opening = [*base, "--finding", str(files / "report.json"), "--commitment-key"]
    assert main([*opening, SECRET.hex()]) == ExitCode.HOLDS
    assert "6. the finding is the one committed to: holds" in capsys.readouterr().out
    assert main([*opening, bytes(32).hex()]) == ExitCode.DOES_NOT_HOLD
    assert main([*opening, "secret"]) == ExitCode.BAD_INPUT
    assert main([*base, "--finding", str(files / "report.json")]) == ExitCode.BAD_INPUT
    (files / "report.json").write_bytes(REPORT.replace(b"flaw", b"flow"))
    assert main([*opening, SECRET.hex()]) == ExitCode.DOES_NOT_HOLD


def test_an_entry_without_a_commitment_opens_with_nothing(files: Path) -> None:
    found = main(["ledger", "check-receipt", str(files / "other.json"), "--commitment-key",
                  SECRET.hex(), "--finding", str(files / "report.json")])  # fmt: skip
    assert found == ExitCode.DOES_NOT_HOLD


def test_the_way_of_a_commitment_to_a_bundle_ends_where_it_opens(
    files: Path, db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """What ``clearhouse commit`` prints, handed in, gives a receipt that its key file opens."""
    bundle = next((Path(__file__).parents[2] / "samples" / "proofs").glob("*/proof.toml")).parent
    key = files / "my.key"
    capsys.readouterr()
    assert main(["commit", str(bundle), "--key-file", str(key)]) == ExitCode.HOLDS
    printed = capsys.readouterr().out.splitlines()[0].split()[-1]
    made = take_commitment(somebody("finder", Role.FINDER), printed, now=NOW)
    path = files / "bundle.json"
    path.write_bytes(bytes(receipt_for(SYSTEM, made.entry, now=NOW)))
    opening = ["ledger", "check-receipt", str(path), "--commitment-key", str(key)]
    assert main([*opening, "--finding", str(bundle)]) == ExitCode.HOLDS
    assert main([*opening, "--finding", str(files / "report.json")]) == ExitCode.DOES_NOT_HOLD


def _verify(path: Path, *more: str) -> tuple[int, str]:
    """In a process of its own: the command sets Django up for the database that it is given."""
    done = subprocess.run(
        [sys.executable, "-m", "clearhouse", "ledger", "verify", "--database", str(path), *more],
        env={**os.environ, "PYTHONPATH": "src"}, capture_output=True, text=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_whole_ledger_fits_and_what_is_not_covered_is_said(files: Path) -> None:
    code, told = _verify(files / "copy of ledger.sqlite3")
    assert code == 0, told
    assert "everything fits" in told
    assert "signatures were not checked" in told
    assert "entries cut off after the first 302 would not be seen" in told


def test_an_altered_entry_is_named_and_ends_with_1(files: Path) -> None:
    path = files / "copy of ledger.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("""UPDATE ledgerbook_ledgerentry SET kind = 'a' WHERE "index" = 7""")
    code, told = _verify(path, "--key", str(files / "key"))
    assert code == 1
    assert "entry 7: altered: the column kind says something else than the entry" in told


def test_a_ledger_cut_off_cleanly_is_found_with_an_older_checkpoint(files: Path) -> None:
    path = files / "copy of ledger.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("ledgerentry", "ledgertile", "ledgerhead", "signedcheckpoint"):
            connection.execute(f"DELETE FROM ledgerbook_{table}")
    code, told = _verify(path, "--key", str(files / "key"))
    assert (code, "no checkpoint fits, so entries cut off" in told) == (0, True), told
    code, told = _verify(path, "--checkpoint", str(files / "older"))
    assert code == 1
    assert "truncated: the older checkpoint has 300 entries, 0 are there" in told


def test_what_is_no_database_ends_with_2_or_3(files: Path) -> None:
    assert _verify(files / "nothing")[0] == ExitCode.BAD_INPUT
    assert _verify(files / "key")[0] == ExitCode.COULD_NOT_RUN


@pytest.fixture
def files(db: None, tmp_path: Path) -> Path:
    """A ledger of 302 entries in an office: a copy of it, two checkpoints, receipts, the key."""
    older = signed_ledger(300)
    digest = bytes.fromhex(read_report(REPORT, "report").digest)
    facts = {"value": commit(SECRET, digest).hex()}
    index = record("finding.committed", "C-1", facts, now=NOW).index
    other = record("case.opened", "CH-1", {}, now=NOW).index
    signed = sign_checkpoint(now=NOW)

    def receipt(of: int) -> Receipt:
        return receipt_for(SYSTEM, of, now=NOW)

    copy_of_database(tmp_path)
    for name, content in {
        "receipt.json": bytes(receipt(index)),
        "other.json": bytes(receipt(other)),
        "checkpoint": signed.note.encode(),
        "older": older.note.encode(),
        "key": str(signing_key().verifier).encode(),
        "report.json": REPORT,
    }.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path
