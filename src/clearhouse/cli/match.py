"""``clearhouse match``: which advisories touch what is installed, without an office."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from packageurl import PackageURL

from clearhouse.cli import match_vex
from clearhouse.cli.exits import ExitCode
from clearhouse.cli.match_documents import Found, as_json, as_openvex, as_sarif
from clearhouse.cli.progress import Working
from clearhouse.errors import Invalid
from clearhouse.exposure import feeds, inventories
from clearhouse.exposure.inventories import Unidentified
from clearhouse.exposure.matching import Answer, Component, Vulnerabilities
from clearhouse.exposure.unpacking import SetAside
from clearhouse.exposure.vex import Stated
from clearhouse.proof.text import printable

_SHOWN: Final = 10
_LONGEST_SAID: Final = 300


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
    "--vex",
    "vex_files",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Statements in OpenVEX, CSAF or CycloneDX: what they say is not affected counts no more.",
)
@click.option(
    "--distribution",
    default="",
    metavar="NAME:RELEASE",
    help="Where a list of dpkg or rpm is from, as in Debian:12.",
)
@click.option("--json", "form", flag_value="json", help="One JSON document, nothing else.")
@click.option("--openvex", "form", flag_value="openvex", help="An OpenVEX document instead.")
@click.option("--sarif", "form", flag_value="sarif", help="A SARIF log instead.")
def match(
    inventory_files: tuple[Path, ...],
    advisory_files: tuple[Path, ...],
    vex_files: tuple[Path, ...],
    *,
    distribution: str,
    form: str | None,
) -> ExitCode:
    """Say which advisories touch the packages of inventories: a line for each, with the reason.

    What a VEX statement says is not affected, or fixed, comes last and does not count.

    Exit code 0 when none does; 1 when some do or cannot be decided, also because a record could not
    be read or no package could be compared; 2 when a file cannot be read.
    """
    installed = _installed(inventory_files, distribution)
    components = installed.components
    known, aside = _vulnerabilities(advisory_files)
    stated = match_vex.statements(vex_files, inventory_files, aside)
    matches = [
        stated.on(one, installed.subjects.get(component.file))
        for component in components
        for one in known.matches(component)
    ]
    uncovered = Counter(one.ecosystem for one in components if not known.cover(one.ecosystem))
    found = Found(
        components,
        [one for one in matches if not one.is_suppressed],
        [one for one in matches if one.is_suppressed],
        installed.unidentified,
        aside,
        uncovered,
    )
    match form:
        case "json":
            click.echo(json.dumps(as_json(found)))
        case "openvex":
            click.echo(json.dumps(as_openvex(found, at=datetime.now(UTC))))
        case "sarif":
            click.echo(json.dumps(as_sarif(found)))
        case _:
            _show(found)
    nothing_compared = len(components) == sum(uncovered.values()) and (
        components or installed.unidentified
    )
    open_questions = found.matches or aside or nothing_compared
    return ExitCode.DOES_NOT_HOLD if open_questions else ExitCode.HOLDS


@dataclass(frozen=True, slots=True)
class _Installed:
    """What the inventories list."""

    components: list[Component]
    unidentified: list[Unidentified]
    subjects: dict[str, PackageURL]
    """What each file is an inventory of, where it says so."""


def _installed(files: Iterable[Path], distribution: str) -> _Installed:
    installed = _Installed([], [], {})
    for path in files:
        where = printable(str(path))
        raw = match_vex.inventory_bytes(path)
        found = inventories.read(raw, where, distribution)
        known, unknown = inventories.components_of(found.packages, where)
        # One package that stands in several places of a file is one.
        once = {(one.ecosystem, one.name, one.version): one for one in reversed(known)}
        installed.components.extend(reversed(once.values()))
        installed.unidentified.extend(unknown)
        subject = inventories.subject_of(found.packages)
        if subject is not None:
            installed.subjects[where] = subject
    return installed


def _vulnerabilities(files: Iterable[Path]) -> tuple[Vulnerabilities, list[SetAside]]:
    aside: list[SetAside] = []
    records = []
    with Working() as working:
        for path in files:
            working.say(str(path), "reading advisories")
            for one in feeds.load(path):
                if isinstance(one, SetAside):
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


def _show(found: Found) -> None:
    for one in (*found.matches, *found.suppressed):
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


def _summary(found: Found) -> str:
    matches = [one.match for one in found.matches]
    affected = [one for one in matches if one.answer is Answer.AFFECTED]
    compared = len(found.components) - sum(found.uncovered.values())
    touched = len({one.component for one in affected})
    parts = [f"known flaws: {len(affected)}, in {touched} of {compared} packages compared"]
    if undecided := len(found.matches) - len(affected):
        parts.append(f"cannot be decided: {undecided}")
    if found.suppressed:
        parts.append(f"not affected or fixed, as somebody states: {len(found.suppressed)}")
    if found.unidentified:
        parts.append(f"packages not identified: {len(found.unidentified)}")
    return "; ".join(parts)


def _more(count: int, what: str) -> None:
    if count > _SHOWN:
        click.echo(f"and {count - _SHOWN} more {what}; --json has them all", err=True)


def _line(stated: Stated) -> str:
    one = stated.match
    others = f" ({', '.join(one.ids[1:4])})" if len(one.ids) > 1 else ""
    line = (
        f"{one.component.label}  {one.ids[0]}{others}  {one.answer.value}: {one.decision.because}"
    )
    if stated.statement is None:
        return line
    return f"{line}; {printable(match_vex.in_words(stated.statement), limit=_LONGEST_SAID)}"
