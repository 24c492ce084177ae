"""``clearhouse check-patch``: does a patch mend what a proof shows."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from clearhouse.cli.exits import ExitCode
from clearhouse.cli.page import report_option, write_page
from clearhouse.cli.progress import Working
from clearhouse.errors import Invalid
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.diff import PATCH_BYTES, FilePatch, read_patch
from clearhouse.proof.door import open_bundle
from clearhouse.proof.patching import Options, check_patch
from clearhouse.proof.runners.choose import Workshop
from clearhouse.proof.text import printable

_LEVELS: Final = {
    "applies": "applies",
    "stops_proof": "stops the proof",
    "stops_variants": "stops variants",
    "keeps_behaviour": "keeps behaviour",
}
_STYLE: Final = {"yes": "green", "no": "bold red", "unknown": "yellow"}
_SHOWN_BYTES: Final = 64
_STANDARD_INPUT: Final = Path("-")


@click.command("check-patch")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("patch", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
@click.option("--explain", "explained", is_flag=True, help="Show what each level rests on.")
@click.option(
    "--also",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Another bundle that proves the same flaw; may be given again.",
)
@click.option(
    "--variants",
    type=click.IntRange(0, 500),
    default=Options().variants,
    show_default=True,
    help="Variants of the proof to find and run.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.5, 3600),
    default=Options().variant_seconds,
    show_default=True,
    help="Time for finding variants.",
)
@click.option("--seed", type=int, default=Options().seed, show_default=True, help="Of chance.")
@click.option("--no-own-tests", is_flag=True, help="Leave the package's own tests out.")
@report_option
def check(
    bundle: Path,
    patch: Path,
    *,
    as_json: bool,
    explained: bool,
    also: tuple[Path, ...],
    variants: int,
    seconds: float,
    seed: int,
    no_own_tests: bool,
    report: Path | None,
) -> ExitCode:
    """Judge PATCH, a unified diff ('-' reads it from standard input), against the proof in BUNDLE.

    Exit code 0 when the patch is accepted, 1 when it is refused.
    """
    opened = open_bundle(bundle)
    others = [open_bundle(path) for path in also]
    raw, files = _read(patch)
    options = Options(
        variants=variants,
        variant_seconds=seconds,
        seed=seed,
        own_tests="skip" if no_own_tests else "run",
    )
    document = _checked(opened, raw, files, others, options)
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        show(document, patch, explained=explained)
    sys.stdout.flush()
    if report is not None:
        from clearhouse.proof.report import patch_page

        write_page(report, patch_page([document]))
    return ExitCode.HOLDS if document["accepted"] else ExitCode.DOES_NOT_HOLD


def _read(patch: Path) -> tuple[bytes, tuple[FilePatch, ...]]:
    where = "standard input" if patch == _STANDARD_INPUT else printable(str(patch))
    try:
        if patch == _STANDARD_INPUT:
            raw = sys.stdin.buffer.read(PATCH_BYTES + 1)
        else:
            with patch.open("rb") as stream:
                raw = stream.read(PATCH_BYTES + 1)
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror}", where=where) from None
    return raw, read_patch(raw, where=where)


def _checked(
    bundle: Bundle,
    raw: bytes,
    files: tuple[FilePatch, ...],
    others: list[Bundle],
    options: Options,
) -> dict[str, Any]:
    progress = Working()
    with Workshop() as workshop, progress:

        def say(step: str) -> None:
            progress.say(bundle.id, step)

        verdict = check_patch(
            bundle, files, raw, workshop, also=others, options=options, progress=say
        )
    return verdict.as_json()


def show(document: Mapping[str, Any], patch: Path, *, explained: bool = False) -> None:
    """Show people a document of ``check-patch``; ``patch`` is what it is called."""
    out = Console(highlight=False, soft_wrap=True)
    accepted = document["accepted"]
    out.print(
        "accepted" if accepted else "refused ",
        style="bold green" if accepted else "bold red",
        end="",
    )
    title = printable(f"  {document['bundle']['id']}  {patch.name}", limit=160)
    out.print(title, markup=False)
    for name, words in _LEVELS.items():
        level = document["levels"][name]
        out.print(f"  {words:<17}", markup=False, end="")
        out.print(f"{level:<9}", style=_STYLE[level], end="")
        out.print(_evidence(name, document), markup=False)
    for reason in document["reasons"]:
        out.print(f"  - {printable(reason)}", markup=False)
    for caveat in document["caveats"]:
        out.print(f"  note: {printable(caveat)}", markup=False)
    if explained:
        _explain(out, document)


def _evidence(name: str, document: Mapping[str, Any]) -> str:
    """A level's figures, in a few words."""
    variants = document["variants"]
    match name:
        case "applies":
            touched = [f for f in document["patch"]["files"] if "distributed_as" in f]
            return f"{len(touched)} of {len(document['patch']['files'])} files are distributed"
        case "stops_proof" if document["effect_gone"] is not None:
            if document["silenced"]:
                return "the fault still happens, silenced"
            return "the effect is gone" if document["effect_gone"] else "it still shows"
        case "stops_variants" if variants["tried"]:
            return f"{len(variants['still_triggering'])} of {variants['tried']} still show it"
        case "keeps_behaviour" if document["controls_same"] is not None:
            return ", ".join(_behaviour(document))
    return ""


def _behaviour(document: Mapping[str, Any]) -> Iterator[str]:
    behaviour, tests = document["behaviour"], document["tests"]
    kinds = dict.fromkeys(one["kind"] for one in document["new_effects"])
    if kinds:
        yield f"new: {', '.join(kinds)}"
    yield "controls alike" if document["controls_same"] else "controls differ"
    if behaviour["tried"]:
        same = behaviour["tried"] - behaviour["altered"] - behaviour["turned_down"]
        yield f"{same} of {behaviour['tried']} harmless inputs alike"
    if not tests["ran"]:
        yield "own tests not run"
    elif tests["newly_failing"]:
        yield "own tests that passed now fail"
    else:
        yield f"{tests['passed']} own tests pass"


def _explain(out: Console, document: Mapping[str, Any]) -> None:
    out.print("  files of the patch:", markup=False)
    for one in document["patch"]["files"]:
        place = one.get("distributed_as") or one.get("why") or ""
        moved = [f"{h['offset']:+d} lines" for h in one["hunks"] if h["offset"]]
        moved += [f"fuzz {h['fuzz']}" for h in one["hunks"] if h["fuzz"]]
        more = f" ({', '.join(moved)})" if moved else ""
        out.print(
            f"    {one['fate']:<9}{printable(one['file'])}  {printable(place)}{more}", markup=False
        )
    for variant in document["variants"]["still_triggering"]:
        out.print(
            f"    {variant['input']}: {variant['how']}: {printable(variant['what'])}", markup=False
        )
        if "base64" in variant:
            data = base64.b64decode(variant["base64"])
            more = f"  ({data!r})" if len(data) <= _SHOWN_BYTES else ""
            out.print(f"      base64 {variant['base64']}{more}", markup=False)
    for example in document["behaviour"]["examples"]:
        out.print(f"    otherwise: {printable(example)}", markup=False)
    for name in document["tests"]["newly_failing"]:
        out.print(f"    fails now: {printable(name)}", markup=False)
    fixed = document["as_fixed"]
    if fixed:
        out.print(
            f"    answers as {fixed['version']} does on {fixed['same']} of {fixed['compared']}"
            " inputs that showed the effect",
            markup=False,
        )
    out.print(f"    {document['seconds']} s", markup=False)
