"""What a verdict rests on, as parts of a page.  Pure: verdict documents in, tables out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clearhouse.office.look.table import Column, Table
from clearhouse.proof.explain import explain, place, what_happened
from clearhouse.proof.report.words import GRADES, SUMMARIES
from clearhouse.proof.text import printable

_OWNERS: Final[Mapping[str, str]] = {
    "target": "the target",
    "harness": "the harness",
    "dependency": "a dependency",
    "runtime": "the runtime",
    "observer": "the observer",
}
_WHY: Final = 300


@dataclass(frozen=True, slots=True)
class Evidence:
    """A verdict in the parts that its page shows."""

    summary: str
    grades: Sequence[tuple[str, str, bool]]
    happened: str
    where: str
    rate: str
    runs: Table
    stack: Table
    notes: Sequence[str]
    whole: str
    digest: str


def evidence_of(verdict: Mapping[str, Any]) -> Evidence:
    """The parts of a verdict document."""
    effect = verdict["effect"]
    return Evidence(
        summary=SUMMARIES[verdict["grade"]],
        grades=_grades(str(verdict["grade"])),
        happened=what_happened(effect),
        where=place(effect["attributed_to"]),
        rate=_rate(verdict["hit_rate"]),
        runs=_runs(verdict["runs"]),
        stack=_stack(effect["stack"]),
        notes=[printable(str(one)) for one in verdict["notes"]],
        whole="\n".join(explain(verdict)),
        digest=str(verdict["digest"]),
    )


def _grades(reached: str) -> list[tuple[str, str, bool]]:
    """Each grade, what it asks, and whether it was reached."""
    order = list(GRADES)
    last = order.index(reached)
    return [(name, GRADES[name], at <= last) for at, name in enumerate(order)]


def _rate(rate: Mapping[str, Any] | None) -> str:
    if not rate:
        return ""
    low, high = rate["interval95"]
    return (
        f"{rate['hits']} of {rate['runs']} runs; by these alone it shows in {low:.0%} to"
        f" {high:.0%} of all runs (95 % interval)"
    )


def _runs(runs: Sequence[Mapping[str, Any]]) -> Table:
    columns = (
        Column("Input"),
        Column("Version"),
        Column("Effect"),
        Column("What was seen"),
        Column("Processor time", number=True),
        Column("Memory", number=True),
    )
    rows = tuple(
        (
            printable(str(run["input"])),
            printable(str(run["version"])),
            "yes" if run["effect"] else "no",
            printable(str(run["why"]), limit=_WHY),
            f"{run['cpu_s']:.2f} s",
            f"{run['rss_mb']:.0f} MiB",
        )
        for run in runs
    )
    return Table("Every run", columns, rows, "Nothing was run.")


def _stack(stack: Sequence[Mapping[str, Any]]) -> Table:
    rows = tuple(
        (str(place_), _OWNERS.get(frame["owner"], frame["owner"]), place([frame]))
        for place_, frame in enumerate(stack, 1)
    )
    columns = (Column("Frame"), Column("Owner"), Column("Function and place"))
    return Table("Stack at that moment, innermost first", columns, rows, "No stack was seen.")
