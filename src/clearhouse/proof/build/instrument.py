"""Marking the way a harness goes: every branch, every condition, every call it makes of the target.

Works on the text of :mod:`clearhouse.proof.build.ir`: calls of our driver's functions are put
between the instructions of the harness's own functions, before any pass runs.  What the target's
headers or the C++ library bring into the same object is left alone.  Two runs that leave the same
marks went the same way through the harness, made the same comparisons with the same outcomes, and
gave the target the same kinds of pointer, each with a length that fits or each with one that does
not.

The marks are bytes in memory that is shared with the tracer (``warden/driver.c``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from clearhouse.proof.build.ir import (
    NAME,
    Argument,
    Call,
    Function,
    Module,
    Side,
    alloca_of,
    label_of,
    parse_call,
    split_list,
    split_type,
)

MARKS = 4000
"""As many as the tracer reads at a time (``warden/warden.py``)."""

_LOCAL = rf"%{NAME}"
_CONDITION = re.compile(
    rf"  (?P<name>{_LOCAL}) = (?:[if]cmp (?:\w+ )+?(?P<type>[<\[%{{(]?\S+)|trunc i\d+ \S+ to i1\b)"
)
_ACCESS = re.compile(rf"  (?:(?P<load>{_LOCAL}) = load|store) (?:volatile )?(?P<rest>.*)")
_HANDLE_LOAD = re.compile(rf"  (?P<name>{_LOCAL}) = load (?P<type>{_LOCAL})\*, ")
_PHI = re.compile(rf"  {_LOCAL} = phi ")
_LANDING = re.compile(rf"  {_LOCAL} = (?:landingpad|catchpad|cleanuppad) ")
_RETURN = re.compile(r"  ret i(?P<bits>8|16|32|64) (?P<value>%\S+?)(?:,|$)")
# Where the C library's functions take a path; the streams of C++ take it after themselves.
_PATHS = {
    **dict.fromkeys(
        (
            "fopen", "fopen64", "freopen", "freopen64", "open", "open64", "creat", "creat64",
            "opendir", "stat", "stat64", "lstat", "lstat64", "access", "readlink", "realpath",
            "unlink", "remove", "rename", "mkdir", "rmdir", "chdir", "chmod", "truncate",
            "mkstemp", "mkdtemp", "symlink", "link", "statfs", "statvfs", "nftw", "ftw",
            "scandir", "utime", "utimes", "execvp", "__open_2", "__open64_2",
        ),
        0,
    ),
    **dict.fromkeys(
        ("openat", "openat64", "fstatat", "fstatat64", "statx", "faccessat", "readlinkat",
         "unlinkat", "mkdirat", "__xstat", "__lxstat", "__xstat64", "__lxstat64"),
        1,
    ),
}  # fmt: skip
_STREAM = re.compile(r"_ZNSt\d+(?:basic_)?(?:[io]?fstream|filebuf)|_ZNSt10filesystem")
_MEMBERS = 24
_PLAIN_POINTER = re.compile(r"ptr|i\d+\*")
_SIZE_BITS = 64
_CHECK_BLOCK = re.compile(r'"?(?:handler\.\w+|cont)\d*"?$')
_DECLARATIONS = (
    ("mark", "i32"),
    ("truth", "i32, i32"),
    ("call", "i32, i32"),
    ("pointer", "i32, {p}, i32"),
    ("span", "i32, {p}, i64, i32, i32"),
    ("text", "i32, {p}, i32, i32"),
    ("indirect", "i32, {p}, i32"),
    ("relation", "i32, i64, i64"),
    ("integer", "i32, i64"),
    ("object", "i32, {p}"),
    ("handle", "{p}"),
    ("load", "{p}, i32"),
    ("store", "{p}, i32"),
    ("lend", "{p}, i32"),
    ("path", "{p}, i32"),
    ("member", "i32, {p}, i64, i64, i32"),
)


@dataclass(frozen=True, slots=True)
class Site:
    """A place where the harness calls the target; ``mark`` is left when it does."""

    mark: int
    line: int
    callee: str


@dataclass(frozen=True, slots=True)
class Marked:
    """The instrumented text, the source line of every mark, and the calls of the target."""

    text: str
    lines: tuple[int, ...]
    sites: tuple[Site, ...]


class TooManyMarks(Exception):
    """The harness is larger than can be followed."""


def instrument(module: Module, target: Collection[str], *, salt: int) -> Marked:
    """Instrument the harness's own functions.

    ``target`` are the functions that the target defines, ``salt`` a number that no finder knows.
    Raises :class:`TooManyMarks`, and ``ValueError`` for text that is not understood.
    """
    return _Instrumenter(module, frozenset(target), salt).done()


@dataclass
class _Body:
    """What is known while one function is gone through."""

    function: Function
    locals: set[str] = field(default_factory=set)  # pointers to its own variables
    parameters: tuple[Argument, ...] = ()


class _Instrumenter:
    def __init__(self, module: Module, target: frozenset[str], salt: int) -> None:
        self._module, self._salt = module, salt
        inline = {f.name for f in module.functions if f.side is Side.TARGET}
        self._target = target | inline
        self._own = {f.name for f in module.functions if f.side is Side.HARNESS}
        self._handed_out = _handed_out(module, self._own)
        self._pointer = "i8*" if module.typed_pointers else "ptr"
        self._lines: list[int] = []
        self._sites: list[Site] = []
        self._values = 0

    def done(self) -> Marked:
        out: list[str] = []
        by_first = {f.first: f for f in self._module.functions if f.side is Side.HARNESS}
        number = 0
        while number < len(self._module.lines):
            function = by_first.get(number)
            if function is None:
                out.append(self._module.lines[number])
                number += 1
            else:
                out.extend(self._function(function))
                number = function.last + 1
        for name, parameters in _DECLARATIONS:
            types = parameters.format(p=self._pointer)
            out.append(f"declare void @__clearhouse_{name}({types})")
        return Marked("\n".join(out) + "\n", tuple(self._lines), tuple(self._sites))

    # -- marks and values --------------------------------------------------------------------------

    def _new(self, line: int, count: int = 1) -> int:
        first = len(self._lines)
        if first + count > MARKS:
            raise TooManyMarks
        self._lines.extend([line] * count)
        return first

    def _value(self) -> str:
        self._values += 1
        return f"%clearhouse.{self._values}"

    def _do(self, name: str, *arguments: str) -> str:
        return f"  call void @__clearhouse_{name}({', '.join(arguments)})"

    def _as_pointer(self, argument: Argument) -> tuple[list[str], str]:
        """Instructions and operand for a pointer of any type."""
        if argument.type == self._pointer:
            return [], f"{self._pointer} {argument.value}"
        name = self._value()
        return (
            [f"  {name} = bitcast {argument.type} {argument.value} to i8*"],
            f"{self._pointer} {name}",
        )

    def _as_wide(self, argument: Argument) -> tuple[list[str], str]:
        """Instructions and operand for an integer of up to 64 bits."""
        if argument.bits == 64:
            return [], f"i64 {argument.value}"
        name = self._value()
        widen = "zext" if argument.bits == 1 else "sext"
        return [f"  {name} = {widen} {argument.type} {argument.value} to i64"], f"i64 {name}"

    # -- functions ---------------------------------------------------------------------------------

    def _function(self, function: Function) -> Iterator[str]:
        body = _Body(function, parameters=_parameters(self._module.lines[function.first]))
        yield self._module.lines[function.first]
        pending: list[str] = [self._do("mark", f"i32 {self._new(function.line)}")]
        landing = False
        for text in self._module.lines[function.first + 1 : function.last]:
            name = label_of(text)
            if name is not None:
                pending = self._block(name, function)
                yield text
                continue
            if pending and text.strip():
                # Nothing may stand before these, and a landing pad goes on over several lines.
                if _PHI.match(text) or _LANDING.match(text) or (landing and text.startswith("   ")):
                    landing = landing or bool(_LANDING.match(text))
                    yield text
                    continue
                landing = False
                yield from pending
                pending = []
            if (variable := alloca_of(text)) is not None:
                body.locals.add(variable)
            yield from self._instruction(text, body)
        yield self._module.lines[function.last]

    def _block(self, name: str, function: Function) -> list[str]:
        if _CHECK_BLOCK.match(name):
            return []  # made by the sanitizer's own conditions
        number = self._new(self._line_after(name, function))
        return [self._do("mark", f"i32 {number}")]

    def _line_after(self, label: str, function: Function) -> int:
        """The source line of a block's first instruction that has one."""
        inside = False
        for text in self._module.lines[function.first + 1 : function.last]:
            if inside and "!dbg !" in text:
                return self._module.line_of(text, function.line)
            inside = inside or label_of(text) == label
        return function.line

    def _instruction(self, text: str, body: _Body) -> Iterator[str]:
        if "!nosanitize" in text or not text.startswith("  ") or text.startswith("   "):
            yield text
            return
        line = self._module.line_of(text, body.function.line)
        if (call := parse_call(text)) is not None:
            yield from self._call(text, call, line)
            return
        if (condition := _CONDITION.match(text)) and not (condition["type"] or "").startswith("<"):
            yield text
            name = self._value()
            yield f"  {name} = zext i1 {condition['name']} to i32"
            yield self._do("truth", f"i32 {self._new(line, 2)}", f"i32 {name}")
            return
        if body.function.name in self._handed_out and (result := _RETURN.match(text)):
            yield from self._returned(result, body, line)
        if access := _ACCESS.match(text):
            yield from self._access(access, body, line)
        yield text
        if (handle := _HANDLE_LOAD.match(text)) and handle["type"] in self._module.opaque_types:
            yield from self._note_handle(Argument(f"{handle['type']}*", handle["name"]))

    def _returned(self, result: re.Match[str], body: _Body, line: int) -> Iterator[str]:
        """What a callback gives back to the target, compared with what it was given."""
        code, value = self._as_wide(Argument(f"i{result['bits']}", result["value"]))
        yield from code
        for parameter in body.parameters:
            if parameter.bits is not None and parameter.bits in (8, 16, 32, 64):
                more, given = self._as_wide(parameter)
                yield from more
                yield self._do("relation", f"i32 {self._new(line, 2)}", value, given)

    def _access(self, access: re.Match[str], body: _Body, line: int) -> Iterator[str]:
        """A load or store by anything but the name of a variable of the harness's own."""
        parts = split_list(access["rest"])
        operand = parts[1]
        kind, value = split_type(operand)
        if value in body.locals or value.startswith(("@", "getelementptr")):
            return
        code, pointer = self._as_pointer(Argument(kind, value))
        yield from code
        yield self._do("load" if access["load"] else "store", pointer, f"i32 {line}")

    def _note_handle(self, argument: Argument) -> Iterator[str]:
        code, pointer = self._as_pointer(argument)
        yield from code
        yield self._do("handle", pointer)

    # -- calls -------------------------------------------------------------------------------------

    def _call(self, text: str, call: Call, line: int) -> Iterator[str]:
        name = call.name
        if call.assembly:
            yield text
        elif name is not None and name.startswith("llvm."):
            if name.startswith(("llvm.memcpy", "llvm.memmove", "llvm.memset")):
                yield from self._foreign(call, line)
            yield text
        elif name is not None and name in self._own:
            yield text
        elif name is not None and name not in self._target:
            if name not in ("free", "realloc"):
                yield from self._foreign(call, line)
            yield text
        else:
            yield from self._of_target(text, call, name, line)

    def _foreign(self, call: Call, line: int) -> Iterator[str]:
        """A function of the C library is given pointers: they must not lead into the target's."""
        for argument in call.arguments:
            own = argument.type.rstrip("*") in self._module.opaque_types  # DIR *, of the library
            if argument.is_pointer and not argument.is_constant and not own:
                code, pointer = self._as_pointer(argument)
                yield from code
                yield self._do("lend", pointer, f"i32 {line}")
        for position, argument in enumerate(call.arguments):
            if _PLAIN_POINTER.fullmatch(argument.type) and not argument.is_constant:
                code, pointer = self._as_pointer(argument)
                for length in _lengths(call.arguments[position + 1 :]):
                    yield from code
                    yield from self._span(pointer, length, line)
                    code = []
        named = _PATHS.get(call.name or "", 1 if _STREAM.match(call.name or "") else None)
        if named is not None and named < len(call.arguments):
            path = call.arguments[named]
            if path.is_pointer:
                code, pointer = self._as_pointer(path)
                yield from code
                yield self._do("path", pointer, f"i32 {line}")

    def _of_target(self, text: str, call: Call, name: str | None, line: int) -> Iterator[str]:
        for position, argument in enumerate(call.arguments):
            if argument.is_pointer and argument.value not in ("null", "undef"):
                yield from self._given(argument, call.arguments[position + 1 :], line)
        if name is None:
            kind = "i8*"  # the type of a called value is not written out; any cast will do
            code, pointer = self._callee(call, kind)
            yield from code
            yield self._do(
                "indirect", f"i32 {self._new(line, 48)}", pointer, f"i32 {self._salt & 0x7FFFFFFF}"
            )
        number = self._new(line)
        self._sites.append(Site(number, line, name or "a function that it was given"))
        yield self._do("call", f"i32 {number}", f"i32 {line}")
        yield text
        if call.result is None or call.invoked:
            return
        result = Argument(call.type, call.result)
        if result.bits in (1, 8, 16, 32, 64):
            code, value = self._as_wide(result)
            yield from code
            yield self._do("integer", f"i32 {number}", value)
        elif result.is_pointer:
            code, pointer = self._as_pointer(result)
            yield from code
            yield self._do("object", f"i32 {number}", pointer)
            if call.type.rstrip("*") in self._module.opaque_types:
                yield self._do("handle", pointer)

    def _callee(self, call: Call, kind: str) -> tuple[list[str], str]:
        if self._pointer == "ptr":
            return [], f"ptr {call.callee}"
        types = ", ".join(a.type for a in call.arguments)
        return self._as_pointer(Argument(f"{call.type} ({types})*", call.callee))

    def _given(
        self, argument: Argument, following: tuple[Argument, ...], line: int
    ) -> Iterator[str]:
        """Which kind of pointer the target is given, and whether its length fits."""
        code, pointer = self._as_pointer(argument)
        yield from code
        yield self._do("pointer", f"i32 {self._new(line, 3)}", pointer, f"i32 {line}")
        if argument.type.rstrip("*") in self._module.opaque_types:
            yield self._do("handle", pointer)
        if not _PLAIN_POINTER.fullmatch(argument.type):
            yield from self._members(argument, pointer, line)
            return
        lengths = _lengths(following)
        for length in lengths:
            yield from self._span(pointer, length, line)
        if argument.type in ("ptr", "i8*") and not any(not n.is_constant for n in lengths):
            alone = not any(a.is_pointer or a.bits in (16, 32, 64) for a in following)
            number = self._new(line, 2)
            yield self._do("text", f"i32 {number}", pointer, f"i32 {int(alone)}", f"i32 {line}")

    def _span(self, pointer: str, length: Argument, line: int) -> Iterator[str]:
        """Whether a length fits the pointer before it."""
        if length.is_constant and length.bits != _SIZE_BITS:
            return
        code, wide = self._as_wide(length)
        yield from code
        number, is_size = self._new(line, 2), int(length.bits == _SIZE_BITS)
        yield self._do("span", f"i32 {number}", pointer, wide, f"i32 {is_size}", f"i32 {line}")

    def _members(self, argument: Argument, pointer: str, line: int) -> Iterator[str]:
        """The same for what a structure of the harness's points to (``z_stream`` and its like)."""
        name = argument.type.removesuffix("*")
        for index, bits in self._module.pointers_in(name)[:_MEMBERS]:
            places = [
                f"i64 ptrtoint ({kind}* getelementptr ({name}, {name}* null, i32 0, i32 {at}) to i64)"
                if at is not None
                else "i64 0"
                for at, kind in (
                    (index, self._module.member(name, index)),
                    (index + 1 if bits else None, self._module.member(name, index + 1)),
                )
            ]
            number = self._new(line, 5)
            yield self._do("member", f"i32 {number}", pointer, *places, f"i32 {bits}")


def _lengths(following: tuple[Argument, ...]) -> list[Argument]:
    """The numbers right after a pointer, up to two: one of them may be its length."""
    found: list[Argument] = []
    for argument in following[:2]:
        if argument.bits not in (16, 32, 64):
            break
        found.append(argument)
    return found


def _handed_out(module: Module, own: set[str]) -> set[str]:
    """Functions of the harness whose address goes anywhere: the target may call them back."""
    found: set[str] = set()
    names = re.compile(r"@([\w$.]+)")
    for _, rest, _side in module.globals:
        found.update(names.findall(rest))
    for function in module.functions:
        for text in module.lines[function.first + 1 : function.last]:
            if "@" in text:
                named = names.findall(text)
                call = parse_call(text)
                if call is not None and call.name in named:
                    named.remove(call.name)
                found.update(named)
    return found & own


def _parameters(header: str) -> tuple[Argument, ...]:
    """The parameters of a definition, as values of its body."""
    call = parse_call("  call void " + header[header.index("@") :])
    return call.arguments if call is not None else ()
