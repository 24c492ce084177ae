"""The page of a history: every release in strip and table, and the advisory beside it."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.formats.osv import Affected, Bound, Event
from clearhouse.proof.comparison import compare
from clearhouse.proof.entries import NOT_RUN, Listed, Ran
from clearhouse.proof.history import History, Subject, history_of
from clearhouse.proof.report import history_page
from clearhouse.proof.report.strip import HEIGHTS, declared_by_version, strip_of
from clearhouse.proof.standing import Finding, Status
from tests.proof.pages import Element, complaints, read

SUBJECT = Subject(
    id="CVE-2024-4340",
    title="Deeply nested lists exhaust the stack",
    digest="sha256:" + "cd" * 32,
    effect="exception",
    kind="pypi",
    package="pkg:pypi/sqlparse",
    name="sqlparse",
    attacked="4",
    fixed="8",
)
VERDICT = {
    "grade": "attributed",
    "proven": True,
    "reason": None,
    "observed": {"type": "RecursionError", "message": "maximum recursion depth exceeded"},
    "attributed_to": [{"file": "sqlparse/sql.py", "function": "flatten", "line": 217}],
    "signature": "sig1:" + "0" * 32,
}
ENVIRONMENT = {
    "python": "3.12.9",
    "runtime": "Python 3.12.9",
    "packages": [{"purl": "pkg:pypi/sqlparse@4", "digest": "sha256:" + "ef" * 32}],
}
#: How releases 0 to 9 stand; those left out were not run.
STATUSES = {
    0: Status.UNRUNNABLE,
    1: Status.CLEAN,
    2: Status.AFFECTED,
    4: Status.AFFECTED,
    5: Status.INCONCLUSIVE,
    6: Status.AFFECTED,
    7: Status.REFUSED,
}


def history(
    statuses: dict[int, Status] = STATUSES, *, releases: int = 10, problem: str | None = None
) -> History:
    listed = [Listed(str(n), None, yanked=n == 1, ordered=True) for n in range(releases)]
    listed.append(Listed("2-g.dev", None, yanked=False, ordered=False))
    ran = {
        place: Ran(Finding(status, f"it is {status.value}", 2), runs=2, executions=3)
        for place, status in statuses.items()
    }
    lines = (*[0] * releases, None)
    return history_of(
        SUBJECT, listed, lines, ran, every=2, verdict=VERDICT, environment=ENVIRONMENT,
        problem=problem,
    )  # fmt: skip


ADVISORY = Affected(
    ranges=((Event(Bound.INTRODUCED, "0"), Event(Bound.FIXED, "6")),),
    versions=("2-g.dev",),
    source="GHSA-2m57-hf25-phgg",
)


def key(version: str) -> int:
    return int(version.partition("-")[0])


def compared() -> dict[str, Any]:
    found = history()
    return deepcopy(found.compared_with(compare(found.entries, ADVISORY, key)).as_json())


def texts(element: Element, name: str | None = None, **wanted: str) -> list[str]:
    return [one.text for one in element.all(name, **wanted)]


@pytest.mark.parametrize("document", [history().as_json(), compared()], ids=["alone", "compared"])
@pytest.mark.parametrize("number", [1, 2])
def test_the_page_is_valid(document: dict[str, Any], number: int) -> None:
    root = read(history_page([document] * number))
    assert complaints(root) == []
    assert len(root.all("article")) == number
    assert not any("style" in element.attributes for element in root.all())
    assert root.all("script") == []


def test_the_headline_says_how_many_releases_are_affected() -> None:
    # 2, 4 and 6 by their own runs, 3 between two of them
    assert read(history_page([compared()])).one("h1").text == "sqlparse: 4 of 11 releases affected"


def test_every_release_has_its_cell_in_order_and_side_by_side() -> None:
    strip = strip_of(compared())
    assert [cell.version for cell in strip.cells] == [*map(str, range(10)), "2-g.dev"]
    for before, after in pairwise(strip.cells):
        assert after.x == pytest.approx(before.x + strip.width, abs=0.001)
    assert strip.cells[-1].x + strip.width == pytest.approx(100, abs=0.01)


def test_cells_show_status_and_whether_it_was_run() -> None:
    cells = {cell.version: cell for cell in strip_of(compared()).cells}
    assert [(cells[v].status, cells[v].run) for v in ("0", "1", "2", "3", "5", "7")] == [
        ("unrunnable", True),
        ("clean", True),
        ("affected", True),
        ("affected", False),
        ("inconclusive", True),
        ("refused", True),
    ]
    # nothing newer was run, so nothing is known of them: not the same as undecided by runs
    assert [cells[v].status for v in ("8", "9", "2-g.dev")] == [NOT_RUN] * 3


def test_statuses_differ_by_height_and_not_by_colour_alone() -> None:
    assert set(HEIGHTS) == {*(status.value for status in Status), NOT_RUN}
    assert len(set(HEIGHTS.values())) == len(HEIGHTS)
    assert max(HEIGHTS, key=HEIGHTS.__getitem__) == "affected"


def test_the_drawing_has_a_name_and_each_cell_tells_its_own() -> None:
    strip = read(history_page([compared()])).all("svg", class_="strip")[0]
    assert strip.attributes["role"] == "img"
    assert "4 affected" in str(strip.attributes["aria-label"])
    tips = texts(strip, "title")
    assert tips[2] == "2: affected; declared affected"
    assert tips[3] == "3: affected, not run itself; declared affected"
    assert tips[6] == "6: affected; declared not affected"


def test_only_statuses_that_occur_are_in_the_legend() -> None:
    legend = read(history_page([compared()])).one("ul", class_="legend")
    assert texts(legend, "strong") == [
        "4 affected",
        "1 inconclusive",
        "1 refused",
        "1 clean",
        "1 unrunnable",
        "3 not run",
        "striped",
        "bar between the strips",
    ]


def test_the_ends_of_ranges_are_labelled_where_they_lie() -> None:
    strip = strip_of(compared())
    cells = {cell.version: cell for cell in strip.cells}
    labels = {label.text: label for label in strip.labels}
    assert {"2", "7", "0", "2-g.dev"} <= set(labels)
    for version in ("2", "7"):
        assert labels[version].x == pytest.approx(cells[version].x, abs=0.01)


@given(st.lists(st.sampled_from(list(Status)), min_size=2, max_size=60))
def test_labels_of_one_lane_never_touch(statuses: list[Status]) -> None:
    found = history(dict(enumerate(statuses)), releases=len(statuses))
    strip = strip_of(found.as_json())
    for lane in range(strip.lanes):
        places = sorted(label.x for label in strip.labels if label.lane == lane)
        assert all(b - a >= 11 for a, b in pairwise(places))


def test_ranges_are_read_out() -> None:
    article = read(history_page([compared()])).one("article")
    assert "from 2 until before 7" in article.text
    assert "21 runs on 7 of 11 releases" in article.text


def test_a_range_without_end_names_the_last_affected() -> None:
    found = history({0: Status.CLEAN, 1: Status.AFFECTED, 2: Status.AFFECTED}, releases=3)
    assert "from 1 up to and including 2" in read(history_page([found.as_json()])).text


@given(
    st.lists(st.sampled_from(list(Status)), min_size=1, max_size=12),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_what_an_advisory_declares_is_told_of_each_version(
    statuses: list[Status], first: int, fixed: int
) -> None:
    events = (Event(Bound.INTRODUCED, str(first)), Event(Bound.FIXED, str(fixed)))
    advisory = Affected(ranges=(events,), versions=())
    found = history(dict(enumerate(statuses)), releases=len(statuses))
    document = found.compared_with(compare(found.entries, advisory, key)).as_json()
    told = declared_by_version(document)
    for entry in found.entries:
        assert told[entry.version] is (entry.ordered and advisory.names(entry.version, key))


def test_each_disagreement_is_named_with_its_evidence() -> None:
    article = read(history_page([compared()])).one("article")
    differ, untried = article.all("table", class_="differences")
    assert [[c.text for c in row.children if c.text] for row in differ.all("tr")[1:]] == [
        ["11 listed, 1 run", "affected", "clean", "it is clean"],
        ["61 listed, 1 run", "not affected", "affected", "it is affected"],
    ]
    assert differ.one("caption").text == "Where they disagree"
    assert "unrunnable" in untried.text
    assert "inconclusive" in untried.text
    marked = [cell.version for cell in strip_of(compared()).cells if cell.disagrees]
    assert marked == ["1", "6"]


def test_without_an_advisory_nothing_is_said_of_one() -> None:
    page = history_page([history().as_json()])
    assert len(read(page).all("svg", class_="strip")) == 1
    assert "eclared" not in read(page).text


def test_the_table_has_every_release_with_its_reason() -> None:
    document = compared()
    table = read(history_page([document])).one("table", class_="releases")
    rows = table.one("tbody").all("tr")
    assert len(rows) == len(document["versions"])
    for row, entry in zip(rows, document["versions"], strict=True):
        assert entry["why"] in row.text
        assert row.one("span", class_="code").text == entry["version"]
    assert "yanked" in rows[1].text
    assert "outside the version grammar" in rows[-1].text
    assert "2 of 2" in rows[2].text
    assert "not run" in rows[3].text


def test_what_is_not_known_is_listed_and_what_the_result_means_is_said() -> None:
    document = compared()
    article = read(history_page([document])).one("article")
    unknown = texts(article.one("ul", class_="unknown"), "li")
    assert "5 inconclusive, inside a range" in unknown
    assert "0 unrunnable" in unknown
    for text in (document["not_affected_means"], document["sampling"]["risk"], document["digest"]):
        assert text in article.text
    assert "On 4: exception RecursionError in flatten (sqlparse/sql.py:217)" in article.text


def test_a_proof_that_does_not_hold_dates_nothing() -> None:
    found = history({4: Status.CLEAN}, problem="the poc does not show it on 4")
    root = read(history_page([found.as_json()]))
    assert root.one("h1").text == "sqlparse: nothing could be dated"
    assert "the poc does not show it on 4" in root.one("article").text


@settings(max_examples=40)
@given(text=st.text(st.characters(), min_size=1, max_size=30))
def test_no_text_changes_the_shape_of_the_page(text: str) -> None:
    plain, hostile = compared(), compared()
    for document, said in ((plain, "x"), (hostile, text)):
        document["title"] = document["package"] = document["attacked"] = said
        document["bundle"]["id"] = document["comparison"]["advisory"] = said
        document["comparison"]["differences"][0]["evidence"] = said
        document["verdict"]["attributed_to"][0]["function"] = said
        for entry in document["versions"]:
            entry["why"] = said if entry["run"] else entry["why"]
    shapes = [
        [e.name for e in read(history_page([document])).all() if e.name != "wbr"]
        for document in (plain, hostile)
    ]
    assert shapes[0] == shapes[1]


def test_a_thousand_releases_stay_small() -> None:
    statuses = {n: Status.AFFECTED if 300 < n < 700 else Status.CLEAN for n in range(0, 1000, 3)}
    page = history_page([history(statuses, releases=1000).as_json()])
    assert len(page) < 800_000
    assert "strip fine" in page
