"""What is done by time, and sending."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from clearhouse.office.notices.actions import pruning, sending
from clearhouse.office.notices.actions.sending import Failed, Outcome
from clearhouse.office.queue.handlers import Handler, Payload, Progress, every, handler

#: What is most urgent waits for 15 seconds, and for this at most: within a minute it is out.
_SECONDS: Final = 20
_HOUR: Final = 3600


@every(_SECONDS, "notices.due")
def due(now: datetime) -> None:
    """Look for what is due."""
    sending.look_for_due(now)


@every(_HOUR, "notices.prune")
def prune(now: datetime) -> None:
    """Forget what is done and old."""
    pruning.prune(now)


@handler(sending.GATHER)
class Gather(Handler[None]):
    """Make the message of one channel."""

    def run(self, payload: Payload, progress: Progress) -> None:
        """Nothing ahead of the act: what waits is what the database says at one moment."""

    def store(self, payload: Payload, result: None, now: datetime) -> None:  # noqa: ARG002 - Handler's
        """Make it."""
        sending.gather(payload["channel"], now=now)


@handler(sending.SEND)
class Send(Handler[Outcome]):
    """Send one message."""

    def run(self, payload: Payload, progress: Progress) -> Outcome:  # noqa: ARG002 - Handler's
        """Send it."""
        return sending.send(payload["message"])

    def store(self, payload: Payload, result: Outcome, now: datetime) -> None:
        """Store how it went, and when to try again."""
        sending.settle(payload["message"], result, now=now)

    def failed(self, payload: Payload, reason: str, now: datetime) -> None:  # noqa: ARG002 - Handler's
        """The worker itself failed, several times: as any attempt that failed."""
        sending.settle(payload["message"], Failed("it could not be sent here"), now=now)
