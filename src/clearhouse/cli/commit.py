"""``clearhouse commit``: a commitment to a finding, made offline."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

import click

from clearhouse.cli.exits import ExitCode
from clearhouse.errors import Invalid, Unavailable
from clearhouse.formats.report import read_report
from clearhouse.formats.report_schema import RECORD_BYTES
from clearhouse.proof.door import open_bundle
from clearhouse.proof.text import printable
from clearhouse.protocol import commitment

_KEY_BYTES: Final = 32
_REPORT: Final = ".json"


@click.command("commit")
@click.argument("finding", type=click.Path(path_type=Path))
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    help="Where to keep the key; by default beside the finding, with .key at its end.",
)
def commit(finding: Path, key_file: Path | None) -> ExitCode:
    """Commit to FINDING, a proof bundle or one report in JSON, without showing it to anybody.

    Makes a random key, keeps it in a file that only you can read, and prints the commitment, which
    you hand in at an office.  Whoever lacks the key cannot open it, and nobody can guess from it.
    A key file that is there already is used again.
    """
    digest = digest_of(finding)
    path = key_file or finding.parent / f"{finding.name}.key"
    key = _key(path)
    made = commitment.commit(key, digest)
    click.echo(f"commitment  {made.hex()}")
    click.echo(f"key file    {printable(str(path))}")
    click.echo("Hand in the commitment now; keep finding and key file until you open it.", err=True)
    return ExitCode.HOLDS


def digest_of(finding: Path) -> bytes:
    """The digest of what is committed to: the one that the office will compute of it.

    SHA-256, of a bundle as bundle-format.md has it, of a report in JSON as report-format.md has it.
    Raises :class:`Invalid`.
    """
    if finding.suffix.lower() != _REPORT:
        return bytes.fromhex(open_bundle(finding).digest.removeprefix("sha256:"))
    where = printable(str(finding))
    try:
        with finding.open("rb") as stream:
            raw = stream.read(RECORD_BYTES + 1)
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror}", where=where) from None
    return bytes.fromhex(read_report(raw, where).digest)


def _key(path: Path) -> bytes:
    """The key of the file, made where there is none yet."""
    where = printable(str(path))
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _kept(path, where)
    except OSError as error:
        raise Unavailable(f"{where} cannot be written: {error.strerror}") from None
    made = secrets.token_bytes(_KEY_BYTES)
    with os.fdopen(handle, "w") as out:
        out.write(f"{made.hex()}\n")
        out.flush()
        os.fsync(out.fileno())
    return made


def _kept(path: Path, where: str) -> bytes:
    try:
        return bytes.fromhex(path.read_text().strip())
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror}", where=where) from None
    except ValueError:
        raise Invalid("is there already and is no key file", where=where) from None
