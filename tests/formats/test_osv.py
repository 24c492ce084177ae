"""OSV records: the evaluation that the specification describes, and every way to be malformed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.formats.osv import Affected, Bound, Event, affected_entry
from clearhouse.formats.osv_reading import affected_of
from clearhouse.versions import npm, pypi


def record(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "TEST-1", "affected": list(entries), **more}


def entry(
    *events: dict[str, str],
    versions: tuple[str, ...] = (),
    name: str = "demo",
    ecosystem: str = "PyPI",
    kind: str = "ECOSYSTEM",
) -> dict[str, Any]:
    found: dict[str, Any] = {"package": {"ecosystem": ecosystem, "name": name}}
    if events:
        found["ranges"] = [{"type": kind, "events": list(events)}]
    if versions:
        found["versions"] = list(versions)
    return found


def read(raw: object, name: str = "demo", kind: str = "pypi") -> Affected:
    return affected_of(raw, kind=kind, name=name, same_name=str.lower, where="advisory.json")


def affects(affected: Affected, *versions: str) -> list[bool]:
    return [affected.names(version, pypi.sort_key) for version in versions]


def test_introduced_is_inside_and_fixed_is_not() -> None:
    affected = read(record(entry({"introduced": "1.0"}, {"fixed": "2.0"})))
    assert affects(affected, "0.9", "1.0", "1.5", "2.0rc1", "2.0", "3") == [
        False, True, True, True, False, False,
    ]  # fmt: skip


def test_last_affected_is_inside() -> None:
    affected = read(record(entry({"introduced": "1.0"}, {"last_affected": "2.0"})))
    assert affects(affected, "2.0", "2.0.post1", "2.1") == [True, False, False]


def test_a_range_of_a_single_version() -> None:
    affected = read(record(entry({"introduced": "1.0"}, {"last_affected": "1.0"})))
    assert affects(affected, "0.9", "1.0", "1.0.0", "1.1") == [False, True, True, False]


def test_zero_is_before_every_version_and_no_end_is_for_ever() -> None:
    affected = read(record(entry({"introduced": "0"})))
    assert affects(affected, "0.0.dev1", "0", "99") == [True, True, True]
    assert affected.names("trunk", pypi.sort_key)


def test_a_version_that_is_outside_the_limit_is_left_alone() -> None:
    affected = read(record(entry({"introduced": "0"}, {"limit": "2.0"})))
    assert affects(affected, "1.9", "2.0", "2.1") == [True, False, False]
    without = read(record(entry({"introduced": "0"}, {"limit": "*"})))
    assert affects(without, "1.9", "2.1") == [True, True]


def test_several_stretches_in_one_range_in_any_order() -> None:
    events = [
        {"introduced": "3.0"},
        {"fixed": "2.2.18"},
        {"introduced": "2.2"},
        {"fixed": "3.0.12"},
    ]
    affected = read(record(entry(*events)))
    assert affects(affected, "2.1", "2.2", "2.2.17", "2.2.18", "3.0", "3.0.11", "3.0.12") == [
        False, True, True, False, True, True, False,
    ]  # fmt: skip


def test_versions_listed_one_by_one_count_besides_the_ranges() -> None:
    affected = read(record(entry({"introduced": "2"}, {"fixed": "3"}, versions=("1.0", "0.3.2d"))))
    assert affects(affected, "1.0.0", "1.1", "2.5", "0.3.2d") == [True, False, True, True]


def test_entries_of_one_package_add_up_and_others_are_left_out() -> None:
    affected = read(
        record(
            entry({"introduced": "1"}, {"fixed": "2"}, name="Demo"),
            entry({"introduced": "3"}, {"fixed": "4"}),
            entry({"introduced": "5"}, name="other"),
            entry({"introduced": "6"}, ecosystem="npm"),
        )
    )
    assert affects(affected, "1", "2", "3", "4", "5", "6") == [True, False] * 2 + [False] * 2


def test_an_ecosystem_may_have_a_suffix_and_commits_are_left_out() -> None:
    affected = read(
        record(
            entry({"introduced": "0"}, kind="GIT"),
            entry({"introduced": "1"}, ecosystem="PyPI:some"),
        )
    )
    assert affects(affected, "0.9", "1") == [False, True]


def test_semantic_versions_have_their_own_order() -> None:
    raw = record(
        entry({"introduced": "2.0.0-5"}, {"fixed": "2.2.2"}, ecosystem="npm", kind="SEMVER")
    )
    affected = read(raw, kind="npm")
    found = [affected.names(one, npm.sort_key) for one in ("2.0.0-4", "2.0.0-10", "2.2.2")]
    assert found == [False, True, False]


def test_a_withdrawn_record_says_so() -> None:
    assert read(record(entry({"introduced": "0"}))).withdrawn is None
    raw = record(entry({"introduced": "0"}), withdrawn="2020-01-01T00:00:00Z")
    assert read(raw).withdrawn == "2020-01-01T00:00:00Z"
    assert read(raw).source == "TEST-1"


MALFORMED: dict[str, tuple[object, str]] = {
    "no object": ([], "expected an object, found a list"),
    "no affected": ({"id": "x"}, "affected: expected an entry for PyPI/demo, found no package"),
    "affected is no list": ({"id": "x", "affected": {}}, "affected: expected a list"),
    "an entry is no object": (
        {"id": "x", "affected": [1]},
        "affected[0]: expected an object, found a number",
    ),
    "no identifier": ({"affected": []}, "expected id as text"),
    "no package": (
        {"id": "x", "affected": [{}]},
        "affected: expected an entry for PyPI/demo, found no package",
    ),
    "another package": (
        record(entry({"introduced": "0"}, name="other")),
        "affected: expected an entry for PyPI/demo, found PyPI/other",
    ),
    "no entries": (
        {"id": "x", "affected": []},
        "affected: expected an entry for PyPI/demo, found no package",
    ),
    "events are no list": (
        record({"package": entry()["package"], "ranges": [{"type": "ECOSYSTEM", "events": 3}]}),
        "affected[0].ranges[0].events: expected a list",
    ),
    "an unknown event": (
        record(entry({"introduced": "0"}, {"ended": "1"})),
        "affected[0].ranges[0].events[1]: expected one of introduced, fixed, last_affected, limit",
    ),
    "two events in one": (
        record(entry({"introduced": "0", "fixed": "1"})),
        "affected[0].ranges[0].events[0]: expected one of",
    ),
    "nothing introduced": (
        record(entry({"fixed": "1"})),
        "affected[0].ranges[0]: expected an introduced event",
    ),
    "a number as version": (
        record({**entry({"introduced": "0"}), "versions": [1.0]}),
        "affected[0].versions[0]: expected a text, found a number",
    ),
    "an endless version": (
        record(entry({"introduced": "1" * 1025})),
        "affected[0].ranges[0].events[0].introduced: expected introduced as text",
    ),
}


@pytest.mark.parametrize(("raw", "message"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_record_is_refused_with_its_place(raw: object, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(raw)
    assert str(caught.value).startswith(f"advisory.json: {message}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "affected",
                    "package",
                    "name",
                    "ecosystem",
                    "ranges",
                    "events",
                    "type",
                    "versions",
                    "introduced",
                    "fixed",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_anything_is_read_or_refused(raw: object) -> None:
    try:
        affected = read(raw)
    except Invalid:
        return
    assert isinstance(affected.names("1.0", pypi.sort_key), bool)


@st.composite
def intervals(draw: st.DrawFn) -> list[tuple[Event, Event]]:
    """Disjoint ascending intervals over whole numbers, the last perhaps without a fix."""
    bounds = sorted(draw(st.sets(st.integers(1, 40), min_size=2, max_size=12)))
    pairs = list(zip(bounds[::2], bounds[1::2], strict=False))
    found = [
        (Event(Bound.INTRODUCED, str(low)), Event(Bound.FIXED, str(high))) for low, high in pairs
    ]
    if draw(st.booleans()):
        low, high = pairs[-1]
        found[-1] = (Event(Bound.INTRODUCED, str(low)), Event(Bound.LAST_AFFECTED, str(high)))
    return found


@given(intervals())
def test_what_is_written_reads_as_it_was_meant(drawn: list[tuple[Event, Event]]) -> None:
    written = affected_entry(
        kind="pypi", name="demo", purl="pkg:pypi/demo", intervals=drawn, versions=[], notes={}
    )
    affected = read(json.loads(json.dumps(record(written))))
    for version in range(45):
        meant = any(
            int(low.version) <= version
            and (version < int(high.version) or (version == int(high.version) and closed))
            for low, high in drawn
            for closed in [high.bound is Bound.LAST_AFFECTED]
        )
        assert affected.names(str(version), pypi.sort_key) is meant


@given(intervals())
def test_no_written_range_has_both_kinds_of_end(drawn: list[tuple[Event, Event]]) -> None:
    # The schema: a range with last_affected has no fixed.
    written = affected_entry(
        kind="npm", name="@a/demo", purl="pkg:npm/%40a/demo", intervals=drawn, versions=["1"],
        notes={"shown_by": "sha256:0"},
    )  # fmt: skip
    for one in written["ranges"]:
        keys = {key for event in one["events"] for key in event}
        assert not {"fixed", "last_affected"} <= keys
        assert "introduced" in keys
    assert written["package"]["ecosystem"] == "npm"
    assert {one["type"] for one in written["ranges"]} == {"SEMVER"}
    assert written["database_specific"] == {"shown_by": "sha256:0"}
