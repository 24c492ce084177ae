"""``clearhouse assessment``: plans, assessments and determinations of an office, from anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from clearhouse.cli.office_client import OfficeClient, key_from
from clearhouse.cli.page import write_page
from clearhouse.cli.private_file import read_file
from clearhouse.cli.submit import office_options
from clearhouse.errors import Invalid
from clearhouse.proof.text import printable

_FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
_OUT: Final = click.Path(path_type=Path, dir_okay=False)
_JSON: Final = "application/json"
_PLACE: Final = "/assessments"


@click.group()
def assessment() -> None:
    """Commit to plans, measure a review's model by one, and issue what it comes to."""


def _client(to: str, key_file: Path | None) -> OfficeClient:
    return OfficeClient(
        to, key_from(key_file), say=lambda text: click.echo(f"office: {text}", err=True)
    )


def _place(name: str, *more: str) -> str:
    return "/".join((_PLACE, quote(name, safe=""), *more))


def _send(client: OfficeClient, path: str, document: Any = None) -> Any:  # noqa: ANN401 - JSON
    return client.post(path, json.dumps(document or {}).encode(), _JSON).content


@assessment.command("commit")
@click.argument("plan", type=_FILE)
@click.option("--bank", required=True, type=_FILE, help="What the plan was made from.")
@click.option("--set", "of_set", type=_FILE, help="A sealed set's public commitment.")
@click.option("--receipt", type=_OUT, help="Where the ledger's receipt goes.")
@office_options
def commit(
    plan: Path, *, bank: Path, of_set: Path | None, receipt: Path | None, to: str,
    key_file: Path | None,
) -> None:  # fmt: skip
    """Commit to PLAN before anybody is measured by it: its digest goes into the ledger.

    Prints the plan's name in the office. The receipt is what 'clearhouse determination verify
    --committed' takes. The same plan again is the one that is there.
    """
    document: dict[str, Any] = {"plan": _text(plan), "bank": _text(bank)}
    if of_set is not None:
        try:
            document["set"] = json.loads(read_file(of_set))
        except ValueError:
            raise Invalid("expected JSON", where=printable(str(of_set))) from None
    client = _client(to, key_file)
    made = _send(client, f"{_PLACE}/plans", document)
    if receipt is not None:
        receipt.write_bytes(client.get(f"{_PLACE}/plans/{made['name']}/receipt").body)
    click.echo(f"entry {made['entry']} of the ledger commits to {made['digest']}", err=True)
    click.echo(made["name"])


@assessment.command("begin")
@click.argument("review")
@click.option("--plan", required=True, metavar="NAME", help="The committed plan, such as PL-...")
@click.option("--system", required=True, help="What is measured: the model and its scaffold.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@office_options
def begin(
    review: str, *, plan: str, system: str, as_json: bool, to: str, key_file: Path | None
) -> None:
    """Begin to measure the model of REVIEW; prints the assessment's name and its slot.

    The name goes to 'clearhouse bench run --submission', the slot to '--slot'.
    """
    demand = {"review": review, "plan": plan, "system": system}
    made = _send(_client(to, key_file), _PLACE, demand)
    if as_json:
        click.echo(json.dumps(made))
    else:
        click.echo(f"{made['name']} {made['slot']}")


@assessment.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@office_options
def show(name: str, *, as_json: bool, to: str, key_file: Path | None) -> None:
    """Say where an assessment stands, as far as it is yours to see."""
    found = _client(to, key_file).get(_place(name)).content
    if as_json:
        click.echo(json.dumps(found))
        return
    cost, endings = found["cost"], found["endings"]
    rows = [
        ("state", found["state"]),
        ("attempts", f"{found['attempts']} of at most {found['most']}"),
        ("endings", ", ".join(f"{count} {one}" for one, count in endings.items() if count)),
        ("cost", f"{cost['tokens']} tokens, {cost['dollars']:.2f} dollars"),
    ]
    if found["estimate"] is not None:
        own = found["estimate"]
        rows.append(("estimate", f"{own['ability']} logits ({own['low']} to {own['high']})"))
    rows += [(key, found[key]) for key in ("verdict", "determination", "reply") if found[key]]
    for key, value in rows:
        click.echo(printable(f"{key + ':':<15}{value}", limit=500))


@assessment.command("hand-in")
@click.argument("name")
@click.argument("evidence", type=_FILE)
@office_options
def hand_in(name: str, evidence: Path, *, to: str, key_file: Path | None) -> None:
    """Hand in the EVIDENCE of a run; the office computes it again before it takes it."""
    found = _client(to, key_file).put(
        _place(name, "evidence"), evidence.read_bytes(), "application/zip"
    )
    click.echo(f"{found.content['verdict']}  {found.content['determination']}")


@assessment.command("reply")
@click.argument("name")
@click.option("--text", default="", help="Your answer; without it, that there is nothing to add.")
@click.option("--file", "path", type=_FILE, help="File with the answer.")
@office_options
def reply(name: str, *, text: str, path: Path | None, to: str, key_file: Path | None) -> None:
    """Answer what was found, as the developer; it stands beside it and is not changed after."""
    answer = _text(path) if path is not None else text
    _send(_client(to, key_file), _place(name, "reply"), {"text": answer})
    click.echo("Your answer stands beside what was found.")


@assessment.command("determine")
@click.argument("name")
@office_options
def determine(name: str, *, to: str, key_file: Path | None) -> None:
    """Issue the determination that the evidence makes: for the office."""
    found = _send(_client(to, key_file), _place(name, "determine"))
    click.echo(f"{found['verdict']}  {found['determination']}")


@assessment.command("report")
@click.argument("name")
@click.option("-o", "--output", required=True, type=_OUT)
@office_options
def report(name: str, *, output: Path, to: str, key_file: Path | None) -> None:
    """Fetch the report: with items for who may know them, and without for the developer."""
    page = _client(to, key_file).get(_place(name, "report")).body
    write_page(output, page.decode())


def _text(path: Path) -> str:
    try:
        return read_file(path).decode()
    except UnicodeDecodeError:
        raise Invalid("is no text", where=printable(str(path))) from None
