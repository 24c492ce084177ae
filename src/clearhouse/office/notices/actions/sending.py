"""From what waits to messages, and each message on its way until it has arrived or is given up.

A message is sent outside of any transaction and its arrival stored after: a worker that dies
between the two sends it again under the same name, by which a receiver knows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from clearhouse.errors import ClearhouseError, Unavailable
from clearhouse.formats import standard_webhooks
from clearhouse.ledger.entry import JSON
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.names import new_name
from clearhouse.office.notices.actions.waiting import activate
from clearhouse.office.notices.letters import letter_of
from clearhouse.office.notices.models import Channel, Delivery, Message
from clearhouse.office.notices.posting import post, reach_of
from clearhouse.office.notices.sealing import opened
from clearhouse.office.notices.words import (
    Letter,
    mail_text,
    subject,
    trial_body,
    webhook_body,
)
from clearhouse.office.orgs.notices import sends_mail
from clearhouse.office.orgs.queries import hold, notify_addresses
from clearhouse.office.queue.actions import Request, enqueue, enqueue_many, set_lane
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.notices import Group, Urgency, Waiting, next_group, retry_after

GATHER: Final = "notices.gather"
SEND: Final = "notices.send"
_DAY: Final = timedelta(days=1)
#: A channel that has had its messages of the day is looked at again after so long.
_HELD: Final = timedelta(minutes=5)
_AT_ONCE: Final = 2_000
_FIRST: Final = 80


@dataclass(frozen=True, slots=True)
class Arrived:
    """The relay or the receiver has taken it."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """There was nothing left to say, or nobody to say it to."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not arrive; ``is_final`` where the receiver wants nothing more."""

    why: str
    is_final: bool = False


Outcome = Arrived | Nothing | Failed


def look_for_due(now: datetime) -> int:
    """Have the channels looked at for which something is due.  How many there are."""
    due = Delivery.objects.filter(
        message=None, due_at__lte=now, channel__state=Channel.State.ACTIVE
    ).exclude(channel__held_until__gt=now)
    names = list(due.values_list("channel__name", flat=True).order_by().distinct()[:_AT_ONCE])
    if not names:
        return 0
    enqueue_many(
        [
            Request(
                GATHER, {"channel": name}, lane="notices", priority=_FIRST,
                key=f"{GATHER}:{name}:{now.timestamp():.0f}",
            )
            for name in names
        ],
        now=now,
    )  # fmt: skip
    # Not twice while the first is still in the queue; whoever tells something new looks again.
    Channel.objects.filter(name__in=names).update(held_until=now + _HELD)
    return len(names)


def gather(channel: str, *, now: datetime) -> Message | None:
    """Make the message of a channel out of what waits, if one goes out now.

    Whoever tells the organisation something meanwhile waits for the end of it, or this for theirs.
    """
    with transaction.atomic():
        owner = Channel.objects.filter(name=channel).values_list("organisation", flat=True).first()
        if owner is None:
            return None
        hold(owner)
        held = Channel.objects.get(name=channel)
        if held.state != Channel.State.ACTIVE:
            return None
        rows = Delivery.objects.filter(channel=held, message=None).select_related("notice")
        _leave_out(held)
        there = {one.pk: one for one in rows.all()}
        waiting = [Waiting(one.pk, _urgency(one), one.since, one.due_at) for one in there.values()]
        group = next_group(waiting, _sent(held, now), now=now)
        held.held_until = None if group is not None else _look_again(waiting, now)
        held.save(update_fields=["held_until"])
        return None if group is None else _made(held, group, there, now)


def _leave_out(channel: Channel) -> None:
    """What is over or was read is not told, nor the end of what began anew or never was told."""
    rows = Delivery.objects.filter(channel=channel, message=None)
    beginning = rows.filter(is_end=False)
    beginning.exclude(notice__ended_at=None, notice__acknowledged_at=None).delete()
    waiting = rows.filter(is_end=True)
    waiting.filter(notice__ended_at=None).delete()
    begun = Delivery.objects.filter(
        notice=OuterRef("notice"), channel=channel, is_end=False,
        message__state__in=(Message.State.DELIVERED, Message.State.SENDING),
    )  # fmt: skip
    waiting.exclude(Exists(begun)).delete()


def _urgency(one: Delivery) -> Urgency:
    return Urgency.DIGEST if one.is_end else Urgency(one.notice.urgency)


def _look_again(waiting: Sequence[Waiting], now: datetime) -> datetime | None:
    """When to look again at a channel that has had its messages; None where nothing is due."""
    if not any(one.due_at <= now for one in waiting):
        return None
    return min([now + _HELD, *(one.due_at for one in waiting if one.due_at > now)])


def _sent(channel: Channel, now: datetime) -> list[datetime]:
    messages = Message.objects.filter(channel=channel, is_test=False, made_at__gt=now - _DAY)
    return list(messages.values_list("made_at", flat=True))


def _made(channel: Channel, group: Group, waiting: dict[int, Delivery], now: datetime) -> Message:
    made = Message.objects.create(name=new_name("NM"), channel=channel, made_at=now, next_try=now)
    for keys, is_listed in ((group.listed, True), (group.counted, False)):
        for key in keys:
            one = waiting[key]
            one.message, one.is_listed = made, is_listed
            one.revision = one.notice.revision
            one.save(update_fields=["message", "is_listed", "revision"])
    send_later(made, at=now, now=now)
    return made


def send_later(message: Message, *, at: datetime, now: datetime) -> None:
    """Have a message sent: a job of the caller's transaction, one at a time for an organisation."""
    lane = f"notices:{message.channel.organisation_id}"
    set_lane(lane, most_running=1)
    enqueue(
        SEND, {"message": message.name}, lane=lane, priority=_FIRST, not_before=at,
        key=f"{SEND}:{message.name}:{message.attempts}", now=now,
    )  # fmt: skip


def send(name: str) -> Outcome:
    """Send a message; nothing is stored."""
    found = Message.objects.select_related("channel__organisation").filter(name=name).first()
    if found is None or found.state != Message.State.SENDING:
        return Nothing()
    channel = found.channel
    if channel.removed_at is not None or (
        channel.state != Channel.State.ACTIVE and not found.is_test
    ):
        return Nothing()
    letter = letter_of(found)
    if not found.is_test and not letter.says_something:
        return Nothing()
    try:
        if channel.kind == Channel.Kind.MAIL:
            return _mailed(found, letter)
        return _posted(found, letter)
    except ClearhouseError as error:
        return Failed(error.message)


def _mailed(message: Message, letter: Letter) -> Outcome:
    channel = message.channel
    mine = channel.organisation_id
    addresses = (
        [channel.address] if channel.address else notify_addresses(SYSTEM, [mine]).get(mine, [])
    )
    if not sends_mail() or not addresses:
        return Nothing()
    title, text = subject(letter), mail_text(letter)
    if message.is_test:
        title, text = _trial(channel, letter)
    mail = EmailMessage(
        subject=title, body=text, from_email=settings.DEFAULT_FROM_EMAIL, to=addresses,
        # RFC 5322, section 3.6.4: the same message again is known by its identity.
        headers={
            "Message-ID": f"<{message.name}@{settings.CONFIG.host}>",
            "Auto-Submitted": "auto-generated",
        },
    )  # fmt: skip
    try:
        mail.send()
    except (OSError, SMTPException) as error:
        raise Unavailable(f"the relay takes no mail: {type(error).__name__}") from None
    return Arrived()


def _trial(channel: Channel, letter: Letter) -> tuple[str, str]:
    """A mail that only tries the way; with the code where the address is to be confirmed."""
    if channel.state != Channel.State.UNCONFIRMED:
        return f"{letter.office}: a trial", "This is a trial: mail arrives here. Nothing waits.\n"
    code = opened(bytes(channel.sealed_secret), of=channel.name)
    return f"{letter.office}: confirm this address", (
        f"{letter.organisation} wants notices of {letter.office} at this address. The code that"
        f" confirms it:\n\n{code}\n\nWrite it on the page of channels: {letter.page}channels/\n\n"
        "If you know nothing of this, leave it: without the code nothing more is sent here.\n"
    )


def _posted(message: Message, letter: Letter) -> Outcome:
    channel, now = message.channel, timezone.now()
    body = trial_body(letter, at=now) if message.is_test else webhook_body(letter, at=now)
    secrets = [bytes(channel.sealed_secret)]
    if channel.previous_until is not None and now < channel.previous_until:
        secrets.append(bytes(channel.sealed_previous))
    written = [opened(one, of=channel.name) for one in secrets]
    headers = standard_webhooks.headers(message.name, now, body, written)
    answer = post(channel.address, headers, body, reach_of(settings.CONFIG))
    if answer.is_taken:
        return Arrived()
    if answer.is_gone:
        return Failed("it answered 410: it wants nothing more", is_final=True)
    return Failed(f"it answered {answer.status}")


def settle(name: str, outcome: Outcome, *, now: datetime) -> None:
    """Store what came of an attempt: as part of the transaction that ends its job.

    A failed attempt is tried again over a day; then the channel is paused, which its organisation
    reads on its pages.  A trial is tried once.
    """
    found = Message.objects.select_related("channel").filter(name=name).first()
    if found is None or found.state != Message.State.SENDING:
        return
    hold(found.channel.organisation_id)
    match outcome:
        case Arrived():
            found.state, found.delivered_at, found.last_error = Message.State.DELIVERED, now, ""
            facts: dict[str, JSON] = {
                "channel": found.channel.name,
                "attempts": found.attempts + 1,
            }
            record("message.delivered", found.name, facts, now=now)
            _is_confirmed(found, now)
        case Nothing():
            found.state = Message.State.DROPPED
        case Failed(why, is_final):
            found.last_error = why[:300]
            _set_back(found, now, is_final=is_final)
    found.attempts += 1
    found.save()
    if found.state == Message.State.SENDING and found.next_try is not None:
        send_later(found, at=found.next_try, now=now)


def _is_confirmed(message: Message, now: datetime) -> None:
    """A receiver that has taken a trial is one."""
    channel = Channel.objects.get(pk=message.channel_id)
    is_receiver = channel.kind == Channel.Kind.WEBHOOK
    if message.is_test and is_receiver and channel.state == Channel.State.UNCONFIRMED:
        activate(channel, now=now)
        record("channel.confirmed", channel.name, {}, now=now)


def _set_back(message: Message, now: datetime, *, is_final: bool) -> None:
    pause = None if is_final or message.is_test else retry_after(message.attempts + 1)
    if pause is not None:
        message.next_try = now + pause
        return
    message.state = Message.State.FAILED
    channel = Channel.objects.get(pk=message.channel_id)
    if message.is_test or channel.state != Channel.State.ACTIVE:
        return
    how_long = "" if is_final else ", tried for a day"
    channel.state = Channel.State.PAUSED
    channel.reason = f"nothing arrived{how_long}: {message.last_error}"[:300]
    channel.save(update_fields=["state", "reason"])
    Delivery.objects.filter(channel=channel, message=None).delete()
    record("channel.paused", channel.name, {"by": None}, now=now)
