"""An office of its own for workers that are killed: prepared, and reported on."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime, timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clearhouse.office.settings")
if __name__ == "__main__":
    django.setup()

from django.core.management import call_command

from clearhouse.office.config import current
from clearhouse.office.notices import actions
from clearhouse.office.notices.models import Channel, Delivery, Message
from tests.office.notices.made import hospital, told


def prepare(url: str) -> str:
    """An organisation with a receiver, and a notice that is due; the receiver's secret."""
    current().prepare()
    call_command("migrate", verbosity=0)
    viewer, now = hospital(), datetime.now(UTC) - timedelta(hours=1)
    made = actions.add_channel(viewer, "webhook", url, now=now)
    Message.objects.all().delete()
    Channel.objects.update(state=Channel.State.ACTIVE)
    for topic in ("one", "two"):
        actions.tell(viewer.acting_for(), told(topic), now=now)
    return made.secret


def report() -> str:
    """What the database says of the messages, and how often each notice is in one."""
    rows = Message.objects.values_list("name", "state", "attempts")
    return json.dumps({
        "messages": list(rows),
        "waiting": Delivery.objects.filter(message=None).count(),
        "gone": Delivery.objects.exclude(message=None).count(),
    })  # fmt: skip


if __name__ == "__main__":
    print(prepare(sys.argv[2]) if sys.argv[1] == "prepare" else report())
