"""What the sandbox costs one execution, next to a bare process and to rootless podman."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from clearhouse.proof.sandbox.cell import Cell, Job, Limits, Watch

PROGRAM = "/bin/true"
_WATCH = Watch("execute", 5.0, 1 << 30, reads=False, stack="none", unwind=False, runtime_execs=1)


def _median(measure: Callable[[], object], count: int) -> float:
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        measure()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def bare(count: int = 200) -> float:
    """Median seconds of starting the program and waiting for it."""
    return _median(lambda: subprocess.run([PROGRAM], check=True), count)


def sandboxed(count: int = 200) -> float:
    """Median seconds of the same in a warm sandbox, traced, in namespaces of its own."""
    job = Job("program", b"", "token", Limits(), _WATCH, {}, argv=[PROGRAM])
    with Cell([]) as cell:
        cell.run(job)
        return _median(lambda: cell.run(job), count)


def _quietly(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, check=True, capture_output=True, env=environment)


def podman(count: int = 10) -> float | None:
    """Median seconds of the same in rootless podman without a network, or None where it is not.

    The container's root is a folder with one static program (Debian's busybox-static): no image
    has to be fetched, and none is unpacked within the measured time.
    """
    program, shell = shutil.which("podman"), shutil.which("busybox")
    if program is None or shell is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        binaries = Path(folder, "bin")
        binaries.mkdir()
        shutil.copy(shell, binaries / "busybox")
        (binaries / "true").symlink_to("busybox")
        Path(folder).chmod(0o755)
        command = [
            program, "run", "--rm", "--network", "none", "--rootfs", folder, "/bin/true",
        ]  # fmt: skip
        environment = {**os.environ}
        try:
            return _median(lambda: _quietly(command, environment), count)
        except (OSError, subprocess.CalledProcessError):
            return None


def table() -> Iterator[str]:
    """Markdown lines."""
    plain, inside, other = bare(), sandboxed(), podman()
    yield "| one execution of /bin/true | median | more than bare |"
    yield "| --- | --- | --- |"
    yield f"| bare process | {plain * 1000:.1f} ms | |"
    yield (f"| clearhouse, warm | {inside * 1000:.1f} ms | {(inside - plain) * 1000:.1f} ms |")
    if other is None:
        yield "| podman | not measured: podman or busybox-static is not installed, or fails | |"
    else:
        yield f"| podman | {other * 1000:.1f} ms | {(other - plain) * 1000:.1f} ms |"
