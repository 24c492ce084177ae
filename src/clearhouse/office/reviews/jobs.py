"""The clock of reviews, and their mail."""

from __future__ import annotations

from datetime import datetime

from clearhouse.office.queue.handlers import Handler, Payload, Progress, every, handler
from clearhouse.office.reviews.actions import news, windows

_CLOCK_SECONDS = 60


@every(_CLOCK_SECONDS, "reviews.clock")
def tick(now: datetime) -> None:
    """Note which windows have ended; nobody has had access since."""
    windows.tick(now)


@handler(news.MAIL)
class Mail(Handler[None]):
    """Tell an organisation that something waits for it."""

    def run(self, payload: Payload, progress: Progress) -> None:  # noqa: ARG002 - Handler's
        """Hand the mail over; after a crash it may go out twice."""
        notice = news.Notice[str(payload["notice"])]
        news.send(int(payload["organisation"]), str(payload["review"]), notice)

    def store(self, payload: Payload, result: None, now: datetime) -> None:
        """Nothing is kept: the timeline has what happened."""
