"""Reviewers by work role; what is sealed is opened by two of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.orgs.models import Membership, Organisation, User
from clearhouse.office.orgs.queries import viewer_of
from clearhouse.office.reviews import queries
from clearhouse.office.reviews.actions import roster, submitting
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.two_person import WITHIN, WorkRole
from tests.office.reviews import made
from tests.office.reviews.made import Cast, at

pytestmark = pytest.mark.django_db
TESTER, LAWYER = WorkRole.SYSTEMS_TESTING_AND_EVALUATION, WorkRole.LEGAL_ADVICE


@pytest.fixture
def who() -> Cast:
    return made.cast()


def colleague(first: str) -> Viewer:
    office = Organisation.objects.get(slug="office")
    user = User.objects.create_user(f"{first}@office.example", name=first.title())
    Membership.objects.create(user=user, organisation=office)
    return viewer_of(user, office.pk)


def listed(who: Cast, person: Viewer, role: WorkRole = TESTER) -> Viewer:
    assert person.person is not None
    roster.put_on_roster(
        who.office, person.person, role, available_from=None, available_until=None, now=at(0)
    )
    return person


def asked(one: Viewer, name: str) -> str:
    return roster.ask_to_open(one, name, "Sealed items", "To draw them.", now=at(1)).name


def test_two_reviewers_open_it_and_it_is_recorded(who: Cast) -> None:
    name = made.submitted(who)
    one, other = listed(who, who.office), listed(who, colleague("bea"))
    opening = asked(one, name)
    made_ = roster.approve_opening(other, name, opening, now=at(1))
    assert made_.opened_at == at(1)
    lines = queries.view(who.developer, name, now=at(1)).lines
    assert lines is not None
    assert [line.kind for line in lines][-2:] == ["opening-asked", "opening-approved"]
    with pytest.raises(Conflict):
        roster.approve_opening(one, name, opening, now=at(1))


def test_the_same_person_a_late_one_and_another_role_do_not(who: Cast) -> None:
    name = made.submitted(who)
    one = listed(who, who.office)
    opening = asked(one, name)
    with pytest.raises(Refused, match="two people"):
        roster.approve_opening(one, name, opening, now=at(1))
    late = at(1) + WITHIN + timedelta(seconds=1)
    with pytest.raises(Refused, match="two people"):
        roster.approve_opening(listed(who, colleague("bea")), name, opening, now=late)
    with pytest.raises(Refused, match="two people"):
        roster.approve_opening(listed(who, colleague("cy"), LAWYER), name, opening, now=at(1))
    with pytest.raises(Refused, match="roster"):
        roster.approve_opening(colleague("dan"), name, opening, now=at(1))


def test_a_conflict_with_the_developer_keeps_a_reviewer_out(who: Cast) -> None:
    name = made.submitted(who)
    one, other = listed(who, who.office), listed(who, colleague("bea"))
    roster.declare_own_conflict(other, "lab", "Worked there until last year.", now=at(0))
    opening = asked(one, name)
    with pytest.raises(Refused, match="conflict"):
        roster.approve_opening(other, name, opening, now=at(1))
    assert [c.reason for one in queries.roster(who.office) for c in one.conflicts.all()] == [
        "Worked there until last year."
    ]


def test_who_is_away_opens_nothing(who: Cast) -> None:
    name = made.submitted(who)
    one = listed(who, who.office)
    assert one.person is not None
    roster.put_on_roster(
        who.office, one.person, TESTER, available_from=None,
        available_until=at(-1).date(), now=at(0),
    )  # fmt: skip
    with pytest.raises(Refused, match="not available"):
        asked(one, name)


def test_the_roster_is_the_offices(who: Cast) -> None:
    assert who.developer.person is not None
    for viewer in (who.developer, who.partner):
        with pytest.raises(NotFound):
            queries.roster(viewer)
        with pytest.raises(NotFound):
            roster.declare_own_conflict(viewer, "lab", "x", now=at(0))
    with pytest.raises(Invalid):
        roster.put_on_roster(
            who.office, who.developer.person, TESTER, available_from=None, available_until=None,
            now=at(0),
        )  # fmt: skip


def test_nothing_is_opened_once_the_developer_has_withdrawn(who: Cast) -> None:
    name = made.submitted(who)
    one, other = listed(who, who.office), listed(who, colleague("bea"))
    opening = asked(one, name)
    submitting.withdraw(who.developer, name, now=at(1))
    with pytest.raises(NotFound):
        roster.approve_opening(other, name, opening, now=at(1))
