"""``clearhouse history``: which releases of a package have the flaw, by running them."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.text import Text

from clearhouse.cli.exits import ExitCode
from clearhouse.cli.page import report_option, write_page
from clearhouse.cli.progress import Working
from clearhouse.errors import Invalid
from clearhouse.formats.osv import Affected
from clearhouse.formats.osv_reading import affected_of
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.comparison import Comparison, compare
from clearhouse.proof.dating import Plan, date, package_of
from clearhouse.proof.door import open_bundle
from clearhouse.proof.ecosystems import ecosystem_of
from clearhouse.proof.entries import Entry
from clearhouse.proof.history import History
from clearhouse.proof.search import Standing
from clearhouse.proof.standing import Status
from clearhouse.proof.text import printable

_STYLE: Final = {
    Status.AFFECTED: "bold red",
    Status.CLEAN: "green",
    Status.REFUSED: "cyan",
    Status.UNRUNNABLE: "bright_black",
    Status.INCONCLUSIVE: "yellow",
}
#: Colour alone tells nothing to some readers: each status has its own mark in the strip.
_MARK: Final = {
    Status.AFFECTED: "█",
    Status.CLEAN: "▁",
    Status.REFUSED: "▂",
    Status.UNRUNNABLE: "·",
    Status.INCONCLUSIVE: "?",
}
_LARGEST_ADVISORY: Final = 64 << 20
_WIDTH: Final = 100


@click.command("history")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
@click.option("--all", "everything", is_flag=True, help="Run every release.")
@click.option(
    "--every",
    type=click.IntRange(1, 1000),
    help="Leave fewer than this many neighbouring releases unrun; by default about 32 samples.",
)
@click.option("--afresh", is_flag=True, help="Run again what was run before.")
@click.option(
    "--compare",
    "advisory",
    type=click.Path(path_type=Path),
    help="An OSV record to hold against the runs.",
)
@report_option
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=os.cpu_count() or 1,
    show_default="processors",
    help="Releases run at once.",
)
def history(
    bundle: Path,
    *,
    as_json: bool,
    everything: bool,
    every: int | None,
    afresh: bool,
    advisory: Path | None,
    report: Path | None,
    jobs: int,
) -> ExitCode:
    """Run BUNDLE over the released versions of its package and draw the affected ranges.

    Exit code 0 when releases are shown affected, 1 when the proof does not hold on the version
    it attacks.
    """
    opened = open_bundle(bundle)
    declared = _advisory(advisory, opened) if advisory is not None else None
    out = Console(highlight=False, soft_wrap=True)
    plan = Plan(every=1 if everything else every, jobs=jobs, afresh=afresh)
    found = _date(opened, plan, None if as_json else out)
    if declared is not None:
        key = ecosystem_of(package_of(opened).type).key
        found = found.compared_with(compare(found.entries, declared, key))
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        _summary(out, found)
    sys.stdout.flush()
    if report is not None:
        from clearhouse.proof.report import history_page

        write_page(report, history_page([found.as_json()]))
    return ExitCode.HOLDS if found.affected and not found.problem else ExitCode.DOES_NOT_HOLD


def _advisory(path: Path, bundle: Bundle) -> Affected:
    """Read the record before anything is run; a mistake in it should not cost minutes."""
    where = printable(str(path))
    try:
        if path.stat().st_size > _LARGEST_ADVISORY:
            raise Invalid(f"expected at most {_LARGEST_ADVISORY >> 20} MiB", where=where)
        raw = json.loads(path.read_bytes())
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror}", where=where) from None
    except (ValueError, RecursionError):
        raise Invalid("expected an OSV record in JSON", where=where) from None
    purl = package_of(bundle)
    name = f"{purl.namespace}/{purl.name}" if purl.namespace else str(purl.name)
    same_name = ecosystem_of(purl.type).same_name
    return affected_of(raw, kind=purl.type, name=name, same_name=same_name, where=where)


def _date(bundle: Bundle, plan: Plan, out: Console | None) -> History:
    """Make the history; each release is shown as soon as it is known."""
    progress = Working()
    with progress:

        def say(step: str) -> None:
            progress.say(bundle.id, step)

        def show(entry: Entry) -> None:
            if out is not None:
                _line(out, entry)

        return date(bundle, plan=plan, told=show, progress=say)


def _line(out: Console, entry: Entry) -> None:
    text = Text()
    text.append(f"{entry.status.value:<14}", style=_STYLE[entry.status])
    text.append(f"{printable(entry.version):<14} ", style="bold")
    text.append(printable(entry.why, limit=200))
    out.print(text)
    sys.stdout.flush()


def _summary(out: Console, found: History) -> None:
    subject = found.subject
    counted = Counter(entry.status for entry in found.entries)
    run = sum(entry.run for entry in found.entries)
    out.print()
    out.print(Text(f"{subject.id}: {printable(subject.title)}", style="bold"))
    if found.problem is not None:
        out.print(Text(printable(found.problem)))
        return
    out.print(
        Text(
            f"{printable(subject.package)}: {len(found.entries)} releases, {run} run"
            f" ({found.executions} runs of the harness): "
            + ", ".join(f"{counted[status]} {status.value}" for status in Status if counted[status])
        )
    )
    if out.is_terminal:
        _strip(out, found)
    for stretch in found.stretches:
        count = f"{stretch.run} of {len(stretch.entries)} run"
        text = Text()
        text.append(f"  {stretch.status.value:<14}", style=_STYLE[stretch.status])
        text.append(f"{printable(stretch.span):<24} {count:<16}")
        text.append(printable(stretch.why, limit=120), style="bright_black")
        out.print(text)
    for interval in found.intervals:
        out.print(Text(f"affected      {printable(str(interval))}", style="bold"))
    for line in (*_unknown(found), found.risk, found.meaning):
        out.print(Text(printable(line)))
    if found.comparison is not None:
        out.print()
        for line in _compared(found.comparison, found):
            out.print(Text(printable(line)))


def _strip(out: Console, found: History) -> None:
    """A mark for each release, oldest first; those not run are dimmed."""
    width = max(20, min(out.width, _WIDTH) - 4)
    text = Text("  ")
    for number, entry in enumerate(found.entries):
        if number and number % width == 0:
            text.append("\n  ")
        text.append(_MARK[entry.status], style=_STYLE[entry.status] + ("" if entry.run else " dim"))
    out.print(text)
    legend = Text("  ")
    for status in Status:
        legend.append(f"{_MARK[status]} {status.value}  ", style=_STYLE[status])
    legend.append("dim: not run")
    out.print(legend)


def _unknown(found: History) -> Iterator[str]:
    undecided = [s for s in found.stretches if s.status.standing is Standing.UNDECIDED]
    inside = {one.version for one in found.unknown if one.inside}
    outside_grammar = [s for s in found.stretches if not s.entries[0].ordered]
    ordered = [s for s in undecided if s.entries[0].ordered]
    for words, stretches in (
        (
            "Not known, though the ranges span them",
            [s for s in ordered if s.entries[0].version in inside],
        ),
        (
            "Not known, and in no range",
            [s for s in ordered if s.entries[0].version not in inside],
        ),
        ("Outside the ecosystem's order, so in no range", outside_grammar),
    ):
        spans = ", ".join(f"{stretch.span} ({stretch.status.value})" for stretch in stretches)
        if spans:
            yield f"{words}: {spans}."


def _compared(comparison: Comparison, found: History) -> Iterator[str]:
    yield f"declared by {comparison.advisory}: {comparison.declared}"
    yield f"executed: {'; '.join(str(one) for one in found.intervals) or 'nothing affected'}"
    if comparison.withdrawn:
        yield f"the advisory was withdrawn on {comparison.withdrawn}"
    yield f"{comparison.agreed} releases agree, {_count(comparison)}"
    for difference in comparison.differences:
        yield f"  differs: {difference}"
    for difference in comparison.undecided:
        yield f"  not decided here: {difference}"


def _count(comparison: Comparison) -> str:
    differ = sum(len(one.versions) for one in comparison.differences)
    undecided = sum(len(one.versions) for one in comparison.undecided)
    return f"{differ} differ, {undecided} are not decided here"
