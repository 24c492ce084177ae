"""Mail to who has something to look at in a review, without a word of that there is one."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from clearhouse.office.orgs.notices import send_notice, sends_mail
from clearhouse.office.queue.actions import enqueue
from clearhouse.office.reviews.models import Review
from clearhouse.office.reviews.queries.values import choice_of
from clearhouse.protocol.partners import ChoiceState
from clearhouse.protocol.review import ReviewState, is_seen_by_others

MAIL: Final = "reviews.mail"
_FIRST: Final = 90


class Notice(StrEnum):
    """What happened, as the mail tells it."""

    ASKED = "has asked your organisation to join something"
    ASSESSED = "has something for you to read, and waits some days for your answer"


def tell(review: Review, organisation: int, notice: Notice, *, now: datetime) -> None:
    """Have an organisation told by mail, where the office sends mail.

    The mail is a job of the caller's transaction: what did not happen is not told.
    """
    if not sends_mail():
        return
    payload = {"organisation": organisation, "review": review.name, "notice": notice.name}
    key = f"{MAIL}:{review.name}:{organisation}:{notice.name}:{now.timestamp():.0f}"
    enqueue(MAIL, payload, lane="mail", key=key, priority=_FIRST, now=now)


def send(organisation: int, name: str, notice: Notice) -> None:
    """Send it, unless the review was withdrawn meanwhile or the party is not asked any more.

    Raises :class:`Unavailable` where the relay does not take it.
    """
    review = Review.objects.filter(name=name).first()
    if review is None or not is_seen_by_others(ReviewState(review.state)):
        return
    if notice is Notice.ASKED:
        party = review.parties.filter(organisation=organisation).first()
        if party is None or choice_of(party).state is not ChoiceState.AGREED:
            return
    # Not even the address of a review: that there is one is nobody's to read on the way.
    send_notice(organisation, "something", notice.value, "/")
