"""The parts of a page: never empty, everything escaped, nothing told by colour alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.office.look import words
from clearhouse.office.look.frame import Account, Choice, Link
from clearhouse.office.look.table import Cell, Column, Comparison, Table
from clearhouse.office.look.templatetags.look import in_words
from clearhouse.proof.judge import Grade
from clearhouse.proof.patch_verdict import Level
from clearhouse.protocol.case_state import CaseState, all_states
from clearhouse.protocol.embargo import EmbargoState
from clearhouse.protocol.report_management import ReportState
from clearhouse.protocol.tlp import Tlp
from tests.office.look.drawn import part, rendered

NOW = datetime(2027, 3, 6, 14, 0, tzinfo=UTC)
EVIL = """<script>alert('&"1"')</script>"""


@pytest.mark.parametrize(
    ("name", "values", "table"),
    [
        ("grade", list(Grade), words.GRADES),
        ("tlp", [one.value for one in Tlp], words.TLP),
        ("report_state", list(ReportState), words.REPORT_STATES),
        ("embargo_state", list(EmbargoState), words.EMBARGO_STATES),
    ],
)
def test_every_state_has_a_tag_of_its_own_word(
    name: str, values: list[str], table: dict[str, words.Tag]
) -> None:
    shown = [part(f"{{% {name} one %}}", one=value).one("span") for value in values]
    assert list(table) == values
    assert len({tag.text for tag in shown}) == len(values)
    assert all(tag.text and tag.attributes["title"] for tag in shown)


def test_a_state_that_is_none_is_an_error_and_no_empty_tag() -> None:
    with pytest.raises(Invalid, match="none of claimed"):
        rendered('{% grade "certain" %}')


@pytest.mark.parametrize("label", [Tlp.AMBER_STRICT, "TLP:AMBER+STRICT", "amber+strict"])
def test_a_tlp_label_is_shown_as_it_is_written(label: Tlp | str) -> None:
    tag = part("{% tlp label %}", label=label).one("span")
    assert tag.text == "TLP:AMBER+STRICT"
    assert tag.has("class_", "ch-tag--tlp-amber-strict")


@pytest.mark.parametrize("state", list(all_states()), ids=str)
def test_a_case_state_says_of_each_thing_whether_it_happened(state: CaseState) -> None:
    steps = part("{% case_state state %}", state=state).all("li")
    assert [step.text[0] for step in steps] == list(str(state))
    told = [step.text.endswith(": happened") for step in steps]
    assert told == [letter.isupper() for letter in str(state)]
    assert [step.text.endswith(": not yet") for step in steps] == [not one for one in told]


@pytest.mark.parametrize(
    ("away", "words_", "urgent"),
    [
        (timedelta(days=61), "Due in 2 months", False),
        (timedelta(days=7), "Due in 7 days", False),
        (timedelta(days=7, seconds=-1), "Due in 6 days", True),
        (timedelta(seconds=30), "Due now", True),
        (timedelta(days=-3), "Passed 3 days ago", True),
    ],
)
def test_a_deadline_is_urgent_when_less_than_seven_days_off(
    away: timedelta, words_: str, urgent: bool
) -> None:
    shown = part('{% deadline at now "why" %}', at=NOW + away, now=NOW).one("p")
    assert shown.one("strong").text == words_
    assert shown.has("class_", "ch-deadline--urgent") is urgent
    machine = shown.one("time").attributes["datetime"]
    assert machine is not None
    assert datetime.fromisoformat(machine) == NOW + away
    assert "2027, " in shown.one("time").text
    assert shown.one("time").text.endswith(" UTC")


def test_a_time_without_a_zone_is_no_deadline() -> None:
    with pytest.raises(Invalid, match="without a zone"):
        rendered("{% deadline at now %}", at=NOW.replace(tzinfo=None), now=NOW)


def test_a_table_names_its_columns_rows_and_cells() -> None:
    shown = Table(
        "Cases",
        (Column("Case"), Column("Findings", number=True)),
        ((Cell("C-1", "/cases/C-1"), 3), ("C-2", None)),
    )
    root = part("{% table shown %}", shown=shown)
    assert root.one("caption").text == "Cases"
    assert [one.attributes["scope"] for one in root.all("th")] == ["col", "col", "row", "row"]
    assert [one.attributes["data-label"] for one in root.all("td")] == ["Findings"] * 2
    assert [one.text for one in root.all("td")] == ["3", ""]
    assert root.one("a").attributes["href"] == "/cases/C-1"


def test_a_table_of_nothing_says_so() -> None:
    root = part("{% table shown %}", shown=Table("Cases", (Column("Case"),), (), "None so far."))
    assert not root.all("table")
    assert "None so far." in root.text


@pytest.mark.parametrize("row", [(), ("a",), ("a", "b", "c")])
def test_a_row_has_a_cell_for_each_column(row: tuple[str, ...]) -> None:
    with pytest.raises(Invalid, match=r"rows\[0\]"):
        Table("Cases", (Column("A"), Column("B")), (row,))


def test_a_comparison_says_yes_no_and_unknown_in_words_and_symbols() -> None:
    shown = Comparison("Patches", ("a", "b", "c"), (("Applies", tuple(Level)),))
    cells = part("{% comparison shown %}", shown=shown).all("td")
    assert [one.text for one in cells] == ["✓Yes", "✗No", "?Unknown"]
    assert [one.attributes["data-label"] for one in cells] == ["a", "b", "c"]


def test_pages_link_to_what_there_is() -> None:
    assert not rendered("|{% pages %}|").strip("|").strip()
    both = part('{% pages "?before=2" "?after=9" %}')
    assert [one.attributes["rel"] for one in both.all("a")] == ["prev", "next"]
    assert len(part('{% pages next_url="?after=9" %}').all("a")) == 1


@pytest.mark.parametrize("current", [1, 2, 3, 4])
def test_steps_before_the_current_one_are_done(current: int) -> None:
    root = part("{% steps names current %}", names=["A", "B", "C"], current=current)
    told = [one.attributes.get("aria-current") for one in root.all("li")]
    assert told == ["step" if place == current else None for place in (1, 2, 3)]
    assert root.text.count(", done") == current - 1


@pytest.mark.parametrize("current", [-1, 0, 5])
def test_a_step_that_is_none_is_an_error(current: int) -> None:
    with pytest.raises(Invalid):
        rendered("{% steps names current %}", names=["A", "B", "C"], current=current)


def test_an_alert_of_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(Invalid):
        rendered('{% alert "loud" "Text" %}')


def test_an_icon_is_hidden_from_screen_readers() -> None:
    shown = part('{% icon "close" %}').one("svg")
    assert shown.attributes["aria-hidden"] == "true"
    use = shown.one("use").attributes["href"]
    assert use is not None
    assert use.endswith("#close")
    with pytest.raises(Invalid):
        rendered("{% icon name %}", name='"><b>')


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (5 * 10**12, "5000.0 GB"),
    ],
)
def test_sizes_are_in_the_unit_that_fits(size: int, text: str) -> None:
    assert in_words(size) == text


def test_an_account_switches_and_leaves_by_forms_that_post() -> None:
    account = Account(
        EVIL,
        "Hospital",
        (Choice("1", "Hospital", current=True), Choice("2", EVIL)),
        "/switch/",
        "/out/",
        (Link(EVIL, "/account/"),),
    )
    root = part('{% include "look/parts/account.html" %}', account=account)
    assert [one.attributes["method"] for one in root.all("form")] == ["post", "post"]
    assert [("selected" in one.attributes) for one in root.all("option")] == [True, False]
    assert not root.all("script")


_SOURCES = {
    "summary": "{% summary pairs %}",
    "table": "{% table table %}",
    "comparison": "{% comparison comparison %}",
    "deadline": "{% deadline now now text %}",
    "pages": "{% pages text text text %}",
    "empty": "{% empty text text text text %}",
    "steps": "{% steps texts 1 text %}",
    "process": "{% process pairs %}",
    "download": "{% download text text 1 text %}",
    "alert": '{% alert "info" text text %}',
    "breadcrumb": '{% include "look/parts/breadcrumb.html" %}',
    "footer": '{% include "look/parts/footer.html" %}',
}


@pytest.mark.parametrize("source", _SOURCES.values(), ids=_SOURCES.keys())
@given(text=st.one_of(st.just(EVIL), st.text("<>&\"'aé\u2028 ", min_size=1, max_size=20)))
def test_what_is_handed_in_is_text_and_never_markup(source: str, text: str) -> None:
    named = f"x{text}"
    html = rendered(
        source,
        text=named,
        texts=[named, named],
        pairs=[(named, named)],
        breadcrumb=[(named, named), (named, named)],
        footer=[(named, named)],
        office={"name": named},
        now=NOW,
        table=Table(named, (Column(named), Column(named)), ((Cell(named, named), named),)),
        comparison=Comparison(named, (named,), ((named, (Level.YES,)),)),
    )
    plain = rendered(
        source,
        text="x",
        texts=["x", "x"],
        pairs=[("x", "x")],
        breadcrumb=[("x", "x"), ("x", "x")],
        footer=[("x", "x")],
        office={"name": "x"},
        now=NOW,
        table=Table("x", (Column("x"), Column("x")), ((Cell("x", "x"), "x"),)),
        comparison=Comparison("x", ("x",), (("x", (Level.YES,)),)),
    )
    assert [html.count(one) for one in '<>"'] == [plain.count(one) for one in '<>"']
    assert named in unescape(html)
