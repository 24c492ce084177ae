"""Reading and writing files of a room on behalf of the engine, as whoever works in it.

The names come from people and models that want to get out, and what they name was laid there by
the same.  They are resolved in the room's own namespaces, without privileges, so nothing of the
host can be reached by them; what is still refused are links of ``/proc`` (which lead to the
steward's own descriptors and memory) and everything that is no regular file.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct

from . import kernel

_SYS_OPENAT2 = 437
_AT_FDCWD = -100
_NO_MAGIC_LINKS = 0x02  # RESOLVE_NO_MAGICLINKS, openat2(2)


def read(path: str, limit: int) -> bytes:
    """The content of a regular file.

    Raises ``OSError``; ``OverflowError`` where it is larger than ``limit`` bytes.
    """
    number = _open(path, os.O_RDONLY)
    with os.fdopen(number, "rb") as file:
        if os.fstat(number).st_size > limit:
            raise OverflowError(path)
        data = file.read(limit + 1)  # it may be growing
    if len(data) > limit:
        raise OverflowError(path)
    return data


def write(path: str, data: bytes) -> None:
    """Create or replace a regular file, and the folders that it lies in.  Raises ``OSError``."""
    parent = os.path.dirname(path)
    if parent:
        os.makedirs(parent, exist_ok=True)
    number = _open(path, os.O_WRONLY | os.O_CREAT)
    try:
        os.ftruncate(number, 0)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(number, rest) :]
    finally:
        os.close(number)


def _open(path: str, flags: int) -> int:
    """Open a regular file that is none of the kernel's own.  Never waits."""
    flags |= os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    how = struct.pack("<QQQ", flags, 0o644 if flags & os.O_CREAT else 0, _NO_MAGIC_LINKS)
    buffer = ctypes.create_string_buffer(how, len(how))
    number = kernel.libc().syscall(
        ctypes.c_long(_SYS_OPENAT2),
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(os.fsencode(path)),
        buffer,
        ctypes.c_size_t(len(how)),
    )
    if number < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), path)
    status = os.fstat(number)
    if stat.S_ISDIR(status.st_mode):
        os.close(number)
        raise IsADirectoryError(21, "Is a directory", path)
    if not stat.S_ISREG(status.st_mode) or status.st_dev == os.stat("/proc").st_dev:
        os.close(number)
        raise PermissionError(1, "It is no regular file", path)
    return int(number)
