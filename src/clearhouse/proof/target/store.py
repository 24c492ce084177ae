"""The cache on disk: everything is written elsewhere and renamed into place.

A process keeps its unfinished work in one folder of its own and holds a lock on a file beside it
for as long as it lives. The next start removes every such folder whose lock nobody holds, so a
killed run leaves nothing, and a running one, in whatever container, is never touched.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from clearhouse.proof.cache import cache_root

T = TypeVar("T")
LAYOUT = "targets-1"
"""Change it when what is stored changes meaning; older folders are then simply not read."""
DESCRIPTION_LIMIT = 2 << 20
"""Bytes of a metadata or configuration file; the longest real METADATA are some 500 kB."""


def key_of(*parts: str) -> str:
    """Return a file name that stands for ``parts``."""
    packed = json.dumps(parts, ensure_ascii=True).encode()
    return hashlib.sha256(packed).hexdigest()[:40]


class Store:
    """A cache folder that many processes share."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or cache_root()).absolute() / LAYOUT
        self._unfinished = self.root / "unfinished"
        self._unfinished.mkdir(parents=True, exist_ok=True)
        self._remove_abandoned()
        self._mine, lock = self._claim()
        weakref.finalize(self, _release, self._mine, lock, os.getpid())

    def path(self, *parts: str) -> Path:
        """Return where ``parts`` are kept."""
        return self.root.joinpath(*parts)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Give an empty folder on the cache's file system, removed at the end if still there."""
        self._mine.mkdir(exist_ok=True)
        folder, owner = Path(tempfile.mkdtemp(dir=self._mine)), os.getpid()
        try:
            yield folder
        finally:
            # A child forked meanwhile leaves its parent's work alone.
            if os.getpid() == owner:
                remove_tree(folder)

    def publish(self, staged: Path, final: Path) -> Path:
        """Rename ``staged`` to ``final``; where another process was first, its copy stays."""
        final.parent.mkdir(parents=True, exist_ok=True)
        if staged.is_dir():
            staged.chmod(0o755)
            try:
                staged.rename(final)
            except OSError:
                if not final.is_dir():
                    raise
        else:
            staged.replace(final)
        return final

    def write_json(self, value: object, *parts: str) -> None:
        """Keep ``value`` under ``parts``."""
        with self.staging() as folder:
            staged = folder / "value.json"
            staged.write_text(json.dumps(value, separators=(",", ":")), encoding="ascii")
            self.publish(staged, self.path(*parts))

    def read_as(self, form: Callable[[Any], T], *parts: str) -> T | None:
        """Return what was kept under ``parts`` as ``form`` makes it.

        None where there is nothing, or what is there was written by another version of clearhouse
        in another form.
        """
        kept = self.read_json(*parts)
        try:
            return None if kept is None else form(kept)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def read_json(self, *parts: str) -> Any:  # noqa: ANN401 - the reader of a key knows its form
        """Return what was kept under ``parts``, or None."""
        try:
            return json.loads(self.path(*parts).read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def _claim(self) -> tuple[Path, int]:
        while True:
            name = secrets.token_hex(8)
            lock = self._unfinished / f"{name}.lock"
            handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX)
            # Another process's cleaning may have come between the two calls.
            with suppress(FileNotFoundError):
                if os.path.samestat(lock.stat(), os.fstat(handle)):
                    return self._unfinished / name, handle
            os.close(handle)

    def _remove_abandoned(self) -> None:
        for lock in self._unfinished.glob("*.lock"):
            try:
                handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            else:
                remove_tree(lock.with_suffix(""))
                lock.unlink(missing_ok=True)
            finally:
                os.close(handle)


def _release(folder: Path, lock: int, owner: int) -> None:
    """Give a store's working folder back; a forked child leaves its parent's alone."""
    if os.getpid() == owner:
        remove_tree(folder)
        folder.with_suffix(".lock").unlink(missing_ok=True)
        os.close(lock)


def remove_tree(folder: Path) -> None:
    """Remove ``folder`` and everything in it, read-only folders included; absent is fine."""
    if not folder.is_dir():
        return
    for parent, _, _ in os.walk(folder):
        Path(parent).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def link_tree(source: Path, destination: Path, files: Mapping[str, str]) -> None:
    """Put files of ``source`` into ``destination`` without copying their bytes.

    ``files`` maps the new names to those in ``source``. Hard links where the file system allows
    them, copies where it does not. What is in the way already stays.
    """
    made: set[Path] = set()
    for name, original in files.items():
        target = destination / name
        try:
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            target.hardlink_to(source / original)
        except (FileExistsError, NotADirectoryError):
            continue
        except OSError:
            shutil.copy2(source / original, target)


def read_small(path: Path) -> bytes:
    """Return the content of a descriptive file of a release; nothing for an absent or huge one."""
    try:
        if path.is_file() and path.stat().st_size <= DESCRIPTION_LIMIT:
            return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        pass
    return b""


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def archive_sha256(path: Path) -> str:
    """The same, remembered for as long as nothing has happened to the file."""
    status = path.stat()
    return _sha256_of(path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@lru_cache(maxsize=4096)
def _sha256_of(path: Path, *_: int) -> str:
    return file_sha256(path)


def tree_digest(root: Path) -> str:
    """Return the SHA-256 over name, executable bit and content of every file under ``root``."""
    total = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        runnable = "x" if path.stat().st_mode & stat.S_IXUSR else "-"
        name = os.fsencode(path.relative_to(root))
        total.update(
            b"%s %s %d %s\n"
            % (
                file_sha256(path).encode(),
                runnable.encode(),
                len(name),
                name,
            )
        )
    return total.hexdigest()
