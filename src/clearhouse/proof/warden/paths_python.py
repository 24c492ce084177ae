"""Which files a Python harness may look at, open or change by itself: those of its working folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from .contract_python import ENVIRONMENT

_WORK = "/work"
#: What :mod:`tempfile` makes for itself, in the folder that it finds.
_TEMPORARY = re.compile(r"^(/tmp|/var/tmp)/tmp[a-z0-9_]{8}(/.*|\.\w+)?$")
#: Folders whose content would tell a harness what runs, or is not its to read.
_NOT_TO_READ = (
    "/target", "/proc", "/sys", "/canary", "/harness", "/runtime", "/build", "/.mark", "/dev",
)  # fmt: skip
_DEVICES = ("/dev/null", "/dev/urandom", "/dev/random", "/dev/zero")
_LOOKS = frozenset(
    {"stat", "lstat", "access", "listdir", "scandir", "walk", "exists", "lexists", "isfile", "isdir",
     "islink", "getsize", "getmtime", "getctime", "getatime", "samefile", "ismount", "is_file",
     "is_dir", "iterdir", "glob", "rglob", "iglob", "read_text", "read_bytes", "open", "owner",
     "readlink", "resolve", "realpath", "disk_usage"}
)  # fmt: skip
_HOMES = ("os.", "os.path.", "pathlib.", "glob.", "io.", "shutil.")


def real(path: Any) -> str | None:
    """Where a path leads, links followed; None for what is no path."""
    if isinstance(path, os.PathLike):
        path = os.fspath(path)
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if not isinstance(path, str):
        return None
    try:
        return os.path.realpath(os.path.join(_WORK, path))
    except (OSError, ValueError):
        return os.path.normpath(os.path.join(_WORK, path))


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def may_read(path: Any) -> bool:
    """Whether a harness may look at a path by itself."""
    where = real(path)
    if where is None:
        return True
    return where in _DEVICES or not any(_below(where, folder) for folder in _NOT_TO_READ)


def may_write(path: Any) -> bool:
    """Whether a harness may create, change or delete a path by itself."""
    where = real(path)
    if where is None:
        return True
    return _below(where, _WORK) or where == "/dev/null" or bool(_TEMPORARY.match(where))


class FileRules:
    """What functions of the standard library do to files by themselves."""

    def looked_at(
        self, full: str, bound: Any, args: tuple[Any, ...], named: dict[str, Any]
    ) -> Iterator[str]:
        """Paths that a call looks at although a harness has no business there."""
        if not full.startswith(_HOMES) or full.rpartition(".")[2] not in _LOOKS:
            return
        for path in (bound, *args[:2], *named.values()):
            if isinstance(path, str | bytes | os.PathLike) and not may_read(path):
                yield str(real(path))

    def environment(self, args: tuple[Any, ...], breach: Callable[[str], None]) -> None:
        """A change of ``os.environ`` by one of its methods."""
        names = list(args[0]) if args and isinstance(args[0], dict) else list(args[:1])
        if not names:
            breach("empties the environment")
        for name in names:
            if not isinstance(name, str) or name.upper().startswith(ENVIRONMENT):
                breach(f"changes {name}, by which others find programs or files")
