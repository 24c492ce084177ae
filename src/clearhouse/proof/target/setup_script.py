"""What a setup.py says, read from its syntax tree: it is never run.

A setup.py is a program, but almost all of them pass literals to ``setup``. This evaluates just
enough of one: assignments, conditions on the Python version, string and list arithmetic, and the
few calls that name packages. Everything else is Unknown, and Unknown is never guessed at here.
"""

from __future__ import annotations

import ast
import operator
import posixpath
from dataclasses import dataclass, field
from typing import Any

from clearhouse.proof.target import literals
from clearhouse.proof.target.literals import UNKNOWN, FindPackages

SIZE_LIMIT = 100_000
"""Bytes; most are a few thousand. The worst script of this size that we could make (one import of
a name with 100,000 dots) keeps the parser busy for 4 s."""


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
                self.names[name] = literals.apply(
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
            return literals.convert(name, arguments[0])
        if name.endswith("path.join") and all(isinstance(one, str) for one in arguments):
            return posixpath.join(*(str(one) for one in arguments)) if arguments else UNKNOWN
        if isinstance(node.func, ast.Attribute):
            holder = self.value(node.func.value)
            if node.func.attr == "update" and isinstance(holder, dict):
                holder.update(self.keywords(node))
            return literals.method(holder, node.func.attr, arguments)
        return UNKNOWN

    def find_packages(self, node: ast.Call) -> object:
        keywords = self.keywords(node)
        positional = [self.value(argument) for argument in node.args]
        where = positional[0] if positional else keywords.get("where", ".")
        exclude = positional[1] if len(positional) > 1 else keywords.get("exclude", [])
        if not isinstance(where, str):
            return UNKNOWN
        return FindPackages(where or ".", tuple(_strings(literals.as_list(exclude))))

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
                    literals.as_key(self.value(key)): self.value(value)
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
            case ast.BinOp(left=left, op=op, right=right) if type(op) in literals.BINARY:
                return literals.apply(
                    literals.BINARY[type(op)], self.value(left), self.value(right)
                )
            case ast.Compare(left=left, ops=[op], comparators=[right]) if (
                type(op) in literals.COMPARE
            ):
                return literals.apply(
                    literals.COMPARE[type(op)], self.value(left), self.value(right)
                )
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
        return literals.apply(operator.getitem, holder, self.value(index))

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
