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


def podman(folder: Path, count: int = 10) -> tuple[str, float] | None:
    """How podman was started, and median seconds of the same in it; None where it does not work.

    The container's root is a folder with one static program (Debian's busybox-static): no image
    has to be fetched, and none is unpacked within the measured time.  ``CLEARHOUSE_BENCH_USER``
    names an ordinary user to start it as when the benchmark itself is run by root.
    """
    shell = shutil.which("busybox")
    if shutil.which("podman") is None or shell is None:
        return None
    binaries = folder / "bin"
    binaries.mkdir()
    shutil.copy(shell, binaries / "busybox")
    (binaries / "true").symlink_to("busybox")
    folder.chmod(0o755)
    user = os.environ.get("CLEARHOUSE_BENCH_USER")
    name = "rootless podman" if user or os.geteuid() else "podman, by root"
    prefix: list[str] = []
    if user:
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700)
        for path in (folder, runtime):  # podman adds folders to the container's root
            shutil.chown(path, user)
        prefix = ["runuser", "-u", user, "--", "env", f"XDG_RUNTIME_DIR={runtime}"]
        prefix.append(f"HOME={Path(f'~{user}').expanduser()}")
    for more in ([], ["--runtime", "runc", "--cgroup-manager", "cgroupfs"]):
        command = [
            *prefix, "podman", *more, "run", "--rm", "--network", "none",
            "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=512:512",
            "--rootfs", str(folder), "/bin/true",
        ]  # fmt: skip
        try:
            return name, _median(lambda: _quietly(command), count)  # noqa: B023 - called at once
        except (OSError, subprocess.CalledProcessError):
            continue
    return None


def _quietly(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, cwd="/")


def table() -> Iterator[str]:
    """Markdown lines."""
    plain, inside = bare(), sandboxed()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        other = podman(Path(folder))
    yield "| one execution of /bin/true | median | more than bare |"
    yield "| --- | --- | --- |"
    yield f"| bare process | {plain * 1000:.1f} ms | |"
    yield f"| clearhouse, warm | {inside * 1000:.1f} ms | {(inside - plain) * 1000:.1f} ms |"
    if other is None:
        yield "| podman | not measured: podman or busybox-static is not installed, or fails | |"
    else:
        name, median = other
        yield f"| {name} | {median * 1000:.1f} ms | {(median - plain) * 1000:.1f} ms |"
