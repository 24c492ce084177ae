"""Real processes, really killed: every effect once, nothing lost, on both databases."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.office.queue.conftest import Office

_JOBS = 200
_KILLS = 16
_WORKERS = 3
#: Longer than a job, so that only the dead are taken from.
_LEASE = "2"


def _children(process: subprocess.Popen[str]) -> list[int]:
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(word) for word in text.split()]


def _wait(what: str, process: subprocess.Popen[str], count: int, other: set[int]) -> list[int]:
    """The children of a process once there are ``count``, none of them one of ``other``."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = _children(process)
        if len(found) == count and not other & set(found):
            return found
        time.sleep(0.05)
    raise AssertionError(what)


def _assert_each_effect_once(office: Office, count: int) -> int:
    report = office.report()
    assert len(report["jobs"]) == count
    assert set(report["jobs"].values()) == {"done"}
    assert sorted(map(tuple, report["effects"])) == sorted((key, key) for key in report["jobs"])
    return int(report["starts"])


@pytest.mark.slow
def test_workers_killed_at_random_lose_nothing_and_repeat_nothing(office: Office) -> None:
    office.put(_JOBS, seconds=0.05)
    chance = random.Random(8600)
    arguments = ("worker", "--once", "--quiet", "--lease", _LEASE)
    workers = [office.start(*arguments) for _ in range(_WORKERS)]
    killed = 0
    while killed < _KILLS:
        # Past the start-up of one to three seconds, then at any moment.
        time.sleep(chance.uniform(0.2, 2.2))
        place = chance.randrange(_WORKERS)
        if workers[place].poll() is None:
            workers[place].kill()
            killed += 1
        workers[place] = office.start(*arguments)
        if office.server is not None and killed == _KILLS // 2:
            office.server.restart()
    for worker in workers:
        worker.wait(120)
    time.sleep(float(_LEASE))
    office.run(*arguments)
    starts = _assert_each_effect_once(office, _JOBS)
    assert starts > _JOBS, "no kill hit a running job: nothing was tested"


@pytest.mark.slow
def test_a_worker_that_died_is_started_again_and_a_stop_ends_all(office: Office) -> None:
    office.put(40, seconds=0.1)
    command = office.start("worker", "--count", "2", "--lease", _LEASE)
    first = _wait("two workers", command, 2, set())
    time.sleep(0.5)
    subprocess.run(["kill", "-9", str(first[0])], check=True)
    _wait("two workers again", command, 2, {first[0]})
    until = time.monotonic() + 60
    while time.monotonic() < until and set(office.report()["jobs"].values()) != {"done"}:
        time.sleep(0.5)
    command.send_signal(signal.SIGTERM)
    out, errors = command.communicate(timeout=30)
    assert command.returncode == 0
    assert "died (SIGKILL), starting it again" in errors
    # Whoever was killed may have ended a job, and not told of it any more.
    assert out.count("test.insert job-") in (39, 40)
    _assert_each_effect_once(office, 40)


@pytest.mark.slow
def test_workers_whose_supervisor_was_killed_end_and_give_nothing_up(office: Office) -> None:
    office.put(20, seconds=0.2)
    command = office.start("worker", "--count", "2", "--quiet", "--lease", _LEASE)
    orphans = _wait("two workers", command, 2, set())
    time.sleep(0.5)
    command.kill()
    until = time.monotonic() + 30
    while time.monotonic() < until and any(Path(f"/proc/{pid}").exists() for pid in orphans):
        time.sleep(0.1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in orphans)
    assert "running" not in office.report()["jobs"].values()
    office.run("worker", "--once", "--quiet")
    _assert_each_effect_once(office, 20)
