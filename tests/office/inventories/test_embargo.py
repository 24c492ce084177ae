"""A flaw that is not public: the office asks who has it, and nobody can notice that it asked."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from clearhouse.errors import Invalid, NotFound
from clearhouse.office.advisories import actions as advisories
from clearhouse.office.cases.actions import people, versions
from clearhouse.office.cases.models import Case, Participant
from clearhouse.office.inventories.actions.feeding import look_again
from clearhouse.office.inventories.actions.receiving import receive
from clearhouse.office.inventories.actions.systems import add_system
from clearhouse.office.inventories.confidential import told_to
from clearhouse.office.inventories.models import Exposure, System
from clearhouse.office.inventories.touched import who_has
from clearhouse.office.queue.inline import work_off
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.embargo import Consent
from clearhouse.protocol.roles import Role
from tests.office.cases import made
from tests.office.cases.made import at
from tests.office.findings.people import MIDDLEWARE, client_of
from tests.office.security.world import Writes
from tests.office.story import somebody

pytestmark = pytest.mark.django_db

#: What every page says anew: tokens, and names that are drawn by lot.
_DRAWN = re.compile(
    rb'csrfmiddlewaretoken" value="\w+|"x-csrftoken": "\w+|(?:SY|IN|EX)-[0-9A-Z]{10}'
)


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


def deployer(slug: str, *versions_: str, sector: str = "") -> Viewer:
    """A deployer with a system for each version of the package that it has."""
    viewer = somebody(slug, Role.DEPLOYER)
    for version in versions_:
        system = add_system(viewer, f"{slug} {version}", sector=sector, answers={}, now=at(0))
        raw = f"ecdsa=={version}\nflask==3.0\n".encode()
        receive(viewer, system.name, raw, file="r.txt", now=at(0))
    return viewer


def a_case() -> tuple[Viewer, str]:
    """A case under embargo of which running has shown the versions."""
    who = made.cast()
    case = made.busy(who)
    versions.declare(who.office, case.name, "0.9", "0.13.3", now=at(2))
    return who.office, case.name


def test_the_office_is_told_who_has_it_and_nothing_of_the_answer_is_written() -> None:
    office, case = a_case()
    deployer("clinic", "0.13.2", "0.14.0", sector="healthcare")
    deployer("bank", "0.12", sector="financial-services")
    deployer("plant", "0.13.3", sector="energy")
    writes = Writes()
    with writes.counted():
        found = who_has(office, case)
    assert writes.statements == []
    assert [(one.organisation_name, one.version) for one in found.found] == [
        ("Clinic", "0.13.2"), ("Bank", "0.12"),
    ]  # fmt: skip
    assert found.sectors == {"financial-services": 1, "healthcare": 1}
    assert len(found.organisations) == 2


def test_the_office_is_told_who_may_have_it_by_a_name_that_is_not_identified() -> None:
    office, case = a_case()
    for slug, raw in (
        ("clinic", b"flask==3.0\nECDSA>=0.1\n"),
        ("bank", b"flask==3.0\n-r more.txt\n"),
        ("plant", b"flask==3.0\necdsa-tools>=1\n"),
    ):
        viewer = deployer(slug, sector="energy")
        system = add_system(viewer, slug, sector="energy", answers={}, now=at(0))
        receive(viewer, system.name, raw, file="r.txt", now=at(0))
    writes = Writes()
    with writes.counted():
        found = who_has(office, case)
    assert writes.statements == []
    assert not found.found
    assert [(one.organisation_name, one.listed, one.place) for one in found.named] == [
        ("Clinic", "ECDSA", "line 2")
    ]
    assert (found.named_sectors, found.nameless) == ({"energy": 1}, 1)
    page = client_of(office).get(f"/exposure/cases/{case}/").content.decode()
    assert "Who may have it" in page
    assert "fewer than 3" in page


def test_nobody_else_may_ask() -> None:
    _, case = a_case()
    for asking in (somebody("clinic", Role.DEPLOYER), somebody("hexfind", Role.FINDER)):
        with pytest.raises(NotFound):
            who_has(asking, case)


def test_a_case_of_which_no_versions_are_known_says_so() -> None:
    who = made.cast()
    case = made.opened(who)
    with pytest.raises(Invalid, match="affected versions are not known"):
        who_has(who.office, case.name)


def all_pages(viewer: Viewer) -> bytes:
    """Everything of exposure that a deployer is answered."""
    client = client_of(viewer)
    pages = ["/exposure/", "/exposure/systems/", "/", "/cases/"]
    pages += [f"/exposure/systems/{one.name}/" for one in System.objects.filter(
        organisation=viewer.acting_for()).order_by("title")]  # fmt: skip
    said = b"".join(client.get(page).content for page in pages)
    return _DRAWN.sub(b"", said)


def test_what_a_deployer_is_answered_is_the_same_whatever_is_under_embargo() -> None:
    clinic = deployer("clinic", "0.13.2", "0.14.0")
    before = all_pages(clinic)
    office, case = a_case()
    who_has(office, case)
    look_again(at(3))
    work_off(at(3), only=["inventories.match"])
    assert all_pages(clinic) == before
    assert not Exposure.objects.exists()


def test_with_as_many_queries_whatever_is_under_embargo() -> None:
    clinic = deployer("clinic", "0.13.2")

    client = client_of(clinic)

    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            client.get("/exposure/")
        return [re.sub(r"'[^']*'|\d+", "?", one["sql"]) for one in asked.captured_queries]

    before = queries()
    a_case()
    assert queries() == before


def test_a_deployer_is_told_when_it_has_accepted_the_embargo_and_only_of_its_own() -> None:
    office, case = a_case()
    clinic = deployer("clinic", "0.13.2", "0.14.0")
    deployer("bank", "0.12")
    assert told_to(clinic) == []
    people.invite(office, case, "clinic", Role.DEPLOYER, now=at(4))
    assert told_to(clinic) == [], "an invitation says nothing of what it is"
    part = Participant.objects.filter(case__name=case, organisation__slug="clinic")
    part.update(consent=Consent.SIGNATORY)
    [one] = told_to(clinic)
    assert (one.case, one.package) == (case, "ecdsa")
    assert [found.title for found in one.found] == ["clinic 0.13.2"]
    assert b"Not public: keep it to yourselves" in client_of(clinic).get("/exposure/").content
    part.update(consent=Consent.DECLINED)
    assert told_to(clinic) == []


def test_what_is_published_touches_everybody_as_any_public_record_does() -> None:
    office, case = a_case()
    clinic = deployer("clinic", "0.13.2", "0.14.0")
    advisories.draft(office, case, title="A flaw of ecdsa", summary="It raises.", now=at(5))
    advisories.publish(office, case, now=at(6))
    later = at(6) + timedelta(minutes=1)
    work_off(later, only=["inventories.own-record", "inventories.match"])
    [one] = Exposure.objects.all()
    assert (one.system.title, one.record) == ("clinic 0.13.2", f"x_{case}")
    assert told_to(clinic) == []
    assert Case.objects.get(name=case).public_at is not None
