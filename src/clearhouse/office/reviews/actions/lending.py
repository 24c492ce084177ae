"""What is lent, goes back, and is attested; and the end of a review."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from clearhouse.errors import Invalid, NotFound, Refused
from clearhouse.office.authorisation import ReviewDeed
from clearhouse.office.names import new_name
from clearhouse.office.reviews.actions.journal import (
    locked_by_side,
    locked_review,
    move,
    note,
)
from clearhouse.office.reviews.actions.outcome import count_it
from clearhouse.office.reviews.models import LentThing, Review, ThirdParty
from clearhouse.office.reviews.queries.values import loan_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol import returning as rules
from clearhouse.protocol.partners import ChoiceState
from clearhouse.protocol.returning import Lent
from clearhouse.protocol.review import ReviewEvent, ReviewState


def lend(
    viewer: Viewer, name: str, kind: Lent, what: str, party: str, *, now: datetime
) -> LentThing:
    """Note that something is lent: to the office, or to a third party that has joined."""
    if not what.strip() or len(what) > 300:
        raise Invalid("say what it is, in at most 300 characters", key="what")
    with transaction.atomic():
        review, _ = locked_by_side(viewer, name, ReviewDeed.OWN)
        if ReviewState(review.state) not in (ReviewState.AGREED, ReviewState.OPEN):
            raise Refused("things are lent once the terms are agreed on, until the window ends")
        holder = _joined(review, party) if party else None
        made = LentThing.objects.create(
            review=review, name=new_name("L"), kind=kind.value, what=what.strip(),
            holder=holder.organisation if holder is not None else None, lent_at=now,
        )  # fmt: skip
        to = holder.organisation.name if holder is not None else "the office"
        note(
            review, "lent", f"Lent to {to}: {made.what} ({kind.value}).", by=viewer.name, now=now,
            facts={"loan": made.name, "kind": kind.value},
        )  # fmt: skip
        return made


def give_back(viewer: Viewer, name: str, loan: str, *, now: datetime) -> LentThing:
    """Say that something was returned; its holder does."""
    with transaction.atomic():
        review, row = _held_by(viewer, name, loan)
        back = rules.give_back(loan_of(row), now=now)
        row.state, row.returned_at = back.state.value, back.returned_at
        row.save()
        note(
            review, "returned", f"Returned: {row.what}.", by=viewer.name, now=now,
            facts={"loan": row.name},
        )  # fmt: skip
        return row


def attest(viewer: Viewer, name: str, loan: str, statement: str, *, now: datetime) -> LentThing:
    """State how every copy was deleted; its holder does, once it was returned."""
    with transaction.atomic():
        review, row = _held_by(viewer, name, loan)
        done = rules.attest(loan_of(row), statement[:1000], now=now)
        row.state, row.attested_at = done.state.value, done.attested_at
        row.statement, row.attested_by = done.statement, viewer.name
        row.save()
        note(
            review, "attested", f"Deletion attested of {row.what}: {done.statement}",
            by=viewer.name, now=now, facts={"loan": row.name},
        )  # fmt: skip
        return row


def finish(viewer: Viewer, name: str, *, now: datetime) -> Review:
    """Close it: the window has ended, and everything lent is returned and attested."""
    with transaction.atomic():
        review, side = locked_by_side(viewer, name, ReviewDeed.AGREE)
        left = rules.outstanding(loan_of(one) for one in review.loans.all())
        if left and ReviewState(review.state) is ReviewState.RETURNING:
            raise Refused(f"{left} of the things that were lent are not returned and attested")
        move(review, ReviewEvent.FINISH, by=side)
        review.over_at = now
        review.save()
        note(review, "finished", "The review is finished.", by=viewer.name, now=now)
        count_it(review, now=now)
        return review


def _joined(review: Review, name: str) -> ThirdParty:
    rows = review.parties.filter(name=name, state=ChoiceState.JOINED)
    found = rows.select_related("organisation").first()
    if found is None:
        raise Invalid("expected a third party that has joined", key="party")
    return found


def _held_by(viewer: Viewer, name: str, loan: str) -> tuple[Review, LentThing]:
    """The loan, for its holder; for anybody else there is none of the kind."""
    review, _ = locked_review(viewer, name, ReviewDeed.GIVE_BACK)
    holder = None if viewer.coordinates else viewer.acting_for()
    row = review.loans.select_for_update(of=("self",)).filter(name=loan, holder=holder).first()
    if row is None:
        raise NotFound("nothing of that name was lent to you")
    return review, row
