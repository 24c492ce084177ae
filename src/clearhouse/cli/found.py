"""What an errand proved: written as bundles, handed in, and told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from clearhouse.benchmark.building import write_files
from clearhouse.benchmark.hunt.record import Flaw, Judged, unproven
from clearhouse.cli.exits import ExitCode, exit_code_of
from clearhouse.cli.model_options import SHOWN
from clearhouse.cli.office_client import OfficeClient
from clearhouse.cli.submit import Memory, Result, send
from clearhouse.errors import ClearhouseError, Invalid
from clearhouse.proof.door import parse_archive
from clearhouse.proof.text import printable

_REASONS: Final = 8


def write_flaw(flaw: Flaw, folder: Path) -> Path:
    """Write the bundle that stands for a flaw; its folder is named by the flaw's signature.

    Nothing that a model says names a file here but inside the bundle, whose names were checked.
    Raises :class:`Unavailable` where it cannot be written.
    """
    assert flaw.best.signature is not None
    name = "flaw-" + flaw.best.signature.rpartition(":")[2][:16]
    write_files(parse_archive(flaw.best.data, where=name).files, folder / name)
    return folder / name


def must_be_free(output: Path) -> None:
    """Raise :class:`Invalid` at once where nothing could be written after hours of work."""
    if output.exists() and not output.is_dir():
        raise Invalid("expected a folder", where=printable(str(output)))
    if not output.absolute().parent.is_dir():
        raise Invalid("there is no such folder", where=printable(str(output.absolute().parent)))


def row_of(flaw: Flaw, place: Path) -> dict[str, Any]:
    """A flaw in a document."""
    verdict = flaw.best.verdict or {}
    return {
        "path": str(place),
        "id": verdict["bundle"]["id"],
        "title": verdict["title"],
        "digest": verdict["bundle"]["digest"],
        "effect": verdict["effect"]["kind"],
        "grade": flaw.best.grade,
        "signature": flaw.best.signature,
        "duplicates": flaw.others,
        "verdict_digest": verdict["digest"],
    }


def rejected(found: Sequence[Judged]) -> dict[str, Any]:
    """What is not proven, in a document: how many, and why."""
    reasons = unproven(found)
    return {
        "handed_in": len(found),
        "unproven": sum(reasons.values()),
        "reasons": [{"reason": why, "count": count} for why, count in reasons.items()],
    }


def show_rows(rows: Sequence[dict[str, Any]], document: dict[str, Any]) -> None:
    """Tell people the same."""
    for row in rows:
        title = printable(str(row["title"]), limit=SHOWN)
        more = f"  ({row['duplicates']} more show it)" if row["duplicates"] else ""
        click.echo(f"{row['grade']:<13} {printable(row['path'])}  {title}{more}")
    for one in document["reasons"][:_REASONS]:
        reason = printable(one["reason"], limit=SHOWN)
        click.echo(f"{'not proven':<13} {one['count']} x  {reason}")


def submitted(
    places: Sequence[Path], client: OfficeClient
) -> tuple[list[dict[str, Any]], ExitCode]:
    """Hand bundles in at an office; what became of each, and the gravest outcome."""
    results: list[Result] = []
    code = ExitCode.HOLDS
    for place in places:
        try:
            results += send(client, place, "bundle", Memory(None))
        except ClearhouseError as error:  # what was found is told all the same
            results.append(Result(str(place), "not-sent", reason=str(error)))
            code = max(code, exit_code_of(error))
    if any(one.status == "refused" for one in results):
        code = max(code, ExitCode.BAD_INPUT)
    return [{k: v for k, v in asdict(one).items() if v} for one in results], code


def emit(document: dict[str, Any]) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(document, ensure_ascii=True))
