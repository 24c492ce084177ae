"""What is put around the calls that a harness makes: of the target, and of the C library.

A call of the target leaves a mark for itself and for each pointer's kind: null, to memory that is
nobody's, to something; with a number behind it that fits or does not; a text that ends or does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from clearhouse.proof.build.instructions import Argument, Call
from clearhouse.proof.build.ir import Module
from clearhouse.proof.build.marks import Site, Writer, do, number

_INDIRECT_CLASSES = 48
_MEMBERS = 24
_SIZE_BITS = 64
_RESULT_BITS = (1, 8, 16, 32, 64)
_LENGTH_BITS = (16, 32, 64)
_BYTES = re.compile(r"ptr|i\d+\*")  # a pointer that a length may go with
_MOVES = ("llvm.memcpy", "llvm.memmove", "llvm.memset")
# Functions of the C library that only read what they are given, or write to the first only.
_READ_ONLY = frozenset(
    {
        "strlen", "strnlen", "strcmp", "strncmp", "strcasecmp", "strncasecmp", "memcmp", "strchr",
        "strrchr", "strstr", "memchr", "strdup", "strndup", "puts", "fputs", "printf", "fprintf",
        "fwrite", "write", "atoi", "atol", "strspn", "strcspn", "strpbrk",
    }
)  # fmt: skip
_WRITE_FIRST = ("llvm.mem", "mem", "str", "stp", "snprintf", "sprintf", "__mem", "__str", "__stp")
_GIVES_BACK = frozenset({"free", "realloc"})
# Functions of the C library that keep a buffer for the target to read through them.
_KEEPS = frozenset({"fmemopen"})
# Where the C library's functions take a path; the streams of C++ take it after themselves.
_PATHS = {
    **dict.fromkeys(
        (
            "fopen", "fopen64", "freopen", "freopen64", "open", "open64", "creat", "creat64",
            "opendir", "stat", "stat64", "lstat", "lstat64", "access", "readlink", "realpath",
            "unlink", "remove", "rename", "mkdir", "rmdir", "chdir", "chmod", "truncate",
            "mkstemp", "mkdtemp", "symlink", "link", "statfs", "statvfs", "nftw", "ftw",
            "scandir", "utime", "utimes", "__open_2", "__open64_2",
        ),
        0,
    ),
    **dict.fromkeys(
        (
            "openat", "openat64", "fstatat", "fstatat64", "statx", "faccessat", "readlinkat",
            "unlinkat", "mkdirat", "__xstat", "__lxstat", "__xstat64", "__lxstat64",
        ),
        1,
    ),
}  # fmt: skip
_STREAM = re.compile(r"_ZNSt\d+(?:basic_)?(?:[io]?fstream|filebuf)|_ZNSt10filesystem")


class CallWriter:
    """Writes what goes before and after calls."""

    def __init__(
        self,
        module: Module,
        writer: Writer,
        *,
        target: frozenset[str],
        own: frozenset[str],
        salt: int,
    ) -> None:
        self._module, self._write = module, writer
        self._target, self._own, self._salt = target, own, salt & 0x7FFFFFFF | 1

    def around(self, text: str, call: Call, line: int) -> Iterator[str]:
        """The call's instruction with all that goes with it."""
        name = call.name
        if call.assembly or (name is not None and name in self._own):
            yield text
        elif name is None or name in self._target:
            yield from self._of_target(text, call, name, line)
        else:
            intrinsic = name.startswith("llvm.") and not name.startswith(_MOVES)
            if not intrinsic and name not in _GIVES_BACK:
                yield from self._of_library(call, name, line)
            yield text

    def handle(self, argument: Argument) -> Iterator[str]:
        """Note an object that the target's headers do not show the inside of."""
        if argument.type.removesuffix("*") in self._module.opaque_types:
            code, pointer = self._write.as_pointer(argument)
            yield from code
            yield do("handle", pointer)

    # -- the C library -----------------------------------------------------------------------------

    def _of_library(self, call: Call, name: str, line: int) -> Iterator[str]:
        """Its functions must not lead into the target's objects, nor to files outside."""
        for place, argument in enumerate(call.arguments):
            named = "@" in argument.value  # perhaps the target's own variable
            own = argument.type.rstrip("*") in self._module.opaque_types  # such as DIR *
            if argument.is_pointer and not own and (named or not argument.is_constant):
                code, pointer = self._write.as_pointer(argument)
                yield from code
                yield do("lend", pointer, number(line))
                if name not in _READ_ONLY and not (place and name.startswith(_WRITE_FIRST)):
                    yield do("store", pointer, number(line))
        if name in _KEEPS and len(call.arguments) > 1:
            code, pointer = self._write.as_pointer(call.arguments[0])
            yield from code
            yield from self._span(pointer, call.arguments[1], line, sure=True)
        at = _PATHS.get(name, 1 if _STREAM.match(name) else None)
        if at is not None and at < len(call.arguments):
            path = call.arguments[at]
            if path.is_pointer:
                code, pointer = self._write.as_pointer(path)
                yield from code
                yield do("path", pointer, number(line))

    # -- the target --------------------------------------------------------------------------------

    def _of_target(self, text: str, call: Call, name: str | None, line: int) -> Iterator[str]:
        for place, argument in enumerate(call.arguments):
            if argument.is_pointer and argument.value not in ("null", "undef", "poison"):
                yield from self._given(call.arguments, place, line)
        if name is None:
            code, pointer = self._callee(call)
            yield from code
            mark = self._write.new(line, _INDIRECT_CLASSES)
            yield do("indirect", mark, pointer, number(self._salt))
        mark = self._write.new(line)
        site = int(mark.removeprefix("i32 "))
        self._write.sites.append(Site(site, line, name or "a function that it was given"))
        yield do("call", mark, number(line))
        if call.invoked:
            yield do("back")
        yield text
        if not call.invoked:
            yield do("back")
        if call.result is None or call.invoked:
            return
        result = Argument(call.type, call.result)
        if result.bits in _RESULT_BITS:
            code, value = self._write.as_wide(result)
            yield from code
            yield do("integer", mark, value)
        elif result.is_pointer:
            code, pointer = self._write.as_pointer(result)
            yield from code
            yield do("object", mark, pointer)
            yield from self.handle(result)

    def _callee(self, call: Call) -> tuple[list[str], str]:
        if self._write.pointer == "ptr":
            return [], f"ptr {call.callee}"
        types = ", ".join(a.type for a in call.arguments)
        # Whatever its type is exactly: a call through a pointer has the types of its arguments.
        return self._write.as_pointer(Argument(f"{call.type} ({types})*", call.callee))

    def _given(self, arguments: tuple[Argument, ...], place: int, line: int) -> Iterator[str]:
        """Which kind of pointer the target is given, and whether its length fits."""
        argument, following = arguments[place], arguments[place + 1 :]
        code, pointer = self._write.as_pointer(argument)
        yield from code
        yield do("pointer", self._write.new(line, 3), pointer, number(line))
        yield from self.handle(argument)
        if argument.type.removesuffix("*") in self._module.opaque_types:
            yield do("busy", pointer)
        if argument.type.endswith(")*"):
            yield do("function", self._write.new(line, 16), pointer, number(self._salt))
            return
        if not _BYTES.fullmatch(argument.type):
            if self._module.has_virtual_table(argument.type.removesuffix("*")):
                yield do("virtual", self._write.new(line, 16), pointer, number(self._salt))
            yield from self._members(argument, pointer, line)
            return
        lengths = _numbers(following)
        for nth, length in enumerate(lengths):
            # The first is a length for sure where it has the type of sizes; a second may be a seed.
            sure = nth == 0 and length.bits == _SIZE_BITS
            if sure or not length.is_constant:
                yield from self._span(pointer, length, line, sure=sure)
        if argument.type in ("ptr", "i8*") and all(length.is_constant for length in lengths):
            alone = not any(a.is_pointer for a in following)
            alone = alone and not any(a.bits in _LENGTH_BITS for a in arguments)
            mark = self._write.new(line, 2)
            yield do("text", mark, pointer, number(int(alone)), number(line))

    def _span(self, pointer: str, length: Argument, line: int, *, sure: bool) -> Iterator[str]:
        code, wide = self._write.as_wide(length)
        yield from code
        mark = self._write.new(line, 2)
        yield do("span", mark, pointer, wide, number(int(sure)), number(line))

    def _members(self, argument: Argument, pointer: str, line: int) -> Iterator[str]:
        """The same for what a structure of the harness's points to (``z_stream`` and its like)."""
        name = argument.type.removesuffix("*")
        for index, bits in self._module.pointers_in(name)[:_MEMBERS]:
            length = self._offset(name, index + 1) if bits else "i64 0"
            # A function is marked for being itself, anything else for its kind and length.
            kind = self._module.member(name, index)
            salt = self._salt if kind.endswith(")*") else 0
            mark = self._write.new(line, 16 if salt else 5)
            where = self._offset(name, index)
            yield do("member", mark, pointer, where, length, number(bits), number(salt))

    def _offset(self, structure: str, index: int) -> str:
        kind = self._module.member(structure, index)
        place = f"getelementptr ({structure}, {structure}* null, i32 0, i32 {index})"
        return f"i64 ptrtoint ({kind}* {place} to i64)"


def _numbers(following: tuple[Argument, ...]) -> list[Argument]:
    """The numbers right after a pointer, up to two: one of them may be its length."""
    found: list[Argument] = []
    for argument in following[:2]:
        if argument.bits not in _LENGTH_BITS:
            break
        found.append(argument)
    return found
