"""Reports at the door: read, refused with the place, and the same content known again."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.formats.report import (
    Location,
    Report,
    System,
    parse_bulk,
    parse_report,
    plain_report,
    read_report,
)
from clearhouse.formats.report_schema import ATTACHED_BYTES, ATTACHMENT_BYTES, LOCATIONS, SCHEMA

VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
#: What a schema cannot say, and the parser checks besides.
BEYOND = ("target", "severity_vector")


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


WHOLE: dict[str, Any] = {
    "title": "Quadratic time in nested block quotes",
    "description": "A line of `>` takes minutes.\r\n\r\nSee the poc.",
    "target": "pkg:pypi/markdown-it-py@2.1.0",
    "weaknesses": ["CWE-400", 1333, "CWE-400"],
    "locations": [
        {"file": "markdown_it/rules_block/blockquote.py", "function": "blockquote", "line": 12},
        {"file": "markdown_it/main.py"},
    ],
    "effect": "hang",
    "severity": "high",
    "severity_vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
    "found_by": {"name": "Example Reasoner", "version": "4.2"},
    "aliases": ["CVE-2023-26303", "GHSA-jrwr-5x3p-hvc3"],
    "references": ["https://example.org/advisory"],
    "origin_id": "run-17/finding-3",
    "tool": {"name": "hunter"},
    "attachments": {"poc.bin": encoded(b">" * 50), "notes.txt": encoded(b"read me")},
}


def test_a_report_is_read() -> None:
    report = parse_report(WHOLE, "report.json")
    assert report.target == PackageURL("pypi", None, "markdown-it-py", "2.1.0")
    assert report.weaknesses == (400, 1333)
    assert report.description == "A line of `>` takes minutes.\n\nSee the poc."
    assert report.locations[0] == Location(
        "markdown_it/rules_block/blockquote.py", "blockquote", 12
    )
    assert report.found_by == System("Example Reasoner", "4.2")
    assert [one.name for one in report.attachments] == ["notes.txt", "poc.bin"]
    assert report.attachments[1].data == b">" * 50


def test_only_a_title_has_to_be_there() -> None:
    assert parse_report({"title": " A flaw "}, "r") == Report("A flaw")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"title": None}, "title"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "turned \u202e around"}, "title"),
        ({"title": "half \ud800"}, "title"),
        ({"description": "nul \x00"}, "description"),
        ({"description": "x" * 65_537}, "description"),
        ({"target": "pkg:pypi/sqlparse"}, "target"),
        ({"target": "sqlparse 0.4.4"}, "target"),
        ({"target": "pkg:npm/%0A@1"}, "target"),
        ({"weaknesses": "CWE-79"}, "weaknesses"),
        ({"weaknesses": ["CWE-0"]}, "weaknesses[0]"),
        ({"weaknesses": [1, True]}, "weaknesses[1]"),
        ({"weaknesses": list(range(1, 22))}, "weaknesses"),
        ({"locations": [{"file": "a"}, {"file": "b", "line": 0}]}, "locations[1].line"),
        ({"locations": [{"line": 3}]}, "locations[0].file"),
        ({"locations": [{"file": "a"}] * (LOCATIONS + 1)}, "locations"),
        ({"severity_vector": "CVSS:3.1/AV:N"}, "severity_vector"),
        ({"found_by": "a model"}, "found_by"),
        ({"found_by": {"version": "1"}}, "found_by.name"),
        ({"aliases": ["CVE-24-1"]}, "aliases[0]"),
        ({"references": ["javascript:alert(1)"]}, "references[0]"),
        ({"attachments": {"../poc": ""}}, "attachments"),
        ({"attachments": {"poc": "not base64"}}, "attachments.poc"),
        ({"attachments": {"poc": encoded(bytes(ATTACHMENT_BYTES + 1))}}, "attachments.poc"),
        ({"attachments": {str(n): encoded(bytes(ATTACHED_BYTES // 3 + 1)) for n in range(3)}},
         "attachments"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_path(change: dict[str, Any], key: str) -> None:
    with pytest.raises(Invalid) as error:
        parse_report(WHOLE | change, "report.json")
    assert (error.value.where, error.value.key) == ("report.json", key)


def test_an_unknown_key_is_refused_with_the_nearest_known() -> None:
    with pytest.raises(Invalid, match="did you mean 'weaknesses'") as error:
        parse_report({"title": "x", "weakness": []}, "report.json")
    assert error.value.key == "weakness"
    with pytest.raises(Invalid, match="did you mean 'function'") as error:
        parse_report({"title": "x", "locations": [{"file": "a", "func": "b"}]}, "report.json")
    assert error.value.key == "locations[0].func"


TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", " ", "a\n", "a\tb", "\u200b", "x" * 201, "CWE-79", "https://a.example/"]),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 200_000), st.sampled_from([1.0, 2.5, 1e300]), TEXTS
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
NEARLY: dict[str, st.SearchStrategy[Any]] = {
    "title": TEXTS,
    "description": TEXTS,
    "target": st.sampled_from(["pkg:pypi/a@1", "pkg:npm/%40scope/a@1.0.0", "pkg:pypi/a", "a@1"]),
    "target_text": TEXTS,
    "weaknesses": st.lists(
        st.sampled_from(["CWE-1", "CWE-01", "CWE-99999", "CWE-100000", "CWE-1\n", 1, 0, 7.0]),
        max_size=22,
    ),
    "locations": st.lists(
        st.fixed_dictionaries(
            {"file": TEXTS}, optional={"function": SCALARS, "line": SCALARS, "row": SCALARS}
        ),
        max_size=3,
    ),
    "effect": TEXTS,
    "severity": TEXTS,
    "severity_vector": st.sampled_from(
        ["AV:N/AC:L/Au:N/C:N/I:N/A:C", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:H", "AV:N", "7"]
    ),
    "found_by": st.fixed_dictionaries({}, optional={"name": SCALARS, "version": SCALARS}),
    "aliases": st.lists(
        st.sampled_from(["CVE-2024-1234", "CVE-2024-123", "GHSA-jrwr-5x3p-hvc3", "GHSA-aaaa-bbbb"]),
        max_size=3,
    ),
    "references": st.lists(st.sampled_from(["https://a", "http://a/b\n", "ftp://a"]), max_size=2),
    "origin_id": TEXTS,
    "tool": st.fixed_dictionaries({"name": TEXTS}, optional={"version": SCALARS}),
    "attachments": st.dictionaries(
        st.sampled_from(["poc", "a b.bin", ".hidden", "a/b", "poc\n", ""]),
        st.one_of(st.binary(max_size=9).map(encoded), st.text("AB+/=", max_size=9), SCALARS),
        max_size=3,
    ),
}  # fmt: skip
CANDIDATES = st.fixed_dictionaries(
    {}, optional={key: st.one_of(good, good, good, ANYTHING) for key, good in NEARLY.items()}
)


def outcome(raw: Any) -> Report | Invalid:
    try:
        return parse_report(raw, "r")
    except Invalid as error:
        return error


def agreed(raw: Any) -> None:
    fits = VALIDATOR.is_valid(raw)
    found = outcome(raw)
    if isinstance(found, Invalid):
        assert not fits or found.key in BEYOND, f"the schema takes what is refused: {found}"
    else:
        assert fits, "the schema refuses what is read"
        assert parse_report(plain_report(found), "r") == found
        assert VALIDATOR.is_valid(plain_report(found))


@given(CANDIDATES)
def test_schema_and_parser_agree(raw: Any) -> None:
    agreed(raw)


@given(st.sampled_from(sorted(NEARLY)).flatmap(lambda key: st.tuples(st.just(key), NEARLY[key])))
def test_schema_and_parser_agree_on_each_key(pair: tuple[str, Any]) -> None:
    agreed(WHOLE | {pair[0]: pair[1]})


@given(ANYTHING)
def test_anything_is_a_report_or_refused_by_both(raw: Any) -> None:
    agreed(raw)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def shuffled(raw: Any, chance: random.Random) -> Any:
    if isinstance(raw, dict):
        pairs = [(key, shuffled(value, chance)) for key, value in raw.items()]
        chance.shuffle(pairs)
        return dict(pairs)
    return [shuffled(one, chance) for one in raw] if isinstance(raw, list) else raw


@given(st.randoms(use_true_random=False))
def test_the_digest_is_of_the_content_whatever_the_order_of_keys(chance: random.Random) -> None:
    again = read_report(json.dumps(shuffled(WHOLE, chance)).encode(), "again")
    assert again.digest == parse_report(WHOLE, "first").digest


@pytest.mark.parametrize("key", [key for key in WHOLE if key != "title"])
def test_each_part_of_a_report_counts_in_its_digest(key: str) -> None:
    without = {name: value for name, value in WHOLE.items() if name != key}
    assert parse_report(without, "r").digest != parse_report(WHOLE, "r").digest
    assert parse_report(WHOLE | {key: None}, "r").digest == parse_report(without, "r").digest


def test_attachments_of_other_names_or_bytes_are_other_content() -> None:
    digests = {
        parse_report({"title": "x", "attachments": files}, "r").digest
        for files in ({"a": encoded(b"1")}, {"b": encoded(b"1")}, {"a": encoded(b"2")})
    }
    assert len(digests) == 3


def test_the_bytes_of_attachments_stay_out_of_what_is_logged() -> None:
    assert "50" not in repr(parse_report(WHOLE, "r").attachments)
    assert ">>>" not in repr(parse_report(WHOLE, "r"))


def test_in_bulk_each_line_stands_on_its_own() -> None:
    lines = [
        b'{"title": "one"}\n',
        b"\n",
        b'{"title": "two", "titel": 1}\n',
        b"[" * 100_000,
        b"\xff\n",
        b'{"title": "a", "title": "b"}',
        b'{"title": "x", "weaknesses": [' + b"9" * 5000 + b"]}",
        b'{"title": "x", "weaknesses": [NaN]}',
        b'{"title": "last"}',
    ]
    found = list(parse_bulk(lines, "bulk.ndjson"))
    assert [type(one) for one in found] == [Report, *[Invalid] * 6, Report]
    wheres = [one.where for one in found if isinstance(one, Invalid)]
    assert wheres == [f"bulk.ndjson, line {number}" for number in (3, 4, 5, 6, 7, 8)]


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_lines_are_reports_or_refused(lines: list[bytes]) -> None:
    assert len(list(parse_bulk(lines))) <= len(lines)
