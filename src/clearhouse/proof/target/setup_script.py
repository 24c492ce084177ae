"""What a setup.py says, read from its syntax tree: it is never run.

A setup.py is a program, but almost all of them pass literals to ``setup``. This evaluates just
enough of one: assignments, conditions on the Python version, string and list arithmetic, and the
few calls that name packages. Everything else is Unknown, and Unknown is never guessed at here.
"""

from __future__ import annotations

import ast
import operator
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SIZE_LIMIT = 100_000
"""Bytes; most are a few thousand. The worst script of this size that we could make (one import of
a name with 100,000 dots) keeps the parser busy for 4 s."""


class Unknown:
    """A value that reading alone does not give."""


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class FindPackages:
    """A call of ``find_packages``."""

    where: str = "."
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetupScript:
    """The arguments of ``setup`` as far as they could be read."""

    packages: tuple[str, ...] = ()
    found_in: tuple[FindPackages, ...] = ()
    py_modules: tuple[str, ...] = ()
    package_dir: tuple[tuple[str, str], ...] = ()
    install_requires: tuple[str, ...] | None = None
    """None where there is none or it could not be read."""
    extensions: tuple[str, ...] = ()
    """Every extension module that the script names anywhere, optional ones too."""
    compiles: bool = False
    """It gives ``ext_modules``, whether or not their names could be read."""
    uses_2to3: bool = False


def read_setup_script(source: bytes, version: tuple[int, int, int]) -> SetupScript | None:
    """Read a setup.py as Python ``version`` would run it; None where it cannot be parsed."""
    if len(source) > SIZE_LIMIT:
        return None
    try:
        tree = ast.parse(source)
        functions = frozenset(
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
        )
        reader = _Reader(version, functions)
        reader.run(tree.body)
        extensions = _extensions(tree)
        if reader.arguments is None:
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef) and reader.arguments is None:
                    reader.run(node.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return _script(reader.arguments or {}, extensions, converts=_converts(tree))


def _converts(tree: ast.AST) -> bool:
    """Whether the script imports distutils' building command that runs 2to3."""
    return any(
        alias.name == "build_py_2to3"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )


def _extensions(tree: ast.AST) -> tuple[str, ...]:
    """Return the constant names given to anything called like ``Extension``."""
    calls = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _called(node.func).endswith("Extension")
    )
    values = (
        value
        for call in calls
        for value in (*call.args[:1], *(one.value for one in call.keywords if one.arg == "name"))
    )
    found = [
        value.value
        for value in values
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    ]
    return tuple(dict.fromkeys(found))


def _script(
    arguments: dict[str, Any], extensions: tuple[str, ...], *, converts: bool
) -> SetupScript:
    packages = arguments.get("packages")
    parts = packages if isinstance(packages, list) else [packages]
    requires = arguments.get("install_requires")
    if isinstance(requires, str):
        requires = requires.splitlines()
    package_dir = arguments.get("package_dir")
    modules = arguments.get("py_modules")
    return SetupScript(
        packages=tuple(part for part in parts if isinstance(part, str)),
        found_in=tuple(part for part in parts if isinstance(part, FindPackages)),
        py_modules=tuple(_strings(modules)),
        package_dir=tuple(
            (name, folder)
            for name, folder in (package_dir if isinstance(package_dir, dict) else {}).items()
            if isinstance(name, str) and isinstance(folder, str)
        ),
        install_requires=tuple(_strings(requires)) if isinstance(requires, list) else None,
        extensions=extensions,
        compiles="ext_modules" in arguments or bool(extensions),
        uses_2to3=arguments.get("use_2to3") is True or ("cmdclass" in arguments and converts),
    )


def _strings(value: object) -> list[str]:
    return [part for part in value if isinstance(part, str)] if isinstance(value, list) else []


_PLAIN_PERCENT = re.compile(r"(?:[^%]|%[sdr%])*")
_PLAIN_BRACES = re.compile(r"(?:[^{}]|\{\d?\})*")
_TEXT_LIMIT = 100_000
"""Characters or items that a computed value may have; a hostile script could square them."""


def _modulo(left: object, right: object) -> object:
    """``%`` on numbers, and on text without widths, which could ask for any amount of memory."""
    if isinstance(left, str) and not _PLAIN_PERCENT.fullmatch(left):
        raise ValueError(left)
    return operator.mod(left, right)


_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Mod: _modulo,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda item, items: item in items,
    ast.NotIn: lambda item, items: item not in items,
}


@dataclass(slots=True)
class _Reader:
    version: tuple[int, int, int]
    own_functions: frozenset[str]
    """Functions that the script defines itself, so that a name is not what it seems."""
    names: dict[str, Any] = field(default_factory=dict)
    arguments: dict[str, Any] | None = None

    def run(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self.step(statement)

    def step(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Assign(targets=[*targets], value=value):
                result = self.value(value)
                for target in targets:
                    self.assign(target, result)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.assign(target, self.value(value))
            case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
                self.names[name] = _apply(
                    operator.add, self.names.get(name, UNKNOWN), self.value(value)
                )
            case ast.If(test=test, body=body, orelse=orelse):
                outcome = self.value(test)
                if outcome is UNKNOWN or outcome:
                    self.run(body)
                if outcome is UNKNOWN or not outcome:
                    self.run(orelse)
            case ast.Try(body=body, orelse=orelse, finalbody=final):
                self.run([*body, *orelse, *final])
            case ast.With(body=body):
                self.run(body)
            case ast.Expr(value=ast.Call() as call):
                self.call(call)
            case _:
                pass

    def assign(self, target: ast.expr, value: object) -> None:
        match target:
            case ast.Name(id=name):
                self.names[name] = value
            case ast.Subscript(value=ast.Name(id=name), slice=index):
                holder, key = self.names.get(name), self.value(index)
                if isinstance(holder, dict) and isinstance(key, str):
                    holder[key] = value
            case _:
                pass

    def call(self, node: ast.Call) -> object:
        """Evaluate a call: of ``setup`` itself, or one whose result can be told."""
        name = _called(node.func)
        match name.rpartition(".")[2]:
            case "setup":
                self.arguments = self.keywords(node)
                return UNKNOWN
            case "find_packages" | "find_namespace_packages" if name not in self.own_functions:
                return self.find_packages(node)
            case _:
                return self.plain_call(name, node)

    def plain_call(self, name: str, node: ast.Call) -> object:
        if name == "dict" and not node.args:
            return self.keywords(node)
        arguments = [self.value(argument) for argument in node.args]
        if any(argument is UNKNOWN for argument in arguments):
            return UNKNOWN
        if name in {"list", "tuple", "str"} and len(arguments) == 1:
            return _convert(name, arguments[0])
        if name.endswith("path.join") and all(isinstance(one, str) for one in arguments):
            return posixpath.join(*(str(one) for one in arguments)) if arguments else UNKNOWN
        if isinstance(node.func, ast.Attribute):
            holder = self.value(node.func.value)
            if node.func.attr == "update" and isinstance(holder, dict):
                holder.update(self.keywords(node))
            return _method(holder, node.func.attr, arguments)
        return UNKNOWN

    def find_packages(self, node: ast.Call) -> object:
        keywords = self.keywords(node)
        positional = [self.value(argument) for argument in node.args]
        where = positional[0] if positional else keywords.get("where", ".")
        exclude = positional[1] if len(positional) > 1 else keywords.get("exclude", [])
        if not isinstance(where, str):
            return UNKNOWN
        return FindPackages(where or ".", tuple(_strings(_as_list(exclude))))

    def keywords(self, node: ast.Call) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.value(keyword.value)
            if keyword.arg is not None:
                result[keyword.arg] = value
            elif isinstance(value, dict):
                result.update({name: one for name, one in value.items() if isinstance(name, str)})
        return result

    def value(self, node: ast.expr) -> Any:  # noqa: ANN401 - any value of the script's
        match node:
            case ast.Constant(value=value):
                return value
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                values = [self.value(item) for item in items]
                return tuple(values) if isinstance(node, ast.Tuple) else values
            case ast.Dict(keys=keys, values=values):
                return {
                    _hashable(self.value(key)): self.value(value)
                    for key, value in zip(keys, values, strict=True)
                    if key is not None
                }
            case ast.Name(id=name):
                return "__main__" if name == "__name__" else self.names.get(name, UNKNOWN)
            case ast.Attribute():
                return self.attribute(_called(node))
            case ast.Call():
                return self.call(node)
            case _:
                return self.operation(node)

    def operation(self, node: ast.expr) -> object:
        match node:
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return _apply(_BINARY[type(op)], self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
                return _apply(_COMPARE[type(op)], self.value(left), self.value(right))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                value = self.value(operand)
                return UNKNOWN if value is UNKNOWN else not value
            case ast.BoolOp(op=op, values=values):
                return self.boolean(
                    [self.value(one) for one in values], any_of=isinstance(op, ast.Or)
                )
            case ast.IfExp(test=test, body=body, orelse=orelse):
                outcome = self.value(test)
                if outcome is UNKNOWN:
                    return UNKNOWN
                return self.value(body if outcome else orelse)
            case ast.Subscript(value=holder, slice=index):
                return self.subscript(self.value(holder), index)
            case _:
                return UNKNOWN

    def boolean(self, values: list[Any], *, any_of: bool) -> object:
        for value in values:
            if value is not UNKNOWN and bool(value) is any_of:
                return value
        return UNKNOWN if any(value is UNKNOWN for value in values) else values[-1]

    def subscript(self, holder: object, index: ast.expr) -> object:
        if isinstance(index, ast.Slice):
            low = self.value(index.lower) if index.lower else None
            high = self.value(index.upper) if index.upper else None
            whole = all(bound is None or isinstance(bound, int) for bound in (low, high))
            if not whole or not isinstance(holder, str | list | tuple):
                return UNKNOWN
            return operator.getitem(holder, slice(low, high))
        return _apply(operator.getitem, holder, self.value(index))

    def attribute(self, name: str) -> object:
        major, minor, micro = self.version
        text = f"{major}.{minor}.{micro}"
        known = {
            "sys.version_info": (major, minor, micro, "final", 0),
            "sys.version_info.major": major,
            "sys.version_info.minor": minor,
            "sys.version": text,
            "sys.hexversion": (major << 24) | (minor << 16) | (micro << 8) | 0xF0,
            "sys.platform": "linux",
            "os.name": "posix",
            "six.PY3": True,
            "six.PY2": False,
        }
        return known.get(name, UNKNOWN)


def _called(node: ast.expr) -> str:
    """Return the dotted name of what is called or read, as far as it is one."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=holder, attr=attr):
            return f"{_called(holder)}.{attr}"
        case _:
            return ""


def _apply(function: Callable[[Any, Any], Any], left: object, right: object) -> object:
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    if function is operator.add and isinstance(left, FindPackages | list):
        return (_as_list(left) + _as_list(right))[:_TEXT_LIMIT]
    try:
        result = function(left, right)
    except (TypeError, ValueError, LookupError, ArithmeticError):
        return UNKNOWN
    too_long = isinstance(result, str | list | tuple) and len(result) > _TEXT_LIMIT
    return UNKNOWN if too_long else result


def _as_list(value: object) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    return [] if isinstance(value, Unknown) else [value]


def _hashable(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | None) else UNKNOWN


def _convert(name: str, value: object) -> object:
    if name == "str":
        return str(value) if isinstance(value, str | int | float) else UNKNOWN
    return _as_list(value) if isinstance(value, list | tuple) else UNKNOWN


def _method(holder: object, name: str, arguments: list[Any]) -> object:
    """Call a string's, list's or dictionary's own method, where it is a harmless one."""
    match holder, name, arguments:
        case str(), _, _:
            return _text_method(holder, name, arguments)
        case list(), "append", [item]:
            holder.append(item)
        case list(), "extend", [list() | tuple() as items]:
            holder.extend(items)
        case dict(), "update", [dict() as more]:
            holder.update(more)
        case dict(), "get", [key, *_]:
            return holder.get(_hashable(key), UNKNOWN)
        case _:
            pass
    return UNKNOWN


def _text_method(holder: str, name: str, arguments: list[Any]) -> object:
    match name, arguments:
        case "split", [] | [str()]:
            return holder.split(*arguments)
        case "strip" | "lower" | "rstrip" | "lstrip", []:
            return str(getattr(holder, name)())
        case "startswith" | "endswith", [str() as affix]:
            return holder.startswith(affix) if name == "startswith" else holder.endswith(affix)
        case "replace", [str() as old, str() as new] if holder.count(old) * len(new) < _TEXT_LIMIT:
            return holder.replace(old, new)
        case "join", [list() | tuple() as parts] if all(isinstance(part, str) for part in parts):
            length = sum(len(part) + len(holder) for part in parts)
            return holder.join(parts) if length < _TEXT_LIMIT else UNKNOWN
        case "format", _ if _PLAIN_BRACES.fullmatch(holder):
            try:
                return holder.format(*arguments)
            except (LookupError, ValueError):
                return UNKNOWN
        case _:
            return UNKNOWN
