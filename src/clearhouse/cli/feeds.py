"""``clearhouse feeds``: what is publicly known, loaded into the office."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Final

import click

from clearhouse.cli import passed_over
from clearhouse.cli.django_setup import migrate, set_up
from clearhouse.cli.exits import ExitCode
from clearhouse.cli.progress import Working
from clearhouse.exposure.unpacking import NAMES, PassedOver
from clearhouse.proof.text import printable

_SHOWN: Final = 10


@click.group("feeds")
def feeds() -> None:
    """Load what is publicly known: advisories, KEV, EPSS, SSVC, VEX."""


@feeds.command("load")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="One JSON document a path, nothing else.")
def load(paths: tuple[Path, ...], *, as_json: bool) -> ExitCode:
    """Load each PATH: a file, a folder, a .zip, lines (.ndjson), any of them as .gz.

    What each document is shows in its content: OSV, the KEV catalogue (JSON or CSV), EPSS, CVE
    records with SSVC (Vulnrichment), CSAF, OpenVEX, CycloneDX VEX.  It is safe to run again, and
    goes on where it was cut off.  Exit code 1 where something was left out, with the reason, or
    nothing was there to load.  Files of a folder or an archive whose names are of no feed are
    passed over and named; signatures, sums and hidden files without a word.
    """
    set_up()
    migrate()
    from django.utils import timezone

    from clearhouse.office.inventories.actions.feeding import load as take

    code = ExitCode.HOLDS
    with Working() as progress:
        for path in paths:
            name = printable(path.resolve().name)
            passed = PassedOver()
            say = partial(progress.say, name)
            row = take(path, clock=timezone.now, say=say, passed=passed)
            if row.left_out or not row.position:
                code = ExitCode.DOES_NOT_HOLD
            if as_json:
                found = {
                    "file": row.file, "read": row.position, "changes": row.changed,
                    "left_out": row.left_out, "reasons": row.reasons,
                    "passed_over": {"count": passed.count, "names": passed.names},
                }  # fmt: skip
                click.echo(json.dumps(found, ensure_ascii=False))
                continue
            click.echo(
                f"{name}: {row.position:,} read, {row.changed:,} new or changed,"
                f" {row.left_out:,} left out"
            )
            if not row.position:
                ends = ", ".join(NAMES)
                click.echo(
                    f"  nothing was loaded: there is no document in a file called {ends} or .gz",
                    err=True,
                )
            if passed.count:
                click.echo(f"  {passed_over.in_words(passed)}", err=True)
            for where, reason in row.reasons[:_SHOWN]:
                click.echo(f"  {printable(where)}: {printable(reason)}", err=True)
    return code


@feeds.command("list")
def listed() -> None:
    """Say how much is here, and what was loaded last."""
    set_up()
    migrate()
    from clearhouse.office.feeds import queries

    for kind, count in queries.counts().items():
        click.echo(f"{kind:<12}{count:>10,}")
    for row in queries.loads():
        state = "whole" if row.ended_at else "cut off; load it again to go on"
        click.echo(
            f"{row.began_at:%Y-%m-%d %H:%M}  {printable(row.file)}: {row.position:,} read, {state}"
        )
