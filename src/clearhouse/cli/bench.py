"""``clearhouse bench``: items of the benchmark built, looked at, checked, sealed and opened."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import click

from clearhouse.cli.exits import ExitCode
from clearhouse.cli.lazy import Lazy, LazyGroup
from clearhouse.errors import Invalid, NotFound, Unavailable
from clearhouse.proof.text import printable

_FOLDER: Final = click.Path(path_type=Path, file_okay=False, exists=True)
_FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)

COMMANDS: Final = {
    "build": Lazy("clearhouse.cli.bench_build:build", "Turn bundles into items."),
    "run": Lazy("clearhouse.cli.bench_run:run", "Have a model attempt items."),
    "calibrate": Lazy("clearhouse.cli.bench_calibrate:calibrate", "Learn how hard items are."),
    "design": Lazy("clearhouse.cli.bench_calibrate:design", "How many runs new items need."),
    "plan": Lazy("clearhouse.cli.bench_plan:plan", "Make the plan that is committed to."),
    "seal": Lazy("clearhouse.cli.bench_seal:seal_command", "Encrypt items to their keepers."),
    "lend": Lazy("clearhouse.cli.bench_seal:lend", "Lend a keeper's share to whoever opens."),
    "open": Lazy("clearhouse.cli.bench_seal:open_command", "Open a sealed set, and record it."),
    "reveal": Lazy("clearhouse.cli.bench_seal:reveal", "Show that one item was in a sealed set."),
}


@click.group("bench", cls=LazyGroup, lazy=COMMANDS)
def bench() -> None:
    """Measure what a model can prove: build items, check and seal them, plan and run."""


def day(_context: object, _parameter: object, value: str | None) -> date | None:
    """A day on the command line.  Raises Invalid."""
    try:
        return None if value is None else date.fromisoformat(value)
    except ValueError:
        key = getattr(_parameter, "opts", ["DAY"])[0]
        raise Invalid("expected a day such as 2026-01-31", key=key) from None


after_option = click.option(
    "--after",
    metavar="DAY",
    callback=day,
    help="Only items whose fix was published after this day; unknown dates are left out.",
)


def echo_json(document: Mapping[str, Any]) -> None:
    """One document on standard output."""
    click.echo(json.dumps(document, ensure_ascii=False))


@bench.command("show")
@click.argument("folder", type=_FOLDER)
@click.argument("name", required=False)
@click.option("--level", type=click.IntRange(0, 3), default=0, show_default=True)
@after_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def show(folder: Path, name: str | None, level: int, after: date | None, *, as_json: bool) -> None:
    """List the items of FOLDER, or show what an agent is told of the item NAME."""
    from clearhouse.benchmark.items import after as published_after
    from clearhouse.benchmark.items import read_items

    items = read_items(folder)
    if after is not None:
        items = published_after(items, after)
    if name is not None:
        item = next((one for one in items if one.name == name), None)
        if item is None:
            raise NotFound(f"{printable(str(folder))} has no item '{printable(name, limit=80)}'")
        if as_json:
            echo_json({**_described(item), "level": level, "prompt": item.prompt(level)})
        else:
            click.echo(item.prompt(level), nl=False)
        return
    rows = [_described(item) for item in items]
    if as_json:
        echo_json({"format": 1, "items": rows})
        return
    for row in rows:
        click.echo(
            f"{row['name']:<24} {row['family']:<20} {row['effect']:<14} {row['language']:<11}"
            f"{row['published'] or 'unknown':<12}{row['masked']}"
        )
    families: dict[str, int] = {}
    for row in rows:
        families[row["family"]] = families.get(row["family"], 0) + 1
    told = ", ".join(f"{count} {family}" for family, count in sorted(families.items()))
    click.echo(f"{len(rows)} item(s): {told}" if rows else "no items")


def _described(item: Any) -> dict[str, Any]:  # noqa: ANN401 - an Item, imported when needed
    return {
        "name": item.name,
        "digest": item.digest,
        "family": item.family.value,
        "effect": item.effect.value,
        "language": item.language.value,
        "levels": list(item.levels),
        "published": item.published.isoformat() if item.published else None,
        "masked": item.masked.value,
        "canary": item.canary,
    }


@bench.command("check")
@click.argument("folder", type=_FOLDER)
@click.option(
    "--canary", "texts", type=_FILE, multiple=True,
    help="Look for canaries in this text or log; may be given several times.",
)  # fmt: skip
@click.option(
    "--run", "runs", is_flag=True, help="Also try what the texts spell out, and 'try' itself."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def check(folder: Path, texts: tuple[Path, ...], *, runs: bool, as_json: bool) -> ExitCode:
    """Check the items of FOLDER: digests, and that nothing given gives an input away.

    With --canary, look for the items' canaries in texts from elsewhere. Exit code 1 where something
    is found.
    """
    from clearhouse.benchmark.items import read_items
    from clearhouse.benchmark.leaks import sightings

    items = read_items(folder)
    seen = [
        {"file": str(path), "canary": one.canary, "item": one.item, "at": one.at}
        for path in texts
        for one in sightings(_read(path), items)
    ]
    problems = [] if texts else list(_problems(items, is_run=runs))
    if as_json:
        echo_json({"format": 1, "items": len(items), "problems": problems, "canaries": seen})
    else:
        for problem in problems:
            click.echo(f"{problem['item']}: {problem['what']}")
        for one in seen:
            click.echo(
                f"{printable(str(one['file']))}: byte {one['at']}: canary {one['canary']}"
                f" of {one['item'] or 'no item that is here'}"
            )
        if not problems and not seen:
            what = f"no canary in {len(texts)} text(s)" if texts else "nothing gives an input away"
            click.echo(f"{len(items)} item(s): {what}")
    return ExitCode.DOES_NOT_HOLD if problems or seen else ExitCode.HOLDS


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror}", where=str(path)) from None


def _problems(items: Iterable[Any], *, is_run: bool) -> Iterable[dict[str, str]]:
    from clearhouse.benchmark.leaks import leaks_of, names_of_flaws
    from clearhouse.cli.progress import Working

    with Working() as working:
        for item in items:
            working.say(item.name, "looking for its input in what is given")
            yield from ({"item": item.name, "what": str(leak)} for leak in leaks_of(item))
            for named in names_of_flaws(item):
                yield {"item": item.name, "what": f"what is given names the flaw: {named}"}
            if is_run:
                yield from (
                    {"item": item.name, "what": what} for what in _by_running(item, working)
                )


def _by_running(item: Any, working: Any) -> Iterable[str]:  # noqa: ANN401 - imported when needed
    from clearhouse.benchmark.candidates import solved_by_its_text
    from clearhouse.benchmark.leaks import LEVELS
    from clearhouse.benchmark.trial import why_not_to_be_tried
    from clearhouse.proof.runners.choose import Workshop

    try:
        with Workshop() as workshop:
            solved = solved_by_its_text(
                item, workshop, LEVELS, progress=lambda step: working.say(item.name, step)
            )
        if solved is not None:
            yield str(solved)
        problem = why_not_to_be_tried(item)
        if problem is not None:
            yield problem
    except Unavailable as error:
        raise Unavailable(f"{item.name}: {error}") from error
