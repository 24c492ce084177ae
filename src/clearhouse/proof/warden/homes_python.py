"""Where a Python object comes from, judged by what cannot be renamed.

``__module__`` and ``__qualname__`` are only labels: a decorator or a class body sets them as it
likes.  A function is known by the file that its code was compiled from, a class by the place in
which it really stands.
"""

from __future__ import annotations

import functools
import os
import sys
import types
from enum import Enum
from typing import Any, NamedTuple

SITE = "/target/site/"
HARNESS = "clearhouse_harness"  # the module that a harness is loaded into
#: Folders that a run can write to: code from there is as good as the harness's own.
WRITABLE = ("/work/", "/tmp/", "/home/", "/var/", "/dev/", "/proc/", "/run/", "/srv/", "/opt/", "/mnt/",
            "/root/", "/etc/")  # fmt: skip
_OBSERVER = "/runtime/clearhouse/"
_DEPTH = 12


class Whose(Enum):
    """Whose an object is."""

    HARNESS = "harness"
    TARGET = "target"
    DEPENDENCY = "dependency"
    STANDARD = "standard"
    OBSERVER = "observer"
    UNKNOWN = "unknown"


class Home(NamedTuple):
    """Whose a callable is, its module and qualified name, and whether it is compiled."""

    whose: Whose
    module: str
    name: str
    native: bool = False

    @property
    def full(self) -> str:
        """The dotted name."""
        return f"{self.module}.{self.name}"


class TooDeep(Exception):
    """A callable is wrapped into others more often than any honest one."""


class Homes:
    """Finds and remembers homes; ``target`` are the top-level names of the attacked package."""

    def __init__(self, target: tuple[str, ...], path: str) -> None:
        self._target, self._path = frozenset(target), path
        folders = {os.path.dirname(os.__file__), sys.base_prefix, sys.base_exec_prefix}
        self._runtime = tuple(f"{os.path.realpath(folder)}/" for folder in folders)
        self._files: dict[str, Whose] = {}
        self._classes: dict[type, Home] = {}
        self._made: dict[int, tuple[type, int]] = {}
        self._methods: dict[tuple[type, str], Home] = {}

    def note_made(self, cls: type, line: int) -> None:
        """Remember a class that the harness made at a line, whatever it calls itself."""
        self._made[id(cls)] = cls, line
        self._classes.pop(cls, None)
        self._methods.clear()

    def made(self, cls: type) -> bool:
        """Whether the harness made this class."""
        return id(cls) in self._made

    def of_file(self, file: str) -> Whose:
        """Whose the code of a file is."""
        known = self._files.get(file)
        if known is None:
            known = self._files[file] = self._of_file(file)
        return known

    def _of_file(self, file: str) -> Whose:
        if file.startswith(self._runtime):
            return Whose.STANDARD
        if file == self._path or file.startswith(WRITABLE):
            return Whose.HARNESS
        if file.startswith(SITE):
            top = file.removeprefix(SITE).partition("/")[0].partition(".")[0]
            return Whose.TARGET if top in self._target else Whose.DEPENDENCY
        if file.startswith(_OBSERVER):
            return Whose.OBSERVER
        if file.startswith("<frozen ") or (
            file.startswith("/") and not file.startswith("/harness")
        ):
            return Whose.STANDARD
        return Whose.UNKNOWN

    def of_module(self, name: str) -> Whose:
        """Whose a module is, by its name; only for modules that are there."""
        top = name.partition(".")[0]
        if top in self._target:
            return Whose.TARGET
        if name in (HARNESS, "atheris"):
            return Whose.HARNESS if name == HARNESS else Whose.OBSERVER
        if top in sys.stdlib_module_names or top == "builtins":
            return Whose.STANDARD
        return Whose.OBSERVER if top == "warden" else Whose.DEPENDENCY

    def of(self, value: Any) -> Home:
        """The home of a callable.  Raises :class:`TooDeep`."""
        for _ in range(_DEPTH):
            kind = type(value)
            if kind is types.FunctionType:
                return self._of_function(value)
            if kind is types.MethodType:
                value = value.__func__
            elif kind is functools.partial:
                value = value.func
            elif (
                kind is functools._lru_cache_wrapper or kind is staticmethod or kind is classmethod
            ):
                value = value.__wrapped__
            elif kind is types.MethodWrapperType and value.__name__ == "__call__":
                value = value.__self__
            elif kind is types.MethodWrapperType or issubclass(kind, types.BuiltinFunctionType):
                # Methods that are told their class, as those of compiled patterns and of
                # decompressors, are of a subclass of their own (PEP 573).
                return self._of_builtin(value)
            elif issubclass(kind, type):
                return self.of_class(value)
            elif kind in (types.MethodDescriptorType, types.WrapperDescriptorType,
                          types.ClassMethodDescriptorType):  # fmt: skip
                owner = self.of_class(value.__objclass__)
                return Home(
                    owner.whose, owner.module, f"{owner.name}.{value.__name__}", native=True
                )
            else:
                return self._of_callable(value, kind)
        raise TooDeep

    def _of_function(self, function: types.FunctionType) -> Home:
        file = function.__code__.co_filename
        whose = self.of_file(file)
        label = function.__globals__.get("__name__", "?")
        module = label if isinstance(label, str) else "?"
        if whose is Whose.UNKNOWN:  # made at run time, by a dataclass or a template for instance
            whose = self.of_module(module)
        name = function.__code__.co_qualname
        if whose is Whose.TARGET:
            # Its own labels tell apart what decorators made of one and the same inner function.
            own = _text(function, "__module__"), _text(function, "__qualname__")
            module, name = own[0] or module, own[1] or name
        return Home(whose, module, name)

    def _of_builtin(self, function: Any) -> Home:
        bound = function.__self__
        name = function.__name__
        if bound is None or is_a(bound, types.ModuleType):
            module = function.__module__ if isinstance(function.__module__, str) else "builtins"
            if is_a(bound, types.ModuleType) and not isinstance(function.__module__, str):
                module = bound.__name__
            return Home(self.of_module(module), module, name, native=True)
        key = (bound if is_a(bound, type) else type(bound), name)
        known = self._methods.get(key)
        if known is None:
            owner = self.of_class(key[0] if is_a(bound, type) else _defining(key[0], name))
            known = Home(owner.whose, owner.module, f"{owner.name}.{name}", native=True)
            self._methods[key] = known
        return known

    def _of_callable(self, value: Any, kind: type) -> Home:
        """An object with ``__call__``: its class's, and for functions of extension modules theirs."""
        owner = self.of_class(kind)
        if owner.whose in (Whose.STANDARD, Whose.DEPENDENCY) or kind.__module__ == "builtins":
            module = _text(value, "__module__")
            if module is not None and _is_native_function(kind):
                name = _text(value, "__qualname__") or _text(value, "__name__") or kind.__name__
                return Home(self.of_module(module), module, name, native=True)
        call = _lookup(kind, "__call__")
        if isinstance(call, types.FunctionType):
            return self._of_function(call)
        return Home(owner.whose, owner.module, f"{owner.name}.__call__", native=True)

    def of_class(self, cls: type) -> Home:
        """The home of a class."""
        known = self._classes.get(cls)
        if known is None:
            known = self._classes[cls] = self._of_class(cls)
        return known

    def _of_class(self, cls: type) -> Home:
        module = type.__dict__["__module__"].__get__(cls)
        name = type.__dict__["__qualname__"].__get__(cls)
        if not isinstance(module, str):
            module = "?"
        init = _lookup(cls, "__init__")
        native = not isinstance(init, types.FunctionType)
        if id(cls) in self._made or module == HARNESS:
            return Home(Whose.HARNESS, HARNESS, name)
        whose = self.of_module(module)
        if whose in (Whose.TARGET, Whose.DEPENDENCY) and not _stands_at(cls, module, name):
            owners = {
                self.of_file(one.__code__.co_filename)
                for one in vars(cls).values()
                if isinstance(one, types.FunctionType)
            }
            if owners and whose not in owners:
                return Home(
                    Whose.HARNESS if Whose.HARNESS in owners else Whose.UNKNOWN, module, name
                )
        return Home(whose, module, name, native)

    def label(self, cls: type) -> str:
        """A class's name for people, by which no two classes of a harness look alike."""
        home = self.of_class(cls)
        if id(cls) in self._made:
            return f"{home.name} of line {self._made[id(cls)][1]}"
        return home.name if home.module == "builtins" else f"{home.module}.{home.name}"

    def of_instance(self, value: Any) -> Whose:
        """Whose the class of an object is; a generator is its code's."""
        if type(value) is types.GeneratorType:
            return self.of_file(value.gi_code.co_filename)
        return self.of_class(type(value)).whose


def is_a(value: Any, *kinds: type) -> bool:
    """``isinstance`` that asks the object nothing: a proxy would answer by doing its work."""
    return issubclass(type(value), kinds)


def instance_dict(value: Any) -> dict[str, Any]:
    """The attributes that an object itself holds, without asking it."""
    for cls in type(value).__mro__:
        found = cls.__dict__.get("__dict__")
        if type(found) is types.GetSetDescriptorType:
            held = found.__get__(value)
            return held if type(held) is dict else {}
    return {}


def _text(value: Any, name: str) -> str | None:
    try:
        found = getattr(value, name, None)
    except Exception:
        return None
    return found if isinstance(found, str) else None


def _is_native_function(kind: type) -> bool:
    """Function types of extension compilers (Cython and the like) that are not Python's own."""
    return "function" in kind.__name__.lower() or "method" in kind.__name__.lower()


def _lookup(cls: type, name: str) -> Any:
    for one in cls.__mro__:
        if name in one.__dict__:
            return one.__dict__[name]
    return None


def _defining(cls: type, name: str) -> type:
    for one in cls.__mro__:
        if name in one.__dict__:
            return one
    return cls


def _stands_at(cls: type, module: str, qualname: str) -> bool:
    place: Any = sys.modules.get(module)
    for part in qualname.split("."):
        place = vars(place).get(part) if is_a(place, type, types.ModuleType) else None
    return place is cls
