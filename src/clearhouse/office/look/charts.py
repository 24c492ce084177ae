"""Charts as safe markup: a drawing with title and description, and the same as a table.  Pure.

Widths are per cent and heights pixels, so that text keeps its size on a phone.  Nothing is told by
colour alone: words, heights or dashes say it too.  Classes are in ``static/look/clearhouse.css``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Final

from django.utils.safestring import SafeString

from clearhouse.errors import Invalid
from clearhouse.office.look.clock import zoned
from clearhouse.office.look.svg import (
    day,
    drawing,
    element,
    few,
    figure,
    label,
    number,
    percent,
    spelled,
    text_of,
)
from clearhouse.office.look.timeline import Embargo, Event, timeline

__all__ = [
    "Embargo",
    "Event",
    "Series",
    "Stage",
    "Version",
    "VersionStatus",
    "funnel",
    "lines",
    "timeline",
    "versions",
]

# --- how many are left at each step ---------------------------------------------------------------

_ROW = 46


@dataclass(frozen=True, slots=True)
class Stage:
    """A step and how many reached it; ``leaves`` for those that go no further, as refused ones."""

    text: str
    count: int
    leaves: bool = False


def funnel(title: str, stages: Iterable[Stage]) -> SafeString:
    """Bars beneath each other: the vulnerability deficit, from received to published."""
    listed = tuple(stages)
    few(len(listed))
    for one in listed:
        if number(one.count) < 0:
            raise Invalid(f"{one.count} is no count", key=one.text[:40])
    most = max((one.count for one in listed), default=0) or 1
    bars = []
    for place, one in enumerate(listed):
        y = place * _ROW
        bars.append(label(f"{one.text}: {spelled(one.count)}", "0", y + 15))
        css = "ch-chart__bar--lost" if one.leaves else "ch-chart__bar"
        width = percent(one.count / most)
        bars.append(element("rect", x="0", y=y + 21, width=width, height=16, class_=css))
    words = "; ".join(f"{one.text} {spelled(one.count)}" for one in listed[:12]) or "Nothing yet"
    drawn = drawing(title, f"{words}.", max(_ROW, _ROW * len(listed)), *bars)
    rows = [(one.text, spelled(one.count)) for one in listed]
    return figure(title, [drawn], ("Step", "Number"), rows)


# --- numbers along time ---------------------------------------------------------------------------

_PLOT = 200
_LINES: Final = 6  # as many dashes as a reader tells apart


@dataclass(frozen=True, slots=True)
class Series:
    """A named line: a value for each of several times."""

    text: str
    points: tuple[tuple[datetime, float], ...]


def lines(title: str, series: Iterable[Series]) -> SafeString:
    """Several series along time, told apart by their dashes."""
    drawn = tuple(series)
    if len(drawn) > _LINES:
        raise Invalid(f"{len(drawn)} lines are more than the {_LINES} that can be told apart")
    points = [point for one in drawn for point in one.points]
    few(len(points))
    values = [number(value) for _, value in points]
    low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    high = high if high > low else low + 1
    if all(float(value).is_integer() for value in (*values, low, high)):
        high += (high - low) % 2  # the middle of counts is a count
    times = [zoned(at) for at, _ in points]
    first = min(times, default=datetime(2000, 1, 1, tzinfo=UTC))
    span = max(max(times, default=first) - first, timedelta(seconds=1))

    def path(one: Series) -> str:
        places = (
            f"{100 * ((at - first) / span):.3f},{100 * (1 - (value - low) / (high - low)):.3f}"
            for at, value in sorted(one.points)
        )
        shown = " ".join(places)
        # A line of one point has no length; it is drawn across, as the value it is.
        return (
            f"0,{shown.partition(',')[2]} 100,{shown.partition(',')[2]}" if _single(one) else shown
        )

    grid = [
        element("line", x1="0", x2="100%", y1=y, y2=y, class_="ch-chart__grid")
        for y in (20, 20 + _PLOT // 2, 20 + _PLOT)
    ]
    marks = [
        label(spelled(round(value, 2)), "0", y, "ch-chart__axis-text")
        for value, y in ((high, 15), ((low + high) / 2, 15 + _PLOT // 2), (low, 15 + _PLOT))
    ]
    plot = element(
        "svg",
        *(
            element("polyline", points=path(one), class_=_line_class(place))
            for place, one in enumerate(drawn)
            if one.points
        ),
        x="0",
        y=20,
        width="100%",
        height=_PLOT,
        viewBox="0 0 100 100",
        preserveAspectRatio="none",
    )
    if points:
        css, y = "ch-chart__axis-text", 20 + _PLOT + 20
        marks.append(label(day(first), "0", y, css))
        marks.append(label(day(max(times)), "100%", y, css, "end"))
    picture = drawing(title, _lines_in_words(drawn), 20 + _PLOT + 28, *grid, plot, *marks)
    table = [
        (day(at), one.text, spelled(value)) for one in drawn for at, value in sorted(one.points)
    ]
    return figure(title, [_legend(drawn), picture], ("Day", "Line", "Value"), table)


def _single(one: Series) -> bool:
    return len(one.points) == 1


def _line_class(place: int) -> str:
    return f"ch-chart__series ch-chart__series--{place}"


def _legend(drawn: Sequence[Series]) -> str:
    if not drawn:
        return ""
    items = []
    for place, one in enumerate(drawn):
        line = element("line", x1="0", x2="100%", y1=6, y2=6, class_=_line_class(place))
        sample = element("svg", line, width=48, height=12, aria_hidden="true", focusable="false")
        items.append(element("li", sample, element("span", text_of(one.text))))
    return element("ul", *items, class_="ch-chart__legend")


def _lines_in_words(drawn: Sequence[Series]) -> str:
    said = []
    for one in drawn:
        if not one.points:
            said.append(f"{one.text}: no values")
            continue
        ordered = sorted(one.points)
        (begin, before), (end, after) = ordered[0], ordered[-1]
        said.append(
            f"{one.text}: {spelled(before)} on {day(begin)}, {spelled(after)} on {day(end)}"
        )
    return ("; ".join(said) or "Nothing yet") + "."


# --- versions in order ----------------------------------------------------------------------------


class VersionStatus(StrEnum):
    """What is known of a version."""

    AFFECTED = "affected"
    UNAFFECTED = "unaffected"
    UNDECIDED = "undecided"


#: Of 48 pixels: the height says the status again.
_HEIGHTS: Final = {
    VersionStatus.AFFECTED: 48,
    VersionStatus.UNDECIDED: 30,
    VersionStatus.UNAFFECTED: 12,
}
_FINE: Final = 80  # with more stretches than this, lines between them would hide them


@dataclass(frozen=True, slots=True)
class Version:
    """A version: what running it showed, and what the advisory declares, if there is one."""

    name: str
    executed: VersionStatus
    declared: VersionStatus | None = None


def versions(title: str, ordered: Iterable[Version]) -> SafeString:
    """All versions from the oldest to the newest: what was executed above what is declared."""
    listed = tuple(ordered)
    few(len(listed))
    compared = any(one.declared is not None for one in listed)
    executed = _stretches([one.executed for one in listed])
    declared = _stretches([one.declared for one in listed]) if compared else []
    marks = [label("Executed", "0", 15), *_row(listed, executed, 22)]
    bottom = 70
    if compared:
        marks += [label("Declared", "0", 99), *_row(listed, declared, 106)]
        bottom = 154
    if listed:
        css = "ch-chart__axis-text"
        marks.append(label(listed[0].name[:24], "0", bottom + 18, css))
        if len(listed) > 1:
            marks.append(label(listed[-1].name[:24], "100%", bottom + 18, css, "end"))
    fine = "ch-chart__fine" if len(executed) + len(declared) > _FINE else ""
    counts = {status: sum(one.executed is status for one in listed) for status in VersionStatus}
    words = ", ".join(f"{count} {status}" for status, count in counts.items())
    differ = sum(one.declared not in (None, one.executed) for one in listed)
    said = f"{len(listed)} versions executed: {words}."
    said += f" {differ} are declared otherwise." if compared else ""
    drawn = drawing(title, said, bottom + 26, *marks, css=fine)
    headings = ("Version", "Executed", "Declared") if compared else ("Version", "Executed")
    rows = [
        (one.name, one.executed.value, one.declared or "nothing")[: len(headings)] for one in listed
    ]
    return figure(title, [drawn, _heights()], headings, rows)


def _heights() -> str:
    """What the heights and colours stand for."""
    items = []
    for status, height in _HEIGHTS.items():
        tall = height // 2
        css = f"ch-chart__version--{status}"
        box = element("rect", x="0", y=24 - tall, width="100%", height=tall, class_=css)
        sample = element("svg", box, width=48, height=24, aria_hidden="true", focusable="false")
        items.append(element("li", sample, element("span", status.capitalize())))
    return element("ul", *items, class_="ch-chart__legend")


def _stretches(
    statuses: Sequence[VersionStatus | None],
) -> list[tuple[VersionStatus | None, int, int]]:
    """Neighbours of one status together: the status, the first place, and how many."""
    found, place = [], 0
    for status, group in groupby(statuses):
        count = sum(1 for _ in group)
        found.append((status, place, count))
        place += count
    return found


def _row(
    listed: Sequence[Version],
    stretches: Iterable[tuple[VersionStatus | None, int, int]],
    top: int,
) -> list[str]:
    boxes = []
    for status, place, count in stretches:
        if status is None:
            continue
        first, last = listed[place].name, listed[place + count - 1].name
        named = first if count == 1 else f"{first} to {last} ({count} versions)"
        height = _HEIGHTS[status]
        boxes.append(
            element(
                "rect",
                element("title", text_of(f"{named}: {status}")),
                x=percent(place / len(listed)),
                y=top + 48 - height,
                width=percent(count / len(listed)),
                height=height,
                class_=f"ch-chart__version ch-chart__version--{status}",
            )
        )
    return boxes
