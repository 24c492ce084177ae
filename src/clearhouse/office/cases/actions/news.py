"""Mail to who has something to look at: where, and nothing of what it is about."""

from __future__ import annotations

from datetime import datetime
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse

from clearhouse.errors import Unavailable
from clearhouse.office.cases.models import Participant
from clearhouse.office.orgs.queries import notify_addresses
from clearhouse.office.queue.actions import enqueue
from clearhouse.office.viewer import SYSTEM

MAIL: Final = "cases.mail"
_FIRST: Final = 90


def invited(part: Participant, *, now: datetime) -> None:
    """Have an organisation told by mail that it was asked into a case, where the office sends mail.

    The mail is a job of the caller's transaction: what did not happen is not told, and a relay that
    does not answer is tried again.
    """
    if settings.CONFIG.mail is None:
        return
    enqueue(
        MAIL, {"organisation": part.organisation_id, "case": part.case.name}, lane="mail",
        key=f"{MAIL}:{part.case.name}:{part.pk}:{now.timestamp():.0f}", priority=_FIRST, now=now,
    )  # fmt: skip


def send(organisation: int, case: str) -> None:
    """Send it: to the contact that the organisation names, else to its managers.

    No title, no package, no name: mail is read on the way.  Raises :class:`Unavailable` where the
    relay does not take it.
    """
    addresses = notify_addresses(SYSTEM, [organisation]).get(organisation, [])
    if settings.CONFIG.mail is None or not addresses:
        return
    office = settings.CONFIG.office
    page = settings.CONFIG.url + reverse("cases:case", args=[case])
    try:
        send_mail(
            subject=f"{office}: a case waits for you",
            message=(
                f"{office} has asked your organisation into a case. Sign in to read it:\n\n"
                f"{page}\n\n"
                "What it is about does not stand in this mail on purpose. Do not answer it; write"
                " in the case.\n"
            ),
            from_email=settings.DEFAULT_FROM_EMAIL,
            recipient_list=addresses,
        )
    except (OSError, SMTPException) as error:
        raise Unavailable(f"the relay takes no mail: {type(error).__name__}") from None
