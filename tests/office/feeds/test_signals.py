"""What catalogues say of flaws: editions in any order, of any form, and what they rest on."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearhouse.errors import Invalid
from clearhouse.office.feeds.models import Load, Record, Signal, Statements, Subject
from clearhouse.office.inventories.actions.feeding import load, look_again, take_in_documents
from clearhouse.office.inventories.actions.receiving import receive
from clearhouse.office.inventories.actions.systems import add_system
from clearhouse.office.inventories.models import Exposure
from clearhouse.office.queue.inline import work_off
from clearhouse.protocol.roles import Role
from tests.office.inventories.made import documented
from tests.office.story import somebody

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Days:
    """A clock that shows a later minute each time."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at


def kev(day: int, *cves: str, **more: object) -> dict[str, object]:
    """An edition of the catalogue."""
    rows = [
        {
            "cveID": cve, "vendorProject": "v", "product": "p", "dateAdded": "2026-11-01",
            "requiredAction": "Update.", "knownRansomwareCampaignUse": "Unknown",
        }
        for cve in cves
    ]  # fmt: skip
    released = f"2026-11-{day:02}T10:00:00.0000Z"
    edition = {"catalogVersion": f"2026.11.{day:02}", "dateReleased": released}
    return edition | {"vulnerabilities": rows} | more


def as_csv(*cves: str) -> str:
    """The same as a table, which does not say when it came out."""
    header = (
        "cveID,vendorProject,product,vulnerabilityName,dateAdded,shortDescription,"
        "requiredAction,dueDate,knownRansomwareCampaignUse,notes,cwes"
    )
    rows = [f"{cve},v,p,n,2026-11-01,d,Update.,,Unknown,," for cve in cves]
    return "\n".join([header, *rows]) + "\n"


def listed() -> list[str]:
    return sorted(Signal.objects.filter(kind="kev").values_list("flaw", flat=True))


def put(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


ONE, TWO, THREE = "CVE-2026-0001", "CVE-2026-0002", "CVE-2026-0003"


def test_what_a_newer_edition_lists_no_more_is_taken_back(tmp_path: Path) -> None:
    clock = Days()
    load(put(tmp_path, "a.json", kev(1, ONE, TWO)), clock=clock)
    load(put(tmp_path, "b.json", kev(2, TWO, THREE)), clock=clock)
    assert listed() == [TWO, THREE]


def test_an_older_edition_neither_takes_back_nor_brings_back(tmp_path: Path) -> None:
    clock = Days()
    load(put(tmp_path, "b.json", kev(2, TWO, THREE)), clock=clock)
    load(put(tmp_path, "a.json", kev(1, ONE, TWO)), clock=clock)
    assert listed() == [TWO, THREE]


def test_editions_in_one_folder_end_with_the_newest(tmp_path: Path) -> None:
    put(tmp_path, "a.json", kev(2, TWO, THREE))
    put(tmp_path, "b.json", kev(1, ONE, TWO))
    put(tmp_path, "c.json", kev(3, THREE))
    load(tmp_path, clock=Days())
    assert listed() == [THREE]


def test_the_catalogue_as_a_table_takes_the_place_of_one_with_a_date(tmp_path: Path) -> None:
    clock = Days()
    load(put(tmp_path, "a.json", kev(1, ONE, TWO)), clock=clock)
    load(put(tmp_path, "a.csv", as_csv(TWO, THREE)), clock=clock)
    assert listed() == [TWO, THREE]
    load(put(tmp_path, "b.json", kev(2, ONE)), clock=clock)
    assert listed() == [ONE]


def test_what_an_edition_lists_that_cannot_be_read_is_not_taken_back(tmp_path: Path) -> None:
    clock = Days()
    load(put(tmp_path, "a.json", kev(1, ONE, TWO)), clock=clock)
    broken = kev(2, ONE, TWO)
    broken["vulnerabilities"][0]["dateAdded"] = "soon"  # type: ignore[index]
    row = load(put(tmp_path, "b.json", broken), clock=clock)
    assert row.left_out == 1
    assert listed() == [ONE, TWO]


def test_a_load_that_was_cut_off_behind_the_catalogue_still_takes_back(tmp_path: Path) -> None:
    clock = Days()
    load(put(tmp_path, "a.json", kev(1, ONE, TWO)), clock=clock)
    path = put(tmp_path, "b.json", kev(2, TWO))

    def cut_off(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(path, clock=clock, say=cut_off)
    assert Load.objects.filter(ended_at=None).count() == 1
    load(path, clock=clock)
    assert listed() == [TWO]
    assert not Load.objects.filter(ended_at=None).exists()


def osv(identifier: str = "PYSEC-1", **more: object) -> dict[str, object]:
    entry = {
        "package": {"ecosystem": "PyPI", "name": "jinja2"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
    }
    frame = {"id": identifier, "modified": "2026-11-01T00:00:00Z", "aliases": [ONE]}
    return frame | {"affected": [entry]} | more


def exposed() -> Exposure:
    """A system that is touched by a flaw."""
    take_in_documents([documented(osv())], now=NOW)
    viewer = somebody("hospital", Role.DEPLOYER)
    system = add_system(viewer, "Records", answers={}, now=NOW)
    receive(viewer, system.name, b"jinja2==3.1.3\n", file="r.txt", now=NOW)
    return Exposure.objects.get()


def test_the_first_catalogue_is_news_of_every_flaw_also_of_those_it_does_not_list(
    tmp_path: Path,
) -> None:
    one = exposed()
    assert one.judged["kev"] is None
    load(put(tmp_path, "a.json", kev(1, TWO)), clock=Days())
    work_off(NOW + timedelta(hours=1))
    one.refresh_from_db()
    assert one.judged["kev"] == ""


def test_a_vex_document_reaches_a_flaw_by_each_of_its_names() -> None:
    take_in_documents([documented(osv(aliases=[ONE, "GHSA-2345-6789-cfgh"]))], now=NOW)
    one = exposed()
    vex = {
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1",
        "author": "Example", "timestamp": "2026-11-02T00:00:00Z", "version": 1,
        "statements": [
            {
                "vulnerability": {"name": "GHSA-2345-6789-cfgh"},
                "products": [{"@id": "pkg:pypi/jinja2@3.1.3"}],
                "status": "not_affected", "justification": "vulnerable_code_not_present",
            }
        ],
    }  # fmt: skip
    take_in_documents([documented(osv(aliases=[ONE, "GHSA-2345-6789-cfgh"], summary="x"))], now=NOW)
    look_again(NOW)
    work_off(NOW)
    take_in_documents([documented(vex)], now=NOW)
    assert look_again(NOW) == 1
    work_off(NOW)
    one.refresh_from_db()
    assert one.statement is not None


def test_of_one_time_written_finer_the_newer_record_counts() -> None:
    take_in_documents([documented(osv(summary="first"))], now=NOW)
    later = osv(modified="2026-11-01T00:00:00.5Z", summary="second")
    take_in_documents([documented(later)], now=NOW)
    assert Record.objects.get().summary == "second"
    earlier = osv(modified="2026-11-01T00:30:00+01:00", summary="earlier")
    take_in_documents([documented(earlier)], now=NOW)
    assert Record.objects.get().summary == "second"


def test_what_no_database_stores_is_kept_without_it(tmp_path: Path) -> None:
    odd = "\x00 \ud800"
    document = osv(summary=odd, modified=odd, aliases=[odd, "a" * 1000, ONE])
    entry = {"package": {"ecosystem": "PyPI", "name": f"jin{odd}"}, "versions": ["1"]}
    document["affected"] = [*document["affected"], entry]  # type: ignore[misc]
    row = load(put(tmp_path, "odd.json", document), clock=Days())
    assert row.left_out == 0
    assert Record.objects.get().identifier == "PYSEC-1"
    one = exposed()
    assert one.flaw == ONE


def test_aliases_that_are_none_join_no_two_flaws_and_hide_none(tmp_path: Path) -> None:
    for number in (1, 2):
        document = osv(f"PYSEC-{number}", aliases=["A" * 200 + str(number)])
        load(put(tmp_path, f"{number}.json", document), clock=Days())
    viewer = somebody("hospital", Role.DEPLOYER)
    system = add_system(viewer, "Records", answers={}, now=NOW)
    receive(viewer, system.name, b"jinja2==3.1.3\n", file="r.txt", now=NOW)
    assert Exposure.objects.count() == 2


def test_names_that_no_index_holds_are_left_out_with_the_reason(tmp_path: Path) -> None:
    long = "".join(chr(0x4E00 + n) for n in range(1000))
    document = osv()
    document["affected"][0]["package"]["name"] = long  # type: ignore[index]
    row = load(put(tmp_path, "long.json", document), clock=Days())
    assert (row.left_out, Record.objects.count(), Subject.objects.count()) == (1, 0, 0)
    vex = {
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": f"https://example.org/{long}",
        "author": "Example", "timestamp": "2026-11-02T00:00:00Z", "version": 1,
        "statements": [
            {"vulnerability": {"name": ONE}, "products": [{"@id": "pkg:pypi/jinja2"}],
             "status": "fixed"}
        ],
    }  # fmt: skip
    row = load(put(tmp_path, "vex.json", vex), clock=Days())
    assert (row.left_out, Statements.objects.count()) == (1, 0)


def test_files_with_names_that_are_no_text_are_loaded_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "odd\udcff"
    folder.mkdir()
    put(folder, "f\udcff.json", osv())
    (folder / "gone.json").symlink_to(folder / "nowhere")
    row = load(folder, clock=Days())
    assert (row.position, Record.objects.count()) == (2, 1)


def test_a_stream_is_refused_and_not_read_to_its_end_for_nothing(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="neither a file nor a folder"):
        load(Path("/dev/null"), clock=Days())


def test_scores_of_no_day_are_replaced_by_what_comes_later(tmp_path: Path) -> None:
    clock = Days()
    for share in ("0.1", "0.2"):
        table = f"cve,epss,percentile\n{ONE},{share},0.5\n"
        load(put(tmp_path, "epss.csv", table), clock=clock)
    assert Signal.objects.get().said["probability"] == 0.2


def test_a_load_of_something_else_takes_nothing_of_a_half_loaded_catalogue_back(
    tmp_path: Path,
) -> None:
    (tmp_path / "kev.json").write_text(json.dumps(kev(1, "CVE-2026-1001", "CVE-2026-1002")))
    clock = Days()
    load(tmp_path / "kev.json", clock=clock)
    frame = {"id": "PYSEC-1", "modified": "2026-11-01T00:00:00Z", "affected": []}
    (tmp_path / "osv.json").write_text(json.dumps(frame))

    def beside(_: str) -> None:
        """The next edition begins to be loaded: the first part of it is here."""
        take_in_documents([documented(kev(2, "CVE-2026-1001"))], now=clock())

    load(tmp_path / "osv.json", clock=clock, say=beside)
    listed = Signal.objects.filter(kind=Signal.Kind.KEV).values_list("flaw", flat=True)
    assert set(listed) == {"CVE-2026-1001", "CVE-2026-1002"}
