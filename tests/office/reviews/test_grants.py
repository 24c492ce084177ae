"""Grants on a developer's endpoint follow the access that a review gives, and never outlast it."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from clearhouse.errors import ClearhouseError, Invalid, NotFound, Refused
from clearhouse.office.access import actions as endpoints
from clearhouse.office.access.models import AccessGrant
from clearhouse.office.access.values import grant_of
from clearhouse.office.reviews import queries
from clearhouse.office.reviews.actions import access, choosing, submitting, windows
from clearhouse.office.reviews.models import Review, ThirdParty
from clearhouse.protocol.entitlement import has_access
from clearhouse.protocol.grants import stands
from tests.office.access.people import terms
from tests.office.reviews import made
from tests.office.reviews.made import Cast, at

pytestmark = pytest.mark.django_db
PARTIES = ("office", "clinic-net")


@pytest.fixture
def who() -> Cast:
    return made.cast()


@pytest.fixture
def endpoint(who: Cast) -> str:
    owner = who.developer.acting_for()
    return endpoints.open_endpoint(who.developer, owner, terms(), now=at(0)).name


def give(who: Cast, name: str, to: str, endpoint: str, now: datetime) -> str:
    given = access.give_grant(who.developer, name, to, made.allowance(endpoint), now=now)
    return given.grant.name


def open_grants(now: datetime) -> set[str]:
    """Who could use the endpoint through a gateway at that time."""
    rows = AccessGrant.objects.select_related("party")
    return {one.party.slug for one in rows if stands(grant_of(one), now) is None}


def entitled(name: str, now: datetime) -> set[str]:
    """Who has access by the rules of the review."""
    review = Review.objects.get(name=name)
    third = review.parties.select_related("organisation")
    parties: dict[str, ThirdParty | None] = {one.organisation.slug: one for one in third}
    parties["office"] = None
    return {
        slug for slug, one in parties.items() if has_access(queries.access_facts(review, one), now)
    }


def test_a_grant_lasts_until_the_windows_end_and_no_longer(who: Cast, endpoint: str) -> None:
    name = made.opened(who)
    made.joined(who, name, now=at(1))
    for to in PARTIES:
        give(who, name, to, endpoint, at(2))
    assert open_grants(at(19.99)) == set(PARTIES)
    assert open_grants(at(20)) == set()


def test_who_has_no_access_is_given_no_grant(who: Cast, endpoint: str) -> None:
    name = made.agreed(who)
    with pytest.raises(Refused):
        give(who, name, "office", endpoint, at(0))
    windows.start_window(who.developer, name, now=at(1))
    made.chosen(who, name, now=at(1))
    with pytest.raises(Refused):  # chosen, and has not joined
        give(who, name, "clinic-net", endpoint, at(2))
    with pytest.raises(Invalid):  # no party of this review
        give(who, name, "measurers", endpoint, at(2))
    assert not AccessGrant.objects.exists()


def test_only_the_developer_gives_a_grant(who: Cast, endpoint: str) -> None:
    name = made.opened(who)
    for viewer in (who.office, who.partner, who.stranger):
        with pytest.raises((NotFound, Refused)):
            access.give_grant(viewer, name, "office", made.allowance(endpoint), now=at(1))
    assert not AccessGrant.objects.exists()


def test_nobody_gives_a_grant_on_anothers_endpoint(who: Cast) -> None:
    name = made.opened(who)
    owner = who.stranger.acting_for()
    theirs = endpoints.open_endpoint(who.stranger, owner, terms(), now=at(0)).name
    with pytest.raises(NotFound):
        give(who, name, "office", theirs, at(1))


ENDS: list[tuple[str, Callable[[Cast, str, str], object], set[str]]] = [
    ("withdrawn", lambda who, name, _: submitting.withdraw(who.developer, name, now=at(3)), set()),
    ("ended", lambda who, name, _: windows.end_window(who.office, name, now=at(3)), set()),
    ("paused", lambda who, name, _: windows.pause_window(who.office, name, now=at(3)), set()),
    (
        "shortened",
        lambda who, name, _: windows.shorten_window(who.office, name, at(3), now=at(3)),
        set(),
    ),
    (
        "partner revoked",
        lambda who, name, party: choosing.revoke_party(who.office, name, party, now=at(3)),
        {"office"},
    ),
    ("partner left", lambda who, name, _: choosing.leave(who.partner, name, now=at(3)), {"office"}),
    (
        "conflict",
        lambda who, name, _: choosing.declare_conflict(who.partner, name, "owned", now=at(3)),
        {"office"},
    ),
]


@pytest.mark.parametrize(("how", "end", "left"), ENDS, ids=[one[0] for one in ENDS])
def test_what_ends_an_access_ends_its_grants_at_once(
    who: Cast, endpoint: str, how: str, end: Callable[[Cast, str, str], object], left: set[str]
) -> None:
    name = made.opened(who)
    party = made.joined(who, name, now=at(1))
    for to in PARTIES:
        give(who, name, to, endpoint, at(2))
    end(who, name, party)
    assert open_grants(at(3)) == left


def test_a_pause_of_each_side_is_taken_back_by_each(who: Cast, endpoint: str) -> None:
    name = made.opened(who)
    give(who, name, "office", endpoint, at(1))
    windows.pause_window(who.developer, name, now=at(2))
    windows.pause_window(who.office, name, now=at(2))
    windows.resume_window(who.developer, name, now=at(3))
    assert open_grants(at(3)) == set()
    windows.resume_window(who.office, name, now=at(4))
    assert open_grants(at(4)) == {"office"}
    assert open_grants(at(20)) == set()


def test_a_grant_that_is_paused_by_itself_stays_so(who: Cast, endpoint: str) -> None:
    name = made.opened(who)
    grant = give(who, name, "office", endpoint, at(1))
    windows.pause_window(who.developer, name, now=at(2))
    endpoints.pause(who.developer, grant, now=at(2))
    windows.resume_window(who.developer, name, now=at(3))
    assert open_grants(at(3)) == set()
    endpoints.resume(who.developer, grant, now=at(4))
    assert open_grants(at(4)) == {"office"}


@pytest.mark.parametrize("seed", range(12))
def test_no_sequence_of_deeds_leaves_a_grant_to_who_has_no_access(
    who: Cast, endpoint: str, seed: int
) -> None:
    chance = random.Random(seed)
    name = made.agreed(who)
    clock = [at(0)]

    def parties() -> str:
        row = ThirdParty.objects.filter(review__name=name).first()
        return row.name if row else ""

    deeds: list[Callable[[], object]] = [
        lambda: windows.start_window(who.developer, name, now=clock[0]),
        lambda: windows.pause_window(who.developer, name, now=clock[0]),
        lambda: windows.pause_window(who.office, name, now=clock[0]),
        lambda: windows.resume_window(who.developer, name, now=clock[0]),
        lambda: windows.resume_window(who.office, name, now=clock[0]),
        lambda: windows.shorten_window(
            who.developer, name, clock[0] + timedelta(days=chance.randint(0, 9)), now=clock[0]
        ),
        lambda: made.chosen(who, name, now=clock[0]),
        lambda: choosing.join(who.partner, name, made.digest(name), "", now=clock[0]),
        lambda: choosing.declare_conflict(who.partner, name, f"c{seed}", now=clock[0]),
        lambda: choosing.agree_to_party(who.developer, name, parties(), "why", now=clock[0]),
        lambda: choosing.agree_to_party(who.office, name, parties(), "why", now=clock[0]),
        lambda: give(who, name, "office", endpoint, clock[0]),
        lambda: give(who, name, "clinic-net", endpoint, clock[0]),
        lambda: give(who, name, "clinic-net", endpoint, clock[0]),
    ]
    rare: list[Callable[[], object]] = [
        lambda: windows.end_window(who.office, name, now=clock[0]),
        lambda: submitting.withdraw(who.developer, name, now=clock[0]),
        lambda: choosing.revoke_party(who.developer, name, parties(), now=clock[0]),
    ]
    deeds[0]()
    for _ in range(40):
        clock[0] += timedelta(hours=chance.choice((1, 6, 30)))
        deed = chance.choice(rare) if chance.random() < 0.05 else chance.choice(deeds)
        with contextlib.suppress(ClearhouseError):
            deed()
        for later in (0, 1, 5, 25):
            moment = clock[0] + timedelta(days=later)
            assert open_grants(moment) <= entitled(name, moment)
    assert open_grants(at(30)) == set()
