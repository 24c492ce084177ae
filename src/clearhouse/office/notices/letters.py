"""Notices as messages, feeds and bundles have them: what may stand there, and the rest unsaid."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.urls import reverse

from clearhouse.office.notices.models import Channel, Message, Notice
from clearhouse.office.notices.words import Item, Letter, parts_of, shortened
from clearhouse.protocol.notices import Agreement, Urgency, may_leave
from clearhouse.protocol.tlp import Tlp


def agreement_of(channel: Channel) -> Agreement:
    """What the organisation has agreed to for a channel; for mail there is nothing to agree to."""
    if channel.kind == Channel.Kind.MAIL or channel.agreed_at is None:
        return Agreement.NONE
    return Agreement.AMBER


def may_stand_in(channel: Channel, notice: Notice) -> bool:
    """Whether a notice may stand in what goes to a channel."""
    return may_leave(Tlp(notice.tlp), agreement_of(channel))


def item_of(notice: Notice) -> Item:
    """A notice with everything."""
    return Item(
        notice.name, Urgency(notice.urgency), Tlp(notice.tlp), notice.headline, parts_of(notice),
        whole_address(reverse("notices:notice", args=[notice.name])), notice.revision,
        notice.told_at, notice.changed_at, notice.due_at, notice.acknowledged_at, notice.ended_at,
    )  # fmt: skip


def letter_of(message: Message) -> Letter:
    """What a message says now.

    What is over or was read meanwhile is left out, and the label counts that it has at this moment.
    """
    channel = message.channel
    there = message.deliveries.select_related("notice")
    rows = list(there.filter(is_end=False, notice__ended_at=None, notice__acknowledged_at=None))
    over = list(there.filter(is_end=True, notice__ended_at__isnull=False).order_by("pk"))
    listed = [one.notice for one in rows if one.is_listed]
    counted = [one.notice for one in rows if not one.is_listed]
    listed.sort(key=lambda one: (Urgency(one.urgency).place, one.changed_at, one.pk))
    open_ = [one for one in listed if may_stand_in(channel, one)]
    more = [one for one in counted if may_stand_in(channel, one)]
    ended = [one.notice for one in over if one.is_listed and may_stand_in(channel, one.notice)]
    sealed = len(listed) + len(counted) - len(open_) - len(more)
    return Letter(
        settings.CONFIG.office, channel.organisation.name, whole_address(reverse("notices:list")),
        shortened(map(item_of, open_)), sealed, len(more), [item_of(one) for one in ended],
        len(over) > len(ended),
    )  # fmt: skip


def divided(channel: Channel, notices: Iterable[Notice]) -> tuple[list[Notice], list[Notice]]:
    """Those that may stand in what goes to a channel, and those that may not."""
    rows = list(notices)
    return (
        [one for one in rows if may_stand_in(channel, one)],
        [one for one in rows if not may_stand_in(channel, one)],
    )


def whole_address(path: str) -> str:
    """An address of this office as others reach it."""
    return f"{settings.CONFIG.url}{path}"


def bundle_of(organisation: str, notices: Iterable[Notice]) -> Letter:
    """What an organisation carries along: all but what is only for the people it was given to."""
    rows = list(notices)
    carried = [one for one in rows if Tlp(one.tlp) is not Tlp.RED]
    open_ = [item_of(one) for one in carried if one.ended_at is None]
    sealed = sum(one.ended_at is None for one in rows) - len(open_)
    return Letter(
        settings.CONFIG.office, organisation, whole_address(reverse("notices:list")), open_,
        sealed, over=[item_of(one) for one in carried if one.ended_at is not None],
    )  # fmt: skip
