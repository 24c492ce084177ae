"""``clearhouse bench calibrate`` and ``design``: how hard items are, and how to find out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from clearhouse.cli.bench import echo_json
from clearhouse.cli.private_file import read_file, write_private
from clearhouse.errors import Invalid
from clearhouse.proof.text import printable

if TYPE_CHECKING:
    from clearhouse.benchmark.bank import Bank
    from clearhouse.benchmark.calibration import Calibration
    from clearhouse.benchmark.responses import Responses

F = TypeVar("F", bound=Callable[..., Any])

_FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
_MICRO: Final = 1_000_000
#: With fewer models than these a bank is mostly what was assumed before.
_FEW: Final = 5


@dataclass(frozen=True, slots=True)
class _Known:
    """What the files say: responses that were given, and the families of all items."""

    responses: Responses | None
    families: Mapping[str, str]
    wanted: Mapping[str, str]


def _inputs(command: F) -> F:
    """Give a command the files with responses, and what names families and models."""
    for option in reversed(
        (
            click.argument("files", nargs=-1, type=_FILE, metavar="RESPONSES..."),
            click.option(
                "--items", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False),
                help="Folder of items: their families; and the bank is of these items.",
            ),
            click.option(
                "--families", "families_file", type=_FILE,
                help="CSV: items in the first column, and a column 'family'.",
            ),
            click.option(
                "--models", "models_file", type=_FILE,
                help="CSV: systems in the first column, and a column 'model': which model each is.",
            ),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def _known(
    files: tuple[Path, ...], folder: Path | None, families: Path | None, models: Path | None
) -> _Known:
    from clearhouse.benchmark.items import read_items
    from clearhouse.benchmark.response_files import read_column, read_given, together

    model_of = read_column(read_file(models), str(models), "model") if models else {}
    given = [read_given(read_file(one), printable(str(one)), models=model_of) for one in files]
    merged = together(given)
    named = dict(merged.families)
    if families is not None:
        named |= read_column(read_file(families), printable(str(families)), "family")
    wanted: dict[str, str] | None = None
    if folder is not None:
        wanted = {one.name: one.family.value for one in read_items(folder)}
        named |= wanted
    if not files:
        if wanted is None:
            raise Invalid("give responses, or items without any: RESPONSES... or --items")
        return _Known(None, named, wanted)
    responses = merged.responses
    tried = [
        name
        for name, column in zip(responses.items, zip(*responses.cells, strict=True), strict=True)
        if any(cell is not None for cell in column)
    ]
    if wanted is None:
        missing = [name for name in responses.items if name not in named]
        if missing:
            raise Invalid(
                f"no family of the item '{printable(missing[0], limit=80)}': --items, --families or"
                " the file itself names it"
            )
        wanted = {name: named[name] for name in responses.items}
    if not tried:
        raise Invalid("no system has run any of the items; without RESPONSES all count alike")
    return _Known(responses.only_items(tried), named, wanted)


@click.command("calibrate")
@_inputs
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--anchor", "anchors", multiple=True, metavar="SYSTEM",
    help="A reference system to stand in the bank by name; all of them if none is named.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def calibrate(
    files: tuple[Path, ...], folder: Path | None, families_file: Path | None,
    models_file: Path | None, output: Path, anchors: tuple[str, ...], *, as_json: bool,
) -> None:  # fmt: skip
    """Learn from RESPONSES how hard items are, and write the bank that plans are made from.

    RESPONSES are CSV (systems by items, with 1, 0 or nothing), JSON, or what 'clearhouse bench run
    --json' prints; several are taken together. Items of --items without a response enter with
    their family's prior; without any RESPONSES nothing is known of any item, and all count alike.
    """
    from clearhouse.benchmark.bank import Bank
    from clearhouse.benchmark.calibration import calibrate as fit
    from clearhouse.benchmark.design import bank_with, uncalibrated_bank

    known = _known(files, folder, families_file, models_file)
    fitted: Calibration | None = None
    if known.responses is None:
        bank = uncalibrated_bank(known.wanted)
    else:
        fitted = fit(known.responses, known.families)
        bank = bank_with(fitted, known.wanted)
    if anchors:
        unknown = sorted(set(anchors) - {one.name for one in bank.anchors})
        if unknown:
            raise Invalid(f"no responses of '{printable(unknown[0], limit=80)}'", key="--anchor")
        bank = Bank(bank.items, tuple(one for one in bank.anchors if one.name in anchors))
    write_private(output, bytes(bank))
    document = _sureness(bank, known, fitted)
    if as_json:
        echo_json(document)
    else:
        _show(document)


def _sureness(bank: Bank, known: _Known, fitted: Calibration | None) -> dict[str, Any]:
    """How sure a bank is, by family; in logits."""
    tried: dict[str, int] = {}
    if known.responses is not None:
        columns = zip(*known.responses.cells, strict=True)
        for name, column in zip(known.responses.items, columns, strict=True):
            tried[name] = sum(cell is not None for cell in column)
    families = []
    for family in sorted({one.family for one in bank.items}):
        items = [one for one in bank.items if one.family == family]
        spread = sum(one.difficulty_sd for one in items) / len(items) / _MICRO
        families.append(
            {
                "family": family,
                "items": len(items),
                "untried": sum(one.name not in tried for one in items),
                "responses": sum(tried.get(one.name, 0) for one in items),
                "known_to": round(spread, 2),
                "before": round(fitted.priors.difficulty_spread, 2) if fitted else round(spread, 2),
            }
        )
    return {
        "format": 1,
        "bank": bank.digest,
        "items": len(bank.items),
        "models": len(set(known.responses.models)) if known.responses else 0,
        "families": families,
        "anchors": [
            {
                "name": one.name,
                "ability": round(one.ability / _MICRO, 2),
                "sd": round(one.ability_sd / _MICRO, 2),
                "items": one.items,
            }
            for one in sorted(bank.anchors, key=lambda one: -one.ability)
        ],
    }


def _show(document: Mapping[str, Any]) -> None:
    for one in document["families"]:
        untried = f", {one['untried']} untried" if one["untried"] else ""
        line = f"{one['family']:<22}{one['items']:>4} item(s), {one['responses']:>5} response(s)"
        click.echo(
            f"{line}: difficulties known to {one['known_to']:.2f} logits, {one['before']:.2f}"
            f" without a run{untried}"
        )
    for one in document["anchors"]:
        click.echo(
            f"{printable(one['name'], limit=40):<40} ability {one['ability']:+.2f}"
            f" (standard deviation {one['sd']:.2f}), ran {one['items']}"
        )
    if not document["models"]:
        click.echo(
            "No responses: all items count alike, and a test is one of the share solved. Its plan"
            " draws the next item among all of them, with families' minima in proportion."
        )
    elif document["models"] < _FEW:
        click.echo(
            f"Only {document['models']} model(s): what the bank says is mostly what was assumed"
            " before. Without RESPONSES all items count alike, which assumes less; 'clearhouse"
            " bench design' says how many runs would be enough."
        )
    click.echo(f"bank: {document['bank']}")


@click.command("design")
@_inputs
@click.option(
    "--precision", type=click.FloatRange(0, min_open=True), default=1.0, show_default=True,
    help="How well a new item's difficulty is to be known, in logits.",
)  # fmt: skip
@click.option(
    "--each", type=click.IntRange(1), default=1, show_default=True,
    help="How often a reference system may run an item.",
)  # fmt: skip
@click.option("--new", type=click.IntRange(1), help="How many new items there are of each family.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def design(
    files: tuple[Path, ...], folder: Path | None, families_file: Path | None,
    models_file: Path | None, precision: float, each: int, new: int | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Say how many runs of which systems in RESPONSES a new item takes to be known well enough.

    Each run is the one that narrows the difficulty most. With --items only families of those items
    are shown; one that was never calibrated begins with the spread of all families.
    """
    from clearhouse.benchmark.calibration import calibrate as fit
    from clearhouse.benchmark.design import design as designed
    from clearhouse.benchmark.design import prior_item

    known = _known(files, folder, families_file, models_file)
    if known.responses is None:
        raise Invalid("a design needs responses of the systems that are to run: RESPONSES...")
    fitted = fit(known.responses, known.families)
    # One system for each model: two of one model are not two witnesses.
    anchors = list({one.model: replace(one, name=one.name) for one in fitted.bank.anchors}.values())
    rows: list[dict[str, Any]] = []
    for family in sorted(set(known.wanted.values())):
        found = designed(prior_item("new", family, fitted.priors), anchors, precision, each=each)
        rows.append(
            {
                "family": family,
                "before": round(found.before, 2),
                "runs": dict(found.runs),
                "total": found.total,
                "expected": round(found.expected, 2),
                "is_enough": found.is_enough,
            }
        )
    if as_json:
        echo_json({"format": 1, "precision": precision, "each": each, "families": rows})
        return
    for row in rows:
        reached = "" if row["is_enough"] else f", which is not {precision:g}"
        all_of = f", {row['total'] * new} for {new} items" if new else ""
        click.echo(
            f"{row['family']}: {row['total']} run(s) an item{all_of}: from {row['before']:.2f} to"
            f" {row['expected']:.2f} logits{reached}"
        )
        for name, count in row["runs"].items():
            click.echo(f"    {printable(name, limit=60)}{f' x{count}' if count > 1 else ''}")
