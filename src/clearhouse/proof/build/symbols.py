"""Names, files and lines for places in a built program, inlined calls included.

Asked of the toolchain's symboliser inside the sandbox: it reads files that hostile code was
compiled into.  What it says is kept with the build.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearhouse.proof.build.elf import Segments
from clearhouse.proof.build.toolchain import Toolchain
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.build import BuildSandbox, Command
from clearhouse.proof.target.store import Store

_ANSWER_BYTES = 8 << 20
_MOST = 4096
_OPERATOR = re.compile(r"operator\s*(?:\(\)|\[\]|<=>|->\*?|<<=?|>>=?|<=?|>=?|[-+*/%^&|~!=,]+|\"\")")
_UNNAMED = "(anonymous namespace)"
_SPACE = "\x00"


@dataclass(frozen=True, slots=True)
class Place:
    """A function and the line in it; ``file`` is empty where there is no debug information."""

    function: str
    file: str
    line: int | None


class Symbols:
    """The symbols of one built program; ``folder`` holds its objects."""

    def __init__(self, folder: Path, key: str, tools: Toolchain, store: Store) -> None:
        self._folder, self._tools, self._store = folder, tools, store
        self._kept_at = (folder.parent.name, f"{key}-symbols.json")
        raw: dict[str, Any] = store.read_json(*self._kept_at) or {}
        self._known = {
            place: tuple(Place(str(f), str(file), line) for f, file, line in frames)
            for place, frames in raw.items()
        }
        self._segments: dict[str, Segments] = {}

    def learn(self, places: Iterable[tuple[str, int]]) -> None:
        """Look up all of these ``(object, offset in its file)`` that are not known yet, at once."""
        wanted: dict[str, list[int]] = {}
        for name, offset in dict.fromkeys(places):
            if f"{name}:{offset}" not in self._known and (self._folder / name).is_file():
                wanted.setdefault(name, []).append(offset)
        if not wanted:
            return
        with BuildSandbox([Bind(self._folder, "/built")]) as sandbox:
            for name, offsets in wanted.items():
                self._ask(sandbox, name, offsets[:_MOST])
        self._store.write_json(
            {
                place: [[f.function, f.file, f.line] for f in frames]
                for place, frames in self._known.items()
            },
            *self._kept_at,
        )

    def at(self, name: str, offset: int) -> tuple[Place, ...]:
        """What is there, innermost inlined call first; empty where nothing is known."""
        return self._known.get(f"{name}:{offset}", ())

    def _ask(self, sandbox: BuildSandbox, name: str, offsets: Sequence[int]) -> None:
        segments = self._segments.setdefault(name, Segments(self._folder / name))
        addresses = [segments.address_of(offset) for offset in offsets]
        asked = [f"{address:#x}" for address in addresses if address is not None]
        if not asked:
            return
        how = (
            ["--output-style=JSON", "--obj", f"/built/{name}"]
            if self._tools.symboliser_is_llvm
            else ["-f", "-i", "-C", "-a", "-e", f"/built/{name}"]
        )
        command = Command([self._tools.symboliser, *how, *asked])
        result = sandbox.run([command], keep=_ANSWER_BYTES)[0]
        read = _read_json if self._tools.symboliser_is_llvm else _read_plain
        found = read(result.out)
        for offset, address in zip(offsets, addresses, strict=True):
            if address is not None:
                self._known[f"{name}:{offset}"] = found.get(address, ())


def _read_json(text: str) -> dict[int, tuple[Place, ...]]:
    """llvm-symbolizer's ``--output-style=JSON``."""
    try:
        answers = json.loads(text)
    except ValueError:
        return {}
    if isinstance(answers, dict):
        answers = [answers]
    return {
        int(answer["Address"], 16): tuple(
            Place(
                plain_name(_known(frame.get("FunctionName"))),
                _known(frame.get("FileName")),
                int(frame.get("Line") or 0) or None,
            )
            for frame in answer.get("Symbol", ())
        )
        for answer in answers
        if "Address" in answer
    }


def _read_plain(text: str) -> dict[int, tuple[Place, ...]]:
    """addr2line's ``-f -i -C -a``: an address, then pairs of function and file with its line."""
    found: dict[int, tuple[Place, ...]] = {}
    address, function = None, None
    for line in text.splitlines():
        if re.fullmatch(r"0x[0-9a-f]+", line):
            address, function = int(line, 16), None
            found[address] = ()
        elif address is not None and function is None:
            function = line
        elif address is not None and function is not None:
            file, _, number = line.partition(" (")[0].rpartition(":")
            place = Place(
                plain_name(_known(function)),
                _known(file),
                int(number) if number.isdigit() else None,
            )
            found[address] += (place,)
            function = None
    return found


def _known(text: object) -> str:
    return "" if text in (None, "??") else str(text)


def plain_name(name: str) -> str:
    """A function's name without what its instantiation adds: template arguments, types, parameters.

    ``int box::Reader<char>::at(unsigned long) const`` is ``box::Reader::at``: the same flaw has the
    same name whichever way a harness comes to it.
    """
    name = name.removeprefix("decltype(auto) ")
    if "(" not in name and "<" not in name:
        return name  # C
    kept, depth, at = "", 0, 0
    while at < len(name):
        operator = _OPERATOR.match(name, at)
        if depth == 0 and operator and (at == 0 or not name[at - 1].isalnum()):
            kept += operator[0]
            at = operator.end()
        elif depth == 0 and name.startswith(_UNNAMED, at):
            kept += _UNNAMED.replace(" ", _SPACE)
            at += len(_UNNAMED)
        elif depth == 0 and name[at] == "(":
            break
        else:
            depth += (name[at] == "<") - (name[at] == ">")
            if depth == 0 and name[at] != ">":
                kept += name[at]
            at += 1
    if "operator" in kept:  # a conversion's name is a type, which may have spaces
        start = kept.index("operator")
        return (kept[:start].rpartition(" ")[2] + kept[start:]).replace(_SPACE, " ").strip()
    return kept.strip().rpartition(" ")[2].replace(_SPACE, " ")
