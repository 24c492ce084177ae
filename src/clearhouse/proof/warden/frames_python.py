"""Reading another process's Python stack out of its memory.

The run is stopped by the kernel; nothing in it has to cooperate, and nothing in it can refuse.
Where CPython keeps what is not assumed: :func:`measure` finds the offsets once, inside the trusted
zygote, by looking for values it knows; forks share the zygote's addresses, so the warden can read
any of its children with them.  Works for the layouts of CPython 3.11 (``tstate->cframe``) and of
3.13 on (``tstate->current_frame``).
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import threading
from collections.abc import Callable
from types import CodeType
from typing import Any, NamedTuple

_PROBE_LINE = 54321
_MASK = ~0x7
_LONGEST = 1 << 30  # what is said to be longer is no length: the address was not that of an object
_LONGEST_TABLE, _LONGEST_TEXT = 1 << 20, 4096


class Layout(NamedTuple):
    """Offsets, in bytes, inside CPython's structures, and the main thread's state."""

    thread_state: int
    current: int  # in the thread state
    current_inner: int  # in what that points to, or -1 when it is the frame itself
    native_id: int
    frame_code: int
    frame_previous: int
    frame_instruction: int
    code_filename: int
    code_qualname: int
    code_firstline: int
    code_linetable: int
    code_bytes: int
    text_data: int

    def as_dict(self) -> dict[str, int]:
        """The offsets as they travel to the warden."""
        return self._asdict()


class PythonFrame(NamedTuple):
    """One frame: file, qualified name and line as its code object gives them."""

    file: str
    name: str
    line: int


class _Memory:
    def __init__(self, pid: int | str) -> None:
        self.descriptor = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)

    def read(self, address: int, size: int) -> bytes:
        data = os.pread(self.descriptor, size, address)
        if len(data) != size:
            raise OSError("short read")
        return data

    def word(self, address: int) -> int:
        return int(struct.unpack("<Q", self.read(address, 8))[0])

    def close(self) -> None:
        """Give the memory file back."""
        os.close(self.descriptor)


def _words(memory: _Memory, address: int, size: int) -> list[int]:
    return list(struct.unpack(f"<{size // 8}Q", memory.read(address, size)))


def _offset_of(memory: _Memory, address: int, size: int, value: int) -> int:
    words = _words(memory, address, size)
    return 8 * words.index(value)


def measure() -> Layout:
    """Find the offsets in the running interpreter.  Raises ``ValueError`` where it is not known."""
    memory = _Memory("self")
    try:
        return _probe(memory)
    except (OSError, ValueError, StopIteration, struct.error) as error:
        version = sys.version.split()[0]
        raise ValueError(f"cannot read frames of this interpreter ({version}): {error}") from error
    finally:
        memory.close()


def _probe(memory: _Memory) -> Layout:
    source = "\n" * (_PROBE_LINE - 1) + "def outer(f):\n    return f()\n"
    space: dict[str, Any] = {}
    exec(compile(source, "<layout-probe>", "exec"), space)
    outer: Callable[..., Any] = space["outer"]

    def inner() -> Layout:
        return _inspect(memory, sys._getframe(), outer.__code__)

    layout: Layout = outer(inner)
    return layout


def _inspect(memory: _Memory, frame: Any, outer_code: CodeType) -> Layout:
    code = frame.f_code
    frames = [frame, frame.f_back]
    code_offset, places = _frame_places(memory, frames)
    inner_place, outer_place = places
    previous = _offset_of(memory, inner_place, 96, outer_place)
    basic = type(code).__basicsize__
    start, end = id(code) + basic, id(code) + basic + len(code.co_code)
    words = _words(memory, inner_place, 96)
    instruction = next(8 * i for i, w in enumerate(words) if start - 2 <= w <= end)
    thread_state = _thread_state()
    current, current_inner = _current(memory, thread_state)
    firstline = _int_offset(memory, id(outer_code), basic, _PROBE_LINE)
    text = code.co_filename
    raw = memory.read(id(text), 64 + len(text))
    return Layout(
        thread_state=thread_state,
        current=current,
        current_inner=current_inner,
        # native_thread_id follows thread_id, and the latter is a number like no other
        native_id=_offset_of(memory, thread_state, 512, threading.get_ident()) + 8,
        frame_code=code_offset,
        frame_previous=previous,
        frame_instruction=instruction,
        code_filename=_offset_of(memory, id(code), basic, id(code.co_filename)),
        code_qualname=_offset_of(memory, id(code), basic, id(code.co_qualname)),
        code_firstline=firstline,
        code_linetable=_offset_of(memory, id(code), basic, id(code.co_linetable)),
        code_bytes=basic,
        text_data=raw.index(text.encode()),
    )


def _thread_state() -> int:
    get = ctypes.pythonapi.PyThreadState_Get
    get.restype = ctypes.c_void_p
    return int(get())


def _int_offset(memory: _Memory, address: int, size: int, value: int) -> int:
    raw = memory.read(address, size)
    return next(i for i in range(0, size, 4) if struct.unpack_from("<i", raw, i)[0] == value)


def _frame_places(memory: _Memory, frames: list[Any]) -> tuple[int, list[int]]:
    """Where the interpreter's own frame of each frame object lies, and its code pointer in it."""
    found: dict[int, list[int]] = {}
    for frame in frames:
        size = 16 + 8 * 6
        for word in _words(memory, id(frame), size):
            if word < 0x10000 or word & 7:
                continue
            try:
                inside = _words(memory, word, 96)
            except (OSError, OverflowError):
                continue
            for index, value in enumerate(inside):
                if value & _MASK == id(frame.f_code):
                    found.setdefault(8 * index, []).append(word)
    return next((k, v) for k, v in found.items() if len(v) == len(frames))


def _current(memory: _Memory, thread_state: int) -> tuple[int, int]:
    """How to come from the thread state to the frame that runs: ``(offset, inner offset or -1)``.

    Reads with bare calls into C: a helper written in Python would itself be the current frame.
    """
    mine = _frame_places(memory, [sys._getframe()])[1][0]
    file, read, unpack = memory.descriptor, os.pread, struct.unpack
    words = unpack("<64Q", read(file, 512, thread_state))
    if mine in words:
        return 8 * words.index(mine), -1
    for index, word in enumerate(words):
        if word < 0x10000 or word & 7:
            continue
        try:
            inside = unpack("<2Q", read(file, 16, word))
        except (OSError, OverflowError, struct.error):
            continue
        if mine in inside:
            return 8 * index, 8 * inside.index(mine)
    raise ValueError("no pointer to the current frame")


class PythonStacks:
    """Reads Python stacks of one stopped process with a measured layout."""

    def __init__(self, pid: int, layout: Layout) -> None:
        self._memory = _Memory(pid)
        self._layout = layout
        self._codes: dict[int, tuple[str, str, int, bytes]] = {}

    def close(self) -> None:
        """Give the memory file back."""
        self._memory.close()

    def read(self, native_id: int | None, limit: int = 2000) -> list[PythonFrame]:
        """Frames of a thread, innermost first; of the main thread when ``native_id`` is None."""
        layout, memory = self._layout, self._memory
        state = layout.thread_state
        if native_id is not None:
            state = self._thread(native_id)
        current = memory.word(state + layout.current)
        if layout.current_inner >= 0:
            current = memory.word(current + layout.current_inner)
        frames: list[PythonFrame] = []
        while current and len(frames) < limit:
            frame = self._frame(current)
            if frame is not None:
                frames.append(frame)
            current = memory.word(current + layout.frame_previous)
        return frames

    def _thread(self, native_id: int) -> int:
        state = self._layout.thread_state
        for _ in range(256):
            if self._memory.word(state + self._layout.native_id) == native_id:
                return state
            state = self._memory.word(state)  # tstate->prev: a younger thread
            if state == 0:
                break
        return self._layout.thread_state

    def _frame(self, address: int) -> PythonFrame | None:
        layout, memory = self._layout, self._memory
        code = memory.word(address + layout.frame_code) & _MASK
        try:
            file, name, first, table = self._code(code)
        except (OSError, ValueError, OverflowError):
            return None
        instruction = memory.word(address + layout.frame_instruction)
        offset = instruction - code - layout.code_bytes
        return PythonFrame(file, name, line_of(first, table, offset))

    def _code(self, address: int) -> tuple[str, str, int, bytes]:
        known = self._codes.get(address)
        if known is None:
            layout, memory = self._layout, self._memory
            table = memory.word(address + layout.code_linetable)
            size = memory.word(table + 16)
            if size > _LONGEST:
                raise ValueError("line table")
            size = min(size, _LONGEST_TABLE)  # a frame must not vanish because it is large
            known = (
                self._text(memory.word(address + layout.code_filename)),
                self._text(memory.word(address + layout.code_qualname)),
                struct.unpack("<i", memory.read(address + layout.code_firstline, 4))[0],
                memory.read(table + bytes.__basicsize__ - 1, size),
            )
            self._codes[address] = known
        return known

    def _text(self, address: int) -> str:
        length = self._memory.word(address + 16)
        state = struct.unpack("<I", self._memory.read(address + 32, 4))[0]
        if length > _LONGEST:
            raise ValueError("text")
        length = min(length, _LONGEST_TEXT)
        if not state >> 6 & 1:  # PyASCIIObject.state.ascii
            kind = state >> 2 & 7
            raw = self._memory.read(address + self._layout.text_data + 16, length * kind)
            encoding = {1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}.get(kind, "latin-1")
            return raw.decode(encoding, "replace")
        return self._memory.read(address + self._layout.text_data, length).decode(
            "ascii", "replace"
        )


def line_of(first_line: int, table: bytes, offset: int) -> int:
    """Line of the instruction at ``offset`` bytes (CPython ``Objects/locations.md``)."""
    line, position, index, found = first_line, 0, 0, first_line
    while index < len(table) - 16 or (index < len(table) < _LONGEST_TABLE):
        head = table[index]
        index += 1
        kind, units = head >> 3 & 15, (head & 7) + 1
        if kind == 15:
            delta, shown = 0, False
        elif kind in (13, 14):
            value, index = _varint(table, index)
            delta, shown = (value >> 1) * (-1 if value & 1 else 1), True
            if kind == 14:
                for _ in range(3):
                    _, index = _varint(table, index)
        elif kind >= 10:
            delta, shown, index = kind - 10, True, index + 2
        else:
            delta, shown, index = 0, True, index + 1
        line += delta
        if shown:
            found = line
        position += units * 2
        if position > offset:
            break
    return found


def _varint(table: bytes, index: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = table[index]
        index += 1
        value |= (byte & 63) << shift
        shift += 6
        if not byte & 64:
            return value, index
