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

from clearhouse.proof.build.calls import CallWriter
from clearhouse.proof.build.instructions import NAME, Argument, parse_call, split_list, split_type
from clearhouse.proof.build.ir import Function, Module, Side, alloca_of, handed_out, label_of
from clearhouse.proof.build.marks import Site, Writer, do, number

_LOCAL = rf"%{NAME}"
_CONDITION = re.compile(
    rf"  (?P<name>{_LOCAL}) = (?:[if]cmp (?:\w+ )+?(?P<type>[<\[%{{(]?\S+)|trunc i\d+ \S+ to i1\b)"
)
_ACCESS = re.compile(rf"  (?:(?P<load>{_LOCAL}) = load|store) (?:volatile )?(?P<rest>.*)")
_HANDLE_LOAD = re.compile(rf"  (?P<name>{_LOCAL}) = load (?P<type>{_LOCAL})\*, ")
_PHI = re.compile(rf"  {_LOCAL} = phi ")
_LANDING = re.compile(rf"  {_LOCAL} = (?:landingpad|catchpad|cleanuppad) ")
_RETURN = re.compile(rf"  ret i(?P<bits>8|16|32|64) (?P<value>{_LOCAL})")
_LABELS = re.compile(rf"label %(?P<name>{NAME})")


@dataclass(frozen=True, slots=True)
class Marked:
    """The instrumented text, the source line of every mark, and the calls of the target."""

    text: str
    lines: tuple[int, ...]
    sites: tuple[Site, ...]


def instrument(module: Module, target: Collection[str], *, salt: int) -> Marked:
    """Instrument the harness's own functions.

    ``target`` are the functions that the target defines, ``salt`` a number that no finder knows.
    Raises :class:`clearhouse.proof.build.marks.TooManyMarks`, and ``ValueError`` for text that is
    not understood.
    """
    return _Instrumenter(module, frozenset(target), salt).done()


@dataclass
class _Body:
    """What is known while one function is gone through."""

    function: Function
    parameters: tuple[Argument, ...]
    first_lines: dict[str, int]  # the source line of each block, by its name
    unmarked: set[str]  # blocks that only the sanitizer's own conditions lead to
    locals: set[str] = field(default_factory=set)  # pointers to its own variables


class _Instrumenter:
    def __init__(self, module: Module, target: frozenset[str], salt: int) -> None:
        self._module = module
        inline = {f.name for f in module.functions if f.side is Side.TARGET}
        own = frozenset(f.name for f in module.functions if f.side is Side.HARNESS)
        self._handed_out = handed_out(module) & own
        self._write = Writer(typed_pointers=module.typed_pointers)
        self._calls = CallWriter(module, self._write, target=target | inline, own=own, salt=salt)

    def done(self) -> Marked:
        out: list[str] = []
        by_first = {f.first: f for f in self._module.functions if f.side is Side.HARNESS}
        at = 0
        while at < len(self._module.lines):
            function = by_first.get(at)
            if function is None:
                out.append(self._module.lines[at])
                at += 1
            else:
                out.extend(self._function(function))
                at = function.last + 1
        out += self._write.declarations()
        return Marked("\n".join(out) + "\n", tuple(self._write.lines), tuple(self._write.sites))

    def _function(self, function: Function) -> Iterator[str]:
        body = self._body(function)
        yield self._module.lines[function.first]
        pending = [do("mark", self._write.new(function.line))]
        landing = False
        for text in self._module.lines[function.first + 1 : function.last]:
            name = label_of(text)
            if name is not None:
                line = body.first_lines.get(name, function.line)
                pending = [] if name in body.unmarked else [do("mark", self._write.new(line))]
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

    def _body(self, function: Function) -> _Body:
        first_lines: dict[str, int] = {}
        checks: set[str] = set()
        others: set[str] = set()
        block = None
        for text in self._module.lines[function.first + 1 : function.last]:
            block = label_of(text) or block
            if block is not None and block not in first_lines and "!dbg !" in text:
                first_lines[block] = self._module.line_of(text, function.line)
            named = {match["name"] for match in _LABELS.finditer(text)}
            if "!nosanitize" in text:
                checks |= named
            else:
                others |= named
        header = self._module.lines[function.first]
        # Read as a call, a definition's parameters are arguments.
        call = parse_call("  call void " + header[header.index("@") :])
        parameters = call.arguments if call is not None else ()
        return _Body(function, parameters, first_lines, checks - others)

    def _instruction(self, text: str, body: _Body) -> Iterator[str]:
        if "!nosanitize" in text or not text.startswith("  ") or text.startswith("   "):
            yield text
            return
        line = self._module.line_of(text, body.function.line)
        if (call := parse_call(text)) is not None:
            yield from self._calls.around(text, call, line)
            return
        if (condition := _CONDITION.match(text)) and not (condition["type"] or "").startswith("<"):
            yield text
            name = self._write.value()
            yield f"  {name} = zext i1 {condition['name']} to i32"
            yield do("truth", self._write.new(line, 2), f"i32 {name}")
            return
        if body.function.name in self._handed_out and (result := _RETURN.match(text)):
            yield from self._returned(result, body, line)
        if access := _ACCESS.match(text):
            yield from self._access(access, body, line)
        yield text
        if handle := _HANDLE_LOAD.match(text):
            yield from self._calls.handle(Argument(f"{handle['type']}*", handle["name"]))

    def _returned(self, result: re.Match[str], body: _Body, line: int) -> Iterator[str]:
        """What a callback gives back to the target, compared with what it was given."""
        code, value = self._write.as_wide(Argument(f"i{result['bits']}", result["value"]))
        yield from code
        for parameter in body.parameters:
            if parameter.bits in (8, 16, 32, 64):
                more, given = self._write.as_wide(parameter)
                yield from more
                yield do("relation", self._write.new(line, 2), value, given)

    def _access(self, access: re.Match[str], body: _Body, line: int) -> Iterator[str]:
        """A load or store by anything but the name of a variable of the harness's own."""
        kind, value = split_type(split_list(access["rest"])[1])
        if value in body.locals or value.startswith(("@", "getelementptr")):
            return
        code, pointer = self._write.as_pointer(Argument(kind, value))
        yield from code
        yield do("load" if access["load"] else "store", pointer, number(line))
