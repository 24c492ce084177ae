"""A case along time: its events, its embargo and its deadline as one drawing.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.utils.safestring import SafeString

from clearhouse.office.look.clock import zoned
from clearhouse.office.look.svg import (
    day,
    drawing,
    element,
    few,
    figure,
    label,
    percent,
    text_of,
)

#: Markers nearer than this share of the width would touch on a phone; they go to another lane.
_APART: Final = 0.08
_LANES: Final = 4
#: With more events than this only the table names them.
_NUMBERED: Final = 20
_LANE, _RADIUS = 26, 11
_TOP: Final = 38  # above it the words for deadline and embargo, each on a line of its own


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a case."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Embargo:
    """From when until when participants are bound; ``end`` None where none is agreed yet."""

    begin: datetime
    end: datetime | None


def timeline(
    title: str,
    events: Iterable[Event],
    *,
    embargo: Embargo | None = None,
    deadline: datetime | None = None,
    now: datetime,
) -> SafeString:
    """A case's events in order, its embargo shaded, its deadline marked."""
    ordered = sorted(events, key=lambda one: zoned(one.at))
    few(len(ordered))
    times = [zoned(now), *(one.at for one in ordered)]
    times += [deadline] if deadline else []
    if embargo is not None:
        times += [one for one in (embargo.begin, embargo.end) if one is not None]
    first, last = min(map(zoned, times)), max(map(zoned, times))
    axis = _Axis(first, max(last, first + timedelta(hours=1)))
    lanes = _lanes([axis.share(one.at) for one in ordered])
    base = _TOP + 22 + _LANE * (1 + max(lanes, default=0))
    marks = [_embargo_band(embargo, axis, base)] if embargo is not None else []
    marks.append(element("line", x1="0", x2="100%", y1=base, y2=base, class_="ch-chart__line"))
    if deadline is not None:
        x = percent(axis.share(deadline))
        line = {"x1": x, "x2": x, "y1": 18, "y2": base}
        marks.append(element("line", **line, class_="ch-chart__deadline"))
        anchor = axis.anchor(deadline)
        marks.append(label("Deadline", x, 13, "ch-chart__deadline-text", anchor))
    numbered = len(ordered) <= _NUMBERED
    for place, (one, lane) in enumerate(zip(ordered, lanes, strict=True), 1):
        marks.append(_event_mark(place if numbered else None, axis.share(one.at), base, lane))
    marks += axis.labels(base + 18)
    listed = (element("li", f"{day(one.at)} {text_of(one.text)}") for one in ordered)
    parts = [drawing(title, _case_in_words(ordered, embargo, deadline), base + 26, *marks)]
    if ordered and numbered:
        parts.append(element("ol", *listed, class_="usa-list"))
    rows: list[tuple[datetime, str]] = [(one.at, one.text) for one in ordered]
    if embargo is not None:
        rows.append((embargo.begin, "The embargo begins"))
        rows += [(embargo.end, "The embargo ends")] if embargo.end else []
    rows += [(deadline, "Deadline")] if deadline else []
    rows.sort(key=lambda row: row[0])
    table = [(f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC", text) for at, text in rows]
    return figure(title, parts, ("Time", "Event"), table)


@dataclass(frozen=True, slots=True)
class _Axis:
    first: datetime
    last: datetime

    def share(self, at: datetime) -> float:
        # Room at both sides, so that no marker leaves the drawing.
        return 0.04 + 0.92 * ((zoned(at) - self.first) / (self.last - self.first))

    def anchor(self, at: datetime) -> str:
        share = self.share(at)
        return "start" if share < 0.2 else "end" if share > 0.8 else "middle"

    def labels(self, y: float) -> list[str]:
        css = "ch-chart__axis-text"
        return [
            label(day(self.first), "0", y, css),
            label(day(self.last), "100%", y, css, "end"),
        ]


def _lanes(shares: Sequence[float]) -> list[int]:
    """For each place the lowest lane in which it touches none before it; the top one at last."""
    right = [-1.0] * _LANES
    found = []
    for share in shares:
        lane = next((n for n in range(_LANES) if share - right[n] >= _APART), _LANES - 1)
        right[lane] = share
        found.append(lane)
    return found


def _event_mark(place: int | None, share: float, base: int, lane: int) -> str:
    x, y = percent(share), base - _RADIUS - 2 - lane * _LANE
    radius = _RADIUS if place is not None else 5
    mark = element("circle", cx=x, cy=y, r=radius, class_="ch-chart__event")
    if place is None:
        return mark
    return mark + label(place, x, y + 4.5, "ch-chart__number", "middle")


def _embargo_band(embargo: Embargo, axis: _Axis, base: int) -> str:
    end = embargo.end or axis.last
    left, right = axis.share(embargo.begin), axis.share(end)
    box = element(
        "rect",
        x=percent(left),
        y=_TOP,
        width=percent(max(0.002, right - left)),
        height=base - _TOP,
        class_="ch-chart__embargo",
    )
    return box + label("Embargo", percent(left), _TOP - 6, "", "start" if left < 0.8 else "end")


def _case_in_words(
    events: Sequence[Event], embargo: Embargo | None, deadline: datetime | None
) -> str:
    said = [f"{len(events)} events"]
    if events:
        said[0] += f" from {day(events[0].at)} to {day(events[-1].at)}"
    if embargo is not None:
        until = f"until {day(embargo.end)}" if embargo.end else "without an agreed end"
        said.append(f"embargo from {day(embargo.begin)} {until}")
    if deadline is not None:
        said.append(f"deadline on {day(deadline)}")
    return "; ".join(said) + "."
