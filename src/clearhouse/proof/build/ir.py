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
from pathlib import PurePosixPath

from clearhouse.proof.build.instructions import (
    NAME,
    parameter_types,
    parse_call,
    split_list,
    unquoted,
)

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
_OPAQUE_POINTER = re.compile(r"(?<![\w.%@])ptr(?![\w.])")  # in a definition or declaration
_DEEPEST_BASE = 16
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
    """A function's definition: lines ``first`` to ``last`` (its closing brace) of the module."""

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
    declared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Functions of other objects, and the types of their parameters (``...`` for any more)."""
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

    def has_virtual_table(self, structure: str) -> bool:
        """Whether objects of a class begin with a pointer to its virtual functions."""
        for _ in range(_DEEPEST_BASE):
            first = self.member(structure, 0)
            if first == "i32 (...)**":
                return True
            structure = first
        return False

    def line_of(self, instruction: str, otherwise: int) -> int:
        """The source line of an instruction."""
        found = _DBG.search(instruction)
        return (self.places.get(int(found[1])) or otherwise) if found else otherwise


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
        typed_pointers=not any(
            _OPAQUE_POINTER.search(_TEXTS.sub('""', line)) for line in lines if line[:1] == "d"
        ),
        places=metadata.places,
        declared={
            unquoted(m["name"]): parameter_types(x) for x in lines if (m := _DECLARE.match(x))
        },
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
                os.path.normpath(PurePosixPath(unquoted(name[2] or ""), unquoted(name[1])))
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
                section=' section "' in header and ' section ".text.startup"' not in header,
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


def handed_out(module: Module) -> set[str]:
    """Symbols whose address goes anywhere: everything that is named but not called right there."""
    found: set[str] = set()
    for _, rest, _side in module.globals:
        found.update(name for name, _at in references(rest))
    for function in module.functions:
        for text in module.lines[function.first + 1 : function.last]:
            named = [name for name, _at in references(text)]
            call = parse_call(text) if named else None
            if call is not None and call.name in named:
                named.remove(call.name)
            found.update(named)
    return found
