"""``clearhouse bench seal``, ``lend``, ``open``, ``reveal``: sets that only their keepers read."""

from __future__ import annotations

import getpass
import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from clearhouse.benchmark import sealing
from clearhouse.benchmark.building import write_files
from clearhouse.benchmark.items import files_of_item, read_item, read_items
from clearhouse.benchmark.openings import Occasion
from clearhouse.benchmark.public_bank import Bank, Commitment, Revealed, was_in
from clearhouse.cli.bench import echo_json
from clearhouse.cli.exits import ExitCode
from clearhouse.cli.private_file import read_file, write_private
from clearhouse.errors import Conflict, Invalid
from clearhouse.proof.text import printable

_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_THERE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
_FOLDER: Final = click.Path(path_type=Path, file_okay=False, exists=True)
_identity = click.option(
    "-i", "--identity", "identities", type=_THERE, multiple=True, required=True,
    help="File with a keeper's age identity.",
)  # fmt: skip


@click.command("seal")
@click.argument("folder", type=_FOLDER)
@click.option("-o", "--output", required=True, type=_FILE, help="The sealed set.")
@click.option(
    "--to", "keepers", multiple=True, required=True, metavar="AGE-RECIPIENT",
    help="A keeper; two or more.",
)  # fmt: skip
@click.option(
    "--together", type=click.IntRange(1, 255), default=sealing.TOGETHER, show_default=True,
    help="How many keepers have to act together to open it.",
)  # fmt: skip
def seal_command(folder: Path, output: Path, keepers: tuple[str, ...], together: int) -> None:
    """Encrypt the items in FOLDER to their keepers, and print what goes into the ledger.

    What is printed says how many items there are and commits to each of them; whether a certain
    item is among them cannot be told from it.
    """
    if output.exists():
        raise Conflict(f"{printable(str(output))} is there already")
    files = {item.name: files_of_item(folder / item.name) for item in read_items(folder)}
    raw, about = sealing.seal(files, keepers, together=together, chance=secrets.token_bytes)
    write_private(output, raw)
    echo_json(about.announcement())


@click.command("lend")
@click.argument("file", type=_THERE)
@_identity
@click.option("--to", required=True, metavar="AGE-RECIPIENT", help="Who opens the set.")
@click.option("-o", "--output", required=True, type=_FILE, help="The share, encrypted to them.")
def lend(file: Path, identities: tuple[Path, ...], to: str, output: Path) -> None:
    """Encrypt a keeper's share of the sealed set FILE to another keeper, who opens it.

    So no keeper's identity ever leaves its keeper.
    """
    if len(identities) != 1:
        raise Invalid("one keeper lends one share", key="-i")
    sealed = _sealed(file)
    write_private(output, sealed.lend(_secret(identities[0]), to))


@click.command("open")
@click.argument("file", type=_THERE)
@_identity
@click.option(
    "--share", "lent", type=_THERE, multiple=True,
    help="A share that another keeper lent to the first identity.",
)  # fmt: skip
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--why", required=True, help="The reason, for the record.")
@click.option("--by", help="Who opens it, for the record; by default the user of this machine.")
def open_command(
    file: Path, identities: tuple[Path, ...], lent: tuple[Path, ...], output: Path, why: str,
    by: str | None,
) -> None:  # fmt: skip
    """Open the sealed set FILE into a new folder, and record who did, when and why.

    The record stands in FILE.openings, to which lines are only added; it is printed as well.
    """
    if output.exists() and any(output.iterdir()):
        raise Conflict(f"{printable(str(output))} is not empty")
    sealed = _sealed(file)
    secrets_ = [_secret(path) for path in identities]
    shares = [sealed.share_of(secret) for secret in secrets_]
    shares += [sealed.lent(read_file(path), secrets_[0]) for path in lent]
    occasion = Occasion(by or getpass.getuser(), why, datetime.now(UTC))
    openings = file.with_name(file.name + sealing.OPENINGS)
    opened = sealing.open_set(sealed, shares, occasion, openings=openings)
    output.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, files in opened.files.items():
        write_files(files, output / name)
    write_private(output / sealing.BANK_FILE, opened.bank.as_bytes())
    echo_json(opened.opening.as_json())


@click.command("reveal")
@click.argument("folder", type=_FOLDER)
@click.argument("name")
@click.option(
    "--against", type=_THERE, metavar="COMMITMENT",
    help="Check instead: NAME is a file with what was revealed, FOLDER the item's own.",
)  # fmt: skip
def reveal(folder: Path, name: str, against: Path | None) -> ExitCode:
    """Print what shows that the item NAME of an opened set in FOLDER was in the bank.

    With --against, check what was revealed: exit code 1 where the item is not the one that was
    committed to.
    """
    if against is None:
        bank = Bank.parse(read_file(folder / sealing.BANK_FILE))
        echo_json(bank.reveal(read_item(folder / name).digest).as_json())
        return ExitCode.HOLDS
    commitment = Commitment.parse(_json(against))
    revealed = Revealed.parse(_json(Path(name)))
    item = read_item(folder)
    holds = revealed.digest == item.digest and was_in(commitment, revealed)
    click.echo(f"{item.name}: {'was' if holds else 'was NOT'} in the bank that was committed to")
    return ExitCode.HOLDS if holds else ExitCode.DOES_NOT_HOLD


def _sealed(file: Path) -> sealing.SealedSet:
    return sealing.SealedSet.parse(read_file(file), where=printable(str(file)))


def _secret(path: Path) -> str:
    """The identity in a file as age-keygen(1) writes it; comments are passed over."""
    lines = read_file(path).decode("utf-8", "replace").splitlines()
    found = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if len(found) != 1:
        raise Invalid("expected one age identity", where=printable(str(path)))
    return found[0]


def _json(path: Path) -> object:
    try:
        return json.loads(read_file(path))
    except (ValueError, RecursionError):
        raise Invalid("expected JSON", where=printable(str(path))) from None
