"""An engine for the kill tests: keeps one sandbox busy until it is killed.

Started as ``python engine.py SOURCE_FOLDER BOUND_FOLDER``; says one line for each step.
"""

from __future__ import annotations

import sys

sys.path.insert(0, sys.argv[1])

from pathlib import Path

from clearhouse.proof.sandbox import bubblewrap
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.cell import Cell, Job, Limits, Watch
from clearhouse.proof.sandbox.gate import being_checked

WATCH = Watch("none", 1e9, 1 << 62, False, "none", False, 1)
# Processes in sessions of their own, deaf to signals: some stopped, some busy, some forking.
BUSY = """
import os, signal, time
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os.kill(os.getpid(), signal.SIGSTOP)
if os.fork() == 0:
    while True:
        if os.fork() == 0: os._exit(0)
        try: os.wait()
        except OSError: pass
while True: pass
"""


def main() -> None:
    print("starting", flush=True)
    with being_checked(), Cell([Bind(Path(sys.argv[2]), "/target")]) as cell:
        print("started", flush=True)
        for number in range(1000):
            job = Job(
                runtime="program",
                input=b"",
                token="none",
                limits=Limits(cpu_s=0.05 if number % 3 else 30.0, wall_s=60.0),
                watch=WATCH,
                extra={},
                argv=[bubblewrap.interpreter(), "-I", "-S", "-c", BUSY],
            )
            cell.run(job)
            print("ran", flush=True)


main()
