"""Notices, channels and delivery as their pages show them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.urls import reverse
from django.utils.text import capfirst

from clearhouse.office.look.clock import absolute, relative
from clearhouse.office.look.table import Cell, Column, Table
from clearhouse.office.look.words import Tag
from clearhouse.office.notices.models import Channel, Message, Notice
from clearhouse.office.notices.queries import Overview, Way
from clearhouse.protocol.notices import Urgency

URGENCIES: Final = {
    Urgency.NOW: Tag("Now", "no", "Told within a minute."),
    Urgency.SOON: Tag("Soon", "wait", "Told within the hour."),
    Urgency.DIGEST: Tag("When you get to it", "quiet", "Told once a day."),
}
_STATES: Final = {
    Channel.State.UNCONFIRMED: Tag("To be confirmed", "wait"),
    Channel.State.ACTIVE: Tag("Active", "yes"),
    Channel.State.PAUSED: Tag("Paused", "no"),
}
_MESSAGES: Final = {
    Message.State.SENDING: "on its way",
    Message.State.DELIVERED: "arrived",
    Message.State.FAILED: "did not arrive",
    Message.State.DROPPED: "was not needed any more",
}


def urgency_tag(row: Notice) -> Tag:
    """How soon it was told."""
    return URGENCIES[Urgency(row.urgency)]


def state_tag(row: Channel) -> Tag:
    """Whether a channel is used."""
    return _STATES[Channel.State(row.state)]


def goes_to(row: Channel) -> str:
    """Where a channel leads, for its own organisation."""
    if row.kind == Channel.Kind.FEED:
        return "whoever has the feed's address"
    if row.kind == Channel.Kind.MAIL and not row.address:
        return "your contact address, else your managers"
    return row.address


def said_of(message: Message | None) -> str:
    """What became of the last message of a channel."""
    if message is None:
        return "nothing was sent yet"
    what = "The last trial" if message.is_test else "The last message"
    at = message.delivered_at or message.made_at
    why = f" ({message.last_error})" if message.last_error else ""
    return f"{what}: {_MESSAGES[Message.State(message.state)]}{why}, {absolute(at)}"


def ways_table(ways: Iterable[Way]) -> Table:
    """Where a notice went."""
    columns = (Column("Way"), Column("State"), Column("When"))
    rows = tuple(
        (
            f"{capfirst(one.channel.get_kind_display())}: {goes_to(one.channel)}",
            one.state,
            absolute(one.at),
        )
        for one in ways
    )
    empty = "It was sent nowhere: add a channel, or read it here."
    return Table("Where this notice went", columns, rows, empty)


def overview_table(rows: Iterable[Overview], now: datetime) -> Table:
    """How delivery stands with everybody."""
    columns = (
        Column("Organisation"), Column("Waits", number=True), Column("Read", number=True),
        Column("Oldest that waits"), Column("On the way", number=True),
        Column("Did not arrive", number=True), Column("Channels"),
    )  # fmt: skip
    shown = tuple(
        (
            Cell(one.name, reverse("orgs:organisation", args=[one.slug])),
            one.waiting, one.acknowledged, relative(one.oldest, now) if one.oldest else "none",
            one.on_the_way, one.failed,
            "; ".join(_channel_words(channel) for channel in one.channels) or "none",
        )
        for one in rows
    )  # fmt: skip
    return Table("Delivery, by organisation", columns, shown, "Nobody was told anything yet.")


def _channel_words(one: Channel) -> str:
    state = f"{one.get_kind_display()} {one.get_state_display()}"
    return f"{state} ({one.reason})" if one.reason else state
