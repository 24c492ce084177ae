"""Directives as JSON: what is written reads back, what is malformed is refused with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.formats.directive import MOST_BYTES, parse, read, write
from clearhouse.protocol.directives.directive import Directive
from clearhouse.protocol.directives.shipped import BOD_26_04, NATIONAL_SECURITY, TEMPLATES
from tests.protocol.directives import strategies


@given(strategies.directives)
def test_what_is_written_reads_back_equal(directive: Directive) -> None:
    raw = json.dumps(write(directive)).encode()
    assert parse(raw, "directive.json") == directive
    assert json.dumps(write(parse(raw, "directive.json"))).encode() == raw


@pytest.mark.parametrize("directive", [BOD_26_04, *TEMPLATES], ids=lambda one: one.key)
def test_what_is_shipped_reads_back_equal(directive: Directive) -> None:
    assert read(write(directive), "directive.json") == directive


def broken(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """The template with something else at a place."""
    document: Any = json.loads(json.dumps(write(NATIONAL_SECURITY)))
    place = document
    for one in path[:-1]:
        place = place[one]
    place[path[-1]] = value
    return dict(document)


DEEP: Any = []
for _ in range(50):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("format",), "clearhouse-directive/2", "format: expected clearhouse-directive/1"),
        (("colour",), "red", "colour: unknown key"),
        (("title",), None, "title: has to be there"),
        (("title",), 7, "title: expected a text, found a number"),
        (("title",), "a\0b", "title: expected at most 2000 characters, none of them NUL"),
        (("title",), "x" * 3000, "title: expected at most 2000"),
        (("force",), "harsh", "force: expected one of binding, advice"),
        (("issued",), "yesterday", "issued: expected a time with its zone"),
        (("issued",), "2026-06-10T00:00:00", "issued: expected a time with its zone"),
        (("issued",), "9999-12-31T00:00:00+00:00", "issued: expected a year"),
        (("audience", "everybody"), "yes", "audience.everybody: expected true or false"),
        (("audience", "sectors"), ["moon"], r"audience.sectors\[0\]: expected one of chemical"),
        (("vulnerabilities",), {}, "vulnerabilities: expected a list"),
        (("vulnerabilities",), DEEP, r"\[0\]: expected an object"),
        (("vulnerabilities", 0, 0), {"is": "red"}, r"vulnerabilities\[0\]\[0\].is: expected one"),
        (("vulnerabilities", 0, 0), {}, r"vulnerabilities\[0\]\[0\]: expected one of any"),
        (("vulnerabilities", 0, 0), {"is": "epss", "at_least": 2}, "at_least: expected a prob"),
        (("vulnerabilities", 0, 0), {"is": "epss", "at_least": True}, "at_least: expected a prob"),
        (("vulnerabilities", 0, 0), {"is": "epss"}, "at_least: has to be there"),
        (("vulnerabilities", 0, 0), {"is": "any", "x": 1}, "unknown key"),
        (("vulnerabilities", 0, 0), {"is": "named", "one_of": []}, "name at least one"),
        (("vulnerabilities", 0, 0), {"is": "named", "one_of": [""]}, r"one_of\[0\]: expected a n"),
        (("vulnerabilities", 0, 0), {"is": "of-weakness", "one_of": [0]}, "weakness in CWE"),
        (("vulnerabilities", 0, 0), {"is": "severity", "at_least": "bad"}, "expected one of none"),
        (("systems", 0, 0), {"is": "in-kev"}, "expected one of any, in-sector"),
        (
            ("systems", 0, 0),
            {"is": "criticality", "at_least": "XL"},
            r"at_least: expected one of L \(Low",
        ),
        (("systems", 0, 0), {"is": "of-kind", "one_of": ["x"]}, r"one_of\[0\]: expected one of n"),
        (("deadline",), {"rule": "soon"}, "deadline.rule: expected one of bod-26-04"),
        (("deadline",), {}, "deadline: expected rule"),
        (("deadline",), {"rule": "days", "from": "issue", "days": 0}, "deadline.days: expected 1"),
        (("deadline",), {"rule": "days", "from": "issue", "days": 1.5}, "expected an integer"),
        (("deadline",), {"rule": "date", "at": "x"}, "deadline.at: expected a time"),
        (("deadline",), {"rule": "next-upgrade", "at": "x"}, "unknown key"),
        (("actions",), [], "actions: say what to do"),
        (("actions",), ["x"] * 1001, "actions: expected at most 1000 entries"),
        (("ways",), ["prayer"], r"ways\[0\]: expected one of inventory"),
        (("stages", 0, "share"), 0, r"stages\[0\].share: expected a share"),
        (("stages", 0, "to"), [], r"stages\[0\].to: a stage has a name"),
        (("sources",), [{"title": ""}], r"sources\[0\].title: expected a text"),
    ],
)
def test_what_is_malformed_is_refused_with_its_place(
    path: tuple[str | int, ...], value: object, said: str
) -> None:
    with pytest.raises(Invalid, match=said) as error:
        read(broken(path, value), "directive.json")
    assert str(error.value).startswith("directive.json: ")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is not JSON"),
        (b"[]", "expected an object"),
        (b"\xff", "expected UTF-8"),
        (b'{"key": 1, "key": 2}', "stands twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b" " * (MOST_BYTES + 1), f"more than {MOST_BYTES}"),
    ],
)
def test_what_is_no_document_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        parse(raw, "directive.json")


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
)


@given(st.data(), anything)
def test_whatever_stands_at_a_place_is_read_or_invalid(data: st.DataObject, value: object) -> None:
    document = write(NATIONAL_SECURITY)
    place: Any = document
    while True:
        key: Any = data.draw(
            st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place)))
        )
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            place[key] = value
            break
        place = inner
    try:
        found = read(document, "directive.json")
    except Invalid as error:
        found = None
        where = error.where
    else:
        where = "directive.json"
    assert where == "directive.json"
    assert found is None or read(write(found), "again") == found
