"""Mail to who has something to look at: where, and nothing of what it is about."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.urls import reverse

from clearhouse.office.cases.models import Participant
from clearhouse.office.orgs.notices import send_notice, sends_mail
from clearhouse.office.queue.actions import enqueue

MAIL: Final = "cases.mail"
_FIRST: Final = 90


def invited(part: Participant, *, now: datetime) -> None:
    """Have an organisation told by mail that it was asked into a case, where the office sends mail.

    The mail is a job of the caller's transaction: what did not happen is not told, and a relay that
    does not answer is tried again.
    """
    if not sends_mail():
        return
    enqueue(
        MAIL, {"organisation": part.organisation_id, "case": part.case.name}, lane="mail",
        key=f"{MAIL}:{part.case.name}:{part.pk}:{now.timestamp():.0f}", priority=_FIRST, now=now,
    )  # fmt: skip


def send(organisation: int, case: str) -> None:
    """Send it.  Raises :class:`Unavailable` where the relay does not take it."""
    happened = "has asked your organisation into a case"
    send_notice(organisation, "a case", happened, reverse("cases:case", args=[case]))
