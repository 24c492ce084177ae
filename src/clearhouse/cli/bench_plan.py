"""``clearhouse bench plan``: everything that decides, made to be committed to."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from clearhouse.cli.bench import echo_json
from clearhouse.cli.private_file import read_file, write_private
from clearhouse.errors import Conflict, Invalid
from clearhouse.proof.text import printable

if TYPE_CHECKING:
    from clearhouse.benchmark.bank import Bank
    from clearhouse.benchmark.plan import Plan

_FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
_NEW: Final = click.Path(path_type=Path, dir_okay=False)
#: Enough systems to see whether a plan decides anything; the rates of error are bounded anyway.
_SYSTEMS: Final = 400
#: How far beyond the region they lie, at most, as a share of the bank.
_BEYOND: Final = 0.2


@click.command("plan")
@click.argument("terms", type=_FILE, required=False)
@click.argument("bank", type=_FILE, required=False)
@click.argument(
    "items", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False
)
@click.option("-o", "--output", type=_NEW, help="The plan.")
@click.option(
    "--seeds-out", type=_NEW, metavar="FILE",
    help="The secret seeds of all submissions; PLAN with .seeds after it if not given.",
)  # fmt: skip
@click.option("--example", is_flag=True, help="Print terms to begin with, each key explained.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def plan(
    terms: Path | None, bank: Path | None, items: Path | None, output: Path | None,
    seeds_out: Path | None, *, example: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make the plan of TERMS (TOML) over the BANK and the folder of ITEMS, and print its digest.

    The digest is to be committed to before the first attempt. The seeds decide the order of items
    of each submission: whoever has them knows it beforehand. How often the plan decides anything
    is tried on simulated systems and printed.
    """
    from clearhouse.benchmark import terms_file

    if example:
        click.echo(terms_file.example(), nl=False)
        return
    if terms is None or bank is None or items is None or output is None:
        raise click.UsageError("expected TERMS BANK ITEMS -o PLAN; --example prints TERMS")
    seeds_path = seeds_out or output.with_name(output.name + ".seeds")
    for path in (output, seeds_path):
        if path.exists():
            raise Conflict(f"{printable(str(path))} is there already")
    written = terms_file.parse_terms(read_file(terms), printable(str(terms)))
    made, seeds, of = _made(written, bank, items)
    write_private(seeds_path, bytes(seeds))
    write_private(output, bytes(made))
    document = _described(made, of)
    if as_json:
        echo_json({**document, "seeds": str(seeds_path)})
        return
    _show(document)
    click.echo(f"seeds: {printable(str(seeds_path))} (keep them secret until the last submission)")
    click.echo(f"plan:  {made.digest}")
    click.echo("Commit to this digest in the ledger before the first attempt.")


def _made(written: Any, bank: Path, items: Path) -> tuple[Plan, Any, Bank]:  # noqa: ANN401 - imported when needed
    from clearhouse.benchmark.bank import Bank
    from clearhouse.benchmark.elicitation import harness_of
    from clearhouse.benchmark.items import read_items
    from clearhouse.benchmark.plan import family_minima, make_plan
    from clearhouse.benchmark.seeds import SEED_BYTES, Seeds

    known = Bank.parse(read_file(bank), printable(str(bank)))
    found = read_items(items)
    for one in found:
        if written.level not in one.levels:
            raise Invalid(f"has no level {written.level}", where=one.name, key="level")
    seeds = Seeds(secrets.token_bytes(SEED_BYTES), written.slots)
    terms = written.terms(
        seeds.root.hex(),
        family_minima(known, written.least, least=0),
        harness_of(found, written.level),
    )
    return make_plan(terms, known, {one.name: one.digest for one in found}), seeds, known


def _described(made: Plan, bank: Bank) -> dict[str, Any]:
    from clearhouse.benchmark.bank import MICRO
    from clearhouse.benchmark.simulation import Misfit, simulate

    reach = made.terms.region_ppm / MICRO + _BEYOND
    found = simulate(made, bank, Misfit.NONE, _SYSTEMS, seed=1, reach=reach)
    return {
        "format": 1,
        "plan": made.digest,
        "bank": made.bank,
        "items": len(made.items),
        "least_of": dict(made.terms.least_of),
        "simulated": {
            "systems": found.systems,
            "outside": found.outside,
            "wrong": found.wrong,
            "undecided": found.open_outside,
            "items": round(found.items, 1),
        },
        "is_even": made.terms.among >= len(made.items),
        "is_calibrated": len({(one.solved, one.failed) for one in made.items}) > 1,
    }


def _show(document: dict[str, Any]) -> None:
    found = document["simulated"]
    minima = ", ".join(f"{name} {least}" for name, least in sorted(document["least_of"].items()))
    click.echo(f"{document['items']} items; of each family at least: {minima or 'none'}")
    click.echo(
        f"{found['outside']} of {found['systems']} simulated systems lay outside the region:"
        f" {found['wrong']} decided wrongly, {found['undecided']} left undecided,"
        f" {found['items']:.1f} items on average"
    )
    if not document["is_calibrated"] and not document["is_even"]:
        click.echo(
            "The bank is not calibrated: 'among' all of the items the order is an even draw, and"
            " the test one of the share solved. Among fewer it speaks of those alone."
        )
