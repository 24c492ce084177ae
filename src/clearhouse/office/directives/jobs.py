"""Work of the room: finding what follows from directives, and the clock of obligations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clearhouse.office.directives.actions import clock, deriving, issuing, news, proving
from clearhouse.office.directives.proofs import PROVE
from clearhouse.office.queue.handlers import Handler, Payload, Progress, every, handler

_CLOCK_SECONDS = 60
_ALL_SECONDS = 24 * 3600


@handler(deriving.DERIVE)
class Derive(Handler[None]):
    """Let the obligations on a system follow what is known of it."""

    def run(self, payload: Payload, progress: Progress) -> None:
        """Nothing ahead of the act: it holds the system while it looks."""

    def store(self, payload: Payload, result: None, now: datetime) -> None:  # noqa: ARG002 - Handler's
        """Derive them."""
        deriving.derive(int(payload["system"]), now=now)


@handler(issuing.SPREAD)
class Spread(Handler[None]):
    """Put in a job for each system that a directive may be about."""

    def run(self, payload: Payload, progress: Progress) -> None:
        """Nothing ahead of the act."""

    def store(self, payload: Payload, result: None, now: datetime) -> None:  # noqa: ARG002 - Handler's
        """Put them in."""
        issuing.spread(str(payload["directive"]), now=now)


@handler(PROVE)
class Prove(Handler[dict[str, Any] | None]):
    """Run the proofs of published cases on what a system has installed."""

    def run(self, payload: Payload, progress: Progress) -> dict[str, Any] | None:
        """What was seen, as a document."""
        return proving.run_proofs(str(payload["run"]), progress)

    def store(self, payload: Payload, result: dict[str, Any] | None, now: datetime) -> None:
        """Keep it, and let the obligation follow."""
        proving.ended(str(payload["run"]), result, now=now)

    def failed(self, payload: Payload, reason: str, now: datetime) -> None:  # noqa: ARG002 - Handler's
        """Say that it could not be run."""
        proving.could_not(str(payload["run"]), now=now)


# Each in a transaction of its own: what writes entries holds the ledger to its end, and nobody who
# holds that may wait for an obligation or an organisation.


@every(_CLOCK_SECONDS, "directives.end")
def end_by_date(now: datetime) -> None:
    """End what ends today."""
    issuing.end_by_date(now)


@every(_CLOCK_SECONDS, "directives.remind")
def remind(now: datetime) -> None:
    """Remind of what is near."""
    clock.remind(now)


@every(_CLOCK_SECONDS, "directives.left_behind")
def look_again(now: datetime) -> None:
    """Look at what was left behind."""
    deriving.look_again(now)


@every(_CLOCK_SECONDS, "directives.tell")
def tell(now: datetime) -> None:
    """Tell what was noted."""
    news.tell_waiting(now)


@every(_ALL_SECONDS, "directives.all")
def look_at_all(now: datetime) -> None:
    """Look at every system again, whatever was told of it."""
    deriving.look_at_all(now)
