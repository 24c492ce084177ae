"""What a worker makes of what a handler returns or raises."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from signal import SIGALRM, SIGINT, SIGTERM
from typing import Any

import pytest
from django.db import connection

from clearhouse.cli.exits import ExitCode
from clearhouse.cli.main import main
from clearhouse.errors import NotFound
from clearhouse.office.queue import actions, handlers, queries
from clearhouse.office.queue.models import Job
from clearhouse.office.queue.worker import Ending, Outcome, Worker
from tests.office.queue import effects
from tests.office.queue.effects import Insert

pytestmark = pytest.mark.django_db(transaction=True)

State = Job.State
_TICKS: list[datetime] = []


@handlers.every(60, "test")
def _tick(now: datetime) -> None:
    _TICKS.append(now)


@handlers.handler("test.broken")
class Broken(Insert):
    def failed(self, payload: handlers.Payload, reason: str, now: datetime) -> None:
        effects.insert("a", "half")
        raise ZeroDivisionError("s3cret")


@pytest.fixture(autouse=True)
def _effect_table(transactional_db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(effects.TABLE)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE effect")


@pytest.fixture
def _signals_as_before() -> Iterator[None]:
    handled = {one: signal.getsignal(one) for one in (SIGTERM, SIGINT, SIGALRM)}
    yield
    for one, before in handled.items():
        signal.signal(one, before)


def put(key: str, **payload: Any) -> None:
    now = datetime.now(UTC)
    actions.enqueue(
        "test.insert", {"key": key, **payload}, lane="acme", key=key, most_attempts=2, now=now
    )


def drain(**more: Any) -> list[Outcome]:
    outcomes: list[Outcome] = []
    Worker(kinds=["test.insert"], report=outcomes.append, **more).drain()
    return outcomes


def test_a_job_that_goes_well_has_its_effect_and_is_done() -> None:
    put("a")
    (outcome,) = drain()
    assert (outcome.key, outcome.ending) == ("a", Ending.DONE)
    assert effects.effects() == [("a", "a")]
    assert queries.status_of("a").state == State.DONE


@pytest.mark.parametrize(
    ("problem", "ending", "state", "attempts", "stored"),
    [
        ("invalid", Ending.FAILED, State.FAILED, 1, [("a", "failed")]),
        ("unavailable", Ending.RETRIED, State.DELAYED, 0, []),
        ("bug", Ending.RETRIED, State.DELAYED, 1, []),
        ("store", Ending.RETRIED, State.DELAYED, 1, []),
    ],
)
def test_what_is_raised_decides_what_becomes_of_the_job(
    problem: str, ending: Ending, state: State, attempts: int, stored: list[tuple[str, str]]
) -> None:
    put("a", problem=problem, secret="s3cret")
    (outcome,) = drain()
    status = queries.status_of("a")
    assert (outcome.ending, status.state, status.attempts) == (ending, state, attempts)
    assert status.reason
    assert effects.effects() == stored


def test_a_bug_is_told_without_what_the_job_was_given(caplog: pytest.LogCaptureFixture) -> None:
    put("a", problem="bug", secret="s3cret")
    (outcome,) = drain()
    assert outcome.reason.startswith("ZeroDivisionError at effects.py:")
    assert "s3cret" not in caplog.text + outcome.reason + queries.status_of("a").reason
    assert "test.insert" in caplog.text


def test_after_its_attempts_a_bug_fails_the_job_and_its_handler_stores_that() -> None:
    put("a", problem="bug", secret="")
    for _ in range(2):
        Job.objects.filter(state=State.DELAYED).update(state=State.WAITING)
        drain()
    assert queries.status_of("a").state == State.FAILED
    assert effects.effects() == [("a", "failed")]


def test_a_bug_in_the_handlers_last_word_does_not_keep_the_job_running(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = datetime.now(UTC)
    payload = {"key": "a", "problem": "invalid"}
    actions.enqueue("test.broken", payload, lane="acme", key="a", now=now)
    Worker(kinds=["test.broken"]).drain()
    assert queries.status_of("a").state == State.FAILED
    assert effects.effects() == []
    assert "ZeroDivisionError" in caplog.text
    assert "s3cret" not in caplog.text


def test_the_lease_of_a_long_job_is_renewed_and_its_progress_shown() -> None:
    put("a", seconds=1.5)
    seen: list[tuple[str, datetime | None]] = []

    def look() -> None:
        time.sleep(1.2)
        seen.append(Job.objects.values_list("progress", "leased_until").get(key="a"))
        connection.close()

    looking = threading.Thread(target=look)
    looking.start()
    began = datetime.now(UTC)
    drain(lease=timedelta(seconds=0.6))
    looking.join()
    ((progress, leased_until),) = seen
    assert progress == "half way"
    assert leased_until is not None
    assert leased_until > began + timedelta(seconds=1.2)
    assert queries.status_of("a").state == State.DONE


def test_a_cancelled_job_has_no_effect_although_its_run_ends() -> None:
    put("a", seconds=0.8)

    def call_off() -> None:
        time.sleep(0.4)
        actions.cancel("a", datetime.now(UTC))
        connection.close()

    cancelling = threading.Thread(target=call_off)
    cancelling.start()
    (outcome,) = drain()
    cancelling.join()
    assert outcome.ending == Ending.LOST
    assert effects.effects() == []


@pytest.mark.parametrize(("seconds", "state"), [(0.6, State.DONE), (20.0, State.WAITING)])
@pytest.mark.usefixtures("_signals_as_before")
def test_a_stop_lets_a_job_end_in_its_grace_and_gives_a_longer_one_back(
    seconds: float, state: State
) -> None:
    put("a", seconds=seconds)
    put("b")
    worker = Worker(kinds=["test.insert"], grace_seconds=2.0)
    worker.stop_on(signal.SIGTERM)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    began = time.monotonic()
    worker.serve()
    assert time.monotonic() - began < 10
    assert (queries.status_of("a").state, queries.status_of("b").state) == (state, State.WAITING)
    assert queries.status_of("a").attempts == (state == State.DONE)


def test_a_timer_acts_once_in_a_period_and_leaves_one_row() -> None:
    _TICKS.clear()
    now = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)
    for seconds in (0, 1, 40, 60, 61, 3600):
        moment = now + timedelta(seconds=seconds)
        for _ in range(2):
            Worker(kinds=["timer.test"], clock=lambda at=moment: at).drain()  # type: ignore[misc]
    assert [(tick - now).total_seconds() for tick in _TICKS] == [0, 60, 3600]
    assert Job.objects.filter(kind="timer.test").count() == 1


def test_a_timer_whose_job_has_not_ended_gets_no_second_one() -> None:
    now = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)
    for minutes in range(5):
        actions.start_timers(now + timedelta(minutes=minutes))
    assert Job.objects.filter(kind="timer.test").count() == 1


def test_a_kind_has_one_handler_and_an_unknown_kind_none() -> None:
    with pytest.raises(RuntimeError):
        handlers.handler("test.insert")(Insert)
    with pytest.raises(NotFound):
        handlers.handler_of("test.unknown")


@pytest.mark.usefixtures("_signals_as_before")
def test_the_command_does_what_waits_and_prints_a_line_for_each_job(
    capsys: pytest.CaptureFixture[str],
) -> None:
    put("a")
    put("b", problem="invalid")
    assert main(["worker", "--once", "--kinds", "test.insert"]) == ExitCode.HOLDS
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("test.insert a: done")
    assert second.endswith("test.insert b: failed (cannot be proven)")
    put("c")
    assert main(["worker", "--once", "--quiet", "--kinds", "test.insert"]) == ExitCode.HOLDS
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("kinds", ["nope", "test.insert,nope", ""])
def test_the_command_names_the_kinds_there_are(
    kinds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["worker", "--kinds", kinds]) == ExitCode.BAD_INPUT
    assert "test.insert" in capsys.readouterr().err
