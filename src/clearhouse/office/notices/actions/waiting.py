"""What waits for which channel, in the transaction of whoever tells it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import OuterRef, Q, QuerySet, Subquery

from clearhouse.office.names import new_name
from clearhouse.office.notices.models import Channel, Delivery, Message, Notice, Rhythm
from clearhouse.office.orgs.notices import sends_mail
from clearhouse.protocol.notices import Urgency, due_at

#: The hour (UTC) of what is not urgent, where the organisation has named none.
USUAL_HOUR: Final = 7
#: A feed is read by whoever wants to; nothing is sent.
_SENT: Final = (Channel.Kind.MAIL, Channel.Kind.WEBHOOK)
#: How long a feed, a bundle and a channel that is resumed say that a matter is over.
STILL_TOLD: Final = timedelta(days=30)
_ARRIVED: Final = Q(message__state=Message.State.DELIVERED)
#: Sent for the first time, perhaps at this moment; where it fails, the next attempt leaves it out.
_ON_ITS_WAY: Final = Q(message__state=Message.State.SENDING, message__attempts=0)
_GONE: Final = Q(message__state__in=(Message.State.FAILED, Message.State.DROPPED))


def hour_of(organisation: int) -> int:
    """The hour of an organisation's digest, in UTC."""
    found = Rhythm.objects.filter(organisation=organisation).first()
    return USUAL_HOUR if found is None else found.hour


def first_channel(organisation: int, *, now: datetime) -> None:
    """An organisation that never set a channel up is told by mail, where the office sends any.

    It goes to the contact that it names, else to its managers; they may pause or remove it.
    """
    if sends_mail() and not Channel.objects.filter(organisation=organisation).exists():
        Channel.objects.create(
            name=new_name("NC"), organisation_id=organisation, kind=Channel.Kind.MAIL,
            state=Channel.State.ACTIVE, added_at=now,
        )  # fmt: skip


def wait(notices: Iterable[Notice], *, now: datetime, only: Channel | None = None) -> None:
    """Let notices of one organisation wait for its active channels, or for one of them.

    What waits already keeps its place.
    """
    for notice in notices:
        channels = (
            [only]
            if only is not None
            else Channel.objects.filter(
                organisation=notice.organisation_id, state=Channel.State.ACTIVE, kind__in=_SENT
            )
        )
        due = due_at(Urgency(notice.urgency), now, hour=hour_of(notice.organisation_id))
        for channel in channels:
            there = Delivery.objects.filter(notice=notice, channel=channel, message=None).first()
            if there is None:
                there = Delivery(notice=notice, channel=channel, since=now, due_at=due)
            there.revision, there.is_end = notice.revision, False
            there.due_at = min(there.due_at, due)
            there.save()
            if channel.held_until is not None:
                channel.held_until = None
                channel.save(update_fields=["held_until"])


def wait_to_end(notice: Notice, *, now: datetime, only: Channel | None = None) -> None:
    """Let it wait for the next digest that a matter is over, where its beginning was told.

    1. A channel that is active, 2. that a message about it has reached, or is on its way to reach,
    3. since it was told there the last time that it was over.  A feed says so by itself.
    """
    channels = Channel.objects.filter(
        organisation=notice.organisation_id, state=Channel.State.ACTIVE, kind__in=_SENT
    )  # 1
    if only is not None:
        channels = channels.filter(pk=only.pk)
    sent = Delivery.objects.filter(notice=notice, channel=OuterRef("pk"), is_listed=True)
    due = due_at(Urgency.DIGEST, now, hour=hour_of(notice.organisation_id))
    for channel in channels.annotate(
        begun=Subquery(_last(sent.filter(_ARRIVED | _ON_ITS_WAY, is_end=False))),
        over=Subquery(_last(sent.filter(~_GONE, is_end=True, message__isnull=False))),
    ):
        if channel.begun is not None and channel.begun > (channel.over or 0):  # 2, 3
            Delivery.objects.create(
                notice=notice, channel=channel, revision=notice.revision, since=now, due_at=due,
                is_end=True,
            )  # fmt: skip


def _last(sent: QuerySet[Delivery]) -> QuerySet[Delivery, int]:
    return sent.order_by("-revision").values_list("revision", flat=True)[:1]


def activate(channel: Channel, *, now: datetime) -> None:
    """Let a channel be used from now on, and what waits go there."""
    channel.state, channel.reason, channel.held_until = Channel.State.ACTIVE, "", None
    if channel.kind == Channel.Kind.MAIL:
        channel.sealed_secret = b""
    channel.save()
    if channel.kind != Channel.Kind.FEED:
        wait_anew(channel, now=now)


def wait_anew(channel: Channel, *, now: datetime) -> None:
    """Let everything wait for a channel that nobody has read and that it has not delivered."""
    Delivery.objects.filter(channel=channel, message=None).delete()
    unread = Notice.objects.filter(
        organisation=channel.organisation_id, acknowledged_at=None, ended_at=None
    )
    there = set(
        Delivery.objects.filter(
            channel=channel,
            message__state__in=(Message.State.DELIVERED, Message.State.SENDING),
        ).values_list("notice", "revision")
    )
    wait([one for one in unread if (one.pk, one.revision) not in there], now=now, only=channel)
    over = Notice.objects.filter(
        organisation=channel.organisation_id, ended_at__gt=now - STILL_TOLD,
        deliveries__channel=channel,
    )  # fmt: skip
    for one in over.distinct().order_by("pk"):
        wait_to_end(one, now=now, only=channel)
