"""``clearhouse proof minimise`` and ``clearhouse proof diff``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from clearhouse.cli.exits import ExitCode
from clearhouse.cli.progress import Working
from clearhouse.errors import Invalid, Unavailable
from clearhouse.proof.authoring import pack
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.door import open_bundle
from clearhouse.proof.minimise import SECONDS
from clearhouse.proof.minimise import minimise as minimise_bundle
from clearhouse.proof.patched import difference, distribution_of
from clearhouse.proof.runners.choose import Workshop
from clearhouse.proof.text import printable


@click.command("minimise")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where to write, a folder or a .zip; the bundle's name with .min by default.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 86400),
    default=SECONDS,
    show_default=True,
    help="Time for the search.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def minimise(bundle: Path, *, output: Path | None, seconds: float, as_json: bool) -> ExitCode:
    """Shrink the inputs of BUNDLE while its grade and its signature stay, and write the result.

    Exit code 1 when the bundle is not proven: then there is nothing to keep.
    """
    opened = open_bundle(bundle)
    name = bundle.resolve().name if bundle.is_dir() else bundle.name.partition(".")[0]
    place = output or Path(f"{name}.min")
    if place.exists():
        raise Invalid("is there already; nothing was overwritten", where=printable(str(place)))
    progress = Working()
    with Workshop() as workshop, progress:

        def say(step: str) -> None:
            progress.say(opened.id, step)

        found = minimise_bundle(opened, workshop, seconds=seconds, progress=say)
    _write(found.bundle, place)
    document = {
        "format": 1,
        "bundle": {"id": found.bundle.id, "digest": found.bundle.digest},
        "grade": found.verdict.grade.value,
        "signature": found.verdict.judgement.signature,
        "inputs": [
            {"name": one.name, "bytes_before": one.before, "bytes_after": one.after}
            for one in found.inputs
        ],
        "runs": found.runs,
        "complete": found.complete,
        "written": str(place),
    }
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
        return ExitCode.HOLDS
    for one in found.inputs:
        click.echo(f"{printable(one.name)}: {one.before} bytes, now {one.after}")
    short = "" if found.complete else "; the time was over before nothing more could be left out"
    click.echo(f"{printable(str(place))}: {found.verdict.grade.value} as before{short}")
    return ExitCode.HOLDS


def _write(bundle: Bundle, place: Path) -> None:
    try:
        if place.suffix == ".zip":
            with place.open("xb") as stream:
                stream.write(pack(bundle))
            return
        place.mkdir(parents=True)
        for name, content in bundle.files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise Unavailable(f"{place} cannot be written: {error.strerror}") from None


@click.command("diff")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "-U",
    "--context",
    type=click.IntRange(0, 100),
    default=3,
    show_default=True,
    help="Lines of context.",
)
def diff(bundle: Path, *, context: int) -> ExitCode:
    """Print how the code of the fixed version differs from that of the version BUNDLE attacks.

    The releases are compared as they are distributed, so this may hold more than the fix.
    """
    opened = open_bundle(bundle)
    if opened.target.fixed is None:
        raise Invalid("names no fixed version", where="proof.toml", key="target.fixed")
    before, after = distribution_of(opened), distribution_of(opened, opened.target.fixed)
    sys.stdout.buffer.write(difference(before, after, context=context))
    sys.stdout.flush()
    return ExitCode.HOLDS
