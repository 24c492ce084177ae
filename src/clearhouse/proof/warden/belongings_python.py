"""What a harness may change: its own objects, and the plain state of objects it was given.

What belongs to a module or a class (tables of functions, registries, settings) is not the harness's
to change, by whatever name or method it reaches it.
"""

from __future__ import annotations

import functools
import itertools
import os
import types
from collections import namedtuple
from collections.abc import Callable
from typing import Any

from .allowed_python import allows, public_module
from .gifts_python import PLAIN, Gifts
from .homes_python import HARNESS, Homes, TooDeep, Whose, instance_dict, is_a

_MUTATORS = frozenset(
    {"append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse", "update", "add",
     "setdefault", "popitem", "discard", "appendleft", "extendleft", "popleft", "rotate",
     "difference_update", "intersection_update", "symmetric_difference_update", "__setitem__",
     "__init__", "move_to_end", "subtract", "close", "detach", "reconfigure", "truncate", "fileno",
     "seek", "release", "acquire", "register"}
)  # fmt: skip
_MUTATING = frozenset({"random.shuffle", "struct.pack_into", "shutil.copyfileobj"})
#: Modules whose objects are made to have their attributes set.
_CHANGEABLE = frozenset({"zipfile", "tarfile", "types", "email", "xml", "http", "urllib"})
_NODES, _WIDE = 5000, 2000
_SLOTS = (
    types.MemberDescriptorType, types.GetSetDescriptorType,
    type(vars(namedtuple("One", "field"))["field"]),  # noqa: PYI024 - its field's class
)  # fmt: skip
_CALLABLES = (
    types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodWrapperType,
)  # fmt: skip


class Belongings:
    """Remembers, by identity, what belongs to modules and classes."""

    def __init__(self, homes: Homes, gifts: Gifts, breach: Callable[[int, str], None]) -> None:
        self._homes, self._gifts, self._breach = homes, gifts, breach
        self._global: dict[int, Any] = {}

    def belongs(self, value: Any) -> bool:
        """Whether an object belongs to a module or class."""
        return id(value) in self._global

    def remember(self, value: Any) -> None:
        """An object, and what it holds, belongs to a module or class."""
        waiting, room = [value], _NODES
        while waiting and room:
            one = waiting.pop()
            room -= 1
            if type(one) in PLAIN and type(one) is not bytearray:
                continue
            if is_a(one, types.ModuleType, type, *_CALLABLES) or id(one) in self._global:
                continue
            self._global[id(one)] = one
            if is_a(one, dict):
                waiting += itertools.islice(dict.values(one), _WIDE)
            elif is_a(one, list, tuple, set, frozenset):
                waiting += itertools.islice(_plainly(one), _WIDE)
            waiting += itertools.islice(instance_dict(one).values(), _WIDE)

    def change(self, line: int, subject: Any, how: str) -> Any:
        """Let an object be changed, ``how`` being "attribute" or "item"; returns it."""
        kind = type(subject)
        if kind in PLAIN and kind is not bytearray:
            return subject
        what = self._against(subject, kind, how)
        if what is not None:
            self._breach(line, what)
        return subject

    def _against(self, subject: Any, kind: type, how: str) -> str | None:
        """Why an object is not the harness's to change."""
        if is_a(subject, types.ModuleType):
            own = types.ModuleType.__getattribute__(subject, "__name__") == HARNESS
            return None if own else f"changes the module {subject.__name__}"
        if is_a(subject, type):
            own = self._homes.made(subject)
            return None if own else f"changes the class {subject.__qualname__}"
        if is_a(subject, types.FunctionType, types.MethodType):
            own = self._homes.of(subject).whose is Whose.HARNESS
            return None if own else f"changes the function {subject.__qualname__}"
        if subject is os.environ:
            return None  # constant variables only: see the contract
        if self.belongs(subject):
            return f"changes a {kind.__name__} that belongs to a module"
        if how != "attribute":
            return None
        whose = self._homes.of_class(kind).whose
        if whose is Whose.STANDARD:
            changeable = public_module(kind.__module__).partition(".")[0] in _CHANGEABLE
            return None if changeable else f"changes an attribute of a {kind.__name__}"
        if whose in (Whose.TARGET, Whose.DEPENDENCY):
            return f"changes a {kind.__name__} in a way that hides the value"
        return None

    def mutated(
        self, line: int, full: str, bound: Any, args: tuple[Any, ...],
        environment: Callable[[tuple[Any, ...]], None],
    ) -> None:  # fmt: skip
        """A function of the standard library that changes what it is called on, or given."""
        if full.rpartition(".")[2] in _MUTATORS:
            subjects = (bound,) if bound is not None and not is_a(bound, type) else args[:1]
        elif full in _MUTATING or full.startswith(("heapq.", "bisect.insort")):
            subjects = args
        else:
            return
        for one in subjects:
            if one is os.environ:
                environment(args if bound is not None else args[1:])
            elif self.belongs(one):
                self._breach(line, f"changes a {type(one).__name__} that belongs to a module")

    # -- classes that the harness makes ------------------------------------------------------------

    def made(self, line: int, cls: type) -> type:
        """A class statement of the harness: what it derives from, and what it puts in."""
        self._homes.note_made(cls, line)
        for base in cls.__mro__[1:]:
            home = self._homes.of_class(base)
            if home.whose is Whose.STANDARD and (
                not allows(home.module, home.name)
                or home.name.startswith("redirect_")
                or home.name == "FileIO"
            ):
                self._breach(line, f"makes a class of {home.full}")
        generated = issubclass(cls, tuple) or type(cls).__module__ in ("enum", "typing")
        for name, value in list(vars(cls).items()):
            if not (generated and name.startswith("_")):
                self._member(line, name, value)
        return cls

    def _member(self, line: int, name: str, value: Any) -> None:
        """A class may define functions and hold values; nothing else may act in their place."""
        if is_a(value, property):
            for one in (value.fget, value.fset, value.fdel):
                self._member(line, name, one)
            return
        if is_a(value, staticmethod, classmethod):
            value = value.__func__
        elif is_a(value, functools.cached_property):
            value = value.func
        if is_a(value, type):
            self._gifts.maker(line, value)
            return
        acts = callable(value) or hasattr(type(value), "__get__")
        if not acts or type(value) in _SLOTS:
            return
        try:
            whose = (
                self._homes.of(value).whose if callable(value) else self._homes.of_instance(value)
            )
        except TooDeep:
            whose = Whose.UNKNOWN
        if whose in (Whose.HARNESS, Whose.OBSERVER):
            return
        if whose is Whose.TARGET and not is_a(value, *_CALLABLES):
            return  # a descriptor or an object that the target offers for this
        if name in _SET_BY_PYTHON:
            return
        self._breach(line, f"makes {name} of a class something other than a function of its own")


#: Put into classes by the interpreter, not by their authors.
_SET_BY_PYTHON = frozenset(
    {"__new__", "__subclasshook__", "__class_getitem__", "__init_subclass__",
     "__getnewargs__", "__reduce_ex__", "__getstate__"}
)  # fmt: skip


def _plainly(value: Any) -> Any:
    """A container's elements, whatever a subclass says of them."""
    for kind in (list, tuple, set, frozenset):
        if is_a(value, kind):
            return kind.__iter__(value)
    return ()
