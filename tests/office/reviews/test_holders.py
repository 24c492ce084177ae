"""A grant for one person of a party is that person's, its managers' and the developer's to see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clearhouse.errors import Invalid, NotFound
from clearhouse.office.access import actions as endpoints
from clearhouse.office.access import queries as access_queries
from clearhouse.office.access.cross_checks import granted
from clearhouse.office.access.models import AccessGrant
from clearhouse.office.access.values import grant_of
from clearhouse.office.orgs.models import Membership, Organisation, User
from clearhouse.office.orgs.queries import viewer_of
from clearhouse.office.reviews.actions import access
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.grants import stands
from tests.office.access.people import terms
from tests.office.reviews import made
from tests.office.reviews.made import Cast, at

pytestmark = pytest.mark.django_db


def person(slug: str, name: str) -> Viewer:
    """Somebody of an organisation who does not manage it."""
    acting = Organisation.objects.get(slug=slug)
    user = User.objects.create_user(f"{name}@{slug}.example", name=name.title())
    Membership.objects.create(user=user, organisation=acting)
    return viewer_of(user, acting.pk)


@pytest.fixture
def who() -> Cast:
    return made.cast()


def given(who: Cast, holder: str, *, to: str = "clinic-net") -> str:
    """A grant of an open review for somebody."""
    name = made.opened(who)
    made.joined(who, name)
    owner = who.developer.acting_for()
    endpoint = endpoints.open_endpoint(who.developer, owner, terms(), now=at(0)).name
    allowance = replace(made.allowance(endpoint), holder=holder)
    return access.give_grant(who.developer, name, to, allowance, now=at(1)).grant.name


def sees(viewer: Viewer, grant: str) -> bool:
    """Whether somebody sees a grant; the list, the page and the log agree."""
    try:
        access_queries.seen_grant(viewer, grant, now=at(2))
        one = True
    except NotFound:
        one = False
    listed = grant in {each.name for each in access_queries.grants(viewer)}
    assert listed == one
    return one


def test_it_is_the_persons_and_the_managers_and_nobody_elses_there(who: Cast) -> None:
    holder, other = person("clinic-net", "hana"), person("clinic-net", "otto")
    grant = given(who, " Hana@clinic-net.example ")
    assert AccessGrant.objects.get(name=grant).holder_id == holder.person
    assert all(sees(one, grant) for one in (holder, who.partner, who.developer, who.office))
    assert not any(sees(one, grant) for one in (other, who.assessor, who.stranger))
    assert access_queries.uses(holder, grant) == ([], "")
    with pytest.raises(NotFound):
        access_queries.uses(other, grant)
    assert list(granted()) == []


def test_without_a_holder_it_is_everybodys_there(who: Cast) -> None:
    other = person("clinic-net", "otto")
    assert sees(other, given(who, ""))


def test_who_coordinates_sees_that_a_colleague_has_one_and_not_what_it_asked(who: Cast) -> None:
    holder, other = person("office", "hana"), person("office", "otto")
    grant = given(who, "hana@office.example", to="office")
    assert sees(holder, grant)
    assert sees(other, grant)
    assert access_queries.seen_grant(holder, grant, now=at(2)).spent is not None
    assert access_queries.seen_grant(other, grant, now=at(2)).spent is None


@pytest.mark.parametrize("holder", ["hana@elsewhere.example", "ada@lab.example", "\x00", "@"])
def test_a_holder_is_somebody_of_the_party(who: Cast, holder: str) -> None:
    with pytest.raises(Invalid, match="a person of that organisation"):
        given(who, holder)
    assert not AccessGrant.objects.exists()


def test_a_grant_ends_when_its_holder_leaves_the_party_or_the_account_is_closed(who: Cast) -> None:
    first, _ = person("clinic-net", "hana"), person("clinic-net", "otto")
    name = made.opened(who)
    made.joined(who, name)
    owner = who.developer.acting_for()
    endpoint = endpoints.open_endpoint(who.developer, owner, terms(), now=at(0)).name
    for holder in ("hana@clinic-net.example", "otto@clinic-net.example", ""):
        allowance = replace(made.allowance(endpoint), holder=holder)
        access.give_grant(who.developer, name, "clinic-net", allowance, now=at(1))
    assert endpoints.end_for_leavers(now=at(2)) == 0
    Membership.objects.filter(user=first.person).delete()
    User.objects.filter(name="Otto").update(is_active=False)
    assert endpoints.end_for_leavers(now=at(3)) == 2
    assert endpoints.end_for_leavers(now=at(3)) == 0
    rows = AccessGrant.objects.all()
    assert {one.holder_id for one in rows if stands(grant_of(one), at(4)) is None} == {None}
    assert list(granted()) == []
