"""Calls of our driver's functions as text, and the numbers of the marks that they leave."""

from __future__ import annotations

from dataclasses import dataclass

from clearhouse.proof.build.instructions import Argument

MOST_MARKS = 4000
"""As many as the tracer reads at a time (``warden/warden.py``)."""

# What ``warden/driver.c`` offers; {p} is a pointer to anything.
_FUNCTIONS = {
    "mark": "i32",
    "truth": "i32, i32",
    "call": "i32, i32",
    "pointer": "i32, {p}, i32",
    "span": "i32, {p}, i64, i32, i32",
    "member": "i32, {p}, i64, i64, i32, i32",
    "function": "i32, {p}, i32",
    "virtual": "i32, {p}, i32",
    "text": "i32, {p}, i32, i32",
    "indirect": "i32, {p}, i32",
    "relation": "i32, i64, i64",
    "integer": "i32, i64",
    "object": "i32, {p}",
    "handle": "{p}",
    "busy": "{p}",
    "back": "",
    "load": "{p}, i32",
    "store": "{p}, i32",
    "lend": "{p}, i32",
    "path": "{p}, i32",
}


@dataclass(frozen=True, slots=True)
class Site:
    """A place where the harness calls the target; ``mark`` is left when it does."""

    mark: int
    line: int
    callee: str


class TooManyMarks(Exception):
    """The harness is larger than can be followed."""


class Writer:
    """Writes instructions for one module; every mark has the source line it stands for."""

    def __init__(self, *, typed_pointers: bool) -> None:
        self.pointer = "i8*" if typed_pointers else "ptr"
        self.lines: list[int] = []
        self.sites: list[Site] = []
        self._values = 0

    def new(self, line: int, count: int = 1) -> str:
        """The first of ``count`` new marks, as an operand.  Raises :class:`TooManyMarks`."""
        first = len(self.lines)
        if first + count > MOST_MARKS:
            raise TooManyMarks
        self.lines.extend([line] * count)
        return number(first)

    def value(self) -> str:
        """A name that nothing else in the module has."""
        self._values += 1
        return f"%clearhouse.{self._values}"

    def as_pointer(self, argument: Argument) -> tuple[list[str], str]:
        """Instructions and operand for a pointer of any type."""
        if argument.type == self.pointer:
            return [], f"{self.pointer} {argument.value}"
        name = self.value()
        cast = f"  {name} = bitcast {argument.type} {argument.value} to i8*"
        return [cast], f"{self.pointer} {name}"

    def as_wide(self, argument: Argument) -> tuple[list[str], str]:
        """Instructions and operand for an integer of up to 64 bits."""
        if argument.bits == 64:
            return [], f"i64 {argument.value}"
        name = self.value()
        widen = "zext" if argument.bits == 1 else "sext"
        return [f"  {name} = {widen} {argument.type} {argument.value} to i64"], f"i64 {name}"

    def declarations(self) -> list[str]:
        """The driver's functions, for the end of the module."""
        return [
            f"declare void @__clearhouse_{name}({parameters.format(p=self.pointer)})"
            for name, parameters in _FUNCTIONS.items()
        ]


def do(name: str, *operands: str) -> str:
    """A call of one of the driver's functions."""
    return f"  call void @__clearhouse_{name}({', '.join(operands)})"


def number(value: int) -> str:
    """A number as an operand."""
    return f"i32 {value}"
