"""What a Python harness must keep to for its effect to be laid at the target's door.

:func:`violations` reads the harness before any of it runs and names every construct with which code
could act on the observer, the interpreter or the target instead of calling the target.  Such a
harness may still reproduce an effect; it cannot show where the effect comes from.

What source cannot show (which object a name will stand for) is watched while the harness runs, by
:mod:`guard_python`, with the same tables.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

from .allowed_python import (
    DUNDERS,
    FORBIDDEN_BUILTINS,
    INSIDES,
    ONLY_CALLED,
    REASONS,
    VERSION_NAMES,
    allows,
    is_standard,
    module_allowed,
    why_not,
)

_ARGUMENTS = {"getattr": (2, 3), "hasattr": (2, 2), "iter": (1, 1), "type": (1, 1), "open": (1, 8)}
_READABLE = frozenset({"utf-8", "utf-8-sig", "ascii", "us-ascii"})


class Violation(NamedTuple):
    """A construct that costs the harness its attribution: where it stands and why."""

    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


def violations(tree: ast.Module) -> list[Violation]:
    """Every construct of the harness that could cause or hide an effect by itself."""
    found = {*_walk(tree)}
    return sorted(found, key=lambda v: (v.line, v.what))


def encoding_violations(source: bytes) -> list[Violation]:
    """A harness in another encoding than UTF-8 can hide from a reader what it says."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    except SyntaxError:
        return []  # the parser will say so
    if encoding.lower() in _READABLE:
        return []
    return [Violation(1, f"is written in {encoding}, not in UTF-8")]


def _walk(tree: ast.Module) -> Iterator[Violation]:
    modules = _module_names(tree)
    imported = _imported_names(tree)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        for name in _identifiers(node):
            yield from _special(node, name)
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield from _module(node, alias.name, None)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for alias in names:
                    yield from _module(node, module, alias.name)
                    yield from _inside(node, alias.name)
            case ast.Name(id=name):
                yield from _builtin(node, name, id(node) in called)
            case ast.Attribute(value=value, attr=name):
                yield from _inside(node, name)
                yield from _member(node, modules.get(_dotted(value)), name)
            case ast.MatchClass(kwd_attrs=names):
                for name in names:
                    yield from _inside(node, name)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
                yield from _arguments(node, name, args, keywords)
            case ast.ClassDef(keywords=keywords):
                for keyword in keywords:
                    if keyword.arg in (None, "metaclass"):
                        yield Violation(node.lineno, "a metaclass can change what classes do")
            case ast.Try(body=body, handlers=handlers):
                yield from _import_tried(body, handlers)
            case _:
                pass
        yield from _assignment(node, imported)


_FAILS = frozenset({"ImportError", "ModuleNotFoundError"})


def _import_tried(body: list[ast.stmt], handlers: list[ast.ExceptHandler]) -> Iterator[Violation]:
    """Another import may stand in for one that fails; noting which it was says the version."""
    if not any(isinstance(one, ast.Import | ast.ImportFrom) for one in body):
        return
    for handler in handlers:
        caught = (
            {part.id for part in ast.walk(handler.type) if isinstance(part, ast.Name)}
            if (handler.type)
            else _FAILS
        )
        for one in handler.body if caught & (_FAILS | {"Exception"}) or not handler.type else ():
            if not isinstance(one, ast.Import | ast.ImportFrom | ast.Raise | ast.Pass):
                yield Violation(
                    one.lineno, "notes which import failed: that says which version runs"
                )


def _identifiers(node: ast.AST) -> Iterator[str]:
    """Every identifier that stands in a node itself."""
    match node:
        case ast.Import() | ast.ImportFrom():
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0]
                yield alias.name.rpartition(".")[2]
            return
        case _:
            pass
    for field, value in ast.iter_fields(node):
        if field in ("value", "s", "kind", "type_comment", "conversion"):
            continue
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from (one for one in value if isinstance(one, str))


def _special(node: ast.AST, name: str) -> Iterator[Violation]:
    if name.startswith("__") and name.endswith("__") and name not in DUNDERS and len(name) > 4:
        if name in VERSION_NAMES:
            yield Violation(_line(node), f"{name}: a harness must not ask which version runs")
        else:
            yield Violation(_line(node), f"{name} reaches into the interpreter")


def _inside(node: ast.AST, name: str) -> Iterator[Violation]:
    if name in INSIDES:
        yield Violation(_line(node), f".{name} reaches into the interpreter")


def _module(node: ast.AST, module: str, member: str | None) -> Iterator[Violation]:
    """Importing a module, or a member of it."""
    top = module.partition(".")[0]
    if not is_standard(top):
        if top in REASONS:
            yield Violation(_line(node), f"imports {module}, which {REASONS[top]}")
    elif member is not None and module_allowed(f"{module}.{member}"):
        pass  # a module within a package of which not everything may be had
    elif not module_allowed(module):
        yield Violation(_line(node), f"imports {module}, which {_reason(module)}")
    elif member is not None and member != "*":
        yield from _member(node, module, member)


def _reason(module: str) -> str:
    if module.startswith("_"):
        return "is an inside of the interpreter"
    return why_not(module)


def _member(node: ast.AST, module: str | None, name: str) -> Iterator[Violation]:
    """A member of a module of the standard library, reached by the module's name."""
    if module is None or not is_standard(module) or allows(module, name):
        return
    if not module_allowed(module):
        return  # importing it is the violation
    what = {
        "os": "acts on the machine",
        "sys": "changes or reads the interpreter",
    }.get(module, "can run code, or change what others do")
    yield Violation(_line(node), f"{module}.{name} {what}")


def _builtin(node: ast.Name, name: str, called: bool) -> Iterator[Violation]:
    if name in FORBIDDEN_BUILTINS:
        yield Violation(node.lineno, f"{name} can run or change anything")
    elif name in ONLY_CALLED and not called and isinstance(node.ctx, ast.Load):
        yield Violation(node.lineno, f"{name} is handed about instead of called")


def _arguments(
    node: ast.Call, name: str, args: list[ast.expr], keywords: list[ast.keyword]
) -> Iterator[Violation]:
    """Calls of builtins whose meaning changes with the number of arguments."""
    if name not in _ARGUMENTS:
        return
    least, most = _ARGUMENTS[name]
    starred = any(isinstance(a, ast.Starred) for a in args) or any(k.arg is None for k in keywords)
    if starred or not least <= len(args) <= most or (keywords and name != "open"):
        yield Violation(node.lineno, f"{name} with these arguments can make or reach anything")
    elif name in ("getattr", "hasattr"):
        match args[1]:
            case ast.Constant(value=str(text)):
                yield from _special(node, text)
                yield from _inside(node, text)
            case _:
                yield Violation(node.lineno, f"{name} with a computed name can reach anything")


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


def _dotted(node: ast.expr) -> str:
    """``a.b`` for a plain chain of names, else nothing."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _module_names(tree: ast.Module) -> dict[str, str]:
    """The local names of imported modules, and which module each stands for."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    found[alias.asname] = alias.name
                else:
                    parts = alias.name.split(".")
                    found |= {
                        ".".join(parts[:n]): ".".join(parts[:n]) for n in range(1, len(parts) + 1)
                    }
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


def _imported_names(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(a.asname or a.name).partition(".")[0] for a in node.names}
    return names


def _assignment(node: ast.AST, imported: set[str]) -> Iterator[Violation]:
    """Assigning or deleting an attribute or an item of something imported changes the target."""
    match node:
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            pass
        case (
            ast.AugAssign(target=target)
            | ast.AnnAssign(target=target)
            | ast.For(target=target)
            | ast.AsyncFor(target=target)
            | ast.comprehension(target=target)
        ):
            targets = [target]
        case ast.With(items=items) | ast.AsyncWith(items=items):
            targets = [item.optional_vars for item in items if item.optional_vars is not None]
        case _:
            return
    for target in targets:
        for part in ast.walk(target):
            if not isinstance(part, ast.Attribute | ast.Subscript):
                continue
            if isinstance(part.ctx, ast.Load) or _root(part) not in imported:
                continue
            if isinstance(part, ast.Subscript) and ast.unparse(part.value) == "os.environ":
                yield from _environment(part, node)
            else:
                yield Violation(_line(part), f"changes {ast.unparse(part)} of what it imported")


#: Variables that decide which programs and files others find.
ENVIRONMENT = (
    "PATH", "HOME", "SHELL", "TMP", "TEMP", "LD_", "PYTHON", "XDG_", "EDITOR", "PAGER", "BROWSER",
    "VISUAL", "GIT_", "MALLOC_", "LC_", "LANG", "TZ", "IFS", "ENV", "BASH", "CDPATH", "CWD", "PWD",
    "APPDATA", "USER", "LOGNAME", "COMSPEC", "PERL", "NODE_", "JAVA", "SSL_", "OPENSSL", "COV_",
)  # fmt: skip


def _environment(part: ast.Subscript, node: ast.AST) -> Iterator[Violation]:
    """A harness may configure its target by constant variables of the environment."""
    value = node.value if isinstance(node, ast.Assign) else None
    match part.slice, value:
        case ast.Constant(value=str(name)), ast.Constant():
            if name.upper().startswith(ENVIRONMENT):
                yield Violation(
                    part.lineno, f"changes {name}, by which others find programs or files"
                )
        case _:
            yield Violation(part.lineno, "changes the environment by what it computes")


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
