"""``clearhouse notices``: verify a bundle of notices, without the office."""

from __future__ import annotations

from pathlib import Path

import click

from clearhouse.cli.exits import ExitCode
from clearhouse.errors import Invalid
from clearhouse.ledger.note import VerifierKey
from clearhouse.office.notices.bundle import MOST_BYTES, key_of, verify
from clearhouse.proof.text import printable

_MOST_KEY_BYTES = 1_000


@click.group()
def notices() -> None:
    """Verify a bundle of notices, without a network and without the office."""


@notices.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--key", required=True,
    help="The office's key as it is published at /ledger/key, or a file with it.",
)  # fmt: skip
def verify_command(file: Path, *, key: str) -> ExitCode:
    """Check that the bundle in FILE is as the office made it.

    Exit code 0 when it is, 1 when it was altered or another key signed it, 2 when it is no bundle.
    """
    try:
        found = verify(_read(file, MOST_BYTES), _key(key))
    except Invalid as error:
        raise Invalid(error.message, where=error.where or str(file), key=error.key) from None
    click.echo(
        printable(f"signed by {found.signer}: {found.count} notice(s) for {found.organisation}")
    )
    if found.as_of:
        click.echo(printable(f"last change: {found.as_of}"))
    return ExitCode.HOLDS


def _key(text: str) -> VerifierKey:
    path = Path(text)
    is_file = len(text) < _MOST_KEY_BYTES and path.is_file()
    told = _read(path, _MOST_KEY_BYTES).decode(errors="replace") if is_file else text
    return key_of(told)


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as opened:
            raw = opened.read(most + 1)
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(raw) > most:
        raise Invalid(f"larger than {most} bytes", where=str(path))
    return raw
