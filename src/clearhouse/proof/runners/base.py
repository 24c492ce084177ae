"""What the languages have in common: limits and watches by effect, owners of frames, the pool."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from clearhouse.proof.attribution import Counterfactual
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.closing import Closing
from clearhouse.proof.effects import Effect
from clearhouse.proof.observation import Frame, Owner, Run
from clearhouse.proof.sandbox.bubblewrap import interpreter_folders
from clearhouse.proof.sandbox.cell import MEGABYTE, Cell, Limits, Watch
from clearhouse.proof.target import Installed

_CPU_S = 40.0  # sqlparse takes 8 to 16 s to exhaust its stack (CVE-2024-4340)
_MEMORY = 1536 * MEGABYTE
_GRACE_S = 0.01
_LONGEST_LINE = 300  # longer ones are minified code, where a line says nothing
_GRACE_BYTES = 8 * MEGABYTE
#: Where a run can write (``warden/cage.py``), and other names for it.
_WRITTEN = ("/work/", "/tmp/", "/home/", "/var/", "/dev/", "/proc/", "/run/", "/srv/", "/opt/",
            "/mnt/", "/root/", "/etc/")  # fmt: skip


class Runner(Protocol):
    """One harness against one version of its target, ready to run."""

    @property
    def version(self) -> str:
        """The version of the target, as runs are labelled with it."""

    @property
    def packages(self) -> tuple[tuple[str, str], ...]:
        """Purl and digest of everything installed for it."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the verdict should know about the installation."""

    def run(self, name: str, data: bytes) -> Run:
        """Run the harness on one input; ``name`` is the run's label."""

    def counterfactual(self, control: bytes, poc: bytes) -> Counterfactual | None:
        """Run the poc after a control, for real and with the control's answers (``bypass``)."""


def limits_for(bundle: Bundle, most_cpu_s: float = _CPU_S) -> Limits:
    """Limits of one run: those of the effect where it is one of resources.

    ``most_cpu_s`` is what a run may take where time is not the effect.
    """
    cpu, memory = min(_CPU_S, most_cpu_s), _MEMORY
    if bundle.effect is Effect.HANG:
        cpu = bundle.expect.cpu_seconds + _GRACE_S
    if bundle.effect is Effect.MEMORY:
        memory = bundle.expect.rss_mb * MEGABYTE + _GRACE_BYTES
    return Limits(cpu_s=cpu, wall_s=max(15.0, 3 * cpu), memory_bytes=memory)


def watch_for(bundle: Bundle, *, stack: str, unwind: bool, runtime_execs: int) -> Watch:
    """What the tracer looks for in a run of this bundle."""
    return Watch(
        effect=bundle.effect.value,
        cpu_s=bundle.expect.cpu_seconds,
        memory_bytes=bundle.expect.rss_mb * MEGABYTE,
        reads=bundle.effect is Effect.READ_OUTSIDE,
        stack=stack,
        unwind=unwind,
        runtime_execs=runtime_execs,
    )


def new_token() -> str:
    """A canary's content: never the same twice, so that no harness can know it."""
    return f"canary-{secrets.token_hex(16)}"


def classifier(installed: Installed) -> Callable[[Mapping[str, Any]], Frame]:
    """Name the owner of a raw frame by the file it stands in."""
    folders = tuple(f"{f}/" for f in interpreter_folders())  # which may lie in a written place
    runtime = ("/usr/", "/lib", "<frozen ", "node:", *folders)

    def classify(raw: Mapping[str, Any]) -> Frame:
        file, name = str(raw["file"]), str(raw["name"])
        line = raw.get("line")
        kind = str(raw["kind"])
        if file.startswith("/harness/"):
            return Frame(kind, file.removeprefix("/harness/"), name, line, Owner.HARNESS)
        if file.startswith(_WRITTEN) and not file.startswith(folders):
            return Frame(kind, file, name, line, Owner.HARNESS)  # code that the run itself wrote
        if file.startswith("/runtime/clearhouse/"):
            return Frame(kind, file, name, line, Owner.OBSERVER)
        if file.startswith("/target/"):
            relative = file.removeprefix("/target/")
            package = installed.owner(relative)
            owner = Owner.TARGET if package and package.is_target else Owner.DEPENDENCY
            shown = relative.removeprefix("site/").removeprefix("node_modules/")
            code = source_line(installed.root / relative, line) if owner is Owner.TARGET else None
            return Frame(kind, shown, name, line, owner, package.purl if package else None, code)
        if file.startswith(runtime):
            for folder in folders:  # where an interpreter lies is this machine's own affair
                file = file.removeprefix(folder)
            return Frame(kind, file, name, line, Owner.RUNTIME)
        return Frame(kind, file, name, line, Owner.UNKNOWN)

    return classify


def source_line(path: Path, line: int | None) -> str | None:
    """A line of a source file with its white space folded; None where there is no such line."""
    if line is None or line < 1:
        return None
    lines = _lines(path)
    text = " ".join(lines[line - 1].split()) if line <= len(lines) else ""
    return text if 0 < len(text) <= _LONGEST_LINE else None


@lru_cache(maxsize=256)
def _lines(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_text(encoding="utf-8", errors="replace").split("\n"))
    except OSError:
        return ()


class Cells(Closing):
    """Warm sandboxes, the least recently used ended first.

    ``most_cpu_s`` is the processor time that a run in them may take where time is not the effect.
    """

    def __init__(self, keep: int = 4, *, most_cpu_s: float = _CPU_S) -> None:
        self._keep = keep
        self.most_cpu_s = most_cpu_s
        self._cells: OrderedDict[Hashable, Cell] = OrderedDict()

    def get(self, key: Hashable, start: Callable[[], Cell]) -> Cell:
        """The sandbox for a key, started when it is not there."""
        cell = self._cells.pop(key, None)
        if cell is None:
            while len(self._cells) >= self._keep:
                self._cells.popitem(last=False)[1].close()
            cell = start()
        self._cells[key] = cell
        return cell

    def drop(self, key: Hashable) -> None:
        """End one sandbox, which is no longer to be trusted to work."""
        cell = self._cells.pop(key, None)
        if cell is not None:
            cell.close()

    def close(self) -> None:
        """End all of them."""
        while self._cells:
            self._cells.popitem()[1].close()
