"""Listings of a Python index in the forms that real ones have, and its files."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearhouse.proof.target import Reason, Store, TargetNotFound, TargetUnavailable
from clearhouse.proof.target.pip_settings import PipSettings
from clearhouse.proof.target.pypi import PythonIndex
from clearhouse.proof.target.web import Access
from tests.proof.target.making import LocalIndex, Server, day, sdist, serving, wheel


@pytest.fixture
def reading(index: LocalIndex, store: Store) -> PythonIndex:
    return PythonIndex(index.settings(), store)


def _age_listings(store: Store, by: timedelta) -> None:
    for path in store.path("listings").rglob("*.json"):
        value = json.loads(path.read_text())
        made = datetime.fromisoformat(value["made"]) - by
        store.write_json({**value, "made": made.isoformat()}, *path.relative_to(store.root).parts)


def _versions(reading: PythonIndex, name: str = "demo") -> list[str]:
    return [release.version for release in reading.releases(name)]


def test_releases_come_in_version_order_with_all_their_files(
    index: LocalIndex, reading: PythonIndex
) -> None:
    index.add("demo", wheel("demo", "1.10"), day("2021-03-01"), requires_python=">=3.8")
    index.add("demo", sdist("demo", "1.9", {}), day("2021-02-02"))
    index.add("demo", wheel("demo", "1.9"), day("2021-02-01"))
    index.add("demo", wheel("demo", "1.10rc1"), day("2021-02-20"), yanked=True)
    found = reading.releases("Demo")
    assert [release.version for release in found] == ["1.9", "1.10rc1", "1.10"]
    assert [release.yanked for release in found] == [False, True, False]
    assert found[0].uploaded == day("2021-02-01")
    assert {artifact.kind for artifact in found[0].artifacts} == {"wheel", "sdist"}
    assert found[2].artifacts[0].requires_python == ">=3.8"


def test_a_version_outside_the_grammar_stands_where_its_date_puts_it(
    index: LocalIndex, reading: PythonIndex
) -> None:
    for version, date in (("0.3.1", "2011-01-01"), ("0.3.3", "2011-03-01"), ("0.4", "2011-04-01")):
        index.add("demo", sdist("demo", version, {}), day(date))
    index.add("demo", sdist("demo", "0.3.2g.dev", {}), day("2011-02-01"))
    index.add("demo", sdist("demo", "trunk", {}), day("2012-01-01"))
    found = reading.releases("demo")
    assert [(release.version, release.ordered) for release in found] == [
        ("0.3.1", True),
        ("0.3.2g.dev", False),
        ("0.3.3", True),
        ("0.4", True),
        ("trunk", False),
    ]


def test_spellings_of_one_version_are_one_release(index: LocalIndex, reading: PythonIndex) -> None:
    index.add("demo", wheel("demo", "1.0"))
    index.add("demo", sdist("demo", "1.0.0", {}))
    assert [len(release.artifacts) for release in reading.releases("demo")] == [2]


def test_a_version_without_files_is_still_a_release(
    index: LocalIndex, reading: PythonIndex
) -> None:
    index.empty["demo"] = ["0.1"]
    index.add("demo", wheel("demo", "0.2"))
    found = reading.releases("demo")
    assert [(release.version, len(release.artifacts)) for release in found] == [
        ("0.1", 0),
        ("0.2", 1),
    ]


def test_dates_come_from_the_json_description_where_the_index_page_has_none(
    server: Server, store: Store
) -> None:
    index = LocalIndex(server, form="companion", empty={"demo": ["0.9"]})
    index.add("demo", wheel("demo", "1.0"), day("2019-05-05"), yanked=True)
    found = PythonIndex(index.settings(), store).releases("demo")
    assert [(one.version, one.uploaded, one.yanked) for one in found] == [
        ("0.9", None, False),
        ("1.0", day("2019-05-05"), True),
    ]


def test_an_index_without_any_dates_gives_releases_without_dates(
    server: Server, store: Store
) -> None:
    index = LocalIndex(server, form="html")
    index.add("demo", wheel("demo", "1.0"))
    found = PythonIndex(index.settings(), store).releases("demo")
    assert [(release.version, release.uploaded) for release in found] == [("1.0", None)]


@pytest.mark.parametrize("status", [403, 404])
def test_a_json_description_that_is_not_given_out_is_done_without(
    server: Server, store: Store, status: int
) -> None:
    index = LocalIndex(server, form="html")
    index.add("demo", wheel("demo", "1.0"))
    server.routes["/pypi/demo/json"] = (status, "text/plain", b"")
    assert _versions(PythonIndex(index.settings(), store)) == ["1.0"]


def test_a_json_description_that_fails_for_now_fails_the_listing(
    server: Server, store: Store
) -> None:
    index = LocalIndex(server, form="html")
    index.add("demo", wheel("demo", "1.0"))
    server.routes["/pypi/demo/json"] = (500, "text/plain", b"")
    with pytest.raises(TargetUnavailable):
        PythonIndex(index.settings(), store).releases("demo")


def test_a_name_that_no_index_has_is_not_found(reading: PythonIndex) -> None:
    with pytest.raises(TargetNotFound, match="demo") as caught:
        reading.releases("demo")
    assert caught.value.reason is Reason.NO_SUCH_PACKAGE


def test_a_second_index_adds_releases_and_the_first_ones_files_stay(
    index: LocalIndex, store: Store
) -> None:
    index.add("demo", wheel("demo", "1.0"))
    with serving() as other:
        second = LocalIndex(other)
        second.add("demo", wheel("demo", "1.0", {"demo.py": "other"}))
        second.add("demo", wheel("demo", "2.0"))
        both = PipSettings(
            (*index.settings().indexes, *second.settings().indexes), (), Access(timeout=10)
        )
        found = PythonIndex(both, store).releases("demo")
    assert [release.version for release in found] == ["1.0", "2.0"]
    assert [one.url for one in found[0].artifacts] == [
        f"{index.server.url}/files/demo-1.0-py3-none-any.whl"
    ]


def test_links_in_a_folder_and_on_a_page_are_found(tmp_path: Path, server: Server) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, content in (wheel("demo", "1.0"), wheel("other", "1.0"), ("read.me", b"")):
        (folder / name).write_bytes(content)
    name, content = wheel("demo", "2.0")
    server.put("/links/", f'<a href="{name}">{name}</a>', "text/html")
    server.put(f"/links/{name}", content)
    settings = PipSettings(
        (), (str(folder), f"{server.url}/links/", str(tmp_path / "none")), Access(timeout=10)
    )
    reading = PythonIndex(settings, Store(tmp_path / "cache"))
    found = reading.releases("demo")
    assert [release.version for release in found] == ["1.0", "2.0"]
    assert reading.fetch(found[0].artifacts[0]) == folder / "demo-1.0-py3-none-any.whl"
    assert reading.fetch(found[1].artifacts[0]).read_bytes() == content


def test_a_fresh_listing_is_not_asked_for_again(index: LocalIndex, reading: PythonIndex) -> None:
    index.add("demo", wheel("demo", "1.0"))
    assert _versions(reading) == _versions(reading) == ["1.0"]
    assert index.server.asked == ["/simple/demo/"]


def test_an_old_listing_is_asked_for_again(
    index: LocalIndex, reading: PythonIndex, store: Store
) -> None:
    index.add("demo", wheel("demo", "1.0"))
    assert _versions(reading) == ["1.0"]
    index.add("demo", wheel("demo", "2.0"))
    _age_listings(store, timedelta(days=1))
    assert _versions(reading) == ["1.0", "2.0"]


def test_an_old_listing_serves_for_a_version_it_has_and_for_a_time_before_it(
    index: LocalIndex, reading: PythonIndex, store: Store
) -> None:
    index.add("demo", wheel("demo", "1.0"))
    reading.releases("demo")
    _age_listings(store, timedelta(days=1))
    reading.releases("demo", known="1.0")
    reading.releases("demo", until=datetime.now(UTC) - timedelta(days=3))
    assert len(index.server.asked) == 1
    reading.releases("demo", known="1.1")
    assert len(index.server.asked) == 2


def test_an_old_listing_serves_when_the_index_cannot_be_reached(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with serving() as server:
        index = LocalIndex(server)
        index.add("demo", wheel("demo", "1.0"))
        settings = PipSettings(index.settings().indexes, (), Access(timeout=2))
        PythonIndex(settings, store).releases("demo")
    _age_listings(store, timedelta(days=30))
    assert _versions(PythonIndex(settings, store)) == ["1.0"]
    with pytest.raises(TargetUnavailable) as caught:
        PythonIndex(settings, store).releases("never-read")
    assert caught.value.reason is Reason.UNREACHABLE


@pytest.mark.parametrize("status", [401, 500])
def test_an_index_that_answers_with_an_error_is_unreachable(
    server: Server, reading: PythonIndex, status: int
) -> None:
    server.routes["/simple/demo/"] = (status, "text/plain", b"")
    with pytest.raises(TargetUnavailable) as caught:
        reading.releases("demo")
    assert caught.value.reason is Reason.UNREACHABLE


def test_credentials_in_addresses_are_not_written_to_the_cache(
    index: LocalIndex, store: Store
) -> None:
    index.add("demo", wheel("demo", "1.0"))
    for file in index.files["demo"]:
        file["url"] = file["url"].replace("http://", "http://me:hunter2@")
    index.publish("demo")
    PythonIndex(index.settings(), store).releases("demo")
    kept = [path.read_text() for path in store.path("listings").rglob("*.json")]
    assert kept
    assert "hunter2" not in "".join(kept)


def test_a_file_is_downloaded_once_and_kept_read_only(
    index: LocalIndex, reading: PythonIndex
) -> None:
    name, content = wheel("demo", "1.0")
    index.add("demo", (name, content))
    artifact = reading.releases("demo")[0].artifacts[0]
    first, second = reading.fetch(artifact), reading.fetch(artifact)
    assert first == second
    assert first.read_bytes() == content
    assert first.stat().st_mode & 0o222 == 0
    assert index.server.asked.count(f"/files/{name}") == 1


def test_a_file_that_is_not_the_listed_one_is_refused_and_not_kept(
    index: LocalIndex, reading: PythonIndex, store: Store
) -> None:
    index.add("demo", wheel("demo", "1.0"), digest="0" * 64)
    artifact = reading.releases("demo")[0].artifacts[0]
    with pytest.raises(TargetUnavailable) as caught:
        reading.fetch(artifact)
    assert caught.value.reason is Reason.DIGEST_MISMATCH
    assert not list(store.path("files").rglob("*.whl"))


def test_a_kept_file_that_was_changed_is_downloaded_again(
    index: LocalIndex, reading: PythonIndex
) -> None:
    name, content = wheel("demo", "1.0")
    index.add("demo", (name, content))
    artifact = reading.releases("demo")[0].artifacts[0]
    kept = reading.fetch(artifact)
    kept.chmod(0o644)
    kept.write_bytes(b"rotten")
    assert reading.fetch(artifact).read_bytes() == content


def test_a_listed_file_that_is_gone_is_told_as_such(
    index: LocalIndex, reading: PythonIndex
) -> None:
    index.add("demo", wheel("demo", "1.0"))
    del index.server.routes["/files/demo-1.0-py3-none-any.whl"]
    with pytest.raises(TargetUnavailable) as caught:
        reading.fetch(reading.releases("demo")[0].artifacts[0])
    assert caught.value.reason is Reason.NO_FILES


def _fetch_in_child(settings: PipSettings, cache: Path) -> str:
    reading = PythonIndex(settings, Store(cache))
    return str(reading.fetch(reading.releases("demo")[0].artifacts[0]))


@pytest.fixture
def children() -> Iterator[multiprocessing.pool.Pool]:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        yield pool


def test_processes_that_fetch_at_once_get_the_same_file(
    index: LocalIndex, tmp_path: Path, children: multiprocessing.pool.Pool
) -> None:
    name, content = wheel("demo", "1.0", {"demo/data": os.urandom(2_000_000)})
    index.add("demo", (name, content))
    work = [(index.settings(), tmp_path)] * 8
    found = set(children.starmap(_fetch_in_child, work))
    assert len(found) == 1
    assert Path(found.pop()).read_bytes() == content
