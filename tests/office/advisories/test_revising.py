"""What is written for the next revision is nobody's but the office's until it is published."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest
from django.test import Client

from clearhouse.office.advisories import actions, queries
from clearhouse.office.cases.actions.naming import set_cve
from clearhouse.office.viewer import PUBLIC, Viewer
from clearhouse.protocol.roles import Role
from tests.office.story import NOW, dated, proven, somebody

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
SECRET, SECRET_CVE = "Zqxnextrevision", "CVE-2026-77777"


@pytest.fixture
def office() -> Viewer:
    return somebody("office", Role.COORDINATOR)


@pytest.fixture
def name(office: Viewer) -> str:
    """A published advisory with a revision in the making."""
    case = dated(office)
    set_cve(office, case, "CVE-2026-11111", now=NOW)
    actions.draft(office, case, title="A crash", summary="Update.", now=NOW)
    actions.publish(office, case, now=NOW + DAY)
    actions.draft(
        office, case, title=f"A crash, {SECRET}", summary=f"{SECRET}, as", details=f"{SECRET}, of",
        remedy=f"Update for {SECRET}", now=NOW + 2 * DAY,
    )  # fmt: skip
    set_cve(office, case, SECRET_CVE, now=NOW + 2 * DAY)
    actions.rebuild(NOW + 2 * DAY)
    return case


def everything(client: Client, name: str) -> dict[str, str]:
    """What the public is answered about it, by address."""
    tree = client.get("/.well-known/csaf/white/index.txt").content.decode().split()
    addresses = [
        "/", "/advisories/", "/advisories/?q=crash", f"/advisories/{name}/", "/api/advisories",
        "/api/advisories?q=crash", f"/api/advisories/{name}", f"/osv/x_{name}.json",
        "/osv/modified_id.csv", "/.well-known/csaf/white/csaf-feed-tlp-white.json",
        *(f"/advisories/{name}/{kind}.json" for kind in ("csaf", "vex", "osv", "cve")),
        *(f"/api/advisories/{name}/documents/{kind}" for kind in ("csaf", "vex", "osv", "cve")),
        *(f"/.well-known/csaf/white/{path}" for path in tree),
    ]  # fmt: skip
    said = {one: client.get(one).content.decode() for one in addresses}
    archive = zipfile.ZipFile(io.BytesIO(client.get("/osv/all.zip").content))
    said["/osv/all.zip"] = "".join(archive.read(one).decode() for one in archive.namelist())
    return said


def test_a_revision_in_the_making_shows_nowhere(office: Viewer, name: str, client: Client) -> None:
    for address, text in everything(client, name).items():
        assert SECRET.lower() not in text.lower(), address
        assert SECRET_CVE not in text, address
    actions.publish(office, name, now=NOW + 3 * DAY)
    actions.rebuild(NOW + 3 * DAY)
    showing = [
        address for address, text in everything(client, name).items() if SECRET in text
    ]  # fmt: skip
    assert {"/advisories/", "/api/advisories", f"/osv/x_{name}.json", "/osv/all.zip"} <= set(
        showing
    )


@pytest.mark.parametrize("text", [SECRET, SECRET.lower(), SECRET[:-3], SECRET_CVE])
def test_a_search_of_everybody_finds_only_what_is_shown(
    office: Viewer, name: str, client: Client, text: str
) -> None:
    for place in ("/advisories/?q=", "/api/advisories?q="):
        assert name not in client.get(place + text).content.decode()
    assert queries.page_of(PUBLIC, text=text) == ([], None)
    [listed], _ = queries.page_of(office, text=text)
    assert listed.title == "A crash"  # the office finds it, and sees what everybody sees
    actions.publish(office, name, now=NOW + 3 * DAY)
    assert [one.name for one in queries.page_of(PUBLIC, text=text)[0]] == [name]


def test_what_is_shown_is_found_by_title_name_package_and_cve(name: str, office: Viewer) -> None:
    for text in ("CRASH", name, "ECDSA", "CVE-2026-11111"):
        assert [one.name for one in queries.page_of(PUBLIC, text=text)[0]] == [name], text
    for text in ("nowhere", "%", "_crash", "CVE-2026-1111", '"', "\\"):
        assert queries.page_of(PUBLIC, text=text)[0] == [], text
    actions.draft(office, name, title="Else", summary="Update.", now=NOW + 3 * DAY)
    actions.publish(office, name, now=NOW + 3 * DAY)
    assert queries.page_of(PUBLIC, text="crash")[0] == []  # what an older revision said
    assert queries.page_of(PUBLIC, text="CVE-2026-11111")[0] == []


def test_a_draft_is_listed_in_its_own_words_for_the_office(office: Viewer) -> None:
    case = proven(somebody("hexfind", Role.FINDER))
    actions.draft(office, case, title="Only a draft", summary="Wait.", now=NOW)
    [listed], _ = queries.page_of(office, text="only a")
    assert (listed.title, listed.revision, listed.shown) == ("Only a draft", 0, None)
    assert queries.page_of(PUBLIC, text="only a") == ([], None)
