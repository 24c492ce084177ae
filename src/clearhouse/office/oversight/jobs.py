"""The figures: exact ones each minute, those for everybody when a week is over."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from clearhouse.office.oversight import actions
from clearhouse.office.queue.actions import enqueue
from clearhouse.office.queue.handlers import Handler, Payload, Progress, every, handler

PUBLISH: Final = "oversight.publish"
FOLLOW: Final = "oversight.follow"


@handler(PUBLISH)
class Publish(Handler[actions.Due | None]):
    """Make the figures of the weeks that are over, and publish them."""

    def run(self, payload: Payload, progress: Progress) -> actions.Due | None:  # noqa: ARG002 - Handler's
        """Read the whole ledger."""
        return actions.made_figures(datetime.fromisoformat(str(payload["at"])))

    def store(self, payload: Payload, result: actions.Due | None, now: datetime) -> None:  # noqa: ARG002
        """Publish what was made."""
        if result is not None:
            actions.publish(result, now=now)


@handler(FOLLOW)
class Follow(Handler[None]):
    """Read on in the ledger after a turn that did not reach its end."""

    def run(self, payload: Payload, progress: Progress) -> None:
        """Nothing ahead of it."""

    def store(self, payload: Payload, result: None, now: datetime) -> None:  # noqa: ARG002 - Handler's
        """Take the next turn."""
        read_on(now)


@every(600, "oversight.figures")
def tick(now: datetime) -> None:
    """Have published what is due; tried again each day if it fails."""
    if actions.is_due(now):
        enqueue(PUBLISH, {"at": now.isoformat()}, lane="office", key=f"{PUBLISH}:{now:%Y-%m-%d}",
                now=now)  # fmt: skip


@every(60, "oversight.reading")
def read_on(now: datetime) -> None:
    """Read what was added to the ledger: a turn now, the rest turn by turn."""
    left = actions.follow(now)
    if left:
        enqueue(FOLLOW, {}, lane="office", key=f"{FOLLOW}:{left}:{now.timestamp()}", now=now)
