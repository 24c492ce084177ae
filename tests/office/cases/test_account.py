"""What a case says of itself to the room that publishes it."""

from __future__ import annotations

import json

import pytest

from clearhouse.office.advisories import actions, queries
from clearhouse.office.cases.account import account
from clearhouse.office.cases.actions import people
from clearhouse.office.cases.models import Participant
from clearhouse.office.viewer import PUBLIC, Viewer
from clearhouse.protocol.embargo import Consent
from clearhouse.protocol.roles import Role
from tests.office.story import NOW, dated, somebody

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Viewer:
    return somebody("office", Role.COORDINATOR)


@pytest.fixture
def case(office: Viewer) -> str:
    return dated(office)


def takes_part(office: Viewer, case: str, slug: str, role: Role, consent: Consent) -> None:
    somebody(slug, role)
    people.invite(office, case, slug, role, now=NOW)
    Participant.objects.filter(organisation__slug=slug).update(consent=consent)


@pytest.mark.parametrize("consent", Consent)
def test_a_finder_that_handed_nothing_in_is_not_credited(
    office: Viewer, case: str, consent: Consent
) -> None:
    takes_part(office, case, "otherlab", Role.FINDER, consent)
    assert [one.organisation for one in account(office, case).credits] == ["Hexfind"]


def test_who_was_only_invited_stands_in_no_published_document(office: Viewer, case: str) -> None:
    takes_part(office, case, "otherlab", Role.FINDER, Consent.INVITED)
    takes_part(office, case, "quiet-team", Role.SUPPLIER, Consent.DECLINED)
    actions.draft(office, case, title="A title", summary="A summary", now=NOW)
    actions.publish(office, case, now=NOW)
    said = json.dumps(queries.document(PUBLIC, case, "csaf"))
    said += json.dumps(queries.advisory(PUBLIC, case).revisions.get().shown)
    assert "Hexfind" in said
    assert "Otherlab" not in said
    assert "Quiet-Team" not in said


def test_a_supplier_that_declined_is_none_of_the_case(office: Viewer, case: str) -> None:
    takes_part(office, case, "ecdsa-team", Role.SUPPLIER, Consent.SIGNATORY)
    takes_part(office, case, "quiet-team", Role.SUPPLIER, Consent.DECLINED)
    assert account(office, case).suppliers == ("Ecdsa-Team",)
