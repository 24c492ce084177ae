"""What cyber reasoning systems hand in: read by kind, joined by identifier."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.formats.aixcc import PATCH_BYTES, Submissions, parse_submissions
from clearhouse.formats.sarif import parse_log
from clearhouse.proof.door import read_archive
from clearhouse.proof.zips import write_zip

POV, PATCH, SARIF, BUNDLE, NOTE = (f"{n}0000000-0000-4000-8000-00000000000{n}" for n in range(1, 6))


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def pov(**changes: Any) -> dict[str, Any]:
    return {
        "testcase": encoded(b"AAAA"),
        "fuzzer_name": "parse_fuzzer",
        "sanitizer": "address",
        "architecture": "x86_64",
        "engine": "libfuzzer",
    } | changes


LOG = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "CRS"}}, "results": [{}]}]}
DIFF = b"--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n"
FOLDER: dict[str, Any] = {
    f"povs/{POV}.json": pov(),
    "patches/p.json": {"patch": encoded(DIFF), "patch_id": PATCH, "status": "passed"},
    f"sarif-{SARIF}.json": {"sarif": LOG},
    f"freeform/{NOTE}.json": {"submission": encoded(b"no harness")},
    "bundle.json": {
        "bundle_id": BUNDLE,
        "pov_id": POV.upper(),
        "patch_id": PATCH,
        "submitted_sarif_id": SARIF,
        "description": "an overflow and its fix",
    },
}


def read(files: dict[str, Any]) -> Submissions:
    raw = {
        name: one if isinstance(one, bytes) else json.dumps(one).encode()
        for name, one in files.items()
    }
    return parse_submissions(raw, "the folder")


def test_a_folder_is_read_by_kind_and_identifier() -> None:
    found = read(
        FOLDER | {"README.md": b"hello", "status.json": {"pov_id": POV, "status": "passed"}}
    )
    assert found.povs[POV].testcase == b"AAAA"
    assert found.patches[PATCH].diff == DIFF
    assert found.freeforms[NOTE].content == b"no harness"
    assert parse_log(found.sarifs[SARIF].sarif, target=None, where="s").reports[0].title
    assert found.ignored == ("README.md", "status.json")


def test_a_bundle_joins_what_it_names() -> None:
    joined = read(FOLDER).joined()
    assert len(joined) == 1
    only = joined[0]
    assert only.pov is not None
    assert only.patch is not None
    assert only.sarif is not None
    assert (only.pov.id, only.patch.id, only.sarif.id) == (POV, PATCH, SARIF)
    assert (only.bundle.description, only.missing) == ("an overflow and its fix", ())


def test_what_a_bundle_names_and_nobody_handed_in_is_told() -> None:
    only = read({"bundle.json": FOLDER["bundle.json"]}).joined()[0]
    assert only.missing == ("pov_id", "patch_id", "submitted_sarif_id")


def test_a_proof_without_a_bundle_stands_on_its_own() -> None:
    joined = read(FOLDER | {"other.json": pov(testcase=encoded(b"B"))}).joined()
    assert [one.pov.testcase for one in joined if one.pov] == [b"AAAA", b"B"]


def test_an_archive_of_it_is_read_alike() -> None:
    raw = {name: json.dumps(one).encode() for name, one in FOLDER.items()}
    files = read_archive(write_zip(raw), where="crs.zip")
    assert parse_submissions(files, "crs.zip").povs == read(FOLDER).povs


@pytest.mark.parametrize(
    ("one", "key"),
    [
        (pov(sanitizer="thread"), "sanitizer"),
        (pov(engine="afl"), "engine"),
        (pov(fuzzer_name="two\nlines"), "fuzzer_name"),
        (pov(testcase=""), "testcase"),
        (pov(pov_id="7"), "pov_id"),
        (pov(test_case="x"), "test_case"),
        ({"patch": encoded(bytes(PATCH_BYTES + 1))}, "patch"),
        ({"patch": "***"}, "patch"),
        ({"sarif": "text"}, "sarif"),
        ({"pov_id": POV}, None),
        ({"pov_id": POV, "description": 3}, "description"),
        ({"hello": 1}, None),
        ([], None),
    ],
)
def test_a_wrong_submission_names_its_file_and_key(one: Any, key: str | None) -> None:
    with pytest.raises(Invalid) as error:
        read({"a/x.json": one})
    assert (error.value.where, error.value.key) == ("the folder: a/x.json", key)


def test_two_of_one_identifier_are_refused() -> None:
    with pytest.raises(Invalid, match="second"):
        read({"a/x.json": pov(), "b/x.json": pov()})


KEYS = st.sampled_from(
    [
        "testcase",
        "patch",
        "sarif",
        "submission",
        "pov_id",
        "patch_id",
        "description",
        "bundle_id",
        "status",
        "engine",
    ]
)
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.integers(), st.sampled_from([POV, "QUFB", "", "x"]), st.just({})
)


@given(st.dictionaries(st.sampled_from(["a.json", "b.json", "c"]), st.one_of(
    st.binary(max_size=20), st.dictionaries(KEYS, VALUES, max_size=4)), max_size=3))  # fmt: skip
def test_any_folder_is_read_or_refused(files: dict[str, Any]) -> None:
    try:
        found = read(files)
    except Invalid:
        return
    assert len(found.joined()) <= len(files)
