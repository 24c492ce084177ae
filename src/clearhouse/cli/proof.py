"""``clearhouse proof``: write, look at and pack a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click
from packageurl import PackageURL

from clearhouse.cli.exits import ExitCode
from clearhouse.cli.lazy import Lazy, LazyGroup
from clearhouse.errors import Invalid, Unavailable
from clearhouse.proof.authoring import (
    HARNESS_LANGUAGES,
    LANGUAGE_OF_TYPE,
    Draft,
    first_files,
    pack,
    summary,
)
from clearhouse.proof.bundle import Language
from clearhouse.proof.door import open_bundle
from clearhouse.proof.effects import Effect
from clearhouse.proof.text import printable

#: Commands that live in modules of their own.
COMMANDS: Final[dict[str, Lazy]] = {
    "minimise": Lazy("clearhouse.cli.shrink:minimise", "Shrink inputs while the verdict holds."),
    "diff": Lazy("clearhouse.cli.shrink:diff", "Print how the fixed version's code differs."),
    "from-libfuzzer": Lazy(
        "clearhouse.cli.convert:from_libfuzzer", "Make a bundle of a fuzzer's crash file."
    ),
    "from-aixcc": Lazy(
        "clearhouse.cli.convert:from_aixcc", "Make a bundle of an AIxCC proof of vulnerability."
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def proof() -> None:
    """Write, look at and pack a proof bundle."""


@proof.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--purl", required=True, help="Package and version attacked, as pkg:pypi/name@1.2.3.")
@click.option(
    "--effect",
    required=True,
    type=click.Choice([str(effect) for effect in Effect]),
    help="What the input makes the target do.",
)
@click.option("--cwe", required=True, type=int, help="Number of the weakness, as 79.")
@click.option("--id", "identifier", help="Your identifier; the folder's name by default.")
@click.option("--title", help="One plain sentence.")
@click.option(
    "--language",
    type=click.Choice([str(language) for language in HARNESS_LANGUAGES]),
    help="Language of the harness; the package's by default.",
)
def init(
    folder: Path,
    purl: str,
    effect: str,
    cwe: int,
    identifier: str | None,
    title: str | None,
    language: str | None,
) -> ExitCode:
    """Write a new bundle to FOLDER: the manifest, a harness, a poc and a control to replace."""
    package = _package(purl)
    draft = Draft(
        id=identifier or folder.resolve().name,
        title=title or f"{effect} in {package.name}",
        effect=Effect(effect),
        cwe=cwe,
        purl=package,
        language=Language(language) if language else _language_of(package),
    )
    files = first_files(draft)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            # "x": what is there already is the finder's.
            with (folder / name).open("xb") as stream:
                stream.write(content)
            click.echo(f"wrote {printable(str(folder / name))}")
    except FileExistsError as error:
        raise Invalid(
            "is there already; nothing was overwritten", where=str(error.filename)
        ) from None
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written: {error.strerror}") from None
    click.echo(
        "Now put the bytes into poc.bin and control.bin, complete the harness, and run:"
        f" clearhouse prove {printable(str(folder))}"
    )
    return ExitCode.HOLDS


def _package(text: str) -> PackageURL:
    try:
        return PackageURL.from_string(text)
    except ValueError:
        raise Invalid(
            f"expected a purl such as pkg:pypi/sqlparse@0.4.4, found '{printable(text)}'",
            key="--purl",
        ) from None


def _language_of(package: PackageURL) -> Language:
    language = LANGUAGE_OF_TYPE.get(package.type)
    if language is None:
        known = ", ".join(LANGUAGE_OF_TYPE)
        raise Invalid(
            f"expected a purl of type {known}, or --language; found '{printable(package.type)}'",
            key="--purl",
        )
    return language


@proof.command("show")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def show(bundle: Path, as_json: bool) -> ExitCode:  # noqa: FBT001 - click's flag
    """Show what BUNDLE claims, without running anything of it."""
    claims = summary(open_bundle(bundle))
    if as_json:
        click.echo(json.dumps(claims))
    else:
        for key, value in claims.items():
            if value not in (None, {}, [], ""):
                click.echo(f"{key + ':':<10}{printable(_plain(value))}")
    return ExitCode.HOLDS


def _plain(value: Any) -> str:  # noqa: ANN401 - any value of a JSON document
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, dict):
        if value.keys() == {"name", "bytes"}:
            return f"{value['name']} ({value['bytes']} bytes)"
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items() if item is not None)
    return str(value)


@proof.command("pack")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where to write; the bundle's name with .zip by default.",
)
def pack_command(bundle: Path, output: Path | None) -> ExitCode:
    """Check BUNDLE and write it as one .zip, the same bytes for the same files everywhere."""
    opened = open_bundle(bundle)
    name = bundle.resolve().name if bundle.is_dir() else bundle.name.partition(".")[0]
    target = output or Path(f"{name}.zip")
    try:
        with target.open("xb") as stream:
            stream.write(pack(opened))
    except FileExistsError:
        raise Invalid(
            "is there already; nothing was overwritten", where=printable(str(target))
        ) from None
    except OSError as error:
        raise Unavailable(f"{target} cannot be written: {error.strerror}") from None
    click.echo(f"{printable(str(target))} {opened.digest}")
    return ExitCode.HOLDS
