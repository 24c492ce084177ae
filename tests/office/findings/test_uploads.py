"""What uploaded files are told to be, and what of them becomes findings.  No database."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.formats.report import parse_report
from clearhouse.office.findings import uploads
from clearhouse.office.findings.intake import Left, of_report, report_in
from clearhouse.office.findings.uploads import Read, Taken, read_upload
from clearhouse.proof.zips import write_zip
from tests.formats.test_aixcc import FOLDER, POV
from tests.office.findings.people import SAMPLE, lines, report
from tests.office.story import packed

TARGET = PackageURL("pypi", None, "example", "1.0")


def read(name: str, data: bytes, target: PackageURL | None = None) -> list[Read]:
    return list(read_upload(name, io.BytesIO(data), len(data), target=target))


def only(found: list[Read]) -> Taken:
    [one] = found
    assert isinstance(one, Taken), one
    return one


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("bundle.tar.gz", packed(SAMPLE), "bundle"),
        ("named-otherwise.json", packed(SAMPLE), "bundle"),
        ("one.json", json.dumps(report(), indent=2).encode(), "report"),
        ("one.txt", json.dumps(report()).encode(), "report"),
        ("one.ndjson", lines(report()), "report"),
    ],
)
def test_a_file_is_told_by_its_content(name: str, data: bytes, kind: str) -> None:
    assert only(read(name, data)).item.kind == kind


def test_two_objects_on_two_lines_are_lines_whatever_the_file_is_called() -> None:
    found = read("reports.txt", lines(report(), report(title="Another")))
    assert [one.where for one in found] == ["reports.txt, line 1", "reports.txt, line 2"]


def test_each_line_is_judged_on_its_own() -> None:
    data = lines(report()) + b"\n{}\nnull\n\xff\n" + lines(report(title="Last"))
    found = read("a.jsonl", data)
    assert [type(one) for one in found] == [Taken, Left, Left, Left, Taken]
    assert found[-1].where == "a.jsonl, line 6"


@pytest.mark.parametrize("length", [9, 10, 11, 12, 21, 22, 23, 33, 500])
def test_of_a_line_that_is_too_long_only_the_beginning_is_read(length: int) -> None:
    data = b"a\n" + b"x" * length + b"\nb\n"
    found = list(uploads.raw_lines(io.BytesIO(data), longest=10))
    assert [found[0], found[-1]] == [b"a\n", b"b\n"]
    assert len(found) == 3
    assert len(found[1]) == min(length + 1, 11)


def test_a_line_may_be_a_bundle() -> None:
    line = json.dumps({"bundle": base64.b64encode(packed(SAMPLE)).decode()}).encode()
    assert only(read("a.ndjson", line + b"\n")).item.kind == "bundle"


def test_submissions_become_one_finding_with_what_belongs_to_it() -> None:
    data = write_zip({name: json.dumps(one).encode() for name, one in FOLDER.items()})
    item = only(read("crs.zip", data, TARGET)).item
    assert (item.kind, item.purl) == ("aixcc", "pkg:pypi/example@1.0")
    kept = report_in(item.data)
    assert {one.name: one.data for one in kept.attachments}.keys() == {"testcase.bin", "patch.diff"}
    assert "an overflow and its fix" in kept.description
    assert kept.title == "an overflow and its fix"


def test_what_a_submission_names_and_did_not_send_is_told() -> None:
    bundle = {"bundle_id": POV, "pov_id": POV, "description": "\x00\x07 odd \u202e\ntext"}
    item = only(read("crs.zip", write_zip({"b.json": json.dumps(bundle).encode()}))).item
    assert "pov_id names something that was not sent along" in report_in(item.data).description


def test_a_proof_alone_and_what_is_no_submission() -> None:
    pov = json.dumps(FOLDER[f"povs/{POV}.json"]).encode()
    found = read("crs.zip", write_zip({f"{POV}.json": pov, "README.md": b"x"}))
    taken = [one.item for one in found if isinstance(one, Taken)]
    assert [one.title for one in taken] == ["Input for parse_fuzzer that fails under address"]
    assert [one.reason for one in found if isinstance(one, Left)] == ["is no submission"]


def test_the_same_report_is_the_same_content_and_another_target_is_not() -> None:
    first = of_report(parse_report(report(), "x"))
    assert first.content == of_report(parse_report(report(), "y")).content
    other = report(target="pkg:generic/example@1.2.4")
    assert first.content != of_report(parse_report(other, "x")).content


def test_a_package_url_that_the_register_cannot_hold_is_refused() -> None:
    long = f"pkg:generic/{'a' * 350}@1.{'0' * 100}"
    with pytest.raises(Invalid, match="more than 400 characters"):
        of_report(parse_report(report(target=long), "x"))


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"[{}]", b"{", b"PK\x03\x04", b"\x1f\x8b", b"null", b"\x00" * 300, b"{}\n" * 3,
     b"<html>", b'{"runs": 1}', b'{"runs": []}', b'{"version": "2.1.0", "runs": [[]]}'],
)  # fmt: skip
def test_what_is_none_of_them_is_left_with_a_reason(data: bytes) -> None:
    for name in ("a.zip", "a.sarif", "a.ndjson", "a"):
        found = read(name, data)
        assert found
        assert all(isinstance(one, Left) and one.reason for one in found), name


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_KEYS = ("title", "target", "locations", "weaknesses", "runs", "version", "found_by")


@settings(max_examples=150, deadline=None)
@given(
    name=st.text(max_size=20) | st.sampled_from(["a.zip", "a.sarif", "a.ndjson", "\x00.json"]),
    data=st.binary(max_size=200)
    | st.dictionaries(st.sampled_from(_KEYS), _JSON).map(lambda one: json.dumps(one).encode())
    | st.dictionaries(st.text("ab/.\\", min_size=1, max_size=6), st.binary(max_size=20)).map(
        lambda files: write_zip({n: d for n, d in files.items() if not n.startswith("/")})
    ),
)
def test_whatever_is_uploaded_is_taken_or_left(name: str, data: bytes) -> None:
    for one in read(name, data, TARGET):
        assert isinstance(one, Taken) or one.reason
        assert "\x00" not in one.where
