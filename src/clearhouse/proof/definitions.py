"""Which functions, methods and classes a source file defines.  Nothing of it is executed.

Python is parsed by a child process with limits; JavaScript and C are searched word by word, which
cannot see all: what such a search does not find, and the file does mention, stays undecided.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from clearhouse.proof.members import shown
from clearhouse.proof.target.interpreter import Interpreter
from clearhouse.proof.target.reading import LIMITS, ask_python
from clearhouse.proof.target.store import Store, file_sha256

#: Larger sources are generated; the largest in the samples' targets has 1.1 MB.
SOURCE_BYTES: Final = 4 << 20
_READING: Final = 1  # changes with what is read
_NEAREST: Final = 3

PYTHON: Final = frozenset({".py", ".pyi"})
JAVASCRIPT: Final = frozenset({".js", ".cjs", ".mjs", ".jsx", ".ts", ".tsx", ".mts", ".cts"})
C: Final = frozenset({".c", ".h", ".cc", ".hh", ".cpp", ".hpp", ".cxx", ".hxx", ".inc", ".m"})

_WALK: Final = f"""{LIMITS}
import ast

def places(tree):
    names, bases, dynamic = {{}}, {{}}, None
    left = [(node, "", True) for node in reversed(tree.body)]
    while left:
        node, above, outside = left.pop()
        inner, still = above, outside
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = above + node.name
            is_class = isinstance(node, ast.ClassDef)
            names[name] = "class" if is_class else "function"
            if name == "__getattr__":
                dynamic = "has a __getattr__ of its own"
            if is_class:
                named = [one.id if isinstance(one, ast.Name) else None for one in node.bases]
                # A metaclass or a decorator may add methods as a base does.
                odd = [None] * bool(node.keywords or node.decorator_list)
                bases[name] = [one for one in named if one != "object"] + odd
            inner, still = name + ".", is_class
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for one in node.names:
                if one.name == "*":
                    dynamic = "imports everything from " + "." * getattr(node, "level", 0) + (
                        node.module or "")
                else:
                    names.setdefault(above + (one.asname or one.name).split(".")[0], "import")
        elif outside and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.setdefault(above + node.id, "value")
        elif outside and isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in ("exec", "globals", "setattr", "vars", "locals"):
                dynamic = "makes names as it is imported (" + node.func.id + ")"
        left += [(one, inner, still) for one in reversed(list(ast.iter_child_nodes(node)))]
    return {{"names": names, "bases": bases, "dynamic": dynamic}}

with open(json.load(sys.stdin), "rb") as stream:
    raw = stream.read()
try:
    answer = places(ast.parse(raw))
except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
    answer = {{"broken": "line %s" % (getattr(error, "lineno", None) or 0)}}
json.dump(answer, sys.stdout)
"""

_KEYWORDS: Final = frozenset(
    [
        "if",
        "for",
        "while",
        "switch",
        "catch",
        "return",
        "function",
        "else",
        "do",
        "with",
        "await",
        "new",
        "typeof",
        "case",
        "sizeof",
    ]
)
# Every repetition is bounded or cannot meet itself: a hostile file costs no more than a long one.
_WORD: Final = r"(?<![\w$])([A-Za-z_$][\w$]{0,100})"
_PARAMETERS: Final = r"\([^()\n]{0,200}\)"
_ARROW: Final = rf"{_PARAMETERS}\s{{0,9}}=>|[\w$]{{1,100}}\s{{0,9}}=>"
_MODIFIERS: Final = r"(?:(?:async|static|get|set|public|private|protected|\*)[ \t]{0,9}){0,3}"
_BODY: Final = r"\s{0,9}(?::[^\n{;]{0,80})?\{"
_JAVASCRIPT: Final = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        rf"\bfunction\s{{0,9}}\*?\s{{0,9}}{_WORD}",
        rf"\b(?:class|interface|enum|namespace|const|let|var)\s{{1,9}}{_WORD}",
        rf"(?:exports|prototype|this)\s?\.\s?{_WORD}\s{{0,9}}=(?!=)",
        rf"{_WORD}[\"']?\s{{0,9}}[:=]\s{{0,9}}(?:async\s{{1,9}})?(?:function\b|{_ARROW})",
        rf"(?:^|[{{,;}}])[ \t]{{0,40}}{_MODIFIERS}#?{_WORD}\s{{0,9}}{_PARAMETERS}{_BODY}",
    )
)
_C_HEAD: Final = re.compile(
    r"^(?:[A-Za-z_][\w \t*&:<>,~]{0,200}?(?<![\w~]))?(~?[A-Za-z_]\w{0,100})[ \t]{0,9}\(",
    re.MULTILINE,
)
_C_DEFINE: Final = re.compile(
    r"^[ \t]{0,9}#[ \t]{0,9}define[ \t]{1,9}([A-Za-z_]\w{0,100})", re.MULTILINE
)
#: For Python 2, which this Python does not parse.
_PYTHON_HEAD: Final = re.compile(
    rb"^[ \t]{0,99}(?:async[ \t]{1,9})?(?:def|class)[ \t]{1,9}(\w{1,100})", re.MULTILINE
)
_SIGNATURE_CHARACTERS: Final = 4000
_OCCURRENCES: Final = 500
_MINIFIED_LINE: Final = 5000
"""Characters; no hand-written line of the samples' targets is as long."""


@dataclass(frozen=True, slots=True)
class Defined:
    """The file defines it, under this name."""

    name: str


@dataclass(frozen=True, slots=True)
class NotDefined:
    """The file does not define it; ``nearest`` are names that may have been meant."""

    nearest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unclear:
    """This cannot tell, and why."""

    reason: str


Definition = Defined | NotDefined | Unclear


def name_parts(named: str) -> tuple[str, ...] | None:
    """The parts of a function's name as a report writes it; None for what is no name.

    ``Parser::parse(int)``, ``Parser#parse``, ``def parse`` and ``f.<locals>.g`` are read.  Empty
    for the file's own top level (``<module>``), and for what has no name, such as a lambda.
    """
    text = re.sub(r"^(?:(?:async|static|def|class|function|void)\s+)+", "", named.strip())
    text = re.split(r"[(\[]", text, maxsplit=1)[0] if not text.startswith("(") else ""
    text = re.sub(r"::|#|->|\.prototype\.|\.<locals>\.|/", ".", text).strip(". \t;:")
    parts = [one for one in text.split(".") if not re.fullmatch(r"<.*>|anonymous", one)]
    if any(not re.fullmatch(r"~?[\w$]+", one) for one in parts if one):
        return None
    return tuple(one for one in parts if one)


class Sources:
    """Reads definitions, those of Python once for each content."""

    def __init__(self, store: Store, interpreter: Interpreter) -> None:
        self._store = store
        self._interpreter = interpreter
        self._read_before: dict[tuple[Path, int, int], dict[str, Any]] = {}

    def look_up(self, named: str, path: Path, relative: str) -> Definition:
        """Whether the file at ``path``, ``relative`` in its release, defines ``named``."""
        suffix = PurePosixPath(relative).suffix.lower()
        parts = name_parts(named)
        if parts is None:
            return Unclear(f"{shown(named)} is not the name of one function")
        if not parts:
            return Defined(relative)
        if path.stat().st_size > SOURCE_BYTES:
            return Unclear(f"{relative} is too large to look into")
        if suffix in PYTHON:
            return self._in_python(parts, path, relative)
        if suffix in JAVASCRIPT:
            return self._in_javascript(parts, path, relative)
        if suffix in C:
            return _in_c(parts, path.read_bytes().decode("utf-8", "replace"), relative)
        return Unclear(f"functions of {suffix or 'such'} files are not looked up")

    def _in_python(self, parts: tuple[str, ...], path: Path, relative: str) -> Definition:
        found = self._kept(path, self._parsed)
        if "names" not in found:
            words = set(
                re.findall(
                    rb"^\s*(?:async\s+)?(?:def|class)\s+(\w+)", path.read_bytes(), re.MULTILINE
                )
            )
            if parts[-1].encode() in words:
                return Defined(parts[-1])
            return Unclear(f"{relative} is not this Python's syntax")
        names: Mapping[str, str] = found["names"]
        module = [*PurePosixPath(relative).with_suffix("").parts]
        for name in names:
            own = tuple(name.split("."))
            if own[-len(parts) :] == parts:
                return Defined(name)
            before = parts[: -len(own)]
            if parts[-len(own) :] == own and _is_within(before, module):
                return Defined(name)
        above = ".".join(parts[:-1])
        holders = [name for name in names if above and f".{name}".endswith(f".{above}")]
        for holder in holders:
            inherited = _inherited(holder, parts[-1], names, found["bases"])
            if inherited is not None:
                return inherited
        if any(names[name] in {"import", "value"} for name in holders):
            return Unclear(f"{above} comes from elsewhere")
        if found["dynamic"]:
            return Unclear(f"{relative} {found['dynamic']}")
        return NotDefined(_nearest(parts, [one for one in names if names[one] != "import"]))

    def _in_javascript(self, parts: tuple[str, ...], path: Path, relative: str) -> Definition:
        found = self._kept(path, _searched)
        last, names = parts[-1], found["names"]
        if last in names:
            return Defined(last)
        if _mentions(path.read_bytes().decode("utf-8", "replace"), last):
            return Unclear(f"{relative} mentions {last}, and no definition of it was seen")
        if found["minified"] or ".min." in relative:
            return Unclear(f"{relative} is minified")
        return NotDefined(_nearest(parts, names))

    def _kept(self, path: Path, read: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
        """What ``read`` says of a file, remembered by the file's content."""
        status = path.stat()
        same = (path, status.st_mtime_ns, status.st_size)
        if same in self._read_before:
            return self._read_before[same]
        python = self._interpreter.python
        by = f"{python.major}.{python.minor}" if path.suffix in PYTHON else "javascript"
        key = f"{file_sha256(path)}-{by}-{_READING}.json"
        kept: dict[str, Any] | None = self._store.read_json("definitions", key)
        if kept is None:
            kept = read(path)
            self._store.write_json(kept, "definitions", key)
        self._read_before[same] = kept
        return kept

    def _parsed(self, path: Path) -> dict[str, Any]:
        return ask_python(_WALK, str(path), self._interpreter) or {"broken": "a limit"}


def _searched(path: Path) -> dict[str, Any]:
    """The names that a JavaScript file defines, as far as its words tell."""
    text = path.read_bytes().decode("utf-8", "replace")
    names = {name for pattern in _JAVASCRIPT for name in pattern.findall(text)} - _KEYWORDS
    return {"names": sorted(names), "minified": _is_minified(text, path.name)}


def _inherited(
    holder: str, method: str, names: Mapping[str, str], bases: Mapping[str, list[str | None]]
) -> Definition | None:
    """Whether a class has ``method`` from its bases; None where they lack it and are all here."""
    seen: set[str] = set()
    left = [holder]
    while left:
        name = left.pop()
        if f"{name}.{method}" in names:
            return Defined(f"{name}.{method}")
        seen.add(name)
        for base in bases.get(name, []):
            if base is None or base not in bases:
                return Unclear(f"the class {holder} has no {method} of its own and may inherit one")
            if base not in seen:
                left.append(base)
    return None


def _is_within(before: Sequence[str], module: Sequence[str]) -> bool:
    """Whether ``before`` is a stretch of the file's own dotted path."""
    length = len(before)
    return any(list(before) == list(module[i : i + length]) for i in range(len(module)))


def _in_c(parts: tuple[str, ...], text: str, relative: str) -> Definition:
    last = parts[-1]
    if last in _C_DEFINE.findall(text) or _has_body(text, last):
        return Defined(last)
    if _mentions(text, last):
        return Unclear(f"{relative} mentions {last}, and no definition of it was seen")
    # A macro may make the name: PREFIX(scanRef), name##_init.
    if "##" in text or any(
        last.endswith(word) for word in re.findall(r"\b[A-Z][A-Z0-9_]{1,60}\((\w{2,60})\)", text)
    ):
        return Unclear(f"{relative} makes names by macros")
    names = sorted({*_C_HEAD.findall(text), *_C_DEFINE.findall(text)} - _KEYWORDS)
    return NotDefined(_nearest(parts, names))


def _has_body(text: str, name: str) -> bool:
    """Whether ``name(...)`` is followed by a body somewhere, old style declarations between."""
    found = re.finditer(rf"(?<![\w~]){re.escape(name)}\s{{0,9}}\(", text)
    for _, match in zip(range(_OCCURRENCES), found, strict=False):
        depth = 0
        for at in range(match.end() - 1, min(len(text), match.end() + _SIGNATURE_CHARACTERS)):
            depth += (text[at] == "(") - (text[at] == ")")
            if depth == 0:
                rest = re.sub(r"/\*[^*]{0,500}\*/", " ", text[at + 1 : at + 600]).lstrip()
                at_margin = not text[text.rfind("\n", 0, match.start()) + 1 :][:1].isspace()
                if rest.startswith("{") or (at_margin and re.match(r"[A-Za-z_:]", rest)):
                    return True
                break
    return False


def _mentions(text: str, word: str) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(word)}(?![\w$])", text) is not None


def _is_minified(text: str, relative: str) -> bool:
    if ".min." in relative:
        return True
    return max(map(len, text.split("\n"))) > _MINIFIED_LINE


def is_minified(path: Path, relative: str) -> bool:
    """Whether lines of a file say nothing, as a machine put it on few."""
    if path.stat().st_size > SOURCE_BYTES:
        return True
    return _is_minified(path.read_bytes().decode("utf-8", "replace"), relative)


def _nearest(parts: tuple[str, ...], names: Sequence[str]) -> tuple[str, ...]:
    whole = difflib.get_close_matches(".".join(parts), names, n=_NEAREST, cutoff=0.6)
    by_last: dict[str, str] = {}
    for name in names:
        by_last.setdefault(name.rpartition(".")[2], name)
    last = difflib.get_close_matches(parts[-1], by_last, n=_NEAREST, cutoff=0.6)
    return tuple(dict.fromkeys([*(by_last[one] for one in last), *whole]))[:_NEAREST]
