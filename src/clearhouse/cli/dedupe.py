"""``clearhouse dedupe``: which bundles are one flaw."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from clearhouse.cli.exits import ExitCode
from clearhouse.cli.prove import proven_documents
from clearhouse.proof.duplicates import Groups, group
from clearhouse.proof.text import printable


@click.command("dedupe")
@click.argument("bundles", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
@click.option("--jobs", type=click.IntRange(1, 64), default=os.cpu_count() or 1)
def dedupe(bundles: tuple[Path, ...], *, as_json: bool, jobs: int) -> ExitCode:
    """Prove each BUNDLE and group those that show the same flaw, with a reason for every pair.

    Exit code 0 when every bundle has been proven and so could be compared, 1 otherwise.
    """
    verdicts: list[tuple[str, dict[str, Any]]] = [
        (str(path), document) for path, document in proven_documents(bundles, jobs=jobs)
    ]
    found = group(verdicts)
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        _show(found)
    return ExitCode.DOES_NOT_HOLD if found.unproven else ExitCode.HOLDS


def _show(found: Groups) -> None:
    for number, names in enumerate(found.groups, 1):
        click.echo(f"flaw {number}: {', '.join(printable(name) for name in names)}")
    for pair in found.pairs:
        verb = "joined" if pair.joined else "apart "
        click.echo(
            f"  {verb} {printable(pair.first)} and {printable(pair.second)}: {printable(pair.why)}"
        )
    for name, why in found.unproven:
        click.echo(f"not proven, so not compared: {printable(name)}: {printable(why)}")
