"""Unwinding another process's native stack, through libunwind's ptrace accessors.

The unwinder runs in the warden and follows the tables of the loaded objects, so no frame pointer is
needed and nothing in the run takes part.
"""

from __future__ import annotations

import ctypes
import struct
from functools import cache
from typing import NamedTuple

from . import kernel

_REG_IP = 16  # UNW_X86_64_RIP
_REG_FRAME = 6  # UNW_X86_64_RBP
_RIP, _RSP = 16, 19  # of user_regs_struct (sys/user.h)
_NAMES = ("libunwind-x86_64.so.8", "libunwind-ptrace.so.0")


class NativeFrame(NamedTuple):
    """One native frame: the file that is mapped there, the offset in that file, the symbol."""

    file: str
    offset: int
    name: str


class _Mapping(NamedTuple):
    start: int
    end: int
    offset: int
    file: str


@cache
def _library() -> tuple[ctypes.CDLL, ctypes.CDLL]:
    unwind, accessors = (ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL) for name in _NAMES)
    create = unwind._Ux86_64_create_addr_space
    create.argtypes, create.restype = [ctypes.c_void_p, ctypes.c_int], ctypes.c_void_p
    unwind._Ux86_64_destroy_addr_space.argtypes = [ctypes.c_void_p]
    unwind._Ux86_64_init_remote.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    unwind._Ux86_64_step.argtypes = [ctypes.c_void_p]
    unwind._Ux86_64_get_reg.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    unwind._Ux86_64_get_proc_name.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p,
    ]  # fmt: skip
    accessors._UPT_create.argtypes, accessors._UPT_create.restype = [ctypes.c_int], ctypes.c_void_p
    accessors._UPT_destroy.argtypes = [ctypes.c_void_p]
    return unwind, accessors


def available() -> bool:
    """Whether libunwind is there."""
    try:
        _library()
    except OSError:
        return False
    return True


def _mappings(pid: int) -> list[_Mapping]:
    found = []
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:
        for line in file:
            parts = line.rstrip("\n").split(None, 5)
            if len(parts) < 6 or "x" not in parts[1]:
                continue
            start, end = (int(x, 16) for x in parts[0].split("-"))
            found.append(_Mapping(start, end, int(parts[2], 16), parts[5]))
    return found


def read(pid: int, tid: int, limit: int = 64) -> list[NativeFrame]:
    """Frames of a stopped thread, innermost first; empty where unwinding fails."""
    unwind, accessors = _library()
    mappings = _mappings(pid)
    space = unwind._Ux86_64_create_addr_space(
        ctypes.addressof(ctypes.c_char.in_dll(accessors, "_UPT_accessors")), 0
    )
    handle = accessors._UPT_create(tid)
    cursor = ctypes.create_string_buffer(127 * 8 + 64)
    frames: list[NativeFrame] = []
    try:
        if unwind._Ux86_64_init_remote(cursor, space, handle) != 0:
            return frames
        while len(frames) < limit:
            frames.append(_frame(unwind, cursor, mappings, innermost=not frames))
            if unwind._Ux86_64_step(cursor) <= 0:
                break
    finally:
        accessors._UPT_destroy(handle)
        unwind._Ux86_64_destroy_addr_space(space)
    return frames


def frame_pointers(pid: int, tid: int, limit: int = 64) -> list[int]:
    """The frame pointer as each caller of a stopped thread's innermost function left it."""
    unwind, accessors = _library()
    space = unwind._Ux86_64_create_addr_space(
        ctypes.addressof(ctypes.c_char.in_dll(accessors, "_UPT_accessors")), 0
    )
    handle = accessors._UPT_create(tid)
    cursor = ctypes.create_string_buffer(127 * 8 + 64)
    value = ctypes.c_uint64(0)
    found: list[int] = []
    try:
        if unwind._Ux86_64_init_remote(cursor, space, handle) != 0:
            return found
        while len(found) < limit and unwind._Ux86_64_step(cursor) > 0:
            unwind._Ux86_64_get_reg(cursor, _REG_FRAME, ctypes.byref(value))
            found.append(value.value)
    finally:
        accessors._UPT_destroy(handle)
        unwind._Ux86_64_destroy_addr_space(space)
    return found


def _frame(
    unwind: ctypes.CDLL,
    cursor: ctypes.Array[ctypes.c_char],
    mappings: list[_Mapping],
    *,
    innermost: bool,
) -> NativeFrame:
    address = ctypes.c_uint64(0)
    unwind._Ux86_64_get_reg(cursor, _REG_IP, ctypes.byref(address))
    # A return address is the instruction after the call: one back lies inside the calling line.
    place = address.value if innermost else address.value - 1
    mapping = next((m for m in mappings if m.start <= place < m.end), None)
    name = ctypes.create_string_buffer(512)
    offset = ctypes.c_uint64(0)
    known = unwind._Ux86_64_get_proc_name(cursor, name, len(name), ctypes.byref(offset))
    text = name.value.decode("utf-8", "replace") if known in (0, -2) else ""
    if mapping is None:
        return NativeFrame("", place, text)
    return NativeFrame(mapping.file, place - mapping.start + mapping.offset, text)


def read_caller(pid: int, tid: int) -> list[NativeFrame]:
    """Frames of a thread that stands in the C library's ``clone``, from its caller on.

    That function ends its unwind table before the system call (glibc
    ``sysdeps/unix/sysv/linux/x86_64/clone.S``) and has nothing on the stack but the return address.
    The thread's registers are set as if it had returned, and put back.
    """
    before = kernel.raw_registers(tid)
    values = list(struct.unpack("<27Q", before))
    with open(f"/proc/{tid}/mem", "rb", buffering=0) as memory:
        memory.seek(values[_RSP])
        values[_RIP] = struct.unpack("<Q", memory.read(8))[0]
    values[_RSP] += 8
    kernel.set_raw_registers(tid, struct.pack("<27Q", *values))
    try:
        return read(pid, tid)
    finally:
        kernel.set_raw_registers(tid, before)
