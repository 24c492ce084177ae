"""The demonstration's reviews are told by the actions, and leave nothing that contradicts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from clearhouse.office import demo_reviews
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.reviews import queries
from clearhouse.protocol.roles import Role
from tests.office.story import somebody

pytestmark = pytest.mark.django_db


def test_one_is_in_progress_one_is_talked_about_and_one_is_withdrawn() -> None:
    viewers = {slug: somebody(slug, *roles) for _, slug, roles, _ in demo_reviews.ORGANISATIONS}
    viewers["office"] = somebody("office", Role.COORDINATOR)
    now = timezone.now()
    demo_reviews.publish(viewers, now - timedelta(days=100))
    demo_reviews.tell(viewers, now)
    mine = queries.reviews_of(viewers["halcyon"])
    assert [one.state for one in mine] == ["submitted", "withdrawn", "open"]
    assert [one.state for one in queries.reviews_of(viewers["office"])] == ["submitted", "open"]
    clock = queries.view(viewers["rural-health"], mine[-1].name, now=now).clock
    assert clock is not None
    assert clock.remaining == timedelta(days=21)
    assert list(contradictions()) == []
