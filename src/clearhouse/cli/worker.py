"""``clearhouse worker``: do the office's jobs."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from signal import SIGINT, SIGTERM, Signals
from typing import TYPE_CHECKING

import click

from clearhouse.proof.text import printable

if TYPE_CHECKING:
    from clearhouse.office.queue.supervisor import Supervisor
    from clearhouse.office.queue.worker import Outcome


@click.command("worker")
@click.option(
    "--count",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Processes to start; one that dies is started again.",
)
@click.option("--kinds", help="Only jobs of these kinds, separated by commas.")
@click.option(
    "--lease",
    type=click.FloatRange(min=1),
    default=60,
    show_default=True,
    help="Seconds of silence after which another worker takes a job over.",
)
@click.option("--once", is_flag=True, help="End when no job is left that could start now.")
@click.option("--quiet", is_flag=True, help="No line for each job.")
def worker(*, count: int, kinds: str | None, lease: float, once: bool, quiet: bool) -> None:
    """Take jobs from the office's queue and do them, one at a time in each process.

    Any number of machines may do so, on one PostgreSQL database. A process that is killed loses
    nothing: its job goes to another. The first Ctrl-C lets jobs end, the second gives them back.
    """
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clearhouse.office.settings")
    django.setup()
    from clearhouse.office.queue import handlers

    chosen = _chosen(kinds, handlers.kinds())
    if once and count == 1:
        work(1, chosen, lease=lease, once=True, quiet=quiet, signals=(SIGTERM, SIGINT))
        return
    crew(count, kinds=chosen, lease=lease, once=once, quiet=quiet).run()


def crew(
    count: int,
    *,
    kinds: tuple[str, ...] | None = None,
    lease: float,
    once: bool = False,
    quiet: bool = True,
) -> Supervisor:
    """So many workers, started again when they die.  Django is set up."""
    from clearhouse.office.queue.supervisor import Supervisor

    works = {
        # Beside others, Ctrl-C is for the supervisor.
        f"worker {number}": partial(
            work, number, kinds, lease=lease, once=once, quiet=quiet, signals=(SIGTERM,)
        )
        for number in range(1, count + 1)
    }
    return Supervisor(works, say=lambda line: click.echo(f"clearhouse: {line}", err=True))


def work(
    number: int,
    kinds: tuple[str, ...] | None,
    *,
    lease: float,
    once: bool,
    quiet: bool,
    signals: tuple[Signals, ...],
) -> None:
    """Be a worker until a signal, or with ``once`` until no job is left.  ``kinds`` None: all."""
    from clearhouse.office.queue.worker import Worker

    def report(outcome: Outcome) -> None:
        if not quiet:
            click.echo(_line(number, outcome))
            sys.stdout.flush()

    one = Worker(kinds=kinds, lease=timedelta(seconds=lease), report=report)
    one.stop_on(*signals)
    if once:
        one.drain()
    else:
        one.serve()


def _chosen(text: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    if text is None:
        return known
    chosen = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = sorted(set(chosen) - set(known))
    if unknown or not chosen:
        raise click.UsageError(
            f"no such kind of job: {', '.join(unknown) or repr(text)} (one of: {', '.join(known)})"
        )
    return chosen


def _line(number: int, outcome: Outcome) -> str:
    when = f"{datetime.now(UTC):%H:%M:%S}"
    text = f"{outcome.kind} {outcome.key}: {outcome.ending.value}"
    if outcome.reason:
        text += f" ({outcome.reason})"
    return f"{when} worker {number}  {outcome.seconds:6.2f} s  {printable(text)}"
