"""``clearhouse inventory``: hand in what is installed, and read what to do about it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from clearhouse.cli.answers import SHOWN, rows, table, text
from clearhouse.cli.exits import ExitCode
from clearhouse.cli.office_client import OfficeClient, key_from
from clearhouse.cli.submit import office_options
from clearhouse.errors import Invalid, NotFound
from clearhouse.formats.inventory import MOST_BYTES
from clearhouse.proof.text import printable

_TYPE: Final = "application/octet-stream"


@click.group("inventory")
def inventory() -> None:
    """Tell an office what is installed on your systems, and what it says to do."""


@inventory.command("push")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True, dir_okay=False))
@click.option("--system", required=True, help="Name of the system, as in SY-7KQ2M9XD4T.")
@click.option("--distribution", default="", help="For lists of dpkg and rpm, as in Debian:12.")
@office_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def push(
    file: Path, *, system: str, distribution: str, to: str, key_file: Path | None, as_json: bool
) -> ExitCode:
    """Hand in FILE (- is standard input) as what is installed on a system now.

    Any format that 'clearhouse match' reads.  Made for a cron job: it is safe to run again, and
    quiet but for one line.  Exit code 0 when the list was taken, 1 when the key was refused, 2 when
    the list was, 3 when the office could not be reached.
    """
    raw, name = _content(file)
    client = OfficeClient(to, key_from(key_file), say=lambda text: click.echo(text, err=True))
    query = {"file": name, "distribution": distribution}
    place = f"/systems/{quote(system, safe='')}/inventories"
    try:
        answer = client.post(place, raw, _TYPE, query=query)
    except NotFound:
        raise NotFound(
            f"your organisation has no system {printable(system, limit=SHOWN)} at this office;"
            " 'clearhouse inventory systems' lists them"
        ) from None
    if as_json:
        click.echo(json.dumps(answer.content, ensure_ascii=False))
        return ExitCode.HOLDS
    said = table(answer.content)
    if said.get("state") == "received":
        click.echo(f"{text(said, 'name')}  received; it is large and is being read")
    else:
        packages = _many(said, "components", "package")
        click.echo(
            f"{text(said, 'name')}  {packages},"
            f" {text(said, 'unidentified_count')} not identified ({text(said, 'format')})"
        )
    for lacks in rows(said.get("lacks", [])):
        click.echo(
            f"the list before had {_many(lacks, 'packages', 'package')} of"
            f" {text(lacks, 'ecosystem')}, and this one has none: is it the right file? What"
            " touched these stays open",
            err=True,
        )
    return ExitCode.HOLDS


@inventory.command("systems")
@office_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def systems(*, to: str, key_file: Path | None, as_json: bool) -> ExitCode:
    """List your systems with their names, and how many flaws touch each."""
    found = OfficeClient(to, key_from(key_file)).get("/systems").content
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return ExitCode.HOLDS
    for said in rows(found):
        due = f"next due {text(said, 'due')[:10]}" if said.get("due") else "nothing due"
        flaws = _many(said, "exposures", "flaw")
        unknown = text(said, "unidentified") if said.get("unidentified") else ""
        beside = f", {unknown} not identified" if unknown else ""
        click.echo(f"{text(said, 'name')}  {text(said, 'title')}: {flaws}{beside}, {due}")
    return ExitCode.HOLDS


@inventory.command("todo")
@office_options
@click.option("--system", default="", help="Of one system.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document a line, nothing else.")
def todo(*, to: str, key_file: Path | None, system: str, as_json: bool) -> ExitCode:
    """List what touches your systems, what is due first at the top.

    How much of your lists could not be identified, so that nothing is known of it, is said on
    standard error.

    Exit code 0 where nothing does, 1 where something does or the key is refused, 3 when the office
    could not be reached.
    """
    client = OfficeClient(to, key_from(key_file))
    after: str | None = ""
    code = ExitCode.HOLDS
    page: dict[str, Any] = {}
    while after is not None:
        place = f"&after={quote(after, safe='')}" if after else ""
        page = table(client.get(f"/exposures?system={quote(system, safe='')}{place}").content)
        for one in rows(page.get("exposures")):
            code = ExitCode.DOES_NOT_HOLD
            click.echo(json.dumps(one, ensure_ascii=False) if as_json else _line(one))
        after = page.get("next")
    if page.get("unidentified"):
        entries = "entry" if page["unidentified"] == 1 else "entries"
        click.echo(
            f"{text(page, 'unidentified')} {entries} of your lists could not be identified: of"
            " these nothing is known",
            err=True,
        )
    return code


def _line(one: dict[str, Any]) -> str:
    due = f"by {text(one, 'due')[:10]}" if one.get("due") else "next upgrade "
    found = rows(one.get("found"))
    packages = ", ".join(
        dict.fromkeys(f"{text(at, 'package')} {text(at, 'version')}".strip() for at in found)
    )
    fixed = next((text(at, "fixed") for at in found if at.get("fixed")), "")
    update = f"; fixed in {fixed}" if fixed else ""
    unsure = "; cannot be told" if one.get("answer") == "undecided" else ""
    said = f"{due}  {text(one, 'flaw')}  {text(one, 'system')}  {packages}{update}{unsure}"
    return printable(said, limit=SHOWN)


def _content(file: Path) -> tuple[bytes, str]:
    """The bytes and a name for them.  Raises :class:`Invalid`."""
    if str(file) == "-":
        raw, name = sys.stdin.buffer.read(MOST_BYTES + 1), "standard input"
    else:
        try:
            with file.open("rb") as stream:
                raw, name = stream.read(MOST_BYTES + 1), file.name
        except OSError as error:
            raise Invalid(
                f"cannot be read: {error.strerror or error}", where=printable(str(file))
            ) from None
    if len(raw) > MOST_BYTES:
        raise Invalid(f"is larger than {MOST_BYTES >> 20} MiB", where=printable(name))
    return raw, name


def _many(table: dict[str, Any], key: str, what: str) -> str:
    count = text(table, key)
    return f"{count} {what}" if count == "1" else f"{count} {what}s"
