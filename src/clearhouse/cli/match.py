"""``clearhouse match``: which advisories touch what is installed, without an office."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from clearhouse.cli.exits import ExitCode
from clearhouse.cli.progress import Working
from clearhouse.errors import Invalid
from clearhouse.exposure import feeds, inventories
from clearhouse.exposure.inventories import Unidentified
from clearhouse.exposure.matching import Answer, Component, Match, Vulnerabilities
from clearhouse.formats.inventory import MOST_BYTES
from clearhouse.proof.text import printable

_SHOWN: Final = 10


@click.command("match")
@click.option(
    "--inventory",
    "inventory_files",
    multiple=True,
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="CycloneDX, SPDX, package-lock.json, requirements.txt, CSV, dpkg-query -W or rpm -qa.",
)
@click.option(
    "--advisories",
    "advisory_files",
    multiple=True,
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="OSV records: a file, lines, a folder, an archive.",
)
@click.option(
    "--distribution",
    default="",
    metavar="NAME:RELEASE",
    help="Where a list of dpkg or rpm is from, as in Debian:12.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def match(
    inventory_files: tuple[Path, ...],
    advisory_files: tuple[Path, ...],
    *,
    distribution: str,
    as_json: bool,
) -> ExitCode:
    """Say which advisories touch the packages of inventories: a line for each, with the reason.

    Exit code 0 when none does, 1 when some do or cannot be decided, 2 when a file cannot be read.
    """
    components, unidentified = _components(inventory_files, distribution)
    known, aside = _vulnerabilities(advisory_files)
    matches = [one for component in components for one in known.matches(component)]
    uncovered = Counter(one.ecosystem for one in components if not known.cover(one.ecosystem))
    found = _Found(components, matches, unidentified, aside, uncovered)
    if as_json:
        click.echo(json.dumps(_document(found)))
    else:
        _show(found)
    return ExitCode.DOES_NOT_HOLD if matches else ExitCode.HOLDS


@dataclass(frozen=True, slots=True)
class _Found:
    components: Sequence[Component]
    matches: Sequence[Match]
    unidentified: Sequence[Unidentified]
    aside: Sequence[feeds.SetAside]
    uncovered: Mapping[str, int]
    """How many packages are of ecosystems that no advisory is about."""


def _components(
    files: Iterable[Path], distribution: str
) -> tuple[list[Component], list[Unidentified]]:
    components: list[Component] = []
    unidentified: list[Unidentified] = []
    for path in files:
        where = printable(str(path))
        try:
            with path.open("rb") as opened:
                raw = opened.read(MOST_BYTES + 1)
        except OSError as error:
            raise Invalid(f"cannot be read: {error.strerror}", where=where) from None
        found = inventories.read(raw, where, distribution)
        known, unknown = inventories.components_of(found.packages, where)
        components += known
        unidentified += unknown
    return components, unidentified


def _vulnerabilities(files: Iterable[Path]) -> tuple[Vulnerabilities, list[feeds.SetAside]]:
    aside: list[feeds.SetAside] = []
    records = []
    with Working() as working:
        for path in files:
            working.say(str(path), "reading advisories")
            for one in feeds.load(path):
                if isinstance(one, feeds.SetAside):
                    aside.append(one)
                else:
                    records.append(one)
    if not records:
        raise Invalid(
            "have no OSV record that can be read"
            + (f": {printable(aside[0].where)}: {printable(aside[0].reason)}" if aside else ""),
            where="advisories",
        )
    return Vulnerabilities(records), aside


def _show(found: _Found) -> None:
    for one in found.matches:
        click.echo(printable(_line(one)))
    for unknown in found.unidentified[:_SHOWN]:
        name = " ".join(filter(None, (unknown.listed.name, unknown.listed.version)))
        at = f"{unknown.listed.place}: " if unknown.listed.place else ""
        why = f"{unknown.reason}; {unknown.suggestion}"
        click.echo(printable(f"not identified: {at}{name}: {why}"), err=True)
    _more(len(found.unidentified), "packages that could not be identified")
    for record in found.aside[:_SHOWN]:
        click.echo(printable(f"set aside: {record.where}: {record.reason}"), err=True)
    _more(len(found.aside), "records that were set aside")
    for ecosystem, count in found.uncovered.items():
        click.echo(
            printable(f"not compared: {count} packages of {ecosystem}: no advisory is about it"),
            err=True,
        )
    click.echo(_summary(found), err=True)


def _summary(found: _Found) -> str:
    affected = [one for one in found.matches if one.answer is Answer.AFFECTED]
    compared = len(found.components) - sum(found.uncovered.values())
    touched = len({one.component for one in affected})
    parts = [f"known flaws: {len(affected)}, in {touched} of {compared} packages compared"]
    if undecided := len(found.matches) - len(affected):
        parts.append(f"cannot be decided: {undecided}")
    if found.unidentified:
        parts.append(f"packages not identified: {len(found.unidentified)}")
    return "; ".join(parts)


def _more(count: int, what: str) -> None:
    if count > _SHOWN:
        click.echo(f"and {count - _SHOWN} more {what}; --json has them all", err=True)


def _line(one: Match) -> str:
    component = one.component
    name = component.purl.partition("?")[0] or (
        f"{component.ecosystem} {component.name} {component.version}".rstrip()
    )
    others = f" ({', '.join(one.ids[1:4])})" if len(one.ids) > 1 else ""
    return f"{name}  {one.ids[0]}{others}  {one.answer.value}: {one.decision.because}"


def _document(found: _Found) -> dict[str, Any]:
    return {
        "components": len(found.components),
        "not_compared": dict(found.uncovered),
        "matches": [
            {
                "package": {
                    "ecosystem": one.component.ecosystem,
                    "name": one.component.name,
                    "version": one.component.version,
                    "purl": one.component.purl or None,
                    "source": one.component.source,
                },
                "ids": list(one.ids),
                "record": one.vulnerability.id,
                "summary": one.vulnerability.summary,
                "severity": [
                    {"type": kind, "score": score} for kind, score in one.vulnerability.severity
                ],
                "answer": one.answer.value,
                "because": one.decision.because,
                "fixed": one.decision.fixed,
            }
            for one in found.matches
        ],
        "unidentified": [
            {
                "name": one.listed.name,
                "version": one.listed.version,
                "purl": one.listed.purl or None,
                "place": one.listed.place,
                "reason": one.reason,
                "suggestion": one.suggestion,
            }
            for one in found.unidentified
        ],
        "set_aside": [{"where": one.where, "reason": one.reason} for one in found.aside],
    }
