"""Charts: well-formed whatever they are given, of bounded size, and the same as their table."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from xml.etree import ElementTree as ET

import pytest
from django.utils.safestring import SafeString
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.office.look.charts import (
    Embargo,
    Event,
    Series,
    Stage,
    Version,
    VersionStatus,
    funnel,
    lines,
    timeline,
    versions,
)
from clearhouse.office.look.svg import MOST_POINTS
from tests.office.look.drawn import chart, words

NOW = datetime(2027, 3, 6, 14, 0, tzinfo=UTC)
AFFECTED, UNAFFECTED, UNDECIDED = (
    VersionStatus.AFFECTED,
    VersionStatus.UNAFFECTED,
    VersionStatus.UNDECIDED,
)
_MOST_BYTES = 1_000_000

# Any character at all, those that XML cannot hold included.
_texts = st.text(st.characters(), max_size=30)
_zones = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))
_times = st.builds(
    lambda days, zone: (NOW + timedelta(days=days)).astimezone(zone),
    st.floats(-700_000, 2_900_000),
    _zones,
)
_values = st.floats(-1e15, 1e15)


def _sound(text: str) -> ET.Element:
    """The chart taken apart, with what holds for every one of them."""
    assert isinstance(text, SafeString)
    assert len(text) < _MOST_BYTES
    figure = chart(text)
    drawn = [one for one in figure.iter("svg") if one.get("role") == "img"]
    assert len(drawn) == 1
    for name in ("title", "desc"):
        assert [one for one in drawn[0] if one.tag == name], name
    assert figure.find("details/div/table") is not None
    for one in figure.iter():
        assert not {"style", "onload", "id"} & set(one.attrib)
        if one.tag in {"rect", "circle", "line", "polyline", "text", "svg"}:
            for value in one.attrib.values():
                assert not re.search(r"\b(nan|inf|None)\b", value), one.attrib
        for key in ("x", "x1", "x2", "cx", "width"):
            given_ = one.get(key, "0")
            if given_.endswith("%"):
                assert 0 <= float(given_[:-1]) <= 100
    return figure


def _rows(figure: ET.Element) -> list[list[str]]:
    return [[words(cell) for cell in row] for row in figure.iterfind("details/div/table/tbody/tr")]


@given(
    title=_texts,
    events=st.lists(st.builds(Event, _times, _texts), max_size=30),
    embargo=st.none() | st.builds(Embargo, _times, st.none() | _times),
    deadline=st.none() | _times,
    now=_times,
)
def test_a_timeline_is_sound(
    title: str,
    events: list[Event],
    embargo: Embargo | None,
    deadline: datetime | None,
    now: datetime,
) -> None:
    figure = _sound(timeline(title, events, embargo=embargo, deadline=deadline, now=now))
    ends = 0 if embargo is None else 1 + (embargo.end is not None)
    assert len(_rows(figure)) == len(events) + ends + (deadline is not None)
    assert len(list(figure.iter("circle"))) == len(events)


@given(
    title=_texts, stages=st.lists(st.builds(Stage, _texts, st.integers(0, 10**15), st.booleans()))
)
def test_a_funnel_is_sound(title: str, stages: list[Stage]) -> None:
    assert len(_rows(_sound(funnel(title, stages)))) == len(stages)


@given(
    title=_texts,
    series=st.lists(
        st.builds(Series, _texts, st.lists(st.tuples(_times, _values), max_size=20).map(tuple)),
        max_size=6,
    ),
)
def test_lines_are_sound(title: str, series: list[Series]) -> None:
    figure = _sound(lines(title, series))
    assert len(_rows(figure)) == sum(len(one.points) for one in series)
    for one in figure.iter("polyline"):
        places = [float(part) for part in re.split("[ ,]", one.get("points", ""))]
        assert all(0 <= place <= 100 for place in places)


_versions = st.builds(
    Version, _texts, st.sampled_from(VersionStatus), st.none() | st.sampled_from(VersionStatus)
)


@given(title=_texts, ordered=st.lists(_versions, max_size=50))
def test_a_strip_of_versions_is_sound(title: str, ordered: list[Version]) -> None:
    figure = _sound(versions(title, ordered))
    assert len(_rows(figure)) == len(ordered)


@pytest.mark.parametrize("count", [1, 2, 3, 50, 500, MOST_POINTS])
def test_a_chart_of_any_size_is_bounded(count: int) -> None:
    times = [NOW + timedelta(hours=n) for n in range(count)]
    other = [UNAFFECTED, AFFECTED, UNDECIDED]
    name = "1.0.0-<rc>&"
    _sound(timeline("Case", [Event(at, name) for at in times], now=NOW))
    _sound(funnel("Deficit", [Stage(name, n) for n in range(count)]))
    _sound(lines("Week", [Series(name, tuple((at, n) for n, at in enumerate(times)))]))
    listed = [Version(f"{name}{n}", other[n % 3], other[(n + 1) % 3]) for n in range(count)]
    figure = _sound(versions("Versions", listed))
    assert len(list(figure.iter("rect"))) == 2 * count + 3


def test_more_points_than_a_chart_shows_are_refused_and_not_left_out() -> None:
    many = range(MOST_POINTS + 1)
    drawings: list[Callable[[], str]] = [
        lambda: timeline("Case", [Event(NOW, "x") for _ in many], now=NOW),
        lambda: funnel("Deficit", [Stage("x", 1) for _ in many]),
        lambda: lines("Week", [Series("x", tuple((NOW, n) for n in many))]),
        lambda: versions("Versions", [Version("1", AFFECTED) for _ in many]),
    ]
    for draw in drawings:
        with pytest.raises(Invalid, match="sum them up"):
            draw()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300, 10**400])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(Invalid):
        lines("Week", [Series("x", ((NOW, value),))])


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(Invalid, match="no count"):
        funnel("Deficit", [Stage("Received", -1)])


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(Invalid, match="without a zone"):
        timeline("Case", [Event(NOW.replace(tzinfo=None), "x")], now=NOW)


def test_seven_lines_cannot_be_told_apart() -> None:
    with pytest.raises(Invalid, match="told apart"):
        lines("Week", [Series(str(n), ()) for n in range(7)])


def test_text_is_text_and_no_markup() -> None:
    evil = "<script>&\"'\x00\ud800"
    figure = _sound(funnel(evil, [Stage(evil, 3)]))
    assert not list(figure.iter("script"))
    assert words(figure).count("<script>&\"'\ufffd\ufffd") == 6


def test_a_timeline_numbers_its_events_in_order() -> None:
    events = [Event(NOW, "later"), Event(NOW - timedelta(days=9), "sooner")]
    figure = _sound(timeline("Case", events, now=NOW))
    assert [words(one) for one in figure.iterfind("ol/li")] == [
        "2027-02-25 sooner",
        "2027-03-06 later",
    ]


def test_events_at_one_time_do_not_cover_each_other() -> None:
    figure = _sound(timeline("Case", [Event(NOW, "x")] * 4, now=NOW))
    assert len({one.get("cy") for one in figure.iter("circle")}) == 4


def test_an_embargo_is_as_wide_as_it_is_long() -> None:
    embargo = Embargo(NOW, NOW + timedelta(days=50))
    end = NOW + timedelta(days=100)
    figure = _sound(timeline("Case", [], embargo=embargo, deadline=end, now=NOW))
    (band,) = figure.iter("rect")
    assert (band.get("x"), band.get("width")) == ("4.000%", "46.000%")


def test_bars_are_in_proportion() -> None:
    figure = _sound(funnel("Deficit", [Stage("Received", 200), Stage("Patched", 50)]))
    assert [one.get("width") for one in figure.iter("rect")] == ["100.000%", "25.000%"]
    assert "Received: 200" in words(figure)


def test_the_axis_of_counts_has_no_fractions() -> None:
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    odd = Series("received", ((begun, 0), (begun + timedelta(days=1), 27)))
    assert re.findall(r'axis-text"[^>]*>([^<-]+)<', lines("Findings", [odd])) == ["28", "14", "0"]


def test_lines_are_told_apart_by_their_dashes_and_named() -> None:
    figure = _sound(lines("Week", [Series(name, ((NOW, 1.0),)) for name in "ab"]))
    drawn = [one.get("class") for one in figure.iter("polyline")]
    assert drawn == [one.get("class") for one in figure.iterfind("ul/li/svg/line")]
    assert len(set(drawn)) == 2
    assert [words(one) for one in figure.iterfind("ul/li")] == ["a", "b"]


def test_heights_tell_the_status_of_versions() -> None:
    ordered = [
        Version("1", UNAFFECTED, UNAFFECTED),
        Version("2", AFFECTED, UNAFFECTED),
        Version("3", AFFECTED, UNAFFECTED),
        Version("4", UNDECIDED, UNAFFECTED),
    ]
    figure = _sound(versions("Versions", ordered))
    boxes = [one for one in figure.iter("rect") if one.find("title") is not None]
    told = [(words(one), one.get("width"), one.get("height")) for one in boxes]
    assert told == [
        ("1: unaffected", "25.000%", "12"),
        ("2 to 3 (2 versions): affected", "50.000%", "48"),
        ("4: undecided", "25.000%", "30"),
        ("1 to 4 (4 versions): unaffected", "100.000%", "12"),
    ]
    assert "3 are declared otherwise" in words(figure)


def test_versions_without_an_advisory_have_one_row() -> None:
    figure = _sound(versions("Versions", [Version("1", AFFECTED)]))
    assert "Declared" not in words(figure)
    assert _rows(figure) == [["1", "affected"]]
