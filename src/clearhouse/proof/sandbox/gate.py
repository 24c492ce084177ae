"""No sandbox is started on a machine where trying to break out of it has not failed.

The result of ``clearhouse sandbox check`` is kept for a day, for exactly this kernel, these
programs, this user and this code.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from clearhouse.errors import Unavailable
from clearhouse.proof.cache import cache_root
from clearhouse.proof.sandbox.needs import settings

if TYPE_CHECKING:
    from clearhouse.proof.sandbox.check import Report

FORMAT = 1
VALID_S = 24 * 3600.0
_PROOF = Path(__file__).resolve().parent.parent
_CODE = tuple(str(_PROOF / name) for name in ("sandbox", "warden", "warden/breakout"))

_checking: ContextVar[bool] = ContextVar("checking", default=False)
_lock = threading.Lock()
_valid_until = 0.0
_refusal: str | None = None


@contextlib.contextmanager
def being_checked() -> Iterator[None]:
    """Let sandboxes start unchecked in this context: only for the check itself and its tests."""
    token = _checking.set(True)
    try:
        yield
    finally:
        _checking.reset(token)


def _whole_check() -> Report:
    from clearhouse.proof.sandbox.check import check_sandbox

    return check_sandbox()


def require_checked_sandbox(check: Callable[[], Report] = _whole_check) -> None:
    """Return where the sandbox holds on this machine; check it first where that is not known.

    Raises :class:`Unavailable` with the attempts that got through, or where it cannot start.
    """
    if time.time() < _valid_until or _checking.get():
        return
    with _lock:
        if time.time() < _valid_until:
            return
        if _refusal is not None:
            raise Unavailable(_refusal)
        if not _use_kept():
            with _one_at_a_time():
                if not _use_kept():
                    keep(check())
                    if _refusal is not None:
                        raise Unavailable(_refusal)


def keep(report: Report) -> None:
    """Remember a report: for this process, and where it holds for others as well."""
    global _valid_until, _refusal  # noqa: PLW0603 - the process's own memory of it
    if not report.holds:
        through = "; ".join(f"{r.place}: {r.name} ({r.by})" for r in report.through[:5])
        _valid_until = 0.0
        _refusal = (
            f"the sandbox does not hold on this machine, nothing is run: {through}"
            " ('clearhouse sandbox check' shows all attempts)"
        )
        return
    checked = time.time()
    _valid_until, _refusal = checked + VALID_S, None
    kept = _kept()
    text = json.dumps({"format": FORMAT, "checked": checked, "tried": len(report.results)})
    unfinished = kept.with_name(f"{kept.name}.{secrets.token_hex(4)}")
    with contextlib.suppress(OSError):  # a cache that cannot be written only costs time
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="ascii")
        unfinished.replace(kept)


def _use_kept() -> bool:
    """Whether a passing check is on record that is still good."""
    global _valid_until  # noqa: PLW0603 - the process's own memory of it
    try:
        record = json.loads(_kept().read_text(encoding="ascii"))
        until = float(record["checked"]) + VALID_S
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if not time.time() < until <= time.time() + VALID_S:  # nothing from the future either
        return False
    _valid_until = until
    return True


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Of several processes that start together one makes the check, the others wait for it."""
    path = _kept().parent / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def _kept() -> Path:
    return cache_root() / "sandbox" / f"{circumstances()}.json"


@cache
def circumstances() -> str:
    """A digest of all that a result of the check depends on; the same after a restart."""
    bwrap = shutil.which("bwrap")
    interpreter = Path(sys.executable).resolve()
    facts = {
        "kernel": [platform.release(), platform.version(), platform.machine()],
        "machine": _text("/etc/machine-id"),
        "settings": settings(),
        "bwrap": [bwrap, _digest(Path(bwrap)) if bwrap else None],
        "interpreter": [str(interpreter), sys.version, interpreter.stat().st_size],
        "user": [os.geteuid(), os.getegid()],
        "code": code_digest(),
    }
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:40]


def code_digest() -> str:
    """Digest of the sandbox's own source, the part that runs inside included.

    Drivers in other languages run as a harness does, and have no part in holding it.
    """
    digest = hashlib.sha256()
    for folder in _CODE:
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 - often
            if name.endswith(".py"):
                with open(f"{folder}/{name}", "rb", buffering=0) as file:  # noqa: PTH123
                    digest.update(f"{name}\0".encode() + file.read() + b"\0")
    return digest.hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _text(path: str) -> str:
    with contextlib.suppress(OSError):
        return Path(path).read_text(encoding="ascii", errors="replace").strip()
    return ""
