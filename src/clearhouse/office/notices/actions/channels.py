"""Channels: added, confirmed, tried, paused; by managers of the organisation, by their own hand."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from clearhouse.errors import Invalid, Refused, Unavailable
from clearhouse.formats.standard_webhooks import new_secret
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.names import new_name
from clearhouse.office.notices.actions.sending import send_later
from clearhouse.office.notices.actions.waiting import activate
from clearhouse.office.notices.models import Channel, Delivery, Message, Rhythm
from clearhouse.office.notices.posting import checked_address, reach_of
from clearhouse.office.notices.sealing import new_token, opened, seal, token_digest
from clearhouse.office.notices.sight import own_channel
from clearhouse.office.orgs.access import run_by
from clearhouse.office.orgs.notices import sends_mail
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.notices import Agreement, Urgency, due_at

MOST: Final = 10
#: Trials of an organisation in 24 hours: its channels lead to addresses of others as well.
MOST_TRIALS: Final = 20
#: How long a secret that was changed is valid beside the new one.
OVERLAP: Final = timedelta(hours=24)
_MOST_TRIES: Final = 5
_CODE_DIGITS: Final = 8
_HOURS: Final = range(24)
_DAY: Final = timedelta(days=1)

Kind, State = Channel.Kind, Channel.State


@dataclass(frozen=True, slots=True)
class MadeChannel:
    """A channel, and what is shown once: a webhook's secret, or the token of a feed's address."""

    channel: Channel
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def add_channel(viewer: Viewer, kind: str, address: str, *, now: datetime) -> MadeChannel:
    """Add a way to be told.

    A mail address is confirmed by the code that is sent there, a receiver by answering the trial
    that is sent at once; a feed is there as soon as it is made, and ``address`` stays empty.
    Raises :class:`Invalid` for what is no address, :class:`Unavailable` for mail where the office
    sends none.
    """
    if kind not in Kind.values:
        raise Invalid(f"expected one of {', '.join(Kind.values)}", key="kind")
    checked = _checked(Kind(kind), address.strip())
    name, code, secret, token = new_name("NC"), "", "", ""
    if kind == Kind.MAIL:
        code = _new_code()
    elif kind == Kind.WEBHOOK:
        secret = new_secret()
    else:
        token = new_token()
    with transaction.atomic():
        acting = run_by(viewer, viewer.acting_for())
        standing = Channel.objects.filter(organisation=acting, removed_at=None)
        if standing.count() >= MOST:
            raise Refused(f"at most {MOST} channels; remove one that is not used")
        if checked and standing.filter(address=checked).exists():
            raise Refused("there is a channel with this address already")
        made = Channel.objects.create(
            name=name, organisation=acting, kind=kind, address=checked, added_at=now,
            state=State.ACTIVE if kind == Kind.FEED else State.UNCONFIRMED,
            sealed_secret=seal(code or secret, of=name) if code or secret else b"",
            token_digest=token_digest(token) if token else None,
        )  # fmt: skip
        record("channel.added", name, {"kind": kind, "by": viewer.person}, now=now)
        if kind != Kind.FEED:
            _try(made, now)
    return MadeChannel(made, secret, token)


def confirm(viewer: Viewer, name: str, code: str, *, now: datetime) -> Channel:
    """Confirm a mail address by the code that was sent to it.

    Raises :class:`Invalid` for another code, and after five of them :class:`Refused` until a new
    one was sent.
    """
    with transaction.atomic():
        held = _held(viewer, name)
        if held.kind != Kind.MAIL or held.state != State.UNCONFIRMED:
            raise Refused("there is nothing to confirm")
        if held.tries >= _MOST_TRIES:
            raise Refused("too many wrong codes; have a new one sent")
        right = opened(bytes(held.sealed_secret), of=held.name)
        is_right = hmac.compare_digest(code.strip().encode(errors="replace"), right.encode())
        if is_right:
            activate(held, now=now)
            record("channel.confirmed", name, {"by": viewer.person}, now=now)
        else:
            held.tries += 1
            held.save(update_fields=["tries"])
    if not is_right:
        raise Invalid("this is not the code that was sent", key="code")
    return held


def test(viewer: Viewer, name: str, *, now: datetime) -> Channel:
    """Send a trial: a mail with a new code where it is to be confirmed, or a signed message."""
    with transaction.atomic():
        held = _held(viewer, name)
        if held.kind == Kind.FEED:
            raise Refused("nothing is sent for a feed; open its address")
        if held.kind == Kind.MAIL and held.state == State.UNCONFIRMED:
            held.sealed_secret, held.tries = seal(_new_code(), of=held.name), 0
            held.save(update_fields=["sealed_secret", "tries"])
        _try(held, now)
    return held


def pause(viewer: Viewer, name: str, *, now: datetime) -> Channel:
    """Send nothing there until it is resumed; a feed says nothing meanwhile."""
    with transaction.atomic():
        held = _held(viewer, name)
        if held.state == State.ACTIVE:
            held.state, held.reason = State.PAUSED, "paused by your organisation"
            held.save(update_fields=["state", "reason"])
            Delivery.objects.filter(channel=held, message=None).delete()
            record("channel.paused", name, {"by": viewer.person}, now=now)
    return held


def resume(viewer: Viewer, name: str, *, now: datetime) -> Channel:
    """Send again; what nobody has read and what did not arrive goes out with the next message."""
    with transaction.atomic():
        held = _held(viewer, name)
        if held.state == State.PAUSED:
            activate(held, now=now)
            record("channel.resumed", name, {"by": viewer.person}, now=now)
    return held


def rotate(viewer: Viewer, name: str, *, now: datetime) -> MadeChannel:
    """Change what is secret.

    A receiver's old secret is valid beside the new one for 24 hours; the old address of a feed
    shows nothing from now on.
    """
    with transaction.atomic():
        held = _held(viewer, name)
        secret = token = ""
        match held.kind:
            case Kind.WEBHOOK:
                secret = new_secret()
                held.sealed_previous, held.previous_until = held.sealed_secret, now + OVERLAP
                held.sealed_secret = seal(secret, of=held.name)
            case Kind.FEED:
                token = new_token()
                held.token_digest = token_digest(token)
            case _:
                raise Refused("a mail address has no secret")
        held.save()
        record("channel.rotated", name, {"by": viewer.person}, now=now)
    return MadeChannel(held, secret, token)


def agree(viewer: Viewer, name: str, agreement: Agreement, *, now: datetime) -> Channel:
    """Agree that TLP:AMBER goes to a receiver or a feed, or take that back.

    Whoever reads there is bound by the label as the organisation is.  Never by mail, and never
    what is TLP:AMBER+STRICT or TLP:RED.
    """
    with transaction.atomic():
        held = _held(viewer, name)
        if held.kind == Kind.MAIL:
            raise Refused("mail is read on the way: what is TLP:AMBER does not go there")
        wanted = agreement is Agreement.AMBER
        if wanted != (held.agreed_at is not None):
            held.agreed_at = now if wanted else None
            held.save(update_fields=["agreed_at"])
            facts = {"agreement": agreement.value, "by": viewer.person}
            record("channel.agreed", name, facts, now=now)
    return held


def remove(viewer: Viewer, name: str, *, now: datetime) -> None:
    """End a channel for good, and destroy its secrets."""
    with transaction.atomic():
        held = _held(viewer, name)
        held.removed_at, held.state, held.reason = now, State.PAUSED, "removed"
        held.sealed_secret = held.sealed_previous = b""
        held.token_digest = None
        held.address = ""
        held.save()
        Delivery.objects.filter(channel=held, message=None).delete()
        record("channel.removed", name, {"by": viewer.person}, now=now)


def set_hour(viewer: Viewer, hour: int, *, now: datetime) -> None:
    """Name the hour of the day (UTC) for what is not urgent; what waits now moves with it."""
    if hour not in _HOURS:
        raise Invalid("expected an hour from 0 to 23", key="hour")
    with transaction.atomic():
        acting = run_by(viewer, viewer.acting_for())
        Rhythm.objects.update_or_create(organisation=acting, defaults={"hour": hour})
        waiting = Delivery.objects.filter(
            Q(notice__urgency=Urgency.DIGEST) | Q(is_end=True),
            channel__organisation=acting, message=None,
        )  # fmt: skip
        for one in waiting:
            one.due_at = due_at(Urgency.DIGEST, one.since, hour=hour)
            one.save(update_fields=["due_at"])
        record("channel.hour-set", acting.slug, {"hour": hour, "by": viewer.person}, now=now)


def _held(viewer: Viewer, name: str) -> Channel:
    """A channel of the viewer's organisation, for who manages that, until the transaction ends."""
    found = own_channel(viewer, name)
    run_by(viewer, found.organisation_id)
    return Channel.objects.select_for_update().get(pk=found.pk)


def _try(channel: Channel, now: datetime) -> None:
    today = Message.objects.filter(
        channel__organisation=channel.organisation_id, is_test=True, made_at__gt=now - _DAY
    )
    if today.count() >= MOST_TRIALS:
        raise Refused(f"at most {MOST_TRIALS} trials a day; try again tomorrow")
    made = Message.objects.create(
        name=new_name("NM"), channel=channel, is_test=True, made_at=now, next_try=now
    )
    send_later(made, at=now, now=now)


def _checked(kind: Channel.Kind, address: str) -> str:
    match kind:
        case Kind.MAIL:
            if not sends_mail():
                raise Unavailable("this office sends no mail; choose another way")
            try:
                validate_email(address)
            except ValidationError:
                raise Invalid("expected a mail address", key="address") from None
            return address
        case Kind.WEBHOOK:
            return checked_address(address, reach_of(settings.CONFIG))
        case Kind.FEED:
            return ""


def _new_code() -> str:
    return "".join(secrets.choice("0123456789") for _ in range(_CODE_DIGITS))
