"""``clearhouse ledger``: verify a stored ledger, check a receipt."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from clearhouse.cli.exits import ExitCode
from clearhouse.cli.progress import Working
from clearhouse.errors import Invalid, Unavailable
from clearhouse.ledger.checkpoint import Checkpoint
from clearhouse.ledger.note import MOST_BYTES, Note, VerifierKey
from clearhouse.ledger.receipt import MOST_BYTES as MOST_RECEIPT_BYTES
from clearhouse.ledger.receipt import Check, Outcome, Receipt, check_receipt
from clearhouse.ledger.verify import Result, verify
from clearhouse.proof.text import printable

#: The kind of entry that holds a commitment, and its fact, in hexadecimal (protocol.commitment).
_COMMITTED, _VALUE = "finding.committed", "value"

_FILE = click.Path(path_type=Path)


@click.group()
def ledger() -> None:
    """Verify a stored ledger, or check a receipt without the office."""


@ledger.command("verify")
@click.option("--database", help="A SQLite file, or postgresql://user@host/name; the office's own.")
@click.option("--checkpoint", type=_FILE, help="A signed checkpoint that was kept elsewhere.")
@click.option("--key", help="The ledger's key, or a file with it; checks the signatures.")
@click.option("--most", type=click.IntRange(1, 10_000), default=20, show_default=True,
              help="How many problems are listed.")  # fmt: skip
def verify_command(
    database: str | None, checkpoint: Path | None, key: str | None, most: int
) -> ExitCode:
    """Compute a stored ledger again and name every entry that does not fit.

    Nothing is written. Exit code 0 when everything fits, 1 when something does not.
    """
    from clearhouse.office.ledgerbook.stores import open_database

    keys = () if key is None else (_key(key),)
    older = None if checkpoint is None else _checkpoint(checkpoint, keys)
    chosen = _database(database)
    with open_database(chosen) as stored, Working() as working:
        result = verify(
            stored,
            keys=keys,
            older=older,
            most_problems=most,
            progress=lambda size: working.say("ledger", f"{size} entries"),
        )
    _show(result, is_signature_checked=bool(keys), older=older)
    contradicted = _cross_checks(chosen, most)
    return ExitCode.HOLDS if result.holds and not contradicted else ExitCode.DOES_NOT_HOLD


def _show(result: Result, *, is_signature_checked: bool, older: Checkpoint | None) -> None:
    for problem in result.problems:
        click.echo(printable(str(problem)))
    if result.count > len(result.problems):
        click.echo(f"and {result.count - len(result.problems)} more")
    click.echo(f"entries:     {result.size}")
    click.echo(f"root:        {result.root.hex()}")
    checked = "" if is_signature_checked else "; their signatures were not checked (--key does)"
    click.echo(f"checkpoints: {result.checkpoints} signed{checked}")
    if older is None:
        reach = (
            "no checkpoint fits, so entries cut off from the end would not be seen"
            if result.last_signed is None
            else f"entries cut off after the first {result.last_signed} would not be seen"
        )
        click.echo(
            f"not covered: {reach}. Whoever can write the whole store can remove checkpoints as"
            " well: only one kept elsewhere (--checkpoint) shows that"
        )
    else:
        click.echo(
            f"not covered: entries after the first {older.size}, where the checkpoint given ends,"
            " may have been cut off together with their checkpoints"
        )
    click.echo("everything fits" if result.holds else f"{result.count} problem(s)")


def _cross_checks(database: Mapping[str, Any], most: int) -> int:
    """What the office's rooms find; the number of it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clearhouse.office.settings")
    import django
    from django.conf import settings
    from django.db import DatabaseError

    settings.DATABASES["default"] = dict(_for_reading(database))
    django.setup()
    from clearhouse.office.ledgerbook.cross_checks import checks, contradictions

    if not checks():
        return 0
    count = 0
    try:
        if not _has_office():
            click.echo(
                "the office's tables are not in this database: the ledger alone was looked at"
            )
            return 0
        for count, one in enumerate(contradictions(), 1):
            if count <= most:
                click.echo(printable(str(one)))
    except DatabaseError as error:
        raise Unavailable(f"the office's tables cannot be read: {error}") from error
    click.echo(f"the office's tables: {len(checks())} check(s), {count} contradiction(s)")
    return count


def _has_office() -> bool:
    """Whether there is more in the database than the ledger, as in a copy of it alone."""
    from django.apps import apps
    from django.db import connection

    there = set(connection.introspection.table_names())
    rooms = [one for one in apps.get_models() if one._meta.app_label in ("findings", "cases")]
    return any(one._meta.db_table in there for one in rooms)


def _for_reading(database: Mapping[str, Any]) -> Mapping[str, Any]:
    if database["ENGINE"].endswith("sqlite3"):
        name = f"file:{quote(str(Path(database['NAME']).absolute()))}?mode=ro"
        return {"ENGINE": database["ENGINE"], "NAME": name, "OPTIONS": {"uri": True}}
    return {**database, "OPTIONS": {"options": "-c default_transaction_read_only=on"}}


def _database(text: str | None) -> Mapping[str, Any]:
    """A database as the office's configuration names one."""
    from clearhouse.office.config import Config

    if text is None:
        return Config.of(os.environ).database
    if "://" not in text:
        path = Path(text).absolute()
        if not path.is_file():
            raise Invalid("there is no such file", where=text, key="--database")
        text = f"sqlite://{quote(str(path))}"
    return Config.of({**os.environ, "CLEARHOUSE_DATABASE": text}).database


@ledger.command("check-receipt")
@click.argument("file", type=_FILE)
@click.option("--key", help="The ledger's key as the office publishes it, or a file with it.")
@click.option("--checkpoint", type=_FILE, help="A signed checkpoint that was obtained elsewhere.")
@click.option("--commitment-key", help="Key of a commitment in hexadecimal, or a file with it.")
@click.option("--finding", type=_FILE, help="The bundle, or report in JSON, committed to.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def check_command(
    file: Path,
    *,
    key: str | None,
    checkpoint: Path | None,
    commitment_key: str | None,
    finding: Path | None,
    as_json: bool,
) -> ExitCode:
    """Check a receipt in FILE, without a network and without the office.

    Exit code 0 when all of it holds, 1 when something does not, 3 when something that was asked
    for could not be compared.
    """
    raw = _read(file, MOST_RECEIPT_BYTES)
    trusted = None if key is None else _key(key)
    keys = (trusted or Receipt.parse(raw).key,)
    older = None if checkpoint is None else _checkpoint(checkpoint, keys)
    found = check_receipt(raw, trusted_key=trusted, checkpoint=older)
    if finding or commitment_key:
        found.append(_opening(raw, commitment_key, finding))
    code = _code(found)
    if as_json:
        document = [
            {"number": one.number, "subject": one.subject, "outcome": one.outcome, "why": one.why}
            for one in found
        ]
        click.echo(json.dumps({"holds": code == ExitCode.HOLDS, "checks": document}))
        return code
    for one in found:
        click.echo(printable(f"{one.number}. {one.subject}: {one.outcome} ({one.why})"))
    if trusted is None and code == ExitCode.HOLDS:
        click.echo(
            "This is worth no more than the key named in the receipt: it trusts that key because"
            " the receipt says so. With --key and the key that the office publishes it is a proof."
        )
    return code


def _code(found: list[Check]) -> ExitCode:
    outcomes = {one.number: one.outcome for one in found}
    if Outcome.FAILS in outcomes.values():
        return ExitCode.DOES_NOT_HOLD
    key_only = {number for number, one in outcomes.items() if one is Outcome.NOT_CHECKED}
    return ExitCode.HOLDS if key_only <= {2} else ExitCode.COULD_NOT_RUN


def _opening(raw: bytes, key: str | None, finding: Path | None) -> Check:
    """6. the finding is the one that the entry commits to."""
    from clearhouse.cli.commit import digest_of
    from clearhouse.ledger.entry import Entry
    from clearhouse.protocol.commitment import opens

    if key is None or finding is None:
        raise click.UsageError("--commitment-key and --finding go together")
    receipt = Receipt.parse(raw)
    subject = "the finding is the one committed to"
    entry = Entry.parse(receipt.leaf, index=receipt.index)
    commitment = _hexadecimal(entry.facts.get(_VALUE)) if entry.kind == _COMMITTED else b""
    if not commitment:
        why = "the entry holds no commitment"
        return Check(6, subject, Outcome.FAILS, why)
    digest = digest_of(finding)
    if opens(commitment, _secret(key), digest):
        return Check(6, subject, Outcome.HOLDS, f"sha256:{digest.hex()}, with the key given")
    why = f"sha256:{digest.hex()} with the key given is something else"
    return Check(6, subject, Outcome.FAILS, why)


def _secret(text: str) -> bytes:
    path = Path(text)
    told = _read(path, 1000).decode(errors="replace") if path.is_file() else text
    found = _hexadecimal(told.strip())
    if not found:
        raise Invalid("expected hexadecimal, or a file with it", key="--commitment-key")
    return found


def _hexadecimal(value: object) -> bytes:
    try:
        return bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        return b""


def _key(text: str) -> VerifierKey:
    path = Path(text)
    try:
        if path.is_file():
            text = _read(path, 1000).decode()
    except UnicodeDecodeError:
        raise Invalid("is not text", where=str(path), key="--key") from None
    except OSError:
        pass  # a key can be too long for a file's name
    return VerifierKey.parse(text)


def _checkpoint(path: Path, keys: tuple[VerifierKey, ...]) -> Checkpoint:
    """A signed checkpoint; the signature is checked where there is a key.  May raise Refused."""
    note = Note.parse(_read(path, MOST_BYTES))
    if keys:
        note.signed_by(keys)
    return Checkpoint.parse(note.text)


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as stream:
            raw = stream.read(most + 1)
    except FileNotFoundError:
        raise Invalid("there is no such file", where=str(path)) from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from None
    if len(raw) > most:
        raise Invalid(f"has more than {most} bytes", where=str(path))
    return raw
