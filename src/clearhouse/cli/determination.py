"""``clearhouse determination``: compute a determination again from its evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import click

from clearhouse.benchmark.determination import Verification, verify
from clearhouse.benchmark.evidence import read_evidence
from clearhouse.benchmark.plan import DIGEST
from clearhouse.cli.exits import ExitCode
from clearhouse.errors import Invalid, Refused, Unavailable
from clearhouse.ledger.entry import Entry
from clearhouse.ledger.note import VerifierKey
from clearhouse.ledger.receipt import MOST_BYTES, Outcome, Receipt, check_receipt
from clearhouse.proof.text import printable

#: The fact of a ledger entry that holds a plan's digest.
PLAN_FACT: Final = "plan"

_FILE = click.Path(path_type=Path)


@click.group()
def determination() -> None:
    """Compute a determination again from its evidence."""


@determination.command("verify")
@click.argument("evidence", type=_FILE)
@click.option(
    "--committed", help="The committed plan: sha256:..., or a file with its ledger receipt."
)
@click.option("--key", help="The ledger's key as the office publishes it, or a file with it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def verify_command(
    evidence: Path, *, committed: str | None, key: str | None, as_json: bool
) -> ExitCode:
    """Compute the determination in EVIDENCE again, bit for bit: a folder or a zip.

    The order of items, their weights, the decision and where it stopped all follow from the plan,
    the bank, the seed and the outcomes. Exit code 0 when all of it holds, 1 when something does
    not, 2 for what is no evidence.
    """
    if key is not None and (committed is None or DIGEST.fullmatch(committed)):
        raise click.UsageError("--key checks the receipt that --committed names")
    found = verify(read_evidence(evidence), _digest(committed, key))
    code = ExitCode.HOLDS if found.holds else ExitCode.DOES_NOT_HOLD
    if as_json:
        click.echo(json.dumps(_document(found)))
        return code
    for one in found.checks:
        click.echo(printable(f"{one.number}. {one.subject}: {one.outcome} ({one.why})"))
    click.echo(f"plan:          {found.plan}")
    click.echo(f"determination: {found.determination}")
    if not found.holds:
        click.echo("does not hold")
    else:
        click.echo(f"verdict:       {found.verdict}")
        if committed is None:
            click.echo(
                "Whether this plan was committed before the first attempt is not shown by the"
                " evidence: --committed with the ledger's receipt shows it."
            )
    return code


@determination.command("report")
@click.argument("evidence", type=_FILE)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--for",
    "reader",
    type=click.Choice(["assessor", "developer"]),
    default="developer",
    show_default=True,
    help="An assessor's page names the items; a developer's does not.",
)
@click.option(
    "--notes",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A text of the assessor's own, from the review of transcripts; on the assessor's page.",
)
@click.option("--committed", help="The committed plan, as for verify.")
@click.option("--key", help="The ledger's key, as for verify.")
def report_command(
    evidence: Path,
    *,
    output: Path,
    reader: str,
    notes: Path | None,
    committed: str | None,
    key: str | None,
) -> None:
    """Write the page of the determination in EVIDENCE: one HTML file that loads nothing."""
    from clearhouse.benchmark.report import Reader, determination_page
    from clearhouse.cli.page import write_page

    if notes is not None and Reader(reader) is not Reader.ASSESSOR:
        raise click.UsageError("notes stand on the assessor's page only: --for assessor")
    page = determination_page(
        read_evidence(evidence),
        reader=Reader(reader),
        committed=_digest(committed, key),
        notes="" if notes is None else _read(notes).decode("utf-8", "replace"),
    )
    write_page(output, page)


@determination.command("public")
@click.argument("evidence", type=_FILE)
def public_command(evidence: Path) -> None:
    """Print what everybody may read of a determination: its verdict, and by which plan."""
    from clearhouse.benchmark.report import public_entry

    click.echo(json.dumps(public_entry(read_evidence(evidence)), indent=2))


def _document(found: Verification) -> dict[str, object]:
    checks = [
        {"number": one.number, "subject": one.subject, "outcome": one.outcome, "why": one.why}
        for one in found.checks
    ]
    return {
        "holds": found.holds,
        "verdict": found.verdict,
        "plan": found.plan,
        "determination": found.determination,
        "checks": checks,
    }


def _digest(committed: str | None, key: str | None) -> str | None:
    """The digest itself, or the one in the entry of a receipt that holds.  May raise Refused."""
    if committed is None or DIGEST.fullmatch(committed):
        return committed
    raw = _read(Path(committed))
    trusted = None if key is None else VerifierKey.parse(_key_text(key))
    for one in check_receipt(raw, trusted_key=trusted, checkpoint=None):
        if one.outcome is Outcome.FAILS:
            raise Refused(f"{committed}: the receipt does not hold: {one.subject}: {one.why}")
    receipt = Receipt.parse(raw)
    found = Entry.parse(receipt.leaf, index=receipt.index).facts.get(PLAN_FACT)
    if not isinstance(found, str) or not DIGEST.fullmatch(found):
        raise Invalid("the receipt's entry commits to no plan", where=committed)
    return found


def _key_text(key: str) -> str:
    try:
        return Path(key).read_text(encoding="utf-8") if Path(key).is_file() else key
    except (OSError, ValueError):
        return key


def _read(path: Path) -> bytes:
    where = printable(str(path))
    try:
        with path.open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise Invalid("neither sha256: with 64 hex digits nor a file", where=where) from None
    except OSError as error:
        raise Unavailable(f"{where} cannot be read: {error.strerror}") from None
    if len(raw) > MOST_BYTES:
        raise Invalid(f"has more than {MOST_BYTES} bytes", where=where)
    return raw
