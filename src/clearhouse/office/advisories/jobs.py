"""Work that follows a publication."""

from __future__ import annotations

from datetime import datetime

from clearhouse.office.advisories import actions
from clearhouse.office.queue.handlers import Handler, Payload, Progress, handler


@handler(actions.REBUILD)
class Rebuild(Handler[None]):
    """Lay out the CSAF provider's files."""

    def run(self, payload: Payload, progress: Progress) -> None:
        """Nothing ahead of the act: the files are what the database says at one moment."""

    def store(self, payload: Payload, result: None, now: datetime) -> None:  # noqa: ARG002 - Handler's
        """Lay them out."""
        actions.rebuild(now)
