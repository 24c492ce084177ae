"""Who somebody is."""

from __future__ import annotations

import pytest

from clearhouse.office.orgs.models import Membership, Organisation, User
from clearhouse.office.orgs.queries import viewer_of
from clearhouse.office.viewer import PUBLIC
from clearhouse.protocol.roles import Role

pytestmark = pytest.mark.django_db


def _member(*names: str) -> User:
    user = User.objects.create_user("Ada@Example.org", name="Ada")
    for name in names:
        acting = Organisation.objects.create(slug=name, name=name.title(), roles=["finder"])
        Membership.objects.create(user=user, organisation=acting)
    return user


def test_somebody_without_an_organisation_is_the_public() -> None:
    assert viewer_of(_member(), None) == PUBLIC


def test_somebody_of_two_organisations_acts_for_the_one_chosen() -> None:
    user = _member("first", "second")
    second = Organisation.objects.get(slug="second")
    assert viewer_of(user, second.pk).organisation == second.pk
    assert viewer_of(user, second.pk).has(Role.FINDER)


def test_an_organisation_of_others_cannot_be_chosen() -> None:
    user = _member("first")
    other = Organisation.objects.create(slug="other", name="Other", roles=["coordinator"])
    found = viewer_of(user, other.pk)
    assert found.name == "First"
    assert not found.coordinates
