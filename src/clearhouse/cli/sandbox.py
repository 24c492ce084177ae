"""``clearhouse sandbox``: whether the sandbox holds on this machine."""

from __future__ import annotations

import json
import sys
from typing import Final

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from clearhouse.cli.exits import ExitCode
from clearhouse.proof.sandbox import gate
from clearhouse.proof.sandbox.check import Report, Result, check_sandbox
from clearhouse.proof.text import printable

_GROUPS: Final = {
    "network": "Reaching anything outside",
    "files": "Reading and changing what belongs to the host",
    "processes": "Other processes, privileges, limits",
    "kernel": "Calls that nobody in a sandbox needs",
    "exhaustion": "Using up the machine",
    "leftovers": "Leaving something behind",
    "host": "Seen from the host afterwards",
}
_PIPED_WIDTH: Final = 120


@click.group()
def sandbox() -> None:
    """Look at the sandbox in which proofs run."""


@sandbox.command("check")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def check(*, as_json: bool) -> ExitCode:
    """Try to break out of the sandbox, and show what stopped each attempt.

    A result without a way out is kept for a day; no bundle is run without one.
    """
    errors = Console(stderr=True)
    if errors.is_terminal and not as_json:
        with errors.status("starting") as status:
            report = check_sandbox(status.update)
    else:
        report = check_sandbox()
    gate.keep(report)
    if as_json:
        click.echo(json.dumps(report.as_json()))
    else:
        _show(report)
    return ExitCode.HOLDS if report.holds else ExitCode.DOES_NOT_HOLD


def _show(report: Report) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)
    by_attempt: dict[tuple[str, str], list[Result]] = {}
    for result in report.results:
        by_attempt.setdefault((result.group, result.name), []).append(result)
    groups: dict[str, list[list[Result]]] = {}
    for (group, _), results in by_attempt.items():
        groups.setdefault(group, []).append(results)
    for group, attempts in groups.items():
        console.print(_table(group, attempts))
    tried = sum(r.stopped is not None for r in report.results)
    if report.holds:
        console.print(
            f"[green]All {tried} attempts were stopped[/green] in {report.seconds:.1f} s."
        )
    else:
        console.print(
            f"[bold red]{len(report.through)} of {tried} attempts got through.[/bold red]"
            " Nothing is run on this machine until they do not."
        )


def _table(group: str, attempts: list[list[Result]]) -> Table:
    table = Table(title=_GROUPS.get(group, group), title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("attempt", ratio=5)
    table.add_column("made in", ratio=2, no_wrap=True)
    table.add_column("stopped by", ratio=5)
    table.add_column("s", justify="right", no_wrap=True)
    for results in attempts:
        places: dict[tuple[bool | None, str], list[Result]] = {}
        for result in results:
            places.setdefault((result.stopped, result.by), []).append(result)
        for number, ((stopped, by), same) in enumerate(places.items()):
            table.add_row(
                escape(printable(same[0].name)) if number == 0 else "",
                ", ".join(r.place for r in same),
                _by(stopped, by),
                f"{max(r.seconds for r in same):.3f}",
            )
    return table


def _by(stopped: bool | None, by: str) -> str:  # noqa: FBT001 - a result's own three values
    text = escape(printable(by))
    if stopped is None:
        return f"[dim]not tried: {text}[/dim]"
    return text if stopped else f"[bold red]GOT THROUGH[/bold red]: {text}"
