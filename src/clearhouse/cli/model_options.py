"""What commands that send a model on an errand have in common: options, budget, how they end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from clearhouse.cli.exits import ExitCode
from clearhouse.errors import Unavailable
from clearhouse.proof.text import printable

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

    from clearhouse.benchmark.evaluation.running import Settings
    from clearhouse.benchmark.hunt.record import Judged

F = TypeVar("F", bound=Callable[..., Any])

#: What a text from a model or a target takes of a line.
SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Means:
    """What an errand may use, as the options say it."""

    log_dir: Path | None = None
    tokens: int = 2_000_000
    minutes: float = 60.0
    usd: float | None = None
    prices: Path | None = None
    messages: int | None = None
    retries: int = 1
    sandbox: str = "bwrap"

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> tuple[Means, dict[str, Any]]:
        """The means among a command's options, and the other options."""
        names = set(cls.__dataclass_fields__)
        own = {key: value for key, value in options.items() if key in names}
        return cls(**own), {key: value for key, value in options.items() if key not in names}

    @property
    def is_default(self) -> bool:
        """Whether nothing was asked for."""
        return self == Means()

    def check(self) -> None:
        """Raise a usage error where they do not fit each other, before Inspect is imported."""
        if self.log_dir is None:
            raise click.UsageError("--log-dir says where the run is kept; give it again to go on")
        if self.usd is not None and self.prices is None:
            raise click.UsageError("--usd needs --prices: what the model's tokens cost")

    def settings(self, *, attempts: int = 1) -> Settings:
        """The settings of a run, once they are checked.

        Inspect itself shows nothing: what a model and a target say is not for a terminal.
        """
        assert self.log_dir is not None
        from clearhouse.benchmark.evaluation.budget import Budget
        from clearhouse.benchmark.evaluation.running import Settings
        from clearhouse.benchmark.evaluation.sandbox_config import BubblewrapConfig

        budget = Budget(
            tokens=self.tokens, seconds=self.minutes * 60, usd=self.usd, messages=self.messages,
            attempts=attempts,
        )  # fmt: skip
        return Settings(
            log_dir=self.log_dir,
            budget=budget,
            sandbox=BubblewrapConfig() if self.sandbox == "bwrap" else self.sandbox,
            retries=self.retries,
            prices=self.prices,
            display="none",
        )


def means(command: F) -> F:
    """Give a command the options of :class:`Means`."""
    default, positive = Means(), click.FloatRange(0, min_open=True)
    folder = click.Path(path_type=Path, file_okay=False)
    file = click.Path(path_type=Path, exists=True, dir_okay=False)
    options = (
        click.option(
            "--log-dir", type=folder,
            help="Folder of this run; running again with it resumes.",
        ),
        click.option(
            "--tokens", type=click.IntRange(1), default=default.tokens, show_default=True,
            help="Of one attempt.",
        ),
        click.option(
            "--minutes", type=positive, default=default.minutes, show_default=True,
            help="Of one attempt.",
        ),
        click.option("--usd", type=positive, help="Of one attempt; needs --prices."),
        click.option(
            "--prices", type=file,
            help="JSON or YAML file with what a million tokens of each model cost.",
        ),
        click.option("--messages", type=click.IntRange(1), help="Of one attempt."),
        click.option(
            "--retries", type=click.IntRange(0), default=default.retries, show_default=True,
            help="Of errors.",
        ),
        click.option(
            "--sandbox", default=default.sandbox, show_default=True,
            help="Or another of Inspect's with its file, such as k8s:values.yaml.",
        ),
    )  # fmt: skip
    for option in reversed(options):  # so that they are listed as they stand here
        command = option(command)
    return command


def evaluation(module: str) -> ModuleType:
    """A module of ``benchmark.evaluation``.

    Raises :class:`Unavailable` with what is to be installed where Inspect AI is not.
    """
    from importlib import import_module

    try:
        return import_module(f"clearhouse.benchmark.evaluation.{module}")
    except ModuleNotFoundError as error:
        raise Unavailable(
            f"this needs Inspect AI ({error.name} is missing): install clearhouse[evaluation]"
        ) from error


def tell(one: Judged) -> None:
    """Say on standard error what was judged, as soon as it is."""
    word = one.grade or ("accepted" if one.good else "refused")
    click.echo(f"{word:<13} {printable(one.reason, limit=SHOWN)}", err=True)


def course(logs: Sequence[EvalLog]) -> dict[str, Any]:
    """How the attempts went, for a document."""
    from clearhouse.benchmark.evaluation.closing import counted
    from clearhouse.benchmark.evaluation.running import rows

    found = rows(logs)
    return {
        "attempts": len(found),
        "outcomes": counted(row.outcome for row in found),
        "errors": dict(Counter(row.why for row in found if row.outcome.value == "error")),
        "tokens": sum(row.tokens for row in found),
        "seconds": round(sum(row.total_s for row in found), 1),
        "logs": [log.location.removeprefix("file://") for log in logs],
    }


def ended(document: Mapping[str, Any], *, holds: bool) -> ExitCode:
    """The exit code: an attempt that could not be carried through is graver than nothing found."""
    if document["outcomes"]["error"] or not document["attempts"]:
        return ExitCode.COULD_NOT_RUN
    return ExitCode.HOLDS if holds else ExitCode.DOES_NOT_HOLD


def show_course(document: Mapping[str, Any]) -> None:
    """Say how the attempts went."""
    counts = ", ".join(f"{n} {name}" for name, n in document["outcomes"].items() if n)
    click.echo(f"{document['attempts']} attempts: {counts}; {document['tokens']} tokens")
    for why in document["errors"]:
        click.echo(f"  error: {printable(why, limit=SHOWN)}")
    for log in document["logs"][:1]:
        click.echo(f"'inspect view --log-dir {printable(str(Path(log).parent))}' shows them")
