"""``clearhouse hunt``: have a model search a target; only what proves comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearhouse.cli.exits import ExitCode
from clearhouse.cli.model_options import Means, course, ended, evaluation, means, show_course, tell
from clearhouse.cli.office_client import OfficeClient, key_from
from clearhouse.cli.submit import office_options
from clearhouse.proof.bundle import Language
from clearhouse.proof.text import printable

_TOLD = ("status", "name", "where", "reason")


@click.command("hunt")
@click.argument("target")
@click.option(
    "--model", required=True, help="Any of Inspect's models, such as openai/NAME or anthropic/NAME."
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the bundles that prove.",
)
@click.option("--finder", help="Who is named as finder; by default the model.")
@click.option(
    "--language",
    type=click.Choice([one.value for one in Language if one.runs_here]),
    help="Of the harness; by default that of the package's registry.",
)
@click.option("--requires", multiple=True, metavar="PURL", help="A package a harness may need.")
@click.option("--attempts", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--most",
    type=click.IntRange(1, 200),
    default=20,
    show_default=True,
    help="Findings judged in each attempt.",
)
@means
@click.option("--submit", "to_office", is_flag=True, help="Hand in what proves at the office.")
@office_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def hunt(
    target: str, *, model: str, output: Path, finder: str | None, language: str | None,
    requires: tuple[str, ...], attempts: int, most: int, to_office: bool, to: str,
    key_file: Path | None, as_json: bool, **options: Any,  # noqa: ANN401 - click's options
) -> ExitCode:  # fmt: skip
    """Have a model search TARGET, a package URL with a version or a folder of C or C++ sources.

    The model works in a sandbox without network. What it hands in is run in another; only what
    proves is written to --output, once for each flaw. Budgets are for each attempt.
    Exit code 0 when something is proven, 1 when nothing is, 3 when an attempt could not be carried
    through.
    """
    from clearhouse.benchmark.hunt.quarry import quarry_of
    from clearhouse.benchmark.hunt.record import flaws
    from clearhouse.cli import found as out

    given, _ = Means.of(options)
    given.check()
    out.must_be_free(output)
    client = OfficeClient(to, key_from(key_file)) if to_office else None  # before hours of work
    hunting = evaluation("hunting")
    settings = given.settings(attempts=attempts)
    quarry = quarry_of(target, finder=finder or model, language=language, requires=requires)
    click.echo(f"searching {printable(str(quarry))}", err=True)
    logs, judged = hunting.hunt(quarry, model, settings, most=most, say=tell)
    rows = [out.row_of(flaw, out.write_flaw(flaw, output)) for flaw in flaws(judged)]
    document: dict[str, Any] = {
        "format": 1, "target": str(quarry), "found": rows, **out.rejected(judged), **course(logs),
    }  # fmt: skip
    code = ended(document, holds=bool(rows))
    if client is not None:
        places = [Path(row["path"]) for row in rows]
        document["submitted"], sent = out.submitted(places, client)
        code = max(code, sent)
    if as_json:
        out.emit(document)
        return code
    out.show_rows(rows, document)
    for one in document.get("submitted", ()):
        click.echo("  ".join(printable(one[key]) for key in _TOLD if key in one))
    show_course(document)
    return code
