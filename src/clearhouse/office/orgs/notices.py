"""Mail that something waits for an organisation; what it is about never stands in it."""

from __future__ import annotations

from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail

from clearhouse.errors import Unavailable
from clearhouse.office.orgs.queries import notify_addresses
from clearhouse.office.viewer import SYSTEM


def sends_mail() -> bool:
    """Whether the office has a relay for mail."""
    return settings.CONFIG.mail is not None


def send_notice(organisation: int, what: str, happened: str, page: str) -> None:
    """Send it: to the contact that the organisation names, else to its managers.

    ``what`` waits ("a case"), ``happened`` is a sentence without its subject ("has asked..."),
    ``page`` a path.  No title, no package, no name: mail is read on the way.  Raises
    :class:`Unavailable` where the relay does not take it.
    """
    addresses = notify_addresses(SYSTEM, [organisation]).get(organisation, [])
    if not sends_mail() or not addresses:
        return
    office = settings.CONFIG.office
    try:
        send_mail(
            subject=f"{office}: {what} waits for you",
            message=(
                f"{office} {happened}. Sign in to read it:\n\n"
                f"{settings.CONFIG.url}{page}\n\n"
                "What it is about does not stand in this mail on purpose. Do not answer it; answer"
                " there.\n"
            ),
            from_email=settings.DEFAULT_FROM_EMAIL,
            recipient_list=addresses,
        )
    except (OSError, SMTPException) as error:
        raise Unavailable(f"the relay takes no mail: {type(error).__name__}") from None
