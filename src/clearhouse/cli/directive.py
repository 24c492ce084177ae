"""``clearhouse directive``: read a directive in plain words, and what it asks of you."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import click

from clearhouse.cli.answers import SHOWN, rows, table, text
from clearhouse.cli.exits import ExitCode
from clearhouse.cli.office_client import OfficeClient, key_from
from clearhouse.cli.submit import office_options
from clearhouse.errors import Invalid
from clearhouse.formats.directive import MOST_BYTES, parse, read
from clearhouse.office.directives.words import (
    by_when,
    names_of,
    which_flaws,
    which_systems,
    whom,
)
from clearhouse.proof.text import printable
from clearhouse.protocol.directives.directive import Directive, Force, Way

_as_json = click.option("--json", "as_json", is_flag=True, help="JSON, nothing else.")


@click.group("directive")
def directive() -> None:
    """Read directives in plain words, and list what they ask of you."""


@directive.command("check")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def check(file: Path) -> ExitCode:
    """Say how FILE, a directive as a document (clearhouse-directive/1), is read.

    Works without an office.  Exit code 0 when it can be read, 2 when not, with the place.
    """
    try:
        with file.open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise Invalid(
            f"cannot be read: {error.strerror or error}", where=printable(str(file))
        ) from None
    _tell(parse(raw, printable(str(file))))
    return ExitCode.HOLDS


@directive.command("list")
@office_options
@_as_json
def listed(*, to: str, key_file: Path | None, as_json: bool) -> ExitCode:
    """List the directives that you may read, and how your own obligations stand."""
    found = OfficeClient(to, key_from(key_file)).get("/directives").content
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return ExitCode.HOLDS
    for one in rows(found):
        mine = table(one.get("mine"))
        due = f", next due {text(mine, 'next_due')[:10]}" if mine.get("next_due") else ""
        click.echo(
            f"{text(one, 'name')}  {text(one, 'state')}  {text(one, 'title')}"
            f" ({text(one, 'key')}): {text(mine, 'open')} to do,"
            f" {text(mine, 'overdue')} overdue{due}"
        )
    return ExitCode.HOLDS


@directive.command("show")
@click.argument("name")
@office_options
@_as_json
def show(name: str, *, to: str, key_file: Path | None, as_json: bool) -> ExitCode:
    """Say what the directive NAME (as in D-7KQ2M9XD4T) asks; with --json, as a document.

    The document is one that 'clearhouse directive check' reads, and that an authority can hand in
    as a directive of its own.
    """
    client = OfficeClient(to, key_from(key_file))
    document = table(client.get(f"/directives/{quote(name, safe='')}").content).get("document")
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return ExitCode.HOLDS
    _tell(read(document, "the office's answer"))
    return ExitCode.HOLDS


@directive.command("todo")
@click.option("--directive", "name", default="", help="Under one directive.")
@office_options
@_as_json
def todo(*, name: str, to: str, key_file: Path | None, as_json: bool) -> ExitCode:
    """List what directives ask of you and is open, what is due first at the top.

    Exit code 0 where nothing is, 1 where something is or the key is refused, 3 when the office
    could not be reached.  With --json, one document a line.
    """
    client = OfficeClient(to, key_from(key_file))
    code = ExitCode.HOLDS
    for one in _pages(client, name):
        code = ExitCode.DOES_NOT_HOLD
        click.echo(json.dumps(one, ensure_ascii=False) if as_json else _line(one))
    return code


def _tell(one: Directive) -> None:
    force = "binding" if one.force is Force.BINDING else "advice"
    facts = (
        ("Key", one.key),
        ("Issued by", one.issuer),
        ("Basis", f"{one.basis} ({force})"),
        ("Addresses", whom(one.audience, by_name=names_of(one.audience))),
        ("About", which_flaws(one)),
        ("On", which_systems(one)),
        ("By when", by_when(one.deadline)),
        ("In force", f"from {one.in_force:%Y-%m-%d %H:%M %Z}"),
        ("Ends", f"{one.ends:%Y-%m-%d %H:%M %Z}" if one.ends else "when its issuer ends it"),
    )
    click.echo(printable(one.title, limit=SHOWN))
    for label, fact in facts:
        click.echo(f"  {label + ':':<10} {printable(fact, limit=SHOWN)}")
    _list("  To do:", one.actions)
    _list("  Met by any of:", [way.meaning for way in Way if way in one.ways])


def _list(heading: str, lines: tuple[str, ...] | list[str]) -> None:
    click.echo(heading)
    for one in lines:
        click.echo(f"    - {printable(one, limit=SHOWN)}")


def _pages(client: OfficeClient, name: str) -> Iterator[dict[str, Any]]:
    after: str | None = ""
    while after is not None:
        query = urlencode({"directive": name, "after": after})
        page = table(client.get(f"/obligations?{query}").content)
        yield from rows(page.get("obligations"))
        after = page.get("next")


def _line(one: dict[str, Any]) -> str:
    due = f"by {text(one, 'due')[:10]}" if one.get("due") else "next upgrade "
    maybe = " (may apply)" if one.get("applies") == "maybe" else ""
    said = "  ".join(text(one, key) for key in ("name", "flaw", "system", "packages", "standing"))
    return printable(f"{due}  {said}{maybe}", limit=SHOWN)
