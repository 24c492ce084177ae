"""Signing how far the ledger goes, every minute, so that what is public keeps up."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from clearhouse.office.ledgerbook.actions import sign_checkpoint
from clearhouse.office.queue.actions import enqueue
from clearhouse.office.queue.handlers import Handler, Payload, Progress, every, handler

SIGN = "ledgerbook.sign"
_SECONDS = 60


@handler(SIGN)
class Sign(Handler[None]):
    """Sign the ledger as it is; the same size is signed once."""

    def run(self, payload: Payload, progress: Progress) -> None:  # noqa: ARG002 - Handler's
        """Signing is a transaction of its own: what is signed is there for good."""
        sign_checkpoint(now=timezone.now())

    def store(self, payload: Payload, result: None, now: datetime) -> None:
        """Nothing is left to store."""


@every(_SECONDS, SIGN)
def tick(now: datetime) -> None:
    """Have it signed."""
    enqueue(SIGN, {}, lane="office", key=f"{SIGN}:{int(now.timestamp()) // _SECONDS}", now=now)
