"""``clearhouse patch``: have a model mend what a bundle proves; ``check-patch`` judges it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clearhouse.cli.check_patch import show
from clearhouse.cli.exits import ExitCode
from clearhouse.cli.model_options import Means, course, ended, evaluation, means, show_course, tell
from clearhouse.errors import Invalid, Unavailable
from clearhouse.proof.door import open_bundle
from clearhouse.proof.patching import Options
from clearhouse.proof.text import printable

if TYPE_CHECKING:
    from clearhouse.benchmark.hunt.record import Judged


@click.command("patch")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--with", "model", required=True, help="Any of Inspect's models, as PROVIDER/NAME.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for the patch.",
)
@click.option("--even-refused", is_flag=True, help="Write the best also where none is accepted.")
@click.option(
    "--most", type=click.IntRange(1, 50), default=8, show_default=True, help="Patches judged."
)
@click.option(
    "--variants",
    type=click.IntRange(0, 500),
    default=Options().variants,
    show_default=True,
    help="Variants of the proof to find and run.",
)
@click.option("--no-own-tests", is_flag=True, help="Leave the package's own tests out.")
@means
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def patch(
    bundle: Path, *, model: str, output: Path, even_refused: bool, most: int, variants: int,
    no_own_tests: bool, as_json: bool, **options: Any,  # noqa: ANN401 - click's options
) -> ExitCode:  # fmt: skip
    """Have a model mend what BUNDLE proves, and judge each patch as 'check-patch' does.

    An accepted patch is written to --output: it stops the proof and its variants, keeps the
    behaviour, and the package's own tests, where they run, pass as before. The verdict says with
    which confidence. Exit code 0 when one is accepted, 1 when none is, 3 when the attempt could not
    be carried through.
    """
    from clearhouse.benchmark.hunt.mending import Confidence, confidence

    given, _ = Means.of(options)
    given.check()
    if output.exists():
        raise Invalid("is there already; nothing is overwritten", where=printable(str(output)))
    if not output.absolute().parent.is_dir():
        raise Invalid("there is no folder for it", where=printable(str(output)))
    opened = open_bundle(bundle)
    mending = evaluation("mending")
    settings = given.settings()
    checks = Options(variants=variants, own_tests="skip" if no_own_tests else "run")
    click.echo(f"mending {printable(opened.id)}", err=True)
    what = mending.flawed(opened, checks)
    logs, judged = mending.mend(what, model, settings, most=most, say=tell)
    best = best_of(judged)
    verdict = dict(best.verdict) if best is not None and best.verdict else None
    sure = confidence(verdict) if verdict is not None else Confidence.NONE
    written = best is not None and (best.good or even_refused)
    if best is not None and written:
        _write(output, best.data)
    document: dict[str, Any] = {
        "format": 1,
        "bundle": {"id": opened.id, "digest": opened.digest},
        "accepted": bool(best and best.good),
        "confidence": sure.value,
        "path": str(output) if written else None,
        "verdict": verdict,
        "proposed": [{"accepted": one.good, "reason": one.reason} for one in judged],
        **course(logs),
    }
    code = ended(document, holds=bool(best and best.good))
    if as_json:
        from clearhouse.cli.found import emit

        emit(document)
        return code
    if verdict is None:
        click.echo(f"no patch of {len(judged)} could be judged")
    else:
        show(verdict, output)
        click.echo(f"  confidence       {sure.value}")
        click.echo(f"  {'written to ' + printable(str(output)) if written else 'not written'}")
    show_course(document)
    return code


def best_of(judged: Sequence[Judged]) -> Judged | None:
    """The accepted patch, or else the one with the fewest levels that say no; None without any."""
    from clearhouse.benchmark.hunt.mending import standing

    found = [one for one in judged if one.verdict is not None]
    return max(found, key=lambda one: (one.good, standing(one.verdict or {})), default=None)


def _write(output: Path, data: bytes) -> None:
    try:
        with output.open("xb") as stream:
            stream.write(data)
    except OSError as error:
        raise Unavailable(f"{printable(str(output))} cannot be written: {error.strerror}") from None
