"""What was sent is forgotten when nobody needs it any more; what the ledger says of it stays.

Notices themselves stay: they are what an organisation was told.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from clearhouse.office.notices.actions.sending import GATHER, SEND
from clearhouse.office.notices.actions.waiting import STILL_TOLD
from clearhouse.office.notices.models import Channel, Delivery, Message
from clearhouse.office.queue.forgetting import forget

#: How long the jobs are kept that gathered messages, and tried to send them.
ATTEMPTS_KEPT: Final = timedelta(days=30)
#: How long it is kept which notice went where, once that matters no more.
DELIVERIES_KEPT: Final = timedelta(days=30)
#: How long it is kept that a message was sent: more than a year, for whoever accounts for one.
MESSAGES_KEPT: Final = timedelta(days=400)
#: Rows of a kind that one call takes away; the rest follows with the next tick.
BATCH: Final = 1_000
_DONE: Final = (Message.State.DELIVERED, Message.State.FAILED, Message.State.DROPPED)


def prune(now: datetime) -> int:
    """Take away what is done and old, at most so many rows of each kind.  How many there were.

    Never what is on its way or waits, nor what tells that an organisation was told something that
    it has not read, or that is not over.
    """
    attempts = forget((GATHER, SEND), before=now - ATTEMPTS_KEPT, most=BATCH)
    deliveries = _taken(_deliveries(now))
    return attempts + deliveries + _taken(_messages(now))


def _deliveries(now: datetime) -> QuerySet[Delivery]:
    """Those of messages that are done and that matter no more.

    1. The matter is over, and for so long that nobody is told of its end any more; or 2. a later
    message on the same channel told the same matter; or 3. the channel was removed.
    """
    then = now - DELIVERIES_KEPT
    later = Delivery.objects.filter(
        notice=OuterRef("notice"), channel=OuterRef("channel"), pk__gt=OuterRef("pk"),
        is_listed=True, is_end=False, message__state=Message.State.DELIVERED,
    )  # fmt: skip
    return Delivery.objects.filter(
        Q(notice__ended_at__lt=now - STILL_TOLD)  # 1
        | Exists(later)  # 2
        | Q(channel__removed_at__lt=then),  # 3
        message__state__in=_DONE,
        message__made_at__lt=then,
    )


def _messages(now: datetime) -> QuerySet[Message]:
    """Those that are done and without deliveries, but for the last one of each channel."""
    last = Message.objects.filter(
        Q(made_at__gt=OuterRef("made_at")) | Q(made_at=OuterRef("made_at"), pk__gt=OuterRef("pk")),
        channel=OuterRef("channel"),
    )
    kept = Channel.objects.filter(pk=OuterRef("channel"), removed_at=None)
    return Message.objects.filter(
        Exists(last) | ~Exists(kept),
        ~Exists(Delivery.objects.filter(message=OuterRef("pk"))),
        state__in=_DONE,
        made_at__lt=now - MESSAGES_KEPT,
    )


def _taken(found: QuerySet[Delivery] | QuerySet[Message]) -> int:
    keys = list(found.order_by("pk").values_list("pk", flat=True)[:BATCH])
    count, _ = found.model.objects.filter(pk__in=keys).delete()
    return count
