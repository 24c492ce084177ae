"""Feeds: every kind in every wrapping, and whatever hostile files hold."""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.exposure import feeds, unpacking
from clearhouse.exposure.documents import ALL, VEX, Document, Kind, of_json
from clearhouse.exposure.tables import documents_in
from clearhouse.exposure.unpacking import PassedOver, SetAside
from clearhouse.formats.epss import Score
from clearhouse.formats.kev import Listing
from clearhouse.formats.vex import VexDocument
from tests.exposure.advisories import SHARED
from tests.formats.csaf.test_reading import HEAD
from tests.formats.test_cve_reading import RECORD
from tests.formats.test_kev import ENTRY
from tests.formats.test_vex_reading import BOM, OPENVEX

OSV: dict[str, Any] = {"id": "X-1", "modified": "2026-01-01T00:00:00Z", "affected": []}
CATALOGUE = {
    "catalogVersion": "1", "dateReleased": "2026-01-02T00:00:00Z", "vulnerabilities": [ENTRY],
}  # fmt: skip
EPSS = (
    b"#model_version:v2025.03.14,score_date:2026-01-03T00:00:00Z\ncve,epss,percentile\n"
    b"CVE-2021-44228,0.94358,0.99962\n"
)
#: Of each kind a document, its identifier and when it was modified.
SAMPLES: dict[Kind, tuple[bytes, str, datetime | None]] = {
    Kind.OSV: (json.dumps(OSV).encode(), "X-1", datetime(2026, 1, 1, tzinfo=UTC)),
    Kind.KEV: (
        json.dumps(CATALOGUE).encode(), "CVE-2025-48384", datetime(2026, 1, 2, tzinfo=UTC),
    ),
    Kind.EPSS: (EPSS, "CVE-2021-44228", datetime(2026, 1, 3, tzinfo=UTC)),
    Kind.CVE: (
        json.dumps(RECORD).encode(), "CVE-2024-3400",
        datetime(2025, 7, 28, 19, 43, 22, tzinfo=UTC),
    ),
    Kind.CSAF: (
        json.dumps({"document": HEAD}).encode(), "https://acme.example ACME-1",
        datetime(2026, 1, 1, tzinfo=UTC),
    ),
    Kind.OPENVEX: (
        json.dumps(OPENVEX).encode(), str(OPENVEX["@id"]),
        datetime(2023, 1, 8, 18, 2, 3, tzinfo=UTC),
    ),
    Kind.CYCLONEDX: (
        json.dumps(BOM | {"vulnerabilities": []}).encode(), str(BOM["serialNumber"]),
        datetime(2023, 1, 8, 18, 2, 3, tzinfo=UTC),
    ),
}  # fmt: skip


def split(path: Path, kinds: frozenset[Kind] = ALL) -> tuple[list[Document], list[SetAside]]:
    """What could be read, and what could not."""
    found = list(feeds.read(path, kinds))
    return (
        [one for one in found if isinstance(one, Document)],
        [one for one in found if isinstance(one, SetAside)],
    )


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Writes a file."""

    def write(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write


File = Callable[[str, bytes], Path]


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize("name", ["plain", "packed", "archive"])
@pytest.mark.parametrize("kind", Kind)
def test_the_content_tells_the_kind_and_the_wrapping(file: File, kind: Kind, name: str) -> None:
    content, identifier, modified = SAMPLES[kind]
    if name == "packed":
        content = gzip.compress(content)
    elif name == "archive":
        content = zipped({"a/one.json": content})
    (one,), aside = split(file(name, content))
    assert (one.kind, one.id, one.modified, aside) == (kind, identifier, modified, [])


def test_a_folder_has_all_of_them_and_what_is_no_feed_is_passed_over(file: File) -> None:
    for kind, (content, *_) in SAMPLES.items():
        name = f"feeds/{kind}/{kind}.csv" if kind is Kind.EPSS else f"feeds/{kind}.json"
        file(name, content)
    folder = file("feeds/README.md", b"\xff").parent
    found, aside = split(folder)
    assert ({one.kind for one in found}, aside) == (set(Kind), [])
    found, aside = split(folder, VEX)
    assert {one.kind for one in found} == VEX
    assert all(one.reason.endswith("expected CSAF, OpenVEX, CycloneDX") for one in aside)
    assert len(aside) == len(Kind) - len(VEX)


def test_a_document_keeps_the_bytes_it_came_in(file: File) -> None:
    raw = b' {"id": "X-1",\n "affected": []}'
    (one,), _ = split(file("one.json", raw))
    assert one.raw == raw
    (line,), _ = split(file("some.ndjson", b"\n" + raw.replace(b"\n", b"") + b"\n\n"))
    assert json.loads(line.raw) == json.loads(raw)
    assert line.where.endswith("some.ndjson:2")
    (member,), _ = split(file("list.json", b"[" + raw + b"]"))
    assert json.loads(member.raw) == json.loads(raw)
    assert member.digest != one.digest
    (row,), _ = split(file("epss.csv", EPSS))
    assert row.raw == b"CVE-2021-44228,0.94358,0.99962"
    assert row.value == Score("CVE-2021-44228", 0.94358, 0.99962, "v2025.03.14")


def test_the_catalogue_is_read_from_csv_too(file: File) -> None:
    head = "cveID,vendorProject,product,vulnerabilityName,dateAdded,shortDescription"
    rows = ['CVE-2026-1000,A,B,C,2026-01-01,"two\nlines"', "CVE-x,A,B,C,2026-01-01,D", "short"]
    raw = "\n".join([head, *rows]).encode() + b"\nCVE-2026-2000,\xff,B,C,2026-01-01,D\n"
    (one,), aside = split(file("kev.csv", raw))
    assert isinstance(one.value, Listing)
    assert (one.id, one.value.description) == ("CVE-2026-1000", "two\nlines")
    assert [one.reason for one in aside] == [
        "expected cveID as a CVE identifier", "expected vendorProject as text", "is not UTF-8",
    ]  # fmt: skip


DEEP = 100_000
HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is not JSON"),
    "deep list": (b"[" * DEEP + b"]" * DEEP, "is nested too deeply"),
    "deep object": (b'{"id":' * DEEP + b"1" + b"}" * DEEP, "is nested too deeply"),
    "key twice": (b'{"id": "a", "id": "b", "affected": []}', "stands twice in one object"),
    "NUL": (b'{"id": "a\0b", "affected": []}', "is not JSON"),
    "NUL in the identifier": (b'{"id": "a\\u0000b", "affected": []}', "printable characters"),
    "half a character": (b'{"id": "\\ud800", "affected": []}', "printable characters"),
    "endless identifier": (b'{"id": "%s", "affected": []}' % (b"a" * 1025), "at most"),
    "latin-1": (b'{"id": "caf\xe9", "affected": []}', "expected UTF-8"),
    "no number": (b'{"id": "a", "affected": [], "x": NaN}', "NaN is no number"),
    "long number": (b'{"id": "a", "affected": [], "x": %s}' % (b"9" * 5000), "number is too long"),
    "large number in a list": (b'[{"id": "a", "affected": [], "x": 1e999}]', "too large"),
    "a text": (b'"id"', "expected an object, found a text"),
    "a number in a list": (b"[7]", "expected an object, found a number"),
    "no kind": (b'{"id": "a"}', "is of no known kind"),
    "inventory": (b'{"bomFormat": "CycloneDX"}', "is an inventory: it has no vulnerabilities"),
    "no catalogue": (
        b'{"catalogVersion": "1", "vulnerabilities": {}}', "expected a list, found an object",
    ),
    "archive in gzip": (gzip.compress(zipped({"a.json": b"{}"})), "is an archive in an archive"),
    "archive in an archive": (
        zipped({"a.json": zipped({"a.json": b"{}"})}), "is an archive in an archive",
    ),
    "gzip cut off": (gzip.compress(SAMPLES[Kind.OSV][0])[:-9], "cannot be unpacked"),
    "zip cut off": (zipped({"a.json": b"{}"})[:-9], "is no zip file that can be read"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_set_aside_with_the_reason(
    file: File, content: bytes, reason: str
) -> None:
    found, aside = split(file("one.json", content))
    assert found == []
    (one,) = aside
    assert reason in one.reason


def test_an_unknown_table_is_told_of(file: File) -> None:
    assert split(file("a.csv", b"a,b\n1,2\n"))[1][0].reason.startswith("is a table of no known")


def test_lines_of_a_table_that_are_wrong_take_nothing_with_them(file: File) -> None:
    wide = b"CVE-2021-1," + b"0" * (1 << 20) + b"\n"
    raw = EPSS + b"CVE-2021-1,\xff,0.1\n" + wide + b"CVE-2021-45105,0.5,0.5"
    found, aside = split(file("epss.csv", raw))
    assert [one.id for one in found] == ["CVE-2021-44228", "CVE-2021-45105"]
    assert [(one.where.rpartition(":")[2], one.reason) for one in aside] == [
        ("4", "is not UTF-8"), ("5", "has a line of more than 1,048,576 bytes"),
    ]  # fmt: skip


def test_a_line_that_never_ends_takes_nothing_with_it(
    file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clearhouse.exposure.tables.MOST_DOCUMENT_BYTES", 1000)
    monkeypatch.setattr("clearhouse.exposure.documents.MOST_DOCUMENT_BYTES", 1000)
    lines = [b'{"id": "a", "affected": []}', b'{"id": "%s"}' % (b"b" * 9000), b'{"id": "c"']
    found, aside = split(file("a.jsonl", b"\n".join([*lines, lines[0]])))
    assert [one.id for one in found] == ["a", "a"]
    assert "more than 1000" in aside[0].reason
    assert aside[1].where.endswith("a.jsonl:3")


@pytest.mark.parametrize("name", ["bomb.json.gz", "bomb.ndjson.gz", "bomb.csv.gz"])
def test_a_gzip_bomb_ends_where_the_limit_is(file: File, name: str) -> None:
    start = EPSS if ".csv" in name else b""
    raw = file(name, gzip.compress(start + b" " * (64 << 20)))
    found, aside = split(raw)
    assert len(found) == (1 if start else 0)
    assert any(
        "unpacks to more than 16,777,216 bytes" in one.reason or "has 33554433 bytes" in one.reason
        for one in aside
    )


@pytest.mark.parametrize("name", ["a.ndjson.gz", "kev.csv.gz", "epss.csv.gz"])
def test_lines_that_say_nothing_end_too(file: File, name: str) -> None:
    starts = {"k": b"cveID,vendorProject,product\n", "e": EPSS, "a": b""}
    _, aside = split(file(name, gzip.compress(starts[name[0]] + b"\n" * 1_000_100)))
    assert [one.reason for one in aside] == [
        "has more than 1,000,000 empty lines; the rest is left out"
    ]


def test_an_archive_of_bombs_ends_where_the_limit_is(file: File) -> None:
    members = {f"{number:02}.json": b" " * (4 << 20) for number in range(20)}
    sound = {"00.json": SAMPLES[Kind.OSV][0]}
    found, aside = split(file("bombs.zip", zipped(members | sound)))
    assert [one.id for one in found] == ["X-1"]
    assert aside[-1].reason == "unpacks to more than 16,777,216 bytes; the rest is left out"
    assert len(aside) < 7


def test_gzip_inside_an_archive_counts_with_the_rest(file: File) -> None:
    inner = {f"{number}.json.gz": gzip.compress(b" " * (8 << 20)) for number in range(9)}
    _, aside = split(file("bombs.zip", zipped(inner)))
    assert "the rest is left out" in aside[-1].reason
    assert len(aside) < 5


def test_too_many_members_are_refused(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MOST_MEMBERS", 3)
    _, aside = split(file("many.zip", zipped({f"{n}.json": b"{}" for n in range(4)})))
    assert [one.reason for one in aside] == ["has more than 3 members"]


@pytest.mark.exhaustive
def test_a_hundred_thousand_small_records_in_an_archive_are_all_read(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(100_000):
            archive.writestr(f"{number}.json", b'{"id":"X-%d","affected":[]}' % number)
    assert Counter(type(one).__name__ for one in feeds.read(path)) == {"Document": 100_000}


def test_more_refusals_than_any_feed_has_are_no_feed(file: File) -> None:
    with pytest.raises(Invalid, match="more than 10,000 records that cannot be read"):
        split(file("a.ndjson", b"{}\n" * 10_001))


def test_links_out_of_a_folder_are_not_followed_and_this_is_said(
    file: File, tmp_path: Path
) -> None:
    secret = file("secret/one.json", SAMPLES[Kind.OSV][0])
    inside = file("feeds/in/one.json", SAMPLES[Kind.CVE][0])
    (tmp_path / "feeds/out.json").symlink_to(secret)
    (tmp_path / "feeds/folder").symlink_to(secret.parent)
    (tmp_path / "feeds/again.json").symlink_to(inside)
    (tmp_path / "feeds/loop").symlink_to(tmp_path / "feeds")
    (tmp_path / "feeds/nowhere.json").symlink_to(tmp_path / "feeds/absent")
    os.mkfifo(tmp_path / "feeds/pipe.json")
    found, aside = split(tmp_path / "feeds")
    assert {one.id for one in found} == {"CVE-2024-3400"}
    assert {(one.where.rpartition("/")[2], one.reason) for one in aside} == {
        ("out.json", "is a link out of the folder, which is not followed"),
        ("folder", "is a link out of the folder, which is not followed"),
        ("nowhere.json", "is a link that leads nowhere, or in a circle"),
        ("pipe.json", "is no file"),
    }


def test_what_is_passed_over_is_counted_and_named(file: File, tmp_path: Path) -> None:
    record = SAMPLES[Kind.OSV][0]
    for name in ("one.json", "one.json.asc", ".git/HEAD", "README.md", "in/notes.txt"):
        file(f"feeds/{name}", record)
    for number in range(20):
        file(f"feeds/other/{number:02}.html", b"<p>")
    (tmp_path / "feeds/circle.json").symlink_to(tmp_path / "feeds/circle.json")
    (tmp_path / "feeds/loop").symlink_to(tmp_path / "feeds")
    file("feeds/all.zip", zipped({"a.json": record, "LICENSE": b"", "a.json.sha256": b""}))
    passed = PassedOver()
    found = list(feeds.read(tmp_path / "feeds", passed=passed))
    assert sum(isinstance(one, Document) for one in found) == 2
    assert [one.reason for one in found if isinstance(one, SetAside)] == [
        "is a link that leads nowhere, or in a circle"
    ]
    assert (passed.count, len(passed.names)) == (24, 10)
    names = {name.removeprefix(f"{tmp_path}/feeds/") for name in passed.names}
    assert {"README.md", "all.zip/LICENSE", "loop (a link to a folder in here)"} <= names


_BOM = '<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.5">'
_VEX = (
    _BOM
    + "<vulnerabilities><vulnerability><id>CVE-2026-1</id><analysis><state>not_affected</state>"
    "</analysis><affects><target><ref>pkg:npm/a@1</ref></target></affects></vulnerability>"
    "</vulnerabilities></bom>"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_statements_in_xml_are_kept_as_the_json_that_they_would_be(
    file: File, encoding: str
) -> None:
    raw = _VEX.encode(encoding)
    for path in (file("bom.xml", raw), file("feeds/bom.xml", raw).parent):
        (found,), aside = split(path)
        assert not aside
        assert (found.kind, json.loads(found.raw)["bomFormat"]) == (Kind.CYCLONEDX, "CycloneDX")
        (again,) = of_json(found.raw, found.where, ALL)
        assert isinstance(again, Document)
        assert isinstance(again.value, VexDocument)
        assert (again.digest, again.value.statements[0].ids) == (found.digest, ("CVE-2026-1",))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (_BOM + "</bom>", "is an inventory: it has no vulnerabilities"),
        ("<html><body>404</body></html>", "expected a CycloneDX bom"),
        (_BOM, "is not XML: no element found in line 1"),
        ("not XML", "is not XML: syntax error in line 1"),
        (_BOM + "\udcff</bom>", "is not UTF-8: byte 70 cannot be read"),
    ],
)
def test_other_xml_is_set_aside_by_name(file: File, text: str, reason: str) -> None:
    found, (aside,) = split(file("bom.xml", text.encode("utf-8", "surrogateescape")))
    assert not found
    assert aside.reason == reason


def test_lines_are_known_by_their_content_where_the_name_does_not_tell(file: File) -> None:
    first, second = (raw.strip() for raw in (b'{"id": "X-1", "affected": []}', b'{"id": 7}'))
    found, (aside,) = split(file("63", first + b"\n\n" + second + b"\n"))
    assert [(one.id, one.where.rpartition(":")[2]) for one in found] == [("X-1", "1")]
    assert aside.where.endswith(":3")
    found, _ = split(file("64", b'{\n"id": "X-1",\n"affected": []}\n'))
    assert [one.id for one in found] == ["X-1"]


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"absent\.json: cannot be read: No such file"):
        split(tmp_path / "absent.json")


def test_only_records_of_osv_are_loaded_and_what_they_do_not_tell_is_said(file: File) -> None:
    entries: list[dict[str, Any]] = [
        {"package": {"ecosystem": "npm"}},
        {"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.0.0"]},
    ]
    file("feeds/a.json", json.dumps(OSV | {"affected": entries}).encode())
    folder = file("feeds/b.json", SAMPLES[Kind.KEV][0]).parent
    record, entry, other = list(feeds.load(folder))
    assert not isinstance(record, SetAside)
    assert [one.name for one in record.affected] == ["a"]
    assert isinstance(entry, SetAside)
    assert entry.where.endswith("a.json: X-1")
    assert entry.reason.startswith("affected[0].package: expected name as text")
    assert isinstance(other, SetAside)
    assert other.reason == "is the KEV catalogue; expected OSV"


def test_the_catalogue_and_the_samples_of_vex_are_read(tmp_path: Path) -> None:
    kev = SHARED / "data" / "kev" / "known_exploited_vulnerabilities.csv"
    if not kev.is_file():
        pytest.skip("no catalogue: set CLEARHOUSE_SHARED to the folder of shared test data")
    found, aside = split(kev)
    assert (len(found), aside) == (1404, [])
    found, aside = split(SHARED / "data" / "sboms", VEX)
    assert [one.kind for one in found] == [Kind.CYCLONEDX] * 5
    assert not any(one.problems for one in found)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from(["a.json", "a.ndjson", "a.csv", "a"]))
def test_any_bytes_are_read_or_set_aside(raw: bytes, name: str) -> None:
    for content in (raw, EPSS + raw, b"cveID,vendorProject,product\n" + raw):
        list(documents_in(io.BufferedReader(io.BytesIO(content)), name, "x", ALL))
