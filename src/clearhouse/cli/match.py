"""``clearhouse match``: which advisories touch what is installed, without an office."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from packageurl import PackageURL

from clearhouse.cli import match_documents as documents
from clearhouse.cli import match_lines, match_vex, passed_over
from clearhouse.cli.exits import ExitCode
from clearhouse.cli.match_documents import Found
from clearhouse.cli.progress import Working
from clearhouse.errors import Invalid
from clearhouse.exposure import feeds, inventories
from clearhouse.exposure.collecting import without_collecting
from clearhouse.exposure.inventories import Unidentified
from clearhouse.exposure.matching import Component, Vulnerabilities
from clearhouse.exposure.unpacking import PassedOver, SetAside
from clearhouse.formats.inventory import MOST_BYTES
from clearhouse.proof.text import printable

_STANDARD_INPUT: Final = Path("-")
_LONGEST_FORMAT: Final = 60


@click.command("match")
@click.option(
    "--inventory",
    "inventory_files",
    multiple=True,
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="CycloneDX, SPDX, package-lock.json, requirements.txt, CSV, dpkg-query -W or rpm -qa;"
    " - is standard input.",
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
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
@click.option("--openvex", "as_openvex", is_flag=True, help="An OpenVEX document instead.")
@click.option("--sarif", "as_sarif", is_flag=True, help="A SARIF log instead.")
def match(
    inventory_files: tuple[Path, ...],
    advisory_files: tuple[Path, ...],
    vex_files: tuple[Path, ...],
    *,
    distribution: str,
    as_json: bool,
    as_openvex: bool,
    as_sarif: bool,
) -> ExitCode:
    """Say which advisories touch the packages of inventories: a line for each, with the reason.

    What a VEX statement says is not affected, or fixed, comes last and does not count.

    Exit code 0 when none does; 1 when some do or cannot be decided, also because a record could not
    be read or no package could be compared; 2 when a file cannot be read.
    """
    if as_json + as_openvex + as_sarif > 1:
        raise click.UsageError("--json, --openvex and --sarif: only one document can be written")
    if inventory_files.count(_STANDARD_INPUT) > 1:
        raise click.UsageError("--inventory - can be given once: there is one standard input")
    installed = _installed(inventory_files, distribution, vex_files)
    components = installed.components
    passed = PassedOver()
    known, aside = _vulnerabilities(advisory_files, passed)
    stated = match_vex.statements(vex_files, installed.links, aside)
    matches = [
        stated.on(one, installed.subjects.get(component.file))
        for component in components
        for one in known.matches(component)
    ]
    found = Found(
        components,
        [one for one in matches if not one.is_suppressed],
        [one for one in matches if one.is_suppressed],
        installed.unidentified,
        aside,
        Counter(one.ecosystem for one in components if not known.cover(one.ecosystem)),
    )
    if passed.count:
        click.echo(passed_over.in_words(passed), err=True)
    for empty in installed.empty:
        click.echo(f"{empty}: lists no package", err=True)
    if as_json:
        click.echo(json.dumps(documents.as_json(found)))
    elif as_openvex:
        _write_openvex(found)
    elif as_sarif:
        click.echo(json.dumps(documents.as_sarif(found)))
    else:
        match_lines.show(found)
    if not found.compared:
        click.echo("no package could be compared: that nothing is found says nothing", err=True)
    open_questions = found.matches or aside or not found.compared
    return ExitCode.DOES_NOT_HOLD if open_questions else ExitCode.HOLDS


def _write_openvex(found: Found) -> None:
    """Print the document, if there is any; on standard error what is not in it."""
    document, left_out = documents.as_openvex(found, at=datetime.now(UTC))
    if left_out:
        click.echo(
            f"left out of the document: {left_out} matches of packages that can have no package"
            " URL; --json has them all",
            err=True,
        )
    if document is None:
        click.echo(
            "no document is written: there is nothing to state, and OpenVEX has no document"
            " without statements",
            err=True,
        )
    else:
        click.echo(json.dumps(document))


@dataclass(frozen=True, slots=True)
class _Installed:
    """What the inventories list."""

    components: list[Component]
    unidentified: list[Unidentified]
    subjects: dict[str, PackageURL]
    """What each file is an inventory of, where it says so."""
    links: dict[str, PackageURL]
    """Components by BOM-Link, where statements may name them so."""
    empty: list[str]
    """Files that list nothing, with what they were read as."""


def _installed(files: Iterable[Path], distribution: str, vex_files: Sequence[Path]) -> _Installed:
    installed = _Installed([], [], {}, {}, [])
    for path in files:
        raw, where = _content(path)
        found = inventories.read(raw, where, distribution)
        known, unknown = inventories.components_of(found.packages, where)
        # One package that stands in several places of a file is one.
        once = {(one.ecosystem, one.name, one.version): one for one in reversed(known)}
        installed.components.extend(reversed(once.values()))
        installed.unidentified.extend(unknown)
        subject = inventories.subject_of(found.packages)
        if subject is not None:
            installed.subjects[where] = subject
        if vex_files:
            installed.links.update(inventories.bom_links_of(raw, where))
        if not found.packages:
            kind = printable(found.format, limit=_LONGEST_FORMAT)
            installed.empty.append(f"{where} ({kind})")
    return installed


def _content(path: Path) -> tuple[bytes, str]:
    """What an inventory's file holds, as much as is read, and its name for messages.

    Raises Invalid where it cannot be read.
    """
    if path == _STANDARD_INPUT:
        return sys.stdin.buffer.read(MOST_BYTES + 1), "standard input"
    where = printable(str(path))
    try:
        with path.open("rb") as opened:
            return opened.read(MOST_BYTES + 1), where
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror}", where=where) from None


def _vulnerabilities(
    files: Iterable[Path], passed: PassedOver
) -> tuple[Vulnerabilities, list[SetAside]]:
    aside: list[SetAside] = []
    records = []
    with Working() as working, without_collecting():
        for path in files:
            working.say(str(path), "reading advisories")
            for one in feeds.load(path, passed):
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
