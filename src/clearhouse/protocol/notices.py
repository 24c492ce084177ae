"""When organisations are told what, in how few messages, and what may stand in one.  Pure.

A *notice* is one matter for one organisation.  It waits a short while for others and goes out with
them in one *message* to each channel.  What does not fit is counted: it stands on the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from clearhouse.protocol.tlp import Tlp

_DAY: Final = timedelta(days=1)
#: Notices that stand in one message; of the others it says how many there are.
PLACES: Final = 20


class Urgency(StrEnum):
    """How soon an organisation hears of something."""

    NOW = "now"
    SOON = "soon"
    DIGEST = "digest"

    @property
    def place(self) -> int:
        """Its place in the order, 0 being the most urgent."""
        return list(Urgency).index(self)

    @property
    def meaning(self) -> str:
        """When it is told, in plain words."""
        return _MEANING[self]


_MEANING: Final = {
    Urgency.NOW: "told within a minute",
    Urgency.SOON: "told within the hour",
    Urgency.DIGEST: "told once a day",
}
#: How long something waits for more of its kind.  A digest waits for its hour of the day.
_GATHERED: Final = {Urgency.NOW: timedelta(seconds=15), Urgency.SOON: timedelta(hours=1)}
#: The least time between two messages on a channel, by how many the last 24 hours had.  They are
#: as many as a day may have: the first go out at once, and nothing urgent waits for more than a few
#: hours however much there is, instead of falling silent once a limit is reached.
_PAUSES: Final = tuple(
    timedelta(minutes=minutes) for minutes in (0, 0, 0, 10, 30, 60, 120, 180, 180, 240, 240, 240)
)
MOST_A_DAY: Final = len(_PAUSES)
#: What is less urgent leaves room for what is more.
_MOST: Final = {Urgency.NOW: MOST_A_DAY, Urgency.SOON: 8, Urgency.DIGEST: 10}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that waits for a channel: which one, how urgent, since when, and until when."""

    key: int
    urgency: Urgency
    since: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Group:
    """What goes out together: the keys that stand in the message, and those it only counts."""

    listed: tuple[int, ...]
    counted: tuple[int, ...]
    urgency: Urgency


def due_at(urgency: Urgency, since: datetime, *, hour: int) -> datetime:
    """When something that waits since then is to go out.  ``hour`` is the digest's, in UTC."""
    gathered = _GATHERED.get(urgency)
    if gathered is not None:
        return since + gathered
    start = since.astimezone(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
    return start if start > since else start + _DAY


def next_group(
    waiting: Sequence[Waiting], sent: Sequence[datetime], *, now: datetime
) -> Group | None:
    """What goes out on a channel now; None where nothing does yet.

    ``sent`` are the times of its earlier messages.  1. Something is due.  2. The most urgent of
    what is due may have another message today, and the pause after the last one is over.  3. What
    is due stands in the message, the most urgent first, as far as there is room; the rest of it is
    counted.  4. What is not due yet takes the places that are left, and saves a message.
    """
    due = [one for one in waiting if one.due_at <= now]
    if not due:  # 1
        return None
    urgency = min((one.urgency for one in due), key=lambda one: one.place)
    today = [at for at in sent if now - _DAY < at]
    if len(today) >= _MOST[urgency]:  # 2
        return None
    if today and now - max(today) < _PAUSES[len(today)]:
        return None
    due.sort(key=_order)
    listed = due[:PLACES]  # 3
    due_keys = {one.key for one in due}
    early = sorted((one for one in waiting if one.key not in due_keys), key=_order)
    listed += early[: PLACES - len(listed)]  # 4
    listed.sort(key=_order)
    return Group(tuple(one.key for one in listed), tuple(one.key for one in due[PLACES:]), urgency)


def _order(one: Waiting) -> tuple[int, datetime, int]:
    return one.urgency.place, one.since, one.key


#: Pauses after an attempt that failed; a channel that fails after the last one is paused.  Together
#: a day, as Standard Webhooks recommends ("Retries": exponential backoff over several hours).
_RETRIES: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 28_800, 30_600)
)


def retry_after(attempts: int) -> timedelta | None:
    """How long to wait after so many failed attempts; None where it is given up."""
    return _RETRIES[attempts - 1] if attempts <= len(_RETRIES) else None


class Agreement(StrEnum):
    """Whether an organisation has agreed that TLP:AMBER goes to one of its channels."""

    NONE = "none"
    AMBER = "amber"


def may_leave(label: Tlp, agreement: Agreement) -> bool:
    """Whether what carries a label may stand in a message (TLP 2.0, FIRST 2022).

    CLEAR and GREEN do.  Mail, receivers and readers of feeds are read by others on the way, so that
    AMBER does only where the organisation has agreed to it for that channel; AMBER+STRICT and RED
    never do.
    """
    if label in (Tlp.CLEAR, Tlp.GREEN):
        return True
    return label is Tlp.AMBER and agreement is Agreement.AMBER
