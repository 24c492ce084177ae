"""The ``--report`` of commands: where the HTML page goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from clearhouse.errors import Unavailable
from clearhouse.proof.text import printable

F = TypeVar("F", bound=Callable[..., Any])


def _place(_: click.Context, __: click.Parameter, value: Path | None) -> Path | None:
    """Refuse at once what could not be written after minutes of running."""
    if value is not None and not value.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {printable(str(value.parent))}")
    return value


def report_option(command: F) -> F:
    """Give a command the option ``--report FILE``."""
    return click.option(
        "--report",
        type=click.Path(path_type=Path, dir_okay=False, writable=True),
        callback=_place,
        metavar="FILE",
        help="Write a self-contained HTML page.",
    )(command)


def write_page(place: Path, page: str) -> None:
    """Write the page and say so on standard error.  Raises Unavailable where it cannot be."""
    shown = printable(str(place))
    try:
        place.write_text(page, encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"{shown} cannot be written: {error.strerror}") from None
    click.echo(f"clearhouse: report written to {shown}", err=True)
