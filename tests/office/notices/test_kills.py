"""A worker that is killed between sending and recording sends again, under the same name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clearhouse.formats.standard_webhooks import ID, check
from tests.office.notices import made

_ROOT = Path(__file__).parents[3]
_KINDS = "timer.notices.due,notices.gather,notices.send"
_LEASE = 1


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before it is answered", "after it is answered"])
def test_a_message_arrives_at_least_once_and_always_under_the_same_name(
    moment: str, tmp_path: Path
) -> None:
    environment = os.environ | {
        "CLEARHOUSE_HOME": str(tmp_path), "CLEARHOUSE_DATABASE": f"sqlite://{tmp_path}/db",
        "PYTHONPATH": os.pathsep.join([str(_ROOT / "src"), str(_ROOT)]),
    }  # fmt: skip

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", *arguments]
        done = subprocess.run(
            command, env=environment, cwd=_ROOT, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    worker = ("clearhouse", "worker", "--once", "--lease", str(_LEASE), "--kinds", _KINDS)
    with made.receiver() as receiver:
        secret = run("tests.office.notices.killed", "prepare", receiver.url)
        first = subprocess.Popen([sys.executable, "-m", *worker], env=environment, cwd=_ROOT)
        at = receiver.before if moment.startswith("before") else receiver.after
        at.append(lambda: os.kill(first.pid, signal.SIGKILL))
        assert first.wait(120) == -signal.SIGKILL
        at.clear()
        assert len(receiver.got) == 1
        time.sleep(_LEASE + 0.5)
        run(*worker)
        report = json.loads(run("tests.office.notices.killed", "report"))
        assert [one[1] for one in report["messages"]] == ["delivered"]
        assert (report["waiting"], report["gone"]) == (0, 2)
        assert {headers[ID] for headers, _ in receiver.got} == {report["messages"][0][0]}
        assert len(receiver.got) == 2 or moment.startswith("after")
        for headers, body in receiver.got:
            check(headers, body, secret, now=datetime.now(UTC))
        names = [[one["name"] for one in told["notices"]] for told in receiver.told]
        assert all(sorted(one) == sorted(names[0]) for one in names)
        assert len(names[0]) == 2
