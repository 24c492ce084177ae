"""A review in which everything is there, and those who take part in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from clearhouse.office.access.actions import open_endpoint
from clearhouse.office.access.models import AccessAlert, AccessGrant, AccessUse, Endpoint
from clearhouse.office.orgs.models import Membership, Organisation, User
from clearhouse.office.orgs.queries import viewer_of
from clearhouse.office.reviews.actions import access, choosing, roster
from clearhouse.office.reviews.models import (
    LentThing,
    Review,
    ReviewLine,
    SealedOpening,
    TermsText,
    ThirdParty,
)
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.evenness import Size
from clearhouse.protocol.partners import ChoiceState, Part
from clearhouse.protocol.roles import Role
from clearhouse.protocol.two_person import WorkRole
from tests.office.access.people import terms
from tests.office.reviews import made
from tests.office.story import somebody

_PARTNER = Role.TRUSTED_PARTNER


@dataclass(frozen=True)
class Reviewing:
    """The names of everything in the review, its people, and what their organisations are."""

    names: dict[str, str]
    token: str
    people: dict[str, Viewer]
    parties: dict[int | None, tuple[Role, ChoiceState | None, bool]]


def build() -> Reviewing:
    """A review with an open window, a party in each state, and something lent to three."""
    who, now = made.cast(), timezone.now()
    name = made.opened(who, now=now)
    partner = made.joined(who, name, now=now)
    assessor = made.chosen(who, name, "measurers", Part.ASSESSOR, now=now)
    choosing.join(who.assessor, name, made.digest(name), "", now=now)
    asked, proposed, gone = (
        somebody(f"{one}-net", _PARTNER) for one in ("asked", "proposed", "gone")
    )
    made.chosen(who, name, "asked-net", now=now)
    waiting = choosing.propose_party(
        who.developer, name, "proposed-net", Part.PARTNER, size=Size.SMALL, reason="fits",
        conflicts="", now=now,
    )  # fmt: skip
    left = made.chosen(who, name, "gone-net", now=now)
    choosing.join(gone, name, made.digest(name), "", now=now)
    made.lent(who, name, now=now)
    made.lent(who, name, left, now=now)
    loan = made.lent(who, name, partner, now=now)
    choosing.leave(gone, name, now=now)
    assert who.office.person is not None
    roster.put_on_roster(
        who.office, who.office.person, WorkRole.SYSTEMS_TESTING_AND_EVALUATION,
        available_from=None, available_until=None, now=now,
    )  # fmt: skip
    opening = roster.ask_to_open(who.office, name, "Items", "To draw them.", now=now)
    assert ThirdParty.objects.get(name=assessor).state == ChoiceState.JOINED
    joined = ChoiceState.JOINED
    endpoint, token = granted(who, name, timezone.now())
    grant = AccessGrant.objects.get(party__slug="clinic-net")
    return Reviewing(
        {"review": name, "party": waiting.name, "loan": loan, "opening": opening.name,
         "digest": made.digest(name), "endpoint": endpoint, "grant": grant.name,
         "use": grant.uses.get().name},
        token,
        {"developer": who.developer, "developer member": member("lab"), "partner": who.partner,
         "assessor": who.assessor, "partner asked": asked, "partner proposed": proposed,
         "partner gone": gone},
        {
            who.developer.organisation: (Role.DEVELOPER, None, False),
            who.partner.organisation: (_PARTNER, joined, True),
            who.assessor.organisation: (Role.ASSESSOR, joined, False),
            asked.organisation: (_PARTNER, ChoiceState.AGREED, False),
            proposed.organisation: (_PARTNER, ChoiceState.PROPOSED, False),
            gone.organisation: (_PARTNER, ChoiceState.REVOKED, True),
        },
    )  # fmt: skip


def member(slug: str) -> Viewer:
    """Somebody of an organisation who does not manage it."""
    acting = Organisation.objects.get(slug=slug)
    user = User.objects.create_user(f"bob@{slug}.example", name="Bob")
    Membership.objects.create(user=user, organisation=acting, is_manager=False)
    return viewer_of(user, acting.pk)


def granted(who: made.Cast, name: str, now: datetime) -> tuple[str, str]:
    """An endpoint, and a grant on it for the office and for the partner, each used once.

    The endpoint's name, and the partner's token.
    """
    owner = who.developer.acting_for()
    endpoint, token = open_endpoint(who.developer, owner, terms(), now=now).name, ""
    for number, to in enumerate(("office", "clinic-net")):
        given = access.give_grant(who.developer, name, to, made.allowance(endpoint), now=now)
        token = given.token
        AccessUse.objects.create(
            name=f"U-{number:016}", grant=given.grant, begun_at=now, ended_at=now,
            call="messages", model="m", outcome="answered", address="127.0.0.1", requests=1,
            tokens=30, micros=60, request_digest="ab", response_digest="cd", contents=b"sealed",
        )  # fmt: skip
        AccessAlert.objects.create(
            grant=given.grant, rule="volume", says="much", at=now, cut=False, entry=0
        )
        token = given.token
    return endpoint, token


def mark(put: Any, rename: Callable[[Any, str, str], None]) -> None:
    """Put a mark of its own into each text of the review that not everybody may read."""
    put(Review.objects.all(), model="review model", about="review about",
        contacts="review contacts")  # fmt: skip
    put(TermsText.objects.all(), text="review terms")
    put(LentThing.objects.filter(holder=None), what="review loan")
    put(LentThing.objects.filter(holder__slug="clinic-net"), what="review partner loan")
    put(LentThing.objects.filter(holder__slug="gone-net"), what="review gone loan")
    put(SealedOpening.objects.all(), what="review opening", reason="review opening reason")
    put(ReviewLine.objects.all(), text="review line")
    put(Endpoint.objects.all(), address="endpoint address")
    put(AccessUse.objects.filter(grant__party__slug="clinic-net"), model="grant use")
    put(AccessAlert.objects.filter(grant__party__slug="clinic-net"), says="grant alert")
    said = {"side": "office", "text": put.word("review reason"), "at": "2026-11-01T12:00:00+00:00"}
    ThirdParty.objects.update(reasons=[said], conflicts=[put.word("review conflict")])
    rename(put, "clinic-net", "partner name")
    rename(put, "proposed-net", "proposed name")
