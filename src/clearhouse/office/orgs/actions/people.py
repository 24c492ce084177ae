"""People: how they come in, what they may do in their organisation, how they leave."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Final

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from clearhouse.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from clearhouse.office.orgs.access import run_by
from clearhouse.office.orgs.actions.organisations import make
from clearhouse.office.orgs.events import announce
from clearhouse.office.orgs.keytext import digest_of
from clearhouse.office.orgs.models import Invitation, Membership, Opening, Organisation, User
from clearhouse.office.viewer import SYSTEM, Viewer
from clearhouse.protocol.roles import Role

log = logging.getLogger(__name__)

#: Long enough for a holiday; a link that lies about longer is asked for again.
INVITATION_LASTS: Final = timedelta(days=14)
_TOKEN_BYTES: Final = 32
_PASSWORD_BYTES: Final = 18
_NAME: Final = 120


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was sent; ``link`` is there where nothing was mailed, this once."""

    invitation: Invitation
    link: str | None = field(repr=False)


def create_first_coordinator(
    *, organisation: str, name: str, email: str, password: str, now: datetime
) -> User:
    """Open the office: the organisation that runs it, and the first person in it.

    Raises :class:`NotFound` once there is any account: the row of :class:`Opening` lets one
    through of any number that try at once, on every database.
    """
    with transaction.atomic():
        try:
            with transaction.atomic():
                Opening.objects.create(at=now)
        except IntegrityError:
            raise _opened() from None
        if User.objects.exists():
            raise _opened()
        acting = make(name=organisation, roles=[Role.COORDINATOR], now=now)
        user = _make_account(email=email, name=name, password=password, now=now)
        _join(acting, user, is_manager=True, now=now)
        facts = {"organisation": acting.slug, "person": user.pk}
        announce("office.opened", acting.slug, facts, now)
    return user


def invite(
    viewer: Viewer, organisation: int, *, email: str, is_manager: bool = False, now: datetime
) -> Invited:
    """Invite the holder of an address; an invitation that stood for it before ends.

    The token is mailed.  A local office without mail gives the link to whoever invites, once.
    Raises :class:`Unavailable` where the mail cannot be sent: then nothing stands.
    """
    address = _address(email)
    by_mail = bool(settings.CONFIG.mail)
    if not by_mail and not settings.CONFIG.is_local:
        raise Unavailable("this office sends no mail yet: its operator sets CLEARHOUSE_MAIL")
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with transaction.atomic():
        acting = run_by(viewer, organisation)
        if Membership.objects.filter(organisation=acting, user__email=address).exists():
            raise Conflict("the holder of this address is a member already")
        Invitation.objects.filter(
            organisation=acting, email=address, accepted_at__isnull=True
        ).delete()
        made = Invitation.objects.create(
            organisation=acting,
            email=address,
            is_manager=is_manager,
            token_digest=digest_of(token),
            invited_by_id=viewer.person,
            invited_at=now,
            expires_at=now + INVITATION_LASTS,
        )
        _tell("member.invited", acting, viewer, now, invitation=made.pk, is_manager=is_manager)
    link = f"{settings.CONFIG.url}/join/{token}/"
    if not by_mail:
        return Invited(made, link)
    try:
        _mail(address, acting, viewer, link)
    except (OSError, SMTPException) as error:
        log.warning("invitation %s was not mailed: %s", made.pk, type(error).__name__)
        with transaction.atomic():
            made.delete()
            _tell("member.invitation-withdrawn", acting, viewer, now, invitation=made.pk)
        raise Unavailable("the mail could not be sent; invite again later") from None
    return Invited(made, None)


def withdraw_invitation(
    viewer: Viewer, organisation: int, *, invitation: int, now: datetime
) -> None:
    """End an invitation that nobody has accepted."""
    with transaction.atomic():
        acting = run_by(viewer, organisation)
        found = Invitation.objects.filter(
            pk=invitation, organisation=acting, accepted_at__isnull=True
        ).first()
        if found is None:
            raise NotFound("there is no such invitation")
        found.delete()
        _tell("member.invitation-withdrawn", acting, viewer, now, invitation=invitation)


def accept_invitation(
    token: str, *, person: int | None, name: str = "", password: str = "", now: datetime
) -> User:
    """Come in by an invitation: with an account of its own, or the one signed in (``person``).

    Checked: (1) the invitation stands; (2) nobody else is signed in; (3) an account that exists is
    signed in, so that a mailbox alone never opens it.  Raises :class:`NotFound` for (1) and
    :class:`Refused` for the others.
    """
    with transaction.atomic():
        found = (  # (1)
            Invitation.objects.select_for_update(of=("self",))
            .select_related("organisation")
            .filter(token_digest=digest_of(token))
            .first()
        )
        if found is None or not found.stands(now):
            raise NotFound("this invitation does not stand: it was used, withdrawn or is too old")
        user = User.objects.filter(email=found.email).first()
        if person is not None and (user is None or user.pk != person):  # (2)
            raise Refused("this invitation is for another address; sign out and open it again")
        if user is None:
            user = _make_account(email=found.email, name=name, password=password, now=now)
        elif person is None:  # (3)
            raise Refused("there is an account with this address; sign in and open it again")
        if not user.is_active:
            raise Refused("this account is closed")
        _join(found.organisation, user, is_manager=found.is_manager, now=now)
        found.accepted_at = now
        found.save(update_fields=["accepted_at"])
        facts = {"invitation": found.pk, "person": user.pk, "is_manager": found.is_manager}
        announce("member.joined", found.organisation.slug, facts, now)
    return user


def add_member(
    viewer: Viewer,
    organisation: int,
    *,
    email: str,
    name: str,
    password: str,
    is_manager: bool = False,
    now: datetime,
) -> User:
    """Put somebody in without an invitation; only the office itself, from its command line.

    An account that exists keeps its name and password.  Raises :class:`Refused` for every viewer
    but :data:`SYSTEM`: a password that others know is no way into an office with people.
    """
    if viewer != SYSTEM:
        raise Refused("people come by invitation")
    with transaction.atomic():
        acting = run_by(viewer, organisation)
        user = User.objects.filter(email=_address(email)).first() or _make_account(
            email=email, name=name, password=password, now=now
        )
        _join(acting, user, is_manager=is_manager, now=now)
        _tell("member.added", acting, viewer, now, person=user.pk, is_manager=is_manager)
    return user


def change_member(
    viewer: Viewer, organisation: int, *, person: int, is_manager: bool, now: datetime
) -> Membership:
    """Make a member a manager, or no longer one.  The last manager stays one."""
    with transaction.atomic():
        acting = run_by(viewer, organisation)
        found = _member(acting, person)
        if found.is_manager != is_manager:
            if not is_manager:
                _another_manager(acting, person)
            found.is_manager = is_manager
            found.save(update_fields=["is_manager"])
            _tell("member.changed", acting, viewer, now, person=person, is_manager=is_manager)
    return found


def remove_member(viewer: Viewer, organisation: int, *, person: int, now: datetime) -> None:
    """End a membership, and with it what the person may do, at once.  Never the last manager's."""
    with transaction.atomic():
        acting = run_by(viewer, organisation)
        found = _member(acting, person)
        if found.is_manager:
            _another_manager(acting, person)
        found.delete()
        _tell("member.removed", acting, viewer, now, person=person)


def rename_person(person: int, *, name: str) -> User:
    """Change the name that others see of somebody; the caller is that person."""
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=person)
        user.name = _shown(name)
        user.save(update_fields=["name"])
    return user


def reset_sign_in(viewer: Viewer, *, email: str, now: datetime) -> str:
    """Let somebody in again who lost the second factor: a new password, once, and no factors.

    All sessions of the account end, and second factors, passkeys and recovery codes are gone; the
    old password is of no use, for who has it may be who took the rest.  Only the office itself,
    from its command line.  Raises :class:`Refused` for every viewer but :data:`SYSTEM`, and
    :class:`NotFound` for an address that nobody in an organisation has.
    """
    if viewer != SYSTEM:
        raise Refused("sign-in is reset from the office's command line")
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).filter(email=_address(email)).first()
        acting = list(Organisation.objects.filter(memberships__user=user)) if user else []
        if user is None or not acting:
            raise NotFound("nobody with this address is in an organisation")
        password = secrets.token_urlsafe(_PASSWORD_BYTES)
        Authenticator.objects.filter(user=user).delete()
        user.set_password(password)
        user.save(update_fields=["password"])
        for one in acting:
            _tell("member.sign-in-reset", one, viewer, now, person=user.pk)
    return password


def _another_manager(organisation: Organisation, person: int) -> None:
    others = organisation.memberships.filter(is_manager=True, user__is_active=True)
    if not others.exclude(user=person).exists():
        raise Refused("this is the organisation's only manager; name another one first")


def _member(organisation: Organisation, person: int) -> Membership:
    found = organisation.memberships.filter(user=person).first()
    if found is None:
        raise NotFound("there is no such member")
    return found


def _join(organisation: Organisation, user: User, *, is_manager: bool, now: datetime) -> None:
    """A membership; one that is there already is never made smaller."""
    member, fresh = Membership.objects.get_or_create(
        organisation=organisation, user=user, defaults={"is_manager": is_manager, "since": now}
    )
    if not fresh and is_manager and not member.is_manager:
        member.is_manager = True
        member.save(update_fields=["is_manager"])


def _make_account(*, email: str, name: str, password: str, now: datetime) -> User:
    """An account whose address counts as confirmed: it was invited there, or opened the office."""
    address = _address(email)
    shown = _shown(name)
    try:
        validate_password(password, User(email=address, name=shown))
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), key="password") from None
    try:
        with transaction.atomic():
            user = User.objects.create_user(address, password, name=shown, joined_at=now)
    except IntegrityError:
        raise Conflict("there is an account with this address already") from None
    EmailAddress.objects.create(user=user, email=address, primary=True, verified=True)
    return user


def _shown(name: str) -> str:
    plain = " ".join(name.split())
    if not plain or len(plain) > _NAME or not plain.isprintable():
        raise Invalid(f"expected a name of 1 to {_NAME} characters", key="name")
    return plain


def _mail(address: str, organisation: Organisation, viewer: Viewer, link: str) -> None:
    office = settings.CONFIG.office
    send_mail(
        subject=f"Invitation to {organisation.name} at {office}",
        message=(
            f"{viewer.name} invites you to act for {organisation.name} at {office}.\n\n"
            f"{link}\n\n"
            f"The link works once, for {INVITATION_LASTS.days} days. If you did not expect it,"
            " leave it alone.\n"
        ),
        from_email=settings.DEFAULT_FROM_EMAIL,
        recipient_list=[address],
    )


def _address(email: str) -> str:
    plain = email.strip().lower()
    try:
        validate_email(plain)
    except ValidationError:
        raise Invalid("expected an e-mail address", key="email") from None
    return plain


def _opened() -> NotFound:
    return NotFound("this office is open already")


def _tell(
    kind: str, organisation: Organisation, viewer: Viewer, now: datetime, **facts: object
) -> None:
    announce(kind, organisation.slug, {**facts, "by": viewer.person}, now)
