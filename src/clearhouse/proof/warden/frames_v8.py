"""Reading another process's JavaScript stack out of its memory.

The run is stopped by the kernel; nothing in it has to cooperate, and nothing in it can refuse.
Where V8 keeps what is told by the constants that it exports for debuggers (``v8dbg_*``, made by
``tools/gen-postmortem-metadata.py`` of V8), so one reader serves all versions of Node.js since 18.
Machine code that V8 makes, and Node.js itself, keep a chain of frame pointers; where a library in
between does not, the native unwinder finds the way back to it.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import re
import struct
from functools import lru_cache
from typing import NamedTuple

from . import frames_native, kernel

_FRAMES, _STEPS = 400, 20_000
_STACK_BYTES = 12 << 20
_TEXT = 400
_DEPTH = 32
_DYNSYM, _LOADED = 11, 1
_SYMBOL = struct.Struct("<IBBHQQ")
_CONSTANT = re.compile(rb"v8dbg_([^\0]+)")
_STACK = re.compile(rb"-([0-9a-f]+) [^\n]*\[stack\]")
_LIBRARY = re.compile(rb"/[^\n]*/libnode\.so[^\n]*")


class V8Frame(NamedTuple):
    """One frame: file and function as the script states them, and where in the text it begins."""

    file: str
    name: str
    position: int | None  # of the function, in UTF-16 units from the start of the script


class Unreadable(Exception):
    """The memory does not hold what was expected there."""


def constants(path: str) -> dict[str, int]:
    """The debugger constants of an executable or library, without their prefix; {} if none."""
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as raw:
            return _constants(raw)
    except (OSError, ValueError, struct.error, IndexError):
        return {}


def _constants(raw: mmap.mmap) -> dict[str, int]:
    if raw[:5] != b"\x7fELF\x02":
        return {}
    segments_at, sections_at = struct.unpack_from("<QQ", raw, 32)
    size, count = struct.unpack_from("<HH", raw, 54)
    segments = []
    for index in range(count):
        kind, _, offset, address, _, in_file, in_memory = struct.unpack_from(
            "<IIQQQQQ", raw, segments_at + index * size
        )
        if kind == _LOADED:
            segments.append((address, in_file, in_memory, offset))
    size, count = struct.unpack_from("<HH", raw, 58)
    sections = [
        struct.unpack_from("<IIQQQQI", raw, sections_at + index * size) for index in range(count)
    ]
    found: dict[str, int] = {}
    for section in sections:
        if section[1] != _DYNSYM:
            continue
        texts = sections[section[6]]
        names = raw[texts[4] : texts[4] + texts[5]]
        symbols = raw[section[4] : section[4] + section[5]]
        wanted = {m.start(): m[1].decode() for m in _CONSTANT.finditer(names)}
        # The first word of each symbol is its name's place: a cheap look at a hundred thousand.
        for index, place in enumerate(memoryview(symbols).cast("I")[:: _SYMBOL.size // 4]):
            if place in wanted:
                address = _SYMBOL.unpack_from(symbols, index * _SYMBOL.size)[4]
                value = _value(raw, segments, address)
                if value is not None:
                    found[wanted[place]] = value
    return found


def _value(raw: mmap.mmap, segments: list[tuple[int, int, int, int]], address: int) -> int | None:
    """The 32-bit number at an address of the program's image."""
    for start, in_file, in_memory, offset in segments:
        if start <= address < start + in_file:
            return int(struct.unpack_from("<i", raw, offset + address - start)[0])
        if start <= address < start + in_memory:
            return 0  # beyond what the file holds, memory is zero
    return None


class Layout:
    """The offsets and numbers of one build of V8.  Raises :class:`Unreadable` where one lacks."""

    def __init__(self, known: dict[str, int]) -> None:
        self._known = known
        self.context = self._one("off_fp_context")
        self.function = self._one("off_fp_function")
        self.instance_type = self._field("Map", "instance_type")
        self.shared = self._field("JSFunction", "shared")
        self.scope = self._field("SharedFunctionInfo", "name_or_scope_info")
        self.script = self._field("SharedFunctionInfo", "script_or_debug_info", "script")
        self.script_name = self._field("Script", "name")
        self.script_origin = self._field(
            "Script",
            "eval_from_shared_or_wrapped_arguments",
            "eval_from_shared_or_wrapped_arguments_or_sfi_table",
        )
        self.length = self._field("String", "length")
        self.one_byte = self._field("SeqOneByteString", "chars")
        self.two_byte = self._field("SeqTwoByteString", "chars")
        self.first = self._field("ConsString", "first")
        self.second = self._field("ConsString", "second")
        self.parent = self._field("SlicedString", "parent")
        self.offset = self._field("SlicedString", "offset")
        self.actual = self._field("ThinString", "actual")
        self.locals_count = self._one("scopeinfo_idx_ncontextlocals")
        self.first_local = self._one("scopeinfo_idx_first_vars")
        self.type_shared = self._one("type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE")
        self.type_script = self._one("type_Script__SCRIPT_TYPE")
        self.type_scope = self._one("type_ScopeInfo__SCOPE_INFO_TYPE")

    def _one(self, name: str) -> int:
        if name not in self._known:
            raise Unreadable(name)
        return self._known[name]

    def _field(self, owner: str, *fields: str) -> int:
        """A field's offset; what type it is said to have changes from version to version."""
        for field in fields:
            prefix = f"class_{owner}__{field}__"
            for name, offset in self._known.items():
                if name.startswith(prefix):
                    return offset
        raise Unreadable(f"{owner}.{fields[0]}")


_MAP = 0  # of any object: its first field
# Since V8 12.5 a function's begin and end stand before its local variables, not behind them.
_POSITIONS_FIRST = 5
# Bits of a string's instance type: v8/src/objects/instance-type.h.
_NOT_STRING, _REPRESENTATION, _ONE_BYTE = ~0x7F, 7, 8
_SEQUENTIAL, _CONS, _EXTERNAL, _SLICED, _THIN = 0, 1, 2, 3, 5
_INLINE_LOCALS = 75  # kScopeInfoMaxInlinedLocalNamesSize: more of them stand in a table


@lru_cache(maxsize=4)
def layout_of(program: str) -> Layout:
    """The layout of the V8 in a program or library.  Raises :class:`Unreadable`."""
    return Layout(constants(program))


def read(pid: int, tid: int) -> list[V8Frame]:
    """Frames of a stopped thread, innermost first; empty where there is no JavaScript."""
    try:
        reader = _Reader(pid, tid)
    except (OSError, Unreadable):
        return []
    try:
        return reader.frames()
    finally:
        reader.close()


class _Reader:
    def __init__(self, pid: int, tid: int) -> None:
        self._pid, self._tid = pid, tid
        registers = kernel.registers(tid)
        program, top = _places(pid)
        self._layout = layout_of(program)
        self._file = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        self._base, self._pointer = registers.stack, registers.frame
        size = max(0, min(top - self._base, _STACK_BYTES))
        self._stack = os.pread(self._file, size, self._base)
        self._functions: dict[int, V8Frame | None] = {}

    def close(self) -> None:
        os.close(self._file)

    def frames(self) -> list[V8Frame]:
        """Walk from the frame pointer, or from the first one that the unwinder can restore."""
        found = self._walk(self._pointer)
        if not found:
            with contextlib.suppress(OSError):
                for pointer in frames_native.frame_pointers(self._pid, self._tid):
                    found = self._walk(pointer)
                    if found:
                        break
        return found

    def _walk(self, pointer: int) -> list[V8Frame]:
        found: list[V8Frame] = []
        layout = self._layout
        for _ in range(_STEPS):
            caller = self._slot(pointer)
            if caller is None:
                break
            context = self._slot(pointer + layout.context)
            function = self._slot(pointer + layout.function)
            if context is not None and function is not None and context & function & 3 == 1:
                frame = self._function(function)
                if frame is not None:
                    found.append(frame)
                    if len(found) >= _FRAMES:
                        break
            if caller <= pointer:
                break
            pointer = caller
        return found

    def _slot(self, address: int) -> int | None:
        place = address - self._base
        if place < 0 or place + 8 > len(self._stack) or address & 7:
            return None
        return int.from_bytes(self._stack[place : place + 8], "little")

    # -- the heap ----------------------------------------------------------------------------------

    def _raw(self, address: int, size: int) -> bytes:
        try:
            data = os.pread(self._file, size, address)
        except (OSError, OverflowError) as error:
            raise Unreadable(hex(address)) from error
        if len(data) != size:
            raise Unreadable(hex(address))
        return data

    def _field(self, object_: int, offset: int) -> int:
        return int.from_bytes(self._raw(object_ - 1 + offset, 8), "little")

    def _type(self, object_: int) -> tuple[int, int]:
        """Where an object is now (a collection may be moving it), and its map's instance type."""
        if object_ & 3 != 1:
            raise Unreadable("not an object")
        word = self._field(object_, _MAP)
        if word & 3 == 0:  # a forwarding address
            object_ = word | 1
            word = self._field(object_, _MAP)
        kind = self._raw(word - 1 + self._layout.instance_type, 2)
        return object_, int.from_bytes(kind, "little")

    def _function(self, function: int) -> V8Frame | None:
        if function not in self._functions:
            try:
                self._functions[function] = self._described(function)
            except Unreadable:
                self._functions[function] = None
        return self._functions[function]

    def _described(self, function: int) -> V8Frame:
        place, _ = self._type(function)
        shared, kind = self._type(self._field(place, self._layout.shared))
        if kind != self._layout.type_shared:
            raise Unreadable("no function")
        file = self._file_of(shared)
        name, position = self._name(shared)
        return V8Frame(file, name, position)

    def _file_of(self, shared: int, depth: int = 0) -> str:
        script, kind = self._type(self._field(shared, self._layout.script))
        if kind != self._layout.type_script:
            return ""  # one of V8's own functions
        name = self._text(self._field(script, self._layout.script_name))
        if name:
            return name
        if depth < _DEPTH:
            with contextlib.suppress(Unreadable):
                maker, kind = self._type(self._field(script, self._layout.script_origin))
                if kind == self._layout.type_shared:
                    return f"eval in {self._file_of(maker, depth + 1).removeprefix('eval in ')}"
        return "eval"

    def _name(self, shared: int) -> tuple[str, int | None]:
        info, kind = self._type(self._field(shared, self._layout.scope))
        if kind & _NOT_STRING == 0:
            return self._text(info), None
        if kind != self._layout.type_scope:
            return "", None
        count = self._field(info, 8 * (1 + self._layout.locals_count)) >> 32
        names = count if count < _INLINE_LOCALS else 1
        if not 0 <= count < 1 << 16:
            return "", None
        start = 8 * (1 + self._layout.first_local + names + count)
        words = struct.unpack("<8Q", self._raw(info - 1 + start, 64))
        name, position = self._named(words)
        if self._layout.first_local >= _POSITIONS_FIRST:
            position = self._field(info, 8 * (1 + self._layout.locals_count + 1)) >> 32
        return name, position

    def _named(self, words: tuple[int, ...]) -> tuple[str, int | None]:
        """Read what follows the local variables.

        That is the function's name and its slot, if it has one; perhaps a name inferred from where
        it was assigned to; then where it begins and where it ends.
        """
        name, numbers = "", list[int]()
        for word in words:
            if word & 0xFFFFFFFF == 0:
                numbers.append(word >> 32)
                continue
            if len(numbers) > 1:
                break
            numbers.clear()
            name = name or self._text(word)
        begins = len(numbers) > 1 and numbers[-2] < numbers[-1]
        return name, numbers[-2] if begins else None

    def _text(self, object_: int, depth: int = 0, limit: int = _TEXT) -> str:
        """A string of V8's, or nothing where the object is none."""
        try:
            place, kind = self._type(object_)
        except Unreadable:
            return ""
        if kind & _NOT_STRING or depth > _DEPTH or limit <= 0:
            return ""
        layout = self._layout
        length = int.from_bytes(self._raw(place - 1 + layout.length, 4), "little")
        form = kind & _REPRESENTATION
        if form == _SEQUENTIAL:
            return self._characters(place, kind, 0, min(length, limit))
        if form == _THIN:
            return self._text(self._field(place, layout.actual), depth + 1, limit)
        if form == _CONS:
            first = self._text(self._field(place, layout.first), depth + 1, limit)
            rest = limit - len(first)
            return first + self._text(self._field(place, layout.second), depth + 1, rest)
        if form == _SLICED:
            parent, parent_kind = self._type(self._field(place, layout.parent))
            if parent_kind & _REPRESENTATION == _SEQUENTIAL:
                offset = self._field(place, layout.offset) >> 32
                return self._characters(parent, parent_kind, offset, min(length, limit))
        return ""

    def _characters(self, place: int, kind: int, offset: int, count: int) -> str:
        if kind & _ONE_BYTE:
            return self._raw(place - 1 + self._layout.one_byte + offset, count).decode("latin-1")
        data = self._raw(place - 1 + self._layout.two_byte + 2 * offset, 2 * count)
        return data.decode("utf-16-le", "replace")


def _places(pid: int) -> tuple[str, int]:
    """The file that V8 is in, and where the first thread's stack ends."""
    with open(f"/proc/{pid}/maps", "rb") as file:
        mappings = file.read()
    stack = _STACK.search(mappings)
    if stack is None:
        raise Unreadable("stack")
    library = _LIBRARY.search(mappings)
    program = os.fsdecode(library[0]) if library else os.readlink(f"/proc/{pid}/exe")
    return program, int(stack[1], 16)
