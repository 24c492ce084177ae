"""``clearhouse prove``: run bundles and say what they show."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import click
from click.core import ParameterSource
from rich.console import Console

from clearhouse.cli.exits import ExitCode, exit_code_of
from clearhouse.cli.model_options import Means, means
from clearhouse.cli.page import report_option, write_page
from clearhouse.cli.progress import Working
from clearhouse.errors import ClearhouseError
from clearhouse.proof.door import open_bundle
from clearhouse.proof.explain import explain, one_line
from clearhouse.proof.prove import RUNS
from clearhouse.proof.prove import prove as prove_bundle
from clearhouse.proof.runners.choose import Workshop
from clearhouse.proof.text import printable

T = TypeVar("T")

_STYLE: Final = {
    "differential": "bold green",
    "attributed": "green",
    "reproduced": "yellow",
    "claimed": "red",
}
#: Of several bundles the gravest outcome is the command's: could not run, bad input, not proven.
_ORDER: Final = (ExitCode.COULD_NOT_RUN, ExitCode.BAD_INPUT, ExitCode.DOES_NOT_HOLD)


@click.command("prove")
@click.argument("bundles", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--with", "model", metavar="MODEL", help="Have a model show what reports claim.")
@click.option("--target", metavar="PURL", help="With --with: what the reports are about.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="With --with: folder for the bundles that prove.",
)
@click.option("--finder", help="With --with: who is named as finder; by default the model.")
@click.option("--fixed", metavar="VERSION", help="With --with: a version without the flaw.")
@click.option("--requires", multiple=True, metavar="PURL", help="With --with: see hunt.")
@click.option(
    "--most",
    type=click.IntRange(1, 200),
    default=20,
    show_default=True,
    help="With --with: findings judged for each report.",
)
@means
@click.option("--json", "as_json", is_flag=True, help="One JSON document a line, nothing else.")
@click.option("--explain", "explained", is_flag=True, help="Show the whole evidence.")
@report_option
@click.option(
    "--runs", type=click.IntRange(1, 20), default=RUNS, show_default=True, help="Runs of each poc."
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=os.cpu_count() or 1,
    show_default="processors",
    help="Bundles worked on at once.",
)
def prove(
    bundles: tuple[Path, ...],
    *,
    as_json: bool,
    explained: bool,
    report: Path | None,
    runs: int,
    jobs: int,
    model: str | None,
    **options: Any,  # noqa: ANN401 - click's options
) -> ExitCode:
    """Run each BUNDLE (a folder, .zip or .tar.gz) and grade what it shows.

    With --with each BUNDLE is a report instead (text, JSON, SARIF), which a model works out in a
    sandbox; --output gets what proves.

    Exit code 0 when every bundle is proven (attributed or better), and every report with --with.
    """
    given, others = Means.of(options)
    if model is not None:
        from clearhouse.cli.prove_with import prove_with

        return prove_with(model, bundles, given=given, as_json=as_json, **others)
    _without_model(others)
    out = Console(highlight=False, soft_wrap=True)
    codes: list[ExitCode] = []
    documents: list[dict[str, Any]] = []
    for path, verdict, error in _verdicts(bundles, runs, jobs):
        document = _refusal(path, error) if error is not None else verdict
        assert document is not None
        if error is not None:
            codes.append(exit_code_of(error))
            click.echo(f"clearhouse: {printable(str(path))}: {printable(str(error))}", err=True)
        else:
            codes.append(_code_of(document))
        if report is not None:
            documents.append(document)
        if as_json:
            click.echo(json.dumps(document, ensure_ascii=False))
        elif error is None:
            _show(out, document, explained=explained)
        sys.stdout.flush()
    if report is not None:
        _write_report(report, documents)
    return next((code for code in _ORDER if code in codes), ExitCode.HOLDS)


def _without_model(others: dict[str, Any]) -> None:
    """Raise a usage error where options were given that mean nothing without a model."""
    context = click.get_current_context()
    names = [*Means.__dataclass_fields__, *others]
    for name in names:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --with")


def _code_of(document: dict[str, Any]) -> ExitCode:
    if document["proven"]:
        return ExitCode.HOLDS
    loaded = any(run["outcome"] not in ("not-loaded", "broken") for run in document["runs"])
    return ExitCode.DOES_NOT_HOLD if loaded else ExitCode.COULD_NOT_RUN


def proven_documents(
    paths: Sequence[Path], *, jobs: int, runs: int = RUNS
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The verdict documents of bundles; one that could not be judged has an ``error`` instead."""
    for path, document, error in _verdicts(paths, runs, jobs):
        yield path, _refusal(path, error) if error is not None else document or {}


def _write_report(report: Path, documents: Sequence[dict[str, Any]]) -> None:
    from clearhouse.proof.report import verdicts_page

    write_page(report, verdicts_page(documents))


def _refusal(path: Path, error: ClearhouseError) -> dict[str, Any]:
    """What stands in the place of a verdict that could not be made: nothing is left out."""
    return {
        "format": 1,
        "bundle": {"id": str(path), "digest": None},
        "error": {"kind": type(error).__name__, "message": str(error)},
        "grade": None,
        "proven": False,
    }


def _show(out: Console, document: dict[str, Any], *, explained: bool) -> None:
    if explained:
        for line in explain(document):
            out.print(line, markup=False)
        return
    grade = document["grade"]
    out.print(f"{grade:<13}", style=_STYLE[grade], end="")
    out.print(one_line(document), markup=False)


def _verdicts(
    paths: Sequence[Path], runs: int, jobs: int
) -> Iterator[tuple[Path, dict[str, Any] | None, ClearhouseError | None]]:
    """Verdicts in the order asked for; work goes on ahead on as many threads as there are jobs.

    Only as many results as threads wait to be shown, so memory does not grow with the queue.
    """
    workers = Workers(min(jobs, len(paths)))
    progress = Working()
    with workers, progress:

        def work(path: Path) -> dict[str, Any]:
            bundle = open_bundle(path)

            def say(step: str) -> None:
                progress.say(bundle.id, step)

            return prove_bundle(bundle, workers.workshop(), runs=runs, progress=say).as_json()

        waiting: list[tuple[Path, Future[dict[str, Any]]]] = []
        ahead = iter(paths)
        for path in ahead:
            waiting.append((path, workers.submit(work, path)))
            if len(waiting) >= 2 * workers.count:
                break
        while waiting:
            path, future = waiting.pop(0)
            try:
                yield path, future.result(), None
            except ClearhouseError as error:
                yield path, None, error
            following = next(ahead, None)
            if following is not None:
                waiting.append((following, workers.submit(work, following)))


class Workers:
    """Threads with a workshop each."""

    def __init__(self, count: int) -> None:
        self.count = max(1, count)
        self._pool = ThreadPoolExecutor(self.count)
        self._own = threading.local()
        self._all: list[Workshop] = []

    def workshop(self) -> Workshop:
        """The calling thread's workshop."""
        mine: Workshop | None = getattr(self._own, "workshop", None)
        if mine is None:
            mine = self._own.workshop = Workshop()
            self._all.append(mine)
        return mine

    def submit(self, work: Callable[[Path], T], path: Path) -> Future[T]:
        """Have a thread work on a path."""
        return self._pool.submit(work, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        for workshop in self._all:
            workshop.close()
