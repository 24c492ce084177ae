"""A sandbox for compilers, build commands and symbolisers: commands go in, regular files come out.

The toolchain and every bound folder are read-only; the only place to write is a ``tmpfs`` of
limited size (:data:`SITE`), gone with the sandbox.  There is no network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath

from clearhouse.errors import Unavailable
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.channel import Channel

SITE = "/build"
_MEGABYTE = 1 << 20
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": SITE,
    "TMPDIR": SITE,
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    # 1 January 2000: what bakes the time in bakes in the same time every time.
    "SOURCE_DATE_EPOCH": "946684800",
}


@dataclass(frozen=True)
class BuildLimits:
    """What the commands of one batch may use: ``cpu_s`` each, everything else together."""

    cpu_s: float = 240.0
    wall_s: float = 300.0
    memory_bytes: int = 3072 * _MEGABYTE
    processes: int = 256
    file_bytes: int = 256 * _MEGABYTE
    output_bytes: int = 64 * _MEGABYTE


@dataclass(frozen=True)
class Command:
    """A program with its arguments, as it is started in the sandbox."""

    argv: Sequence[str]
    cwd: str = SITE
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How a command ended: its exit code (negative: the signal) and the start of its outputs."""

    code: int
    out: str
    err: str


class CommandsKilled(Unavailable):
    """A limit ended a batch of commands: ``limit`` is "wall", "memory" or "output"."""

    def __init__(self, limit: str) -> None:
        super().__init__(f"the build was stopped at its limit of {limit}")
        self.limit = limit


@dataclass(frozen=True)
class Listed:
    """A regular file below the site."""

    path: str
    size: int
    executable: bool


class BuildSandbox(Channel):
    """One sandbox in which things are built."""

    def __init__(
        self,
        binds: Sequence[Bind],
        *,
        limits: BuildLimits = BuildLimits(),
        site_bytes: int = 1024 * _MEGABYTE,
        site_files: int = 60_000,
    ) -> None:
        super().__init__("build sandbox", "foreman", binds)
        self._limits = limits
        self.write({"bytes": site_bytes, "files": site_files})
        self.read(30.0)

    def run(
        self, commands: Sequence[Command], *, parallel: int = 1, keep: int = 64 << 10
    ) -> list[Result]:
        """Run commands, ``parallel`` at a time, and return their results in order.

        ``keep`` is how many bytes of each output are kept.  Raises :class:`CommandsKilled` where a
        limit ends them.
        """
        if not commands:
            return []
        self.write(
            {
                "op": "run",
                "limits": asdict(self._limits),
                "parallel": parallel,
                "keep": keep,
                "commands": [
                    {
                        "argv": list(c.argv),
                        "cwd": c.cwd,
                        "environment": {**ENVIRONMENT, **c.environment},
                    }
                    for c in commands
                ],
            }
        )
        answer = self.read(self._limits.wall_s + 30)
        if answer["killed"]:
            raise CommandsKilled(str(answer["killed"]))
        return [Result(int(r["code"]), r["out"], r["err"]) for r in answer["results"]]

    def put(self, path: str, data: bytes) -> None:
        """Create a file below the site.  Only before any command of somebody else's has run."""
        self.write({"op": "put", "path": path, "size": len(data)})
        self.send(data)
        self.read(30.0)

    def get(self, path: str, *, limit: int = 256 * _MEGABYTE) -> bytes:
        """Return the content of a regular file below the site.

        Raises :class:`Unavailable` where there is none, or where it is larger than ``limit``.
        """
        self.write({"op": "get", "path": path, "limit": limit})
        answer = self.read(30.0)
        if "size" not in answer:
            raise Unavailable(f"the build left no usable {path}: {answer['why']}")
        if not 0 <= int(answer["size"]) <= limit:
            raise self.failed("sent too much")
        return self.receive(int(answer["size"]), 60.0)

    def list(self, path: str = "") -> list[Listed]:
        """Return the regular files below a folder of the site, in order of name."""
        self.write({"op": "list", "path": path})
        answer = self.read(60.0)
        listed = [Listed(str(p), int(s), bool(x)) for p, s, x in answer["files"]]
        return [one for one in listed if _is_plain(one.path)]


def _is_plain(path: str) -> bool:
    """Whether a name can be created below a folder without leaving it."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and "\0" not in path
