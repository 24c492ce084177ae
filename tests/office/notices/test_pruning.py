"""What was sent is forgotten once nobody needs it; nothing that waits or is unread ever is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.notices import actions, queries
from clearhouse.office.notices.actions import pruning
from clearhouse.office.notices.actions.pruning import (
    ATTEMPTS_KEPT,
    DELIVERIES_KEPT,
    MESSAGES_KEPT,
    prune,
)
from clearhouse.office.notices.actions.sending import SEND
from clearhouse.office.notices.models import Channel, Delivery, Message, Notice
from clearhouse.office.queue import queries as queue
from clearhouse.office.viewer import SYSTEM
from tests.office.notices.made import NOW, Receiver, at, hospital, passes, tell, webhook

pytestmark = pytest.mark.django_db
TOPIC = "exposure:CVE-2026-1"
LATE = NOW + 2 * MESSAGES_KEPT


def deliveries() -> int:
    return Delivery.objects.count()


def messages() -> int:
    return Message.objects.filter(is_test=False).count()


def sent(receiver: Receiver, topic: str = TOPIC, *, day: int = 0) -> Notice:
    """A matter that a receiver was told of on that day."""
    viewer = hospital()
    if not Channel.objects.exists():
        webhook(viewer, receiver)
    made = tell(viewer, topic, now=at(days=day))
    passes(at(days=day, minutes=5))
    return made


def over(topic: str = TOPIC, *, day: int = 0) -> None:
    """The matter ends on that day, and that is told on the next."""
    actions.end(hospital().acting_for(), topic, now=at(days=day, hours=1))
    passes(at(days=day + 1))


def test_what_ended_and_was_told_is_forgotten_after_its_time_and_the_ledger_keeps_it(
    receiver: Receiver,
) -> None:
    sent(receiver)
    over()
    sent(receiver, "another", day=2)
    assert (deliveries(), messages()) == (3, 3)
    prune(at(hours=1) + DELIVERIES_KEPT)
    assert deliveries() == 3, "at the very moment it is still there"
    prune(at(days=2) + DELIVERIES_KEPT)
    assert (deliveries(), messages()) == (1, 3), "messages are kept longer"
    prune(LATE)
    assert (deliveries(), messages()) == (1, 1)
    assert len(list(entries_of(SYSTEM, ("message.delivered",)))) == 4  # one is the trial's
    assert Notice.objects.count() == 2
    assert not list(contradictions())


def _waits(receiver: Receiver) -> None:
    webhook(hospital(), receiver)
    tell(hospital())


def _is_on_its_way(receiver: Receiver) -> None:
    webhook(hospital(), receiver)
    receiver.status = 500
    tell(hospital())
    passes(at(minutes=5))


def _did_not_arrive(receiver: Receiver) -> None:
    _is_on_its_way(receiver)
    Message.objects.filter(is_test=False).update(state=Message.State.FAILED)


def _is_unread(receiver: Receiver) -> None:
    sent(receiver)


def _is_read_and_not_over(receiver: Receiver) -> None:
    actions.acknowledge(hospital(), sent(receiver).name, now=at(hours=1))


def _has_an_end_that_waits(receiver: Receiver) -> None:
    sent(receiver)
    actions.end(hospital().acting_for(), TOPIC, now=LATE)


@pytest.mark.parametrize(
    "state",
    [
        _waits, _is_on_its_way, _did_not_arrive, _is_unread, _is_read_and_not_over,
        _has_an_end_that_waits,
    ],
)  # fmt: skip
def test_what_is_still_needed_stays_however_old(
    receiver: Receiver, state: Callable[[Receiver], None]
) -> None:
    state(receiver)
    before = (deliveries(), messages())
    prune(LATE)
    assert (deliveries(), messages()) == before


def test_an_end_is_told_also_where_its_beginning_is_years_old(receiver: Receiver) -> None:
    sent(receiver)
    tell(hospital(), to_do="Install 2.4.2.", now=at(days=1))
    passes(at(days=2))
    assert deliveries() == 2
    prune(LATE)
    assert deliveries() == 1, "of what was told again the last time is enough"
    actions.end(hospital().acting_for(), TOPIC, now=LATE)
    passes(LATE.replace(hour=23))
    passes(LATE.replace(day=LATE.day + 1, hour=23))
    assert len(receiver.told[-1]["over"]) == 1


def jobs_of(kind: str) -> dict[str, int]:
    return {str(state): n for (one, state), n in queue.counts(SYSTEM).items() if one == kind and n}


def test_attempts_are_forgotten_sooner_and_one_that_waits_never(receiver: Receiver) -> None:
    sent(receiver)
    receiver.status = 500
    tell(hospital(), "another", now=at(days=1))
    passes(at(days=1, minutes=5))
    before = jobs_of(SEND)
    prune(at() + ATTEMPTS_KEPT)
    assert jobs_of(SEND) == before, "at the very moment they are still there"
    prune(at(hours=1) + ATTEMPTS_KEPT)
    assert jobs_of(SEND) == {"done": 1, "delayed": 1}
    prune(LATE)
    assert jobs_of(SEND) == {"delayed": 1}
    receiver.status = 204
    passes(LATE)
    assert len(receiver.told) == 3


def test_the_last_message_of_a_channel_stays_for_its_page(receiver: Receiver) -> None:
    webhook(hospital(), receiver)
    channel = Channel.objects.get()
    for hours in (1, 2, 3):
        actions.test(hospital(), channel.name, now=at(hours=hours))
        passes(at(hours=hours, minutes=1))
    prune(LATE)
    [last] = Message.objects.all()
    assert queries.last_message(hospital(), channel) == last
    assert last.made_at == at(hours=3)


def test_of_a_channel_that_was_removed_nothing_stays(receiver: Receiver) -> None:
    sent(receiver)
    actions.remove(hospital(), Channel.objects.get().name, now=at(days=1))
    prune(LATE)
    assert not Message.objects.exists()
    assert Notice.objects.get().ended_at is None


def test_one_call_takes_so_much_and_the_next_the_rest(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    for number in range(5):
        sent(receiver, f"topic-{number}", day=2 * number)
        over(f"topic-{number}", day=2 * number)

    def left(now: datetime) -> int:
        with CaptureQueriesContext(connection) as asked:
            prune(now)
        assert len(asked) <= 8
        return deliveries()

    assert deliveries() == 10
    assert [left(LATE) for _ in range(6)] == [8, 6, 4, 2, 0, 0]
    for _ in range(6):
        prune(LATE)
    assert Message.objects.count() == 1
