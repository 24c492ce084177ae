"""LLVM's instructions as text: calls, their arguments, types (LLVM Language Reference Manual)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

NAME = r'(?:"(?:[^"\\]|\\.)*"|[-\w$.]+)'
_CALL = re.compile(
    rf"  (?:(?P<result>%{NAME}) = )?(?:(?:tail|musttail|notail) )?(?P<verb>call|invoke)"
    r" (?P<rest>.*)"
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


def unquoted(name: str) -> str:
    """A symbol's name without quotes and without the mark of an assembler label."""
    if name.startswith('"'):
        name = re.sub(r"\\([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), name[1:-1])
    return name.removeprefix("\x01")


@dataclass(frozen=True, slots=True)
class Argument:
    """A value given to a call, with its type as the text has them."""

    type: str
    value: str

    @property
    def is_pointer(self) -> bool:
        """Whether it is an address, of whatever type."""
        return self.type == "ptr" or self.type.endswith("*")

    @property
    def is_constant(self) -> bool:
        """Whether it is known when the harness is compiled."""
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


def parameter_types(line: str) -> tuple[str, ...]:
    """The types of the parameters of a ``declare`` line."""
    rest = line[line.index("@") :]
    opening = _opening_of_arguments(rest)
    inner = rest[opening + 1 : _closing(rest, opening)]
    return tuple(
        part if part == "..." else split_type(part)[0] for part in split_list(inner) if part
    )
