"""Reading a stopped process's arguments: texts, file names, socket addresses."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import socket
import struct

from . import kernel, usage

AT_FDCWD = -100
_SYS_OPENAT2 = 437
_RESOLVE_IN_ROOT = 0x10
_O_PATH = 0o10000000
_INSIDE = ("/work", "/proc", "/dev")

# Which arguments of a changing system call name the place that changes: (folder index, path index).
_NAMES: dict[str, tuple[tuple[int | None, int], ...]] = {
    "creat": ((None, 0),), "unlink": ((None, 0),), "rmdir": ((None, 0),), "mkdir": ((None, 0),),
    "truncate": ((None, 0),), "chmod": ((None, 0),), "rename": ((None, 0), (None, 1)),
    "link": ((None, 1),), "symlink": ((None, 1),), "unlinkat": ((0, 1),), "mkdirat": ((0, 1),),
    "fchmodat": ((0, 1),), "fchmodat2": ((0, 1),), "renameat": ((0, 1), (2, 3)),
    "renameat2": ((0, 1), (2, 3)), "linkat": ((2, 3),), "symlinkat": ((1, 2),),
}  # fmt: skip


def named_by(name: str, args: tuple[int, ...]) -> list[tuple[int, int]]:
    """``(folder descriptor, address of the path)`` for each place that the call changes."""
    return [
        (AT_FDCWD if folder is None else _signed(args[folder]), args[path])
        for folder, path in _NAMES[name]
    ]


def _signed(value: int) -> int:
    low = value & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low


def memory(tid: int, address: int, size: int) -> bytes:
    """Up to ``size`` bytes at an address; fewer at the end of a mapping, none where it is not."""
    with contextlib.suppress(OSError, OverflowError):
        file = os.open(f"/proc/{tid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        try:
            # Two steps: a text may end shortly before an unmapped page.
            first = min(size, 4096 - address % 4096)
            data = os.pread(file, first, address)
            if len(data) == first < size and b"\0" not in data:
                with contextlib.suppress(OSError):
                    data += os.pread(file, size - first, address + first)
            return data
        finally:
            os.close(file)
    return b""


def text(tid: int, address: int, limit: int = 4096) -> str:
    """The NUL-terminated text at an address."""
    raw = memory(tid, address, limit).split(b"\0", 1)[0]
    return raw.decode("utf-8", "backslashreplace")


def arguments(tid: int, address: int, limit: int = 16) -> list[str]:
    """The first arguments of an ``execve``, each cut at 256 characters."""
    found = []
    raw = memory(tid, address, 8 * limit)
    for (pointer,) in struct.iter_unpack("<Q", raw[: len(raw) // 8 * 8]):
        if pointer == 0:
            break
        found.append(text(tid, pointer, 256))
    return found


def status(tid: int) -> dict[str, str]:
    """The fields of ``/proc/TID/status``."""
    with contextlib.suppress(OSError):
        lines = usage.read(f"/proc/{tid}/status", 8192).decode("latin-1").splitlines()
        return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return {}


def of_descriptor(tid: int, number: int) -> str:
    """The path of an open file, as the kernel knows it."""
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{tid}/fd/{number}").removesuffix(" (deleted)")
    return "?"


def resolve(tid: int, folder: int, path: str) -> str:
    """Where a name leads inside the run's root, links of its folders followed, its own not."""
    if not path.startswith("/"):
        base = f"/proc/{tid}/cwd" if folder == AT_FDCWD else f"/proc/{tid}/fd/{folder}"
        with contextlib.suppress(OSError):
            path = os.readlink(base) + "/" + path
    path = path.rstrip("/") or "/"
    parent, _, name = path.rpartition("/")
    if name in ("", ".", ".."):
        parent, name = path, ""
    found = _in_root(tid, parent or "/")
    if found is None:
        return os.path.normpath(path)
    return os.path.join(found, name) if name else found


def _in_root(tid: int, path: str) -> str | None:
    with contextlib.suppress(OSError):
        root = os.open(f"/proc/{tid}/root", _O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            how = struct.pack("<QQQ", _O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, 0, _RESOLVE_IN_ROOT)
            buffer = ctypes.create_string_buffer(how, len(how))
            number = kernel.libc().syscall(
                ctypes.c_long(_SYS_OPENAT2),
                ctypes.c_int(root),
                ctypes.c_char_p(path.encode("utf-8", "surrogateescape")),
                buffer,
                ctypes.c_size_t(len(how)),
            )
            if number < 0:
                return None
            try:
                return os.readlink(f"/proc/self/fd/{number}")
            finally:
                os.close(number)
        finally:
            os.close(root)
    return None


# tempfile.mkstemp, mktemp(3) and their like: names that no input chose
_TEMPORARY = re.compile(r"^(/tmp|/var/tmp)/tmp[a-z0-9_]{8}(/.*|\.\w+)?$")


def temporary(path: str) -> bool:
    """Whether a path is that of a temporary file, or in such a folder, as Python names them."""
    return bool(_TEMPORARY.match(path))


def outside(path: str) -> bool:
    """Whether a real path lies outside the working folder (devices, pipes and /proc never do)."""
    if not path.startswith("/"):
        return False
    return not any(path == inside or path.startswith(inside + "/") for inside in _INSIDE)


def address(tid: int, pointer: int) -> str | None:
    """The internet address in a ``sockaddr``, as text with its port; None for other families."""
    raw = memory(tid, pointer, 28)
    if len(raw) < 8:
        return None
    (family,) = struct.unpack_from("<H", raw)
    (port,) = struct.unpack_from(">H", raw, 2)
    if family == socket.AF_INET:
        return f"{socket.inet_ntop(socket.AF_INET, raw[4:8])}:{port}"
    if family == socket.AF_INET6 and len(raw) >= 24:
        return f"[{socket.inet_ntop(socket.AF_INET6, raw[8:24])}]:{port}"
    return None


def message_address(tid: int, pointer: int) -> str | None:
    """The address in a ``msghdr`` (``sendmsg(2)``)."""
    raw = memory(tid, pointer, 16)
    if len(raw) < 16:
        return None
    name, length = struct.unpack_from("<QI", raw)
    return address(tid, name) if name and length else None
