"""A deployer that was told something, with a channel; and the marks in both."""

from __future__ import annotations

from typing import Any

from django.test import override_settings
from django.utils import timezone

from clearhouse.office.notices import actions
from clearhouse.office.notices.models import Channel, Notice
from clearhouse.office.notices.told import Told
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.notices import Urgency
from clearhouse.protocol.tlp import Tlp


def build(deployer: Viewer) -> dict[str, str]:
    """The names of what was made."""
    now = timezone.now()
    with override_settings(SECOND_FACTOR_REQUIRED=False):
        made = actions.add_channel(deployer, "webhook", "https://receiver.example/", now=now)
        Channel.objects.update(state=Channel.State.ACTIVE)
        parts: dict[str, Any] = dict.fromkeys(
            ("headline", "what", "where", "by_when", "to_do", "if_not"), "x"
        )
        told = Told(topic="exposure:1", urgency=Urgency.NOW, tlp=Tlp.AMBER, **parts)
        notice = actions.tell(deployer.acting_for(), told, now=now)
    return {"notice": notice.name, "channel": made.channel.name, "feed token": "nobodys"}


def mark(put: Any) -> None:
    """Put marks into what only the deployer reads."""
    put(
        Notice.objects.all(), headline="notice headline", what="notice what", where="notice where",
        by_when="notice when", to_do="notice to do", if_not="notice if not",
    )  # fmt: skip
    Channel.objects.update(address=f"https://{put.word('channel address')}.example/")
