"""What a harness hands to the target: looked at, described, and marked as the harness's.

A function of the standard library that the target gets as a callback would leave no trace of the
harness on the stack when it fails, hangs or opens a file.  So it is handed over inside a function
that carries the harness's file name: what a harness hands over is the harness's.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import io
import itertools
import json
import sys
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any

from .allowed_python import REASONS, allows, module_allowed, public_module
from .homes_python import HARNESS, Homes, TooDeep, Whose, instance_dict, is_a

PLAIN = (type(None), bool, int, float, complex, str, bytes, bytearray, slice, type(Ellipsis))
_CONTAINERS = (list, tuple, dict, set, frozenset, OrderedDict, defaultdict, deque)
_ENDLESS = (itertools.count, itertools.cycle, itertools.repeat, type(iter(int, 1)))
_INSIDES = (
    types.FrameType,
    types.CodeType,
    types.TracebackType,
    types.CellType,
    types.MappingProxyType,
)
#: Classes of the standard library that a target may be given to make objects with.
_MAKERS = frozenset(
    {"dict", "list", "tuple", "set", "frozenset", "str", "object", "OrderedDict", "defaultdict",
     "SimpleNamespace", "BytesIO", "StringIO", "HTMLParser", "Counter", "deque"}
)  # fmt: skip
#: Modules whose classes make values and do nothing else.
_PURE = frozenset(
    {"builtins", "collections", "datetime", "decimal", "email", "enum", "fractions", "html", "io",
     "ipaddress", "json", "numbers", "pathlib", "types", "typing", "uuid", "abc"}
)  # fmt: skip
_NAMES_FURTHER = 0x08  # inspect.CO_VARKEYWORDS
_LOOKED_AT, _DEEP, _HANDED = 200_000, 30, 4096
_SHIM = """
def hand_over(given):
    def handed_over(*args, **named):
        return told(LINE, given(*args, **named))
    return handed_over
def draw_from(given):
    for drawn in given:
        yield told(LINE, drawn)
"""


class Gifts:
    """Looks at what goes over to the target; ``breach(line, what)`` is told what must not."""

    def __init__(
        self, homes: Homes, path: str, breach: Callable[[int, str], None],
        told: Callable[[int, Any], Any], effect: str, allowance: int, ours: list[bool],
    ) -> None:  # fmt: skip
        self._homes, self._path, self._breach, self._told = homes, path, breach, told
        self._effect, self._allowance, self._ours = effect, allowance, ours
        self._shims: dict[int, tuple[Callable[..., Any], Callable[..., Any]]] = {}
        self._origins: dict[int, tuple[weakref.ref[Any], str]] = {}
        self._made_at: dict[int, int] = {}
        self._room = 0
        self._open: set[int] = set()  # containers that are being looked through
        self._handed: dict[int, Any] = {}
        self._seen: set[int] = set()  # containers and objects of the harness, which may be circular

    # -- handing over ----------------------------------------------------------------------------

    def give(self, line: int, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, Any]:
        """The arguments as the target is to get them."""
        size, self._room = [0], _LOOKED_AT
        self._seen.clear()
        found = tuple(self._one(line, value, 0, size) for value in args)
        more = {name: self._one(line, value, 0, size) for name, value in named.items()}
        if size[0] > self._allowance and self._effect in ("hang", "memory"):
            self._breach(line, f"makes {size[0]} bytes out of the input for the target")
        return found, more

    def _one(self, line: int, value: Any, depth: int, size: list[int]) -> Any:
        kind = type(value)
        if kind in PLAIN:
            size[0] += _bytes_of(value)
            return value
        if kind in _CONTAINERS:
            return self._container(line, value, depth, size)
        if kind in _INSIDES:
            self._breach(line, f"hands over a {kind.__name__}")
        elif kind is range:
            size[0] += 8 * _length(value)
        elif issubclass(kind, types.ModuleType):
            self.module(line, value)
        elif kind is types.GeneratorType:
            self._generator(line, value)
        elif issubclass(kind, type):
            self.maker(line, value)
        elif callable(value):
            return self._callable(line, value, depth, size)
        elif kind in _ENDLESS:
            self._breach(line, f"hands over a {kind.__name__}, which never ends")
        elif hasattr(kind, "__next__") and not hasattr(kind, "read"):
            if self._homes.of_class(kind).whose is Whose.STANDARD:
                return self._shim(line)[1](value)
        else:
            self._instance(line, value, depth, size)
        return value

    def _container(self, line: int, value: Any, depth: int, size: list[int]) -> Any:
        size[0] += 8 * len(value)
        if id(value) in self._open:
            self._breach(line, f"hands over a {type(value).__name__} that contains itself")
            return value
        if id(value) in self._seen and value and self._effect in ("hang", "memory"):
            self._breach(line, f"hands over one {type(value).__name__} in several places")
        if depth >= _DEEP or self._room <= 0 or id(value) in self._seen:
            return value
        self._seen.add(id(value))
        self._hand_over(value)
        self._room -= len(value)
        self._open.add(id(value))
        try:
            return self._elements(line, value, depth, size)
        finally:
            self._open.discard(id(value))

    def _hand_over(self, value: Any) -> None:
        if len(self._handed) < _HANDED:
            self._handed[id(value)] = value

    def handed(self, value: Any) -> bool:
        """Whether the target was given this very object, and may have it still."""
        return id(value) in self._handed

    def _elements(self, line: int, value: Any, depth: int, size: list[int]) -> Any:
        if isinstance(value, dict):
            for key, one in list(value.items()):
                given = self._one(line, one, depth + 1, size)
                if given is not one:
                    value[key] = given
            return value
        looked = [self._one(line, one, depth + 1, size) for one in value]
        changed = any(mine is not theirs for mine, theirs in zip(looked, value, strict=False))
        if not changed or type(value) not in (list, tuple, deque):
            return value
        if type(value) is tuple:
            return tuple(looked)
        for index, one in enumerate(looked):
            value[index] = one
        return value

    def _generator(self, line: int, value: types.GeneratorType[Any, Any, Any]) -> None:
        code = value.gi_code
        own = self._homes.of_file(code.co_filename) is Whose.HARNESS
        if own and code.co_name != "<genexpr>" and self._effect in ("hang", "memory"):
            self._breach(line, f"hands over {code.co_name}, which decides when it ends")

    def _instance(self, line: int, value: Any, depth: int, size: list[int]) -> None:
        whose = self._homes.of_instance(value)
        if whose is Whose.STANDARD:
            size[0] += sys.getsizeof(value, 0)
        if whose is Whose.HARNESS or type(value) is types.SimpleNamespace:
            held = instance_dict(value)
            self._hand_over(value)
            self._container(line, held, depth, size)

    def module(self, line: int, module: types.ModuleType) -> None:
        """A module that the harness holds must be one that it could have imported."""
        name = types.ModuleType.__getattribute__(module, "__name__")
        whose = self._homes.of_module(name) if isinstance(name, str) else Whose.UNKNOWN
        if whose is Whose.STANDARD and not module_allowed(public_module(name)):
            self._breach(line, f"reaches the module {name}, which {_reason(name)}")
        elif whose is Whose.DEPENDENCY and name.partition(".")[0] in REASONS:
            self._breach(
                line, f"reaches the module {name}, which {REASONS[name.partition('.')[0]]}"
            )

    def maker(self, line: int, cls: type) -> None:
        """A class with which the target, or a class of the harness, can make objects."""
        home = self._homes.of_class(cls)
        if home.whose is not Whose.STANDARD or issubclass(cls, BaseException):
            return
        pure = public_module(home.module).partition(".")[0] in _PURE and home.name != "FileIO"
        if not pure or not allows(home.module, home.name):
            self._breach(line, f"hands over {home.full}, which the target then calls")
        elif home.name not in _MAKERS and self._effect in ("exception", "memory", "hang", "crash"):
            self._breach(line, f"hands over {home.name}, which the target then calls")

    def _callable(self, line: int, value: Any, depth: int, size: list[int]) -> Any:
        try:
            home = self._homes.of(value)
        except TooDeep:
            self._breach(line, "hands over something wrapped too often")
            return value
        if type(value) is functools.partial and depth < _DEEP:
            for one in (value.func, *value.args, *value.keywords.values()):
                self._one(line, one, depth + 1, size)
        if home.whose in (Whose.HARNESS, Whose.TARGET):
            return value
        if home.whose is Whose.STANDARD:
            if not allows(home.module, home.name):
                self._breach(line, f"hands over {home.full}, which {_reason(home.module)}")
            elif public_module(home.module) == "hashlib":
                return value  # cannot fail, and is told apart by identity
        elif home.whose is not Whose.OBSERVER and not is_a(
            value, types.FunctionType, types.BuiltinFunctionType, types.MethodType
        ):
            return value  # an object of a dependency that happens to be callable
        return self._shim(line)[0](value)

    def _shim(self, line: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """Two functions of the harness's file and line: one that calls, one that draws."""
        known = self._shims.get(line)
        if known is None:
            tree = ast.parse(_SHIM)
            for node in ast.walk(tree):
                if isinstance(node, ast.stmt | ast.expr | ast.arg | ast.keyword):
                    node.lineno = node.end_lineno = max(line, 1)
            space: dict[str, Any] = {"told": self._told, "LINE": line, "__name__": HARNESS}
            self._ours[0] = True
            exec(compile(tree, self._path, "exec"), space)
            self._ours[0] = False
            known = self._shims[line] = space["hand_over"], space["draw_from"]
        return known

    # -- describing ------------------------------------------------------------------------------

    def made_by_target(self, line: int, value: Any) -> None:
        """Remember from which line of the harness an object of the target comes."""
        kind = type(value)
        if kind in PLAIN or kind in _CONTAINERS or len(self._origins) > 4096:
            return
        if self._homes.of_instance(value) is not Whose.TARGET and kind is not types.FunctionType:
            return
        number = self._made_at[line] = self._made_at.get(line, 0) + 1
        key = id(value)
        with contextlib.suppress(TypeError):  # not everything can be referred to weakly
            gone = functools.partial(self._forget, key)
            again = "" if number == 1 else ", not the first"
            self._origins[key] = weakref.ref(value, gone), f"made at line {line}{again}"

    def _forget(self, key: int, _: object) -> None:
        self._origins.pop(key, None)

    def forget_origins(self) -> None:
        """The harness is loaded anew, and counts anew."""
        self._origins.clear()
        self._made_at.clear()

    def origin(self, value: Any) -> str:
        """Where an object of the target, or the one a method is bound to, was made."""
        if is_a(value, types.MethodType, types.BuiltinFunctionType, types.MethodWrapperType):
            value = value.__self__
        known = self._origins.get(id(value))
        return known[1] if known is not None and known[0]() is value else ""

    def kinds(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> list[str]:
        """What kinds of argument a call has: what poc and control must have in common.

        Names that the function does not declare but takes (``**names``) are keys of a dictionary
        as any other: its values' kinds count.
        """
        found = [self.kind(value) for value in args]
        declared = _declared(function) if named else None
        own, others = [], set()
        for name, value in sorted(named.items()):
            if declared is None or name in declared:
                own.append(f"{name}={self.kind(value)}")
            else:
                others.add(f"**={self.kind(value)}")
        return [*found, *own, *sorted(others)]

    def kind(self, value: Any, depth: int = 0) -> str:
        """The kind of one value: its class, and which one where it is a function or a class."""
        kind = type(value)
        if issubclass(kind, type):
            return f"type {self._homes.label(value)}"
        if kind is types.FunctionType and self._homes.of(value).whose is Whose.HARNESS:
            return f"function at line {value.__code__.co_firstlineno}"
        if kind is functools.partial:
            return f"partial of {self.kind(value.func, depth + 1) if depth < _DEEP else '?'}"
        if is_a(value, types.FunctionType, types.BuiltinFunctionType, types.MethodType):
            return f"function {self._home_name(value)} {self.origin(value)}".strip()
        name = self._homes.label(kind)
        if kind in _CONTAINERS and depth < 2:
            strange = self._strange(value, depth)
            return f"{name} of {', '.join(strange)}" if strange else name
        if issubclass(kind, io.IOBase) and kind.__module__ in ("_io", "io"):
            return f"{name}, closed" if value.closed else name
        return f"{name} {self.origin(value)}".strip()

    def _home_name(self, value: Any) -> str:
        try:
            return self._homes.of(value).full
        except TooDeep:
            return "?"

    def _strange(self, value: Any, depth: int) -> list[str]:
        """Elements that input alone seldom makes: None, functions, objects of the harness."""
        items = value.values() if is_a(value, dict) else value
        found = set()
        for one in itertools.islice(items, 64):
            kind = self.kind(one, depth + 1)
            own = self._homes.of_instance(one) is Whose.HARNESS
            if one is None or callable(one) or own or " of " in kind or " made at " in kind:
                found.add(kind)
        return sorted(found)


def _reason(module: str) -> str:
    top = public_module(module).partition(".")[0]
    return REASONS.get(top, "acts on the machine" if top == "os" else "a harness does not need")


def _declared(function: Any) -> frozenset[str] | None:
    """The parameters of a Python function that takes further names too; None of any other."""
    if is_a(function, type):
        made = type.__getattribute__(function, "__new__") is not object.__new__
        function = None if made else type.__getattribute__(function, "__init__")
    if is_a(function, types.MethodType):
        function = function.__func__
    while is_a(function, types.FunctionType) and "__wrapped__" in vars(function):
        function = vars(function)["__wrapped__"]
    if not is_a(function, types.FunctionType) or not function.__code__.co_flags & _NAMES_FURTHER:
        return None
    code = function.__code__
    return frozenset(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def _bytes_of(value: Any) -> int:
    kind = type(value)
    if kind in (str, bytes, bytearray):
        return len(value)
    return value.bit_length() // 8 if kind is int else 0


def _length(value: range) -> int:
    try:
        return len(value)
    except OverflowError:
        return 1 << 62


def describe(values: tuple[Any, ...], named: dict[str, Any]) -> str:
    """A digest of arguments as far as they are simple, to be compared between versions.

    Objects count as objects: between versions their classes may be renamed.
    """
    budget = iter(range(2000))
    seen = [
        _plain(list(values), 0, budget, named=False),
        _plain(dict(sorted(named.items())), 0, budget, named=False),
    ]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]


def plain(value: Any) -> Any:
    """A value as far as it can be compared between versions: simple ones whole, others by type."""
    return _plain(value, 0, iter(range(2000)), named=True)


def _plain(value: Any, depth: int, budget: Iterator[int], *, named: bool) -> Any:
    if next(budget, None) is None:
        return "..."
    kind = type(value)
    if value is None or kind in (bool, float):
        return value
    if kind is int:
        return value if abs(value) < 1 << 53 else f"{value:x}"[:64]
    if kind is str:
        return (
            value
            if len(value) < 200
            else "sha256:" + _digest(value.encode("utf-8", "surrogatepass"))
        )
    if kind in (bytes, bytearray):
        return "bytes:" + _digest(bytes(value))
    if depth < 4 and kind in (list, tuple):
        found = [_plain(v, depth + 1, budget, named=named) for v in value[:64]]
        return found + ([len(value)] if len(value) > 64 else [])
    if depth < 4 and kind is dict:
        pairs = itertools.islice(value.items(), 64)
        return {"dict": [[_plain(one, depth + 1, budget, named=named) for one in p] for p in pairs]}
    return f"<{kind.__module__}.{kind.__qualname__}>" if named else "<>"


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
