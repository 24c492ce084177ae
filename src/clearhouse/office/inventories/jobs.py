"""Work of the room: reading large lists, and matching again what has changed."""

from __future__ import annotations

from datetime import datetime

from clearhouse.errors import NotFound
from clearhouse.office.blobs import store
from clearhouse.office.inventories.actions import feeding, receiving
from clearhouse.office.inventories.actions.holding import held
from clearhouse.office.inventories.actions.matching import match_system
from clearhouse.office.inventories.models import Inventory, System
from clearhouse.office.queue.handlers import Handler, Payload, Progress, every, handler

_LOOK_EVERY = 60


@handler(receiving.READ)
class Read(Handler[receiving.Parsed]):
    """Read a large list, and match what is on it."""

    def run(self, payload: Payload, progress: Progress) -> receiving.Parsed:
        """Parse it."""
        one = _inventory(payload)
        progress(f"reading {one.size:,} bytes")
        return receiving.parse(store.read(one.blob), one.file, one.distribution)

    def store(self, payload: Payload, result: receiving.Parsed, now: datetime) -> None:
        """Put it in the place of the one before."""
        found = _inventory(payload)
        if held(found.system).retired_at is None:
            receiving.install(found, result, now=now)
        else:
            receiving.refuse(found.name, "the system was retired")

    def failed(self, payload: Payload, reason: str, now: datetime) -> None:  # noqa: ARG002 - Handler's
        """Say why not."""
        receiving.refuse(str(payload["inventory"]), reason)


@handler(feeding.MATCH)
class Match(Handler[None]):
    """Match a system again."""

    def run(self, payload: Payload, progress: Progress) -> None:
        """Nothing ahead of the act: it holds the system while it looks."""

    def store(self, payload: Payload, result: None, now: datetime) -> None:  # noqa: ARG002 - Handler's
        """Match it."""
        found = System.objects.filter(name=payload["system"], retired_at=None).first()
        if found is not None:
            match_system(found, now=now)


@handler(feeding.OWN)
class OwnRecord(Handler[None]):
    """Take in a record that the office has published."""

    def run(self, payload: Payload, progress: Progress) -> None:
        """Nothing ahead of the act."""

    def store(self, payload: Payload, result: None, now: datetime) -> None:  # noqa: ARG002 - Handler's
        """Take it in."""
        feeding.take_in_own(payload["record"], now=now)


@every(_LOOK_EVERY, "inventories.look_again")
def look_again(now: datetime) -> None:
    """Match again what a feed has touched."""
    feeding.look_again(now)


def _inventory(payload: Payload) -> Inventory:
    found = Inventory.objects.select_related("system").filter(name=payload["inventory"]).first()
    if found is None:
        raise NotFound("this list is gone")
    return found
