"""Reading LLVM's textual intermediate representation as far as following a harness needs it.

Works on the text that clang writes with ``-S -emit-llvm`` before any pass has run, with typed
pointers (up to LLVM 16) and with opaque ones (LLVM Language Reference Manual).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

NAME = r'(?:"(?:[^"\\]|\\.)*"|[-\w$.]+)'
_DEFINE = re.compile(rf"define (?P<head>[^@]*)@(?P<name>{NAME})\(")
_DECLARE = re.compile(rf"declare [^@]*@(?P<name>{NAME})\(")
_GLOBAL = re.compile(rf"@(?P<name>{NAME}) = (?P<rest>.*)")
_REFERENCE = re.compile(rf"@(?P<name>{NAME})")
_OPAQUE = re.compile(rf"(?P<name>%{NAME}) = type opaque")
_STRUCTURE = re.compile(rf"(?P<name>%{NAME}) = type (?:<\{{(?P<packed>.*)\}}>|\{{(?P<plain>.*)\}})")
_ATTRIBUTES = re.compile(r"attributes #(\d+) = \{(.*)\}")
_METADATA = re.compile(r"!(\d+) = (?:distinct )?!(\w+)\((.*)\)")
_FIELD = re.compile(r"\b(file|line|scope|var): (!?\d+)")
_TEXTS = re.compile(r'"(?:[^"\\]|\\.)*"')
_FILE_NAME = re.compile(r'filename: ("(?:[^"\\]|\\.)*")(?:, directory: ("(?:[^"\\]|\\.)*"))?')
_DBG = re.compile(r"!dbg !(\d+)")
_LABEL = re.compile(rf"(?P<name>{NAME}):\s*(?:;.*)?$")
_ALLOCA = re.compile(rf"  (?P<name>%{NAME}) = alloca ")


class Side(Enum):
    """Whose source a function of the harness's object stands in."""

    HARNESS = "harness"
    TARGET = "target"
    RUNTIME = "runtime"
    GENERATED = "generated"  # by the compiler, such as the start-up function of C++ objects


@dataclass(frozen=True, slots=True)
class Function:
    """A function's definition: the lines ``first`` to ``last`` (its closing brace) of the module."""

    name: str
    head: str  # everything before the name: linkage, visibility, calling convention, result
    line: int
    side: Side
    attributes: str
    first: int
    last: int
    section: bool


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed module; ``lines`` are its text."""

    lines: list[str]
    functions: tuple[Function, ...]
    opaque_types: frozenset[str]
    typed_pointers: bool
    places: Mapping[int, int] = field(repr=False)  # number of a debug location: line of the source
    declared: frozenset[str] = frozenset()  # functions of other objects
    structures: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # types of members
    globals: tuple[tuple[str, str, Side], ...] = ()

    def member(self, structure: str, index: int) -> str:
        """The type of a structure's member; empty where it has no such member."""
        members = self.structures.get(structure, ())
        return members[index] if index < len(members) else ""

    def pointers_in(self, structure: str) -> list[tuple[int, int]]:
        """Members that are pointers, and the width of the number after each, or 0.

        Only a number after a pointer to bytes or numbers may be the length of what it points to.
        """
        found = []
        for index, kind in enumerate(self.structures.get(structure, ())):
            if kind.endswith("*"):
                after = re.fullmatch(r"i(32|64)", self.member(structure, index + 1))
                plain = re.fullmatch(r"i\d+\*", kind)
                found.append((index, int(after[1]) if after and plain else 0))
        return found

    def line_of(self, instruction: str, otherwise: int) -> int:
        """The source line of an instruction."""
        found = _DBG.search(instruction)
        return (self.places.get(int(found[1])) or otherwise) if found else otherwise


def unquoted(name: str) -> str:
    """A symbol's name without quotes and without the mark of an assembler label."""
    if name.startswith('"'):
        name = re.sub(r"\\([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), name[1:-1])
    return name.removeprefix("\x01")


def side_of_file(path: str) -> Side:
    """Whose a source file is, by where the sandbox shows it."""
    if path.startswith("/harness/"):
        return Side.HARNESS
    if path.startswith("/target/"):
        return Side.TARGET
    return Side.RUNTIME


def parse(text: str) -> Module:
    """Parse a module's text."""
    lines = text.split("\n")
    metadata = _Metadata(lines)
    attributes = {m[1]: m[2] for line in lines if (m := _ATTRIBUTES.match(line))}
    functions = tuple(_functions(lines, metadata, attributes))
    return Module(
        lines=lines,
        functions=functions,
        opaque_types=frozenset(m["name"] for line in lines if (m := _OPAQUE.match(line))),
        typed_pointers=not any(re.search(r"\bptr\b", line) for line in lines if " alloca " in line),
        places=metadata.places,
        declared=frozenset(unquoted(m["name"]) for x in lines if (m := _DECLARE.match(x))),
        structures={
            m["name"]: tuple(split_list(m["packed"] or m["plain"] or ""))
            for line in lines
            if (m := _STRUCTURE.match(line))
        },
        globals=tuple(_globals(lines, metadata)),
    )


class _Metadata:
    """The debug information that says where things stand in the source."""

    def __init__(self, lines: list[str]) -> None:
        self._files: dict[int, str] = {}
        self._file_of: dict[int, int] = {}
        self._line_of: dict[int, int] = {}
        self._variables: dict[int, int] = {}
        self.places: dict[int, int] = {}
        for line in lines:
            if line.startswith("!") and (match := _METADATA.match(line)):
                self._take(int(match[1]), match[2], match[3])

    def _take(self, number: int, kind: str, content: str) -> None:
        if kind == "DIFile":
            name = _FILE_NAME.search(content)
            self._files[number] = (
                os.path.normpath(os.path.join(unquoted(name[2] or ""), unquoted(name[1])))
                if name
                else ""
            )
            return
        fields = dict(_FIELD.findall(_TEXTS.sub('""', content)))
        if kind in ("DISubprogram", "DIGlobalVariable"):
            if "file" in fields:
                self._file_of[number] = int(fields["file"].lstrip("!"))
            self._line_of[number] = int(fields.get("line", "0").lstrip("!"))
        elif kind == "DIGlobalVariableExpression" and "var" in fields:
            self._variables[number] = int(fields["var"].lstrip("!"))
        elif kind == "DILocation":
            self.places[number] = int(fields.get("line", "0").lstrip("!"))

    def side(self, number: int) -> Side:
        number = self._variables.get(number, number)
        return side_of_file(self._files.get(self._file_of.get(number, -1), "/harness/"))

    def line(self, number: int) -> int:
        return self._line_of.get(number, 0)


# What clang makes without debug information: nobody wrote it.
_GENERATED = re.compile(
    r"_GLOBAL__sub_I_|_GLOBAL__I_|__cxx_global_|__clang_call_terminate$|_ZTW|_ZTH|__tls_init$|"
    r"_ZThn|_ZTv|__clang_"
)


def _functions(
    lines: list[str], metadata: _Metadata, attributes: Mapping[str, str]
) -> Iterator[Function]:
    first: int | None = None
    for number, line in enumerate(lines):
        if line.startswith("define "):
            first = number
        elif line == "}" and first is not None:
            header = lines[first]
            match = _DEFINE.match(header)
            if match is None:
                raise ValueError(f"a definition that is not understood: {header[:200]}")
            name = unquoted(match["name"])
            tail = _TEXTS.sub('""', header[match.end() :])
            groups = re.findall(r" #(\d+)", tail)
            where = _DBG.search(tail)
            if where:
                side, at = metadata.side(int(where[1])), metadata.line(int(where[1]))
            else:
                side, at = (Side.GENERATED if _GENERATED.match(name) else Side.HARNESS), 0
            yield Function(
                name=name,
                head=match["head"],
                line=at,
                side=side,
                attributes=" ".join(attributes.get(g, "") for g in groups),
                first=first,
                last=number,
                section=' section "' in header or (" comdat" in header and " section " in tail),
            )
            first = None


def _globals(lines: list[str], metadata: _Metadata) -> Iterator[tuple[str, str, Side]]:
    for line in lines:
        if line.startswith("@") and (match := _GLOBAL.match(line)):
            where = _DBG.search(line)
            side = metadata.side(int(where[1])) if where else Side.HARNESS
            yield unquoted(match["name"]), match["rest"], side


def references(text: str) -> Iterator[tuple[str, int]]:
    """Symbols that an instruction or initialiser names, and where in the text each stands."""
    for match in _REFERENCE.finditer(text):
        yield unquoted(match["name"]), match.start()


def label_of(line: str) -> str | None:
    """The name of the block that a line begins, or None."""
    if line.startswith((" ", ";", "}")) or not line:
        return None
    match = _LABEL.match(line)
    return match["name"] if match else None


def alloca_of(line: str) -> str | None:
    """The name of the local variable that a line makes, or None."""
    match = _ALLOCA.match(line)
    return match["name"] if match else None


# -- calls -----------------------------------------------------------------------------------------

_CALL = re.compile(
    rf"  (?:(?P<result>%{NAME}) = )?(?:(?:tail|musttail|notail) )?(?P<verb>call|invoke) (?P<rest>.*)"
)
_CONVENTION = re.compile(
    r"(?:ccc|fastcc|coldcc|cc ?\d+|webkit_jscc|anyregcc|preserve_\w+cc|cxx_fast_tlscc|tailcc|"
    r"swift\w*cc|cfguard_checkcc|[xw]\w*_\w*cc|win64cc|x86_\w+cc|intel_ocl_bicc|spir_\w+|amdgpu_\w+|"
    r"arm_\w+cc|aarch64_\w+|avr_\w+|msp430_\w+|ptx_\w+|ghccc|hhvmcc) "
)
_PARAMETER = re.compile(
    r"(?:noundef|nonnull|noalias|nocapture|readonly|readnone|writeonly|returned|signext|zeroext|"
    r"inreg|immarg|nest|swiftself|swifterror|nofree|noreturn|dead_on_unwind|writable|"
    r"align \d+|align\(\d+\)|captures\([^)]*\)|range\([^)]*\)|nofpclass\([^)]*\)|"
    r"initializes\((?:[^()]|\([^()]*\))*\)|"
    r"(?:dereferenceable|dereferenceable_or_null|alignstack)\(\d+\)|"
    r"(?:byval|sret|inalloca|preallocated|elementtype|byref)\((?:[^()]|\([^()]*\))*\)) "
)
_FLAGS = re.compile(r"(?:nnan|ninf|nsz|arcp|contract|afn|reassoc|fast|addrspace\(\d+\)) ")


@dataclass(frozen=True, slots=True)
class Argument:
    """A value given to a call, with its type as the text has them."""

    type: str
    value: str

    @property
    def is_pointer(self) -> bool:
        return self.type == "ptr" or self.type.endswith("*")

    @property
    def is_constant(self) -> bool:
        return not self.value.startswith("%") and "%" not in self.value

    @property
    def bits(self) -> int | None:
        """Width of an integer, None for anything else."""
        return int(self.type[1:]) if re.fullmatch(r"i\d+", self.type) else None


@dataclass(frozen=True, slots=True)
class Call:
    """A ``call`` or ``invoke`` instruction."""

    result: str | None
    type: str  # of the result
    callee: str  # "@name", "%value", or a constant expression
    arguments: tuple[Argument, ...]
    convention: str
    invoked: bool
    assembly: bool

    @property
    def name(self) -> str | None:
        """The symbol that is called, or None for a call through a pointer."""
        if self.callee.startswith("@"):
            return unquoted(self.callee[1:])
        match = re.match(rf"bitcast \(.*?@({NAME}) to ", self.callee)
        return unquoted(match[1]) if match else None

    @property
    def retyped(self) -> bool:
        """Whether a function is called with other types than it is declared with.

        A function that the source declares as ``int f();`` may be called without arguments.
        """
        unknown = re.match(rf"bitcast \(\S+ \(\.\.\.\)\* @{NAME} to ", self.callee)
        return self.callee.startswith("bitcast (") and not (unknown and not self.arguments)


def parse_call(line: str) -> Call | None:
    """Parse an instruction line; None where it is no call."""
    match = _CALL.match(line)
    if match is None:
        return None
    rest, convention = match["rest"], ""
    while found := _FLAGS.match(rest) or _CONVENTION.match(rest) or _PARAMETER.match(rest):
        if _CONVENTION.match(rest):
            convention = found[0].strip()
        rest = rest[found.end() :]
    kind, rest = split_type(rest)
    if rest.startswith("("):  # the whole function's type: it takes a variable number of arguments
        rest = rest[_closing(rest, 0) + 1 :].lstrip()
        rest = rest.lstrip("*").lstrip()
    assembly = rest.startswith("asm ")
    opening = _opening_of_arguments(rest)
    callee = rest[:opening].strip()
    inner = rest[opening + 1 : _closing(rest, opening)]
    return Call(
        result=match["result"],
        type=kind,
        callee=callee,
        arguments=tuple(_arguments(inner)),
        convention=convention,
        invoked=match["verb"] == "invoke",
        assembly=assembly,
    )


def _opening_of_arguments(text: str) -> int:
    """Where the parenthesis of the arguments stands: the first after the callee."""
    if text.startswith("asm "):
        at = 0
        quotes = 0
        while quotes < 4:  # the instructions and the constraints
            quotes += text[at] == '"'
            at += 1
        return text.index("(", at)
    if text.startswith(("@", "%")):
        match = re.match(rf"[@%]{NAME}", text)
        return text.index("(", match.end() if match else 0)
    return text.index("(", _closing(text, text.index("(")) + 1)


def _closing(text: str, opening: int) -> int:
    """Where the bracket that opens at a place closes; texts in quotes are skipped."""
    depth, at, quoted = 0, opening, False
    while at < len(text):
        character = text[at]
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "([{<":
            depth += 1
        elif not quoted and character in ")]}>":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    raise ValueError(f"brackets that do not close: {text[:200]}")


def split_type(text: str) -> tuple[str, str]:
    """Split the type off that a text begins with; the rest has no leading spaces."""
    if text[:1] in "[{<":
        end = _closing(text, 0) + 1
    else:
        match = re.match(rf"%{NAME}|[A-Za-z]\w*(?:\(\d+\))?", text)
        if match is None:
            raise ValueError(f"a type that is not understood: {text[:200]}")
        end = match.end()
    while True:
        if text.startswith("*", end):
            end += 1
        elif (space := re.match(r" addrspace\(\d+\)", text[end:])) is not None:
            end += space.end()
        elif text.startswith(" (", end):
            close = _closing(text, end + 1) + 1
            if not text.startswith("*", close):
                break
            end = close
        else:
            break
    return text[:end], text[end:].lstrip()


def _arguments(text: str) -> Iterator[Argument]:
    for part in split_list(text):
        if part == "..." or part.startswith("metadata "):
            continue
        kind, rest = split_type(part)
        while found := _PARAMETER.match(rest):
            rest = rest[found.end() :]
        yield Argument(kind, rest)


def split_list(text: str) -> list[str]:
    """Split at the commas that stand in no bracket and no text."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character in "([{<":
            depth += 1
        elif character in ")]}>":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    last = text[start:].strip()
    return [*parts, last] if last or parts else []
