"""What a patch changes in code: nothing but words, or handlers that silence a fault.  Pure.

:func:`changes_code` tells a change of comments, docstrings and layout from one of code.
:func:`unsilenced` finds the handlers a patch adds or widens which can end without raising, and
gives the file back with these handlers raising again. Running that tells whether the patch mended
the fault or only keeps quiet about it: if the effect returns, the fault still happens.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

_C_LIKE = (".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx", ".inc", ".go", ".rs", ".java")
_JAVASCRIPT = (".js", ".mjs", ".cjs", ".ts", ".jsx", ".tsx")
_CODE = (".py", ".pyi", ".pyx", ".pxd", *_C_LIKE, *_JAVASCRIPT)
_EXCEPT_ALL = frozenset({"", "Exception", "BaseException"})
# A string, a template, a comment; what begins first wins.  In JavaScript a "/" that begins a
# regular expression stays as it is: an error then only keeps a comment, it never loses code.
_STRING = r"""'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`"""
_TOKEN = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?\*/", re.DOTALL)
_WORDS = re.compile(rf"{_STRING}|\w+|[^\w\s]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Handler:
    """A handler that the patch adds and that can end without raising.

    ``function`` is the function it stands in (dotted, ``""`` for the module), ``line`` and
    ``end`` the lines of what it guards in the patched file, ``catches`` the classes it names.
    """

    function: str
    line: int
    end: int
    catches: tuple[str, ...]

    @property
    def broad(self) -> bool:
        """Whether it catches whatever is raised."""
        return bool(_EXCEPT_ALL.intersection(c.rpartition(".")[2] for c in self.catches))

    def __str__(self) -> str:
        named = ", ".join(c or "everything" for c in self.catches)
        return f"{self.function or 'the module'} (line {self.line}) catches {named}"


@dataclass(frozen=True, slots=True)
class Unsilenced:
    """A patched file in which the silencing handlers raise again."""

    content: bytes
    handlers: tuple[Handler, ...]


def is_code(name: str) -> bool:
    """Whether a file of this name holds code that runs or is compiled."""
    return name.endswith(_CODE)


def changes_code(name: str, before: bytes | None, after: bytes | None) -> bool:
    """Whether the two contents differ in more than comments, docstrings and layout.

    Files that are no code count as changed when they differ at all: templates and tables of a
    package decide what it does.
    """
    if before == after:
        return False
    if before is None or after is None:
        return not name.endswith((".md", ".rst", ".txt"))
    if name.endswith((".py", ".pyi")):
        old, new = _python(before), _python(after)
        return old is None or new is None or old != new
    if name.endswith((*_C_LIKE, *_JAVASCRIPT)):
        return _stripped(before) != _stripped(after)
    return not name.endswith((".md", ".rst"))


def _parse(content: bytes) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the target's own escapes and comparisons
        try:
            return ast.parse(content)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _python(content: bytes) -> str | None:
    tree = _parse(content)
    if tree is None:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and _is_text(first.value):
                node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _stripped(content: bytes) -> list[str]:
    text = content.decode("utf-8", "surrogateescape")
    bare = _TOKEN.sub(lambda m: " " if m[0].startswith(("//", "/*")) else m[0], text)
    # Words and signs without the space between them; strings keep theirs.
    return _WORDS.findall(bare)


def unsilenced(name: str, before: bytes | None, after: bytes) -> Unsilenced | None:
    """The patched file with the silencing handlers that the patch brings raising again.

    None where it brings none, or the language has none.
    """
    if name.endswith(".py"):
        return _unsilenced_python(before or b"", after)
    if name.endswith(_JAVASCRIPT):
        return _unsilenced_javascript(before or b"", after)
    return None


# -- Python ------------------------------------------------------------------------------------


def _unsilenced_python(before: bytes, after: bytes) -> Unsilenced | None:
    old, new = _parse(before), _parse(after)
    if old is None or new is None:
        return None
    known = Counter(_mark(function, node) for function, node in _guards(old))
    fresh: list[tuple[str, _Guard]] = []
    for function, node in _guards(new):
        mark = _mark(function, node)
        if known[mark] > 0:
            known[mark] -= 1
        else:
            fresh.append((function, node))
    handlers = [found for function, node in fresh if (found := _open_up(function, node))]
    if not handlers:
        return None
    ast.fix_missing_locations(new)
    return Unsilenced(ast.unparse(new).encode("utf-8", "surrogateescape"), tuple(handlers))


_Guard = ast.Try | ast.TryStar | ast.With | ast.AsyncWith


def _guards(tree: ast.Module) -> Iterator[tuple[str, _Guard]]:
    """Every ``try`` and every ``with`` that suppresses, with the function it stands in."""
    waiting: list[tuple[str, ast.AST]] = [("", tree)]
    while waiting:
        function, node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            function = f"{function}.{node.name}".strip(".")
        if isinstance(node, ast.Try | ast.TryStar) or (
            isinstance(node, ast.With | ast.AsyncWith) and any(map(_suppresses, node.items))
        ):
            yield function, node
        waiting += [(function, child) for child in ast.iter_child_nodes(node)]


def _suppresses(item: ast.withitem) -> bool:
    call = item.context_expr
    return isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] == "suppress"


def _mark(function: str, node: _Guard) -> str:
    # With what it guards: a guard that reaches over more code than before may silence more.
    return f"{function}|{ast.dump(node)}"


def _open_up(function: str, node: _Guard) -> Handler | None:
    """Make a guard raise again, in place; None for one that never silences."""
    catches: list[str] = []
    if isinstance(node, ast.Try | ast.TryStar):
        for handler in node.handlers:
            if not _always_raises(handler.body):
                catches += _classes(handler.type)
                handler.body = [ast.Raise()]
        if any(isinstance(part, ast.Return) for step in node.finalbody for part in ast.walk(step)):
            catches.append("")
            node.finalbody = [ast.Pass()]
    else:
        for item in node.items:
            if _suppresses(item):
                call = item.context_expr
                assert isinstance(call, ast.Call)
                catches += [ast.unparse(argument) for argument in call.args]
                call.args = []
    if not catches:
        return None
    last = node.body[-1]
    return Handler(function, node.body[0].lineno, last.end_lineno or last.lineno, tuple(catches))


def _classes(node: ast.expr | None) -> list[str]:
    if node is None:
        return [""]
    return [ast.unparse(one) for one in (node.elts if isinstance(node, ast.Tuple) else [node])]


def _always_raises(body: list[ast.stmt]) -> bool:
    """Whether every way through ``body`` ends in a raise (``if`` with both ways included)."""
    for step in body:
        if isinstance(step, ast.Raise):
            return True
        if isinstance(step, ast.If) and step.orelse:
            if _always_raises(step.body) and _always_raises(step.orelse):
                return True
        elif isinstance(step, ast.Return | ast.Continue | ast.Break):
            return False
    return False


# -- JavaScript --------------------------------------------------------------------------------

_CATCH = re.compile(r"\bcatch\s*(?:\(\s*([A-Za-z_$][\w$]*)\s*\)\s*)?\{")


def _unsilenced_javascript(before: bytes, after: bytes) -> Unsilenced | None:
    new = after.decode("utf-8", "surrogateescape")
    old_blank, new_blank = _blanked(before.decode("utf-8", "surrogateescape")), _blanked(new)
    known = Counter(_guarded(old_blank, m) for m in _CATCH.finditer(old_blank))
    parts, at, handlers = [], 0, []
    for match in _CATCH.finditer(new_blank):
        mark = _guarded(new_blank, match)
        if known[mark] > 0:
            known[mark] -= 1
            continue
        if re.search(r"\bthrow\b", _closed_by(new_blank, match.end())):
            continue  # turns it into another error, or passes it on
        error = match[1] or "clearhouseError"
        parts += [new[at : match.start()], f"catch ({error}) {{ throw {error};"]
        at = match.end()
        line = new.count("\n", 0, match.start()) + 1
        handlers.append(Handler("", line, line, ("",)))
    if not handlers:
        return None
    content = "".join((*parts, new[at:])).encode("utf-8", "surrogateescape")
    return Unsilenced(content, tuple(handlers))


def _blanked(text: str) -> str:
    """The text with strings and comments blanked out, every character in its place."""
    return _TOKEN.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def _guarded(blank: str, match: re.Match[str]) -> str:
    """What a catch clause guards and does, without layout."""
    end = blank.rfind("}", 0, match.start())
    depth, start = 0, end
    while start >= 0:
        depth += {"}": 1, "{": -1}.get(blank[start], 0)
        if depth == 0:
            break
        start -= 1
    return "".join((blank[max(0, start) : match.end()] + _closed_by(blank, match.end())).split())


def _closed_by(blank: str, start: int) -> str:
    """What stands between a brace at ``start - 1`` and the one that closes it."""
    depth = 1
    for at in range(start, len(blank)):
        depth += {"{": 1, "}": -1}.get(blank[at], 0)
        if depth == 0:
            return blank[start:at]
    return blank[start:]
