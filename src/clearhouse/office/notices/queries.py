"""What an organisation reads of its notices and channels; what the office reads of delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Case, Count, IntegerField, Min, Q, QuerySet, Value, When

from clearhouse.errors import NotFound
from clearhouse.office.notices.actions.waiting import STILL_TOLD, hour_of
from clearhouse.office.notices.models import Channel, Delivery, Message, Notice
from clearhouse.office.notices.sealing import token_digest
from clearhouse.office.notices.sight import own_channel, own_notice
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.notices import Urgency
from clearhouse.protocol.roles import Scope

__all__ = [
    "Channel",
    "Notice",
    "Overview",
    "Shelf",
    "Way",
    "channel",
    "channel_of_feed",
    "channels",
    "counts",
    "digest_hour",
    "every_notice",
    "last_message",
    "notice",
    "notices",
    "overview",
    "ways_of",
]  # fmt: skip

#: Notices of one page.
PAGE = 50
#: Entries of a feed, and notices of a bundle besides those that wait.
_LATEST = 200
_NAMED = ("organisation__name", "organisation__slug")


class Shelf(StrEnum):
    """Where a notice lies: it waits, it was read, or the matter is over."""

    WAITING = "waiting"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"


_ON: dict[Shelf, Q] = {
    Shelf.WAITING: Q(ended_at=None, acknowledged_at=None),
    Shelf.ACKNOWLEDGED: Q(ended_at=None, acknowledged_at__isnull=False),
    Shelf.ENDED: Q(ended_at__isnull=False),
}


@dataclass(frozen=True, slots=True)
class Way:
    """A notice on one channel: where it stands; ``at`` is since when, or when it arrived."""

    channel: Channel
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """How it stands with one organisation, without what it is about.  For the office."""

    name: str
    slug: str
    waiting: int
    acknowledged: int
    oldest: datetime | None
    on_the_way: int
    failed: int
    channels: Sequence[Channel]


def notices(viewer: Viewer, shelf: Shelf, *, page: int = 1) -> list[Notice]:
    """A page of one's organisation's notices: the most urgent first, of those the newest."""
    first = (max(page, 1) - 1) * PAGE
    return list(_ordered(_own(viewer).filter(_ON[shelf]))[first : first + PAGE])


def counts(viewer: Viewer) -> dict[Shelf, int]:
    """How many lie where."""
    found = _own(viewer).aggregate(
        **{shelf.value: Count("pk", filter=on) for shelf, on in _ON.items()}
    )
    return {shelf: int(found[shelf.value]) for shelf in Shelf}


def notice(viewer: Viewer, name: str) -> Notice:
    """One of them.  Raises :class:`NotFound`."""
    viewer.needs(Scope.NOTICES_READ)
    return own_notice(viewer, name)


def every_notice(viewer: Viewer, *, now: datetime) -> list[Notice]:
    """All that is not over, for a bundle, what waits first; then what ended a short while ago."""
    rows = _own(viewer).filter(ended_at=None)
    ended = _own(viewer).filter(ended_at__gt=now - STILL_TOLD).order_by("-ended_at", "-pk")
    return [
        *sorted(rows, key=lambda one: (one.acknowledged_at is not None, *_place(one))),
        *ended[:_LATEST],
    ]


def ways_of(viewer: Viewer, one: Notice) -> list[Way]:
    """On which channels a notice went, or waits to go; those of its last revision."""
    viewer.needs(Scope.NOTICES_READ)
    rows = Delivery.objects.filter(notice=one, revision=one.revision)
    found = []
    for row in rows.select_related("channel", "message").order_by("pk"):
        message = row.message
        over = "that it is over: " if row.is_end else ""
        if message is None:
            found.append(Way(row.channel, f"{over}waits for others to go with", row.since))
        elif message.state == Message.State.DELIVERED and message.delivered_at is not None:
            listed = "arrived" if row.is_listed else "counted in a message that arrived"
            found.append(Way(row.channel, f"{over}{listed}", message.delivered_at))
        elif message.state == Message.State.SENDING:
            tried = f"tried {message.attempts} times" if message.attempts else "on its way"
            found.append(Way(row.channel, f"{over}{tried}", message.made_at))
        elif message.state == Message.State.FAILED:
            found.append(Way(row.channel, f"{over}did not arrive", message.made_at))
    return found


def channels(viewer: Viewer) -> list[Channel]:
    """One's organisation's channels, without their secrets."""
    viewer.needs(Scope.NOTICES_READ)
    mine = Channel.objects.filter(organisation=viewer.acting_for(), removed_at=None)
    return list(mine.defer("sealed_secret", "sealed_previous").order_by("added_at", "pk"))


def channel(viewer: Viewer, name: str) -> Channel:
    """One of them.  Raises :class:`NotFound`."""
    return own_channel(viewer, name)


def last_message(viewer: Viewer, of: Channel) -> Message | None:
    """The last message of a channel that was sent, or tried."""
    own_channel(viewer, of.name)
    return Message.objects.filter(channel=of).order_by("-made_at", "-pk").first()


def digest_hour(viewer: Viewer) -> int:
    """The hour (UTC) of what is not urgent, for one's organisation."""
    viewer.needs(Scope.NOTICES_READ)
    return hour_of(viewer.acting_for())


def channel_of_feed(token: str, *, now: datetime) -> tuple[Channel, list[Notice]]:
    """The feed of an address and what may be told there, the latest first.

    What ended while the feed was there stays for a while, and says so: readers keep what they had.
    Whoever has the address reads it.  Raises :class:`NotFound`, also while it is paused.
    """
    found = (
        Channel.objects.select_related("organisation")
        .filter(token_digest=token_digest(token), removed_at=None, state=Channel.State.ACTIVE)
        .first()
    )
    if found is None:
        raise NotFound("There is no page at this address.")
    still = Q(ended_at__gt=now - STILL_TOLD, ended_at__gte=found.added_at)
    rows = Notice.objects.filter(Q(ended_at=None) | still, organisation=found.organisation_id)
    return found, list(rows.order_by("-changed_at", "-pk")[:_LATEST])


def overview(viewer: Viewer) -> list[Overview]:
    """How delivery stands with each organisation that was told something.  For the office.

    Counts and states only: neither what it is about nor where it goes.
    """
    viewer.must_coordinate()
    viewer.needs(Scope.NOTICES_READ)
    waits, owner = _ON[Shelf.WAITING], ("organisation", *_NAMED)
    told = {
        row["organisation"]: row
        for row in Notice.objects.values(*owner).annotate(
            waiting=Count("pk", filter=waits),
            acknowledged=Count("pk", filter=_ON[Shelf.ACKNOWLEDGED]),
            oldest=Min("changed_at", filter=waits),
        )
    }
    kept = Channel.objects.filter(removed_at=None).defer("sealed_secret", "sealed_previous")
    by_owner: dict[int, list[Channel]] = {}
    for one in kept.order_by("pk"):
        by_owner.setdefault(one.organisation_id, []).append(one)
    for row in kept.values(*owner).distinct():
        nothing = {"waiting": 0, "acknowledged": 0, "oldest": None}
        told.setdefault(row["organisation"], nothing | dict(row))
    on_the_way, failed = _messages(Message.State.SENDING), _messages(Message.State.FAILED)
    found = [
        Overview(
            row["organisation__name"], row["organisation__slug"], row["waiting"],
            row["acknowledged"], row["oldest"], on_the_way.get(pk, 0), failed.get(pk, 0),
            by_owner.get(pk, []),
        )
        for pk, row in told.items()
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.name, one.slug))


def _messages(state: Message.State) -> dict[int, int]:
    found = Message.objects.filter(state=state, is_test=False).values("channel__organisation")
    rows = found.annotate(count=Count("pk")).values_list("channel__organisation", "count")
    return dict(rows)


def _own(viewer: Viewer) -> QuerySet[Notice]:
    viewer.needs(Scope.NOTICES_READ)
    return Notice.objects.filter(organisation=viewer.acting_for())


def _ordered(rows: QuerySet[Notice]) -> QuerySet[Notice]:
    place = Case(
        *(When(urgency=one.value, then=Value(one.place)) for one in Urgency),
        default=Value(len(Urgency)),
        output_field=IntegerField(),
    )
    return rows.order_by(place, "-changed_at", "-pk")


def _place(one: Notice) -> tuple[int, float, int]:
    return Urgency(one.urgency).place, -one.changed_at.timestamp(), -one.pk
