"""``clearhouse proof from-libfuzzer`` and ``from-aixcc``: other tools' proofs as bundles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from clearhouse.cli.exits import ExitCode
from clearhouse.errors import Invalid, Unavailable
from clearhouse.formats.aixcc import PovSubmission
from clearhouse.proof.convert import (
    Material,
    bundle_files,
    effect_of,
    effect_of_pov,
    language_of,
)
from clearhouse.proof.effects import Effect
from clearhouse.proof.text import printable

_LARGEST = 64 << 20
_Command = TypeVar("_Command", bound=Callable[..., Any])


def _common(command: _Command) -> _Command:
    """The options that both commands have."""
    path = click.Path(path_type=Path)
    for option in (
        click.option("-o", "--output", type=path, required=True, help="Folder to write."),
        click.option("--harness", type=path, required=True, help="The fuzz target's source."),
        click.option("--control", "controls", type=path, multiple=True, help="A benign input."),
        click.option("--purl", help="Package and version attacked."),
        click.option("--fixed", help="Version in which it is fixed."),
        click.option("--source", type=path, help="Archive of the target's source to ship."),
        click.option("--build", multiple=True, help="Command that builds it."),
        click.option("--id", "identifier", help="Your identifier."),
        click.option("--title", help="One plain sentence."),
        click.option("--finder", help="Who or which system found it."),
    ):
        command = option(command)
    return command


@click.command("from-libfuzzer")
@click.argument("crash", type=click.Path(path_type=Path))
@click.option(
    "--effect",
    type=click.Choice([str(effect) for effect in Effect]),
    help="By default as the file's name says (crash-, timeout-, oom-).",
)
@_common
def from_libfuzzer(crash: Path, effect: str | None, harness: Path, **options: Any) -> ExitCode:  # noqa: ANN401 - click's options
    """Make a bundle of CRASH, a file that libFuzzer, atheris or jazzer.js left behind."""
    language = language_of(harness.name)
    shown = Effect(effect) if effect else effect_of(crash.name, language)
    if shown is None:
        raise Invalid(
            "expected a name beginning with crash-, timeout- or oom-, or --effect", where=crash.name
        )
    return _write(crash.name, shown, _read(crash), harness, **options)


@click.command("from-aixcc")
@click.argument("submission", type=click.Path(path_type=Path))
@_common
def from_aixcc(submission: Path, harness: Path, **options: Any) -> ExitCode:  # noqa: ANN401 - click's options
    """Make a bundle of SUBMISSION, the JSON of a proof of vulnerability of the AI Cyber Challenge.

    The harness that it names by fuzzer_name is the task's; give its source with --harness.
    """
    pov = PovSubmission.from_json(_read(submission), where=submission.name)
    effect = effect_of_pov(language_of(harness.name))
    title = options.pop("title") or f"{effect} found by a reasoning system in {pov.fuzzer_name}"
    return _write(submission.stem, effect, pov.testcase, harness, title=title, **options)


def _write(
    name: str, effect: Effect, poc: bytes, harness: Path, *, output: Path,
    controls: tuple[Path, ...], purl: str | None, fixed: str | None, source: Path | None,
    build: tuple[str, ...], identifier: str | None, title: str | None, finder: str | None,
) -> ExitCode:  # fmt: skip
    material = Material(
        id=identifier or name[:200],
        title=title or f"{effect} found by fuzzing {harness.name}",
        effect=effect,
        harness_name=harness.name,
        harness=_read(harness),
        poc=poc,
        controls=[_read(path) for path in controls] or [b"\n"],
        purl=purl,
        fixed=fixed,
        source_name=source.name if source else None,
        source=_read(source) if source else None,
        build=build,
        finder=finder,
    )
    files, bundle = bundle_files(material)
    try:
        output.mkdir(parents=True)
        for file, content in files.items():
            (output / file).write_bytes(content)
    except FileExistsError:
        raise Invalid(
            "is there already; nothing was overwritten", where=printable(str(output))
        ) from None
    except OSError as error:
        raise Unavailable(f"{output} cannot be written: {error.strerror}") from None
    click.echo(f"wrote {printable(str(output))} ({bundle.effect}, {bundle.digest})")
    if not controls:
        click.echo(
            "The control is one line break; a control of the same kind as the poc proves more:"
            " replace control-1.bin, or give --control."
        )
    return ExitCode.HOLDS


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise Invalid(f"is larger than {_LARGEST >> 20} MiB", where=printable(str(path)))
        return path.read_bytes()
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror}", where=printable(str(path))) from None
