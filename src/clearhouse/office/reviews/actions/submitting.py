"""A developer's submission: drafted, handed in, declined, withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import transaction

from clearhouse.errors import Invalid, NotFound, Refused
from clearhouse.office.authorisation import ReviewDeed
from clearhouse.office.names import new_name
from clearhouse.office.orgs.queries import hold
from clearhouse.office.reviews.actions.access import end_all_access
from clearhouse.office.reviews.actions.agreeing import agree_as
from clearhouse.office.reviews.actions.journal import (
    locked_by_side,
    move,
    note,
    put_window,
)
from clearhouse.office.reviews.actions.outcome import count_it
from clearhouse.office.reviews.models import Review, TermsText
from clearhouse.office.reviews.queries.values import window_of
from clearhouse.office.reviews.standard_terms import STANDARD
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.evenness import Size
from clearhouse.protocol.review import Purpose, ReviewEvent, ReviewState
from clearhouse.protocol.roles import Role, Scope
from clearhouse.protocol.window import WindowState, end

#: Reviews of one developer that are not over: a mistake in a script should not fill the office.
MOST: Final = 50
_OVER: Final = [one.value for one in ReviewState if one.is_over]


@dataclass(frozen=True, slots=True)
class Submission:
    """What a developer says of the model and of itself."""

    purpose: Purpose
    model: str
    contacts: str
    size: Size
    planned_release: date | None = None
    about: str = ""

    def __post_init__(self) -> None:
        for key, most in (("model", 200), ("contacts", 1000), ("about", 20_000)):
            value = getattr(self, key)
            if not value.strip() and key != "about":
                raise Invalid("say something", key=key)
            if len(value) > most:
                raise Invalid(f"at most {most} characters", key=key)


def draft(viewer: Viewer, submission: Submission, *, now: datetime) -> Review:
    """Begin a review: the developer's own until it is handed in.

    Raises :class:`NotFound` for who is no developer.
    """
    if not viewer.has(Role.DEVELOPER):
        raise NotFound("there is no such thing here")
    viewer.needs(Scope.REVIEWS_WRITE)
    with transaction.atomic():
        hold(viewer.acting_for())
        mine = Review.objects.filter(organisation=viewer.acting_for())
        if mine.exclude(state__in=_OVER).count() >= MOST:
            raise Refused(f"at most {MOST} reviews at a time; withdraw some")
        made = Review(name=new_name("R"), organisation_id=viewer.acting_for(), drafted_at=now)
        _fill(made, submission)
        made.save()
        TermsText.objects.bulk_create(
            TermsText(
                review=made, subject=subject.value, version=1, text=text, by="clearhouse", at=now
            )
            for subject, text in STANDARD.items()
        )
        return made


def edit(viewer: Viewer, name: str, submission: Submission) -> Review:
    """Change what was drafted.  Raises :class:`Refused` once it was handed in."""
    with transaction.atomic():
        review, _ = locked_by_side(viewer, name, ReviewDeed.OWN)
        if review.state != ReviewState.DRAFTED:
            raise Refused("it was handed in; withdraw it and hand in another")
        _fill(review, submission)
        review.save()
        return review


def submit(viewer: Viewer, name: str, *, now: datetime) -> Review:
    """Hand it in; the developer agrees to the terms as it hands them in."""
    with transaction.atomic():
        review, side = locked_by_side(viewer, name, ReviewDeed.OWN)
        move(review, ReviewEvent.SUBMIT, by=side)
        review.submitted_at = now
        review.save()
        note(
            review, "submitted", f"Submitted, to {Purpose(review.purpose).meaning}.",
            by=viewer.name, now=now, facts={"purpose": review.purpose},
        )  # fmt: skip
        agree_as(review, side, by=viewer.name, now=now)
        return review


def decline(viewer: Viewer, name: str, reason: str, *, now: datetime) -> Review:
    """The office cannot do it, and says why."""
    if not reason.strip():
        raise Invalid("say why", key="reason")
    with transaction.atomic():
        review, side = locked_by_side(viewer, name, ReviewDeed.RUN)
        move(review, ReviewEvent.DECLINE, by=side)
        review.closed_because, review.over_at = reason.strip()[:1000], now
        put_window(review, end(window_of(review), now=now))
        review.save()
        note(review, "declined", f"Declined: {reason.strip()}", by=viewer.name, now=now)
        count_it(review, now=now)
        return review


def withdraw(viewer: Viewer, name: str, *, now: datetime) -> Review:
    """Take it back: at any moment, at once, without a reason.  All access is over.

    1. The state moves, and with it every answer to whether somebody has access.  2. The window
    ends.  3. From then on nobody else sees that there was one, and no public figure counts it; who
    still holds something lent sees that alone, until it is given back.
    """
    with transaction.atomic():
        review, side = locked_by_side(viewer, name, ReviewDeed.OWN)
        was_open = ReviewState(review.state) is ReviewState.OPEN
        if ReviewState(review.state) is ReviewState.WITHDRAWN:
            return review  # twice is once
        move(review, ReviewEvent.WITHDRAW, by=side)  # 1
        window = window_of(review)
        if window.state is not WindowState.ENDED:
            put_window(review, end(window, now=now))  # 2
        review.over_at = review.over_at or now
        review.save()
        note(review, "withdrawn", "Withdrawn by the developer.", by=viewer.name, now=now)  # 3
        if was_open:
            end_all_access(review, by=viewer.name, now=now)
        return review


def _fill(review: Review, submission: Submission) -> None:
    review.purpose = submission.purpose.value
    review.model = submission.model.strip()
    review.contacts = submission.contacts.strip()
    review.size = submission.size.value
    review.planned_release = submission.planned_release
    review.about = submission.about.strip()
