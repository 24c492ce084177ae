"""The strip of versions: where each stands in it, and which labels fit beneath.  Pure.

Widths and places are per cent of the strip, so that it fills any screen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clearhouse.proof.entries import NOT_RUN

#: The shown statuses, each with its height in the strip (of 72): colour is never all that tells.
HEIGHTS: Final[dict[str, int]] = {
    "affected": 72,
    "inconclusive": 48,
    "refused": 30,
    "clean": 16,
    "unrunnable": 6,
    "not run": 2,
}
#: With more versions than this, lines between them would hide them.
_FINE: Final = 160
#: Labels nearer than this would touch on a screen of a desk; they go to a lane of their own.
_APART, _LANES = 11.0, 3


@dataclass(frozen=True, slots=True)
class Cell:
    """One version in the strip."""

    version: str
    status: str
    run: bool
    x: float
    height: int
    declared: bool | None  # what the advisory says; None without one
    disagrees: bool
    tip: str


@dataclass(frozen=True, slots=True)
class Label:
    """A version's number beneath the strip; ``anchor`` is SVG's text-anchor."""

    text: str
    x: float
    lane: int
    anchor: str


@dataclass(frozen=True, slots=True)
class Strip:
    """Versions in their ecosystem's order, oldest first."""

    cells: tuple[Cell, ...]
    width: float
    labels: tuple[Label, ...]
    lanes: int
    fine: bool


def shown_status(entry: Mapping[str, Any]) -> str:
    """The status of an entry, where one that nothing is known of is told from an undecided one."""
    if not entry["run"] and str(entry["why"]).startswith(NOT_RUN):
        return NOT_RUN
    return str(entry["status"])


def strip_of(document: Mapping[str, Any]) -> Strip:
    """Lay out the versions of a history document."""
    entries: Sequence[Mapping[str, Any]] = document["versions"]
    width = 100 / max(1, len(entries))
    declared = declared_by_version(document)
    cells = tuple(
        _cell(entry, place * width, declared.get(str(entry["version"])))
        for place, entry in enumerate(entries)
    )
    labels = _labels(document["ranges"], cells, width)
    return Strip(
        cells=cells,
        width=round(width, 4),
        labels=labels,
        lanes=1 + max((label.lane for label in labels), default=0),
        fine=len(cells) > _FINE,
    )


def declared_by_version(document: Mapping[str, Any]) -> dict[str, bool]:
    """What an advisory says of each version; empty without one.

    A comparison names the versions of which the two say different things or the runs say nothing;
    of all others they say the same.
    """
    comparison = document.get("comparison")
    if not comparison:
        return {}
    said = {str(e["version"]): e["status"] == "affected" for e in document["versions"]}
    for difference in (*comparison["differences"], *comparison["undecided"]):
        for version in difference["versions"]:
            said[str(version)] = difference["declared"] == "affected"
    return said


def _cell(entry: Mapping[str, Any], x: float, declared: bool | None) -> Cell:  # noqa: FBT001
    status = shown_status(entry)
    decided = status in ("affected", "clean", "refused")
    inferred = "" if entry["run"] or status == NOT_RUN else ", not run itself"
    says = "" if declared is None else f"; declared {'affected' if declared else 'not affected'}"
    return Cell(
        version=str(entry["version"]),
        status=status,
        run=bool(entry["run"]),
        x=round(x, 4),
        height=HEIGHTS[status],
        declared=declared,
        disagrees=declared is not None and decided and declared is not (status == "affected"),
        tip=f"{entry['version']}: {status}{inferred}{says}",
    )


def _labels(
    ranges: Sequence[Mapping[str, Any]], cells: Sequence[Cell], width: float
) -> tuple[Label, ...]:
    """Both ends of every range, then the oldest and the newest version, while there is room."""
    left = {cell.version: cell.x for cell in cells}
    wanted: list[tuple[str, float]] = []
    for one in ranges:
        for event, version in one.items():
            if version in left:
                wanted.append((str(version), left[version] + (event == "last_affected") * width))
    if cells:
        wanted += [(cells[0].version, 0.0), (cells[-1].version, 100.0)]
    found: list[Label] = []
    for text, x in wanted:
        lane = next((n for n in range(_LANES) if _free(found, n, x)), None)
        if lane is not None and text not in {label.text for label in found}:
            anchor = "start" if x < 6 else "end" if x > 94 else "middle"
            found.append(Label(text, round(x, 3), lane, anchor))
    return tuple(found)


def _free(labels: Sequence[Label], lane: int, x: float) -> bool:
    return all(label.lane != lane or abs(label.x - x) >= _APART for label in labels)
