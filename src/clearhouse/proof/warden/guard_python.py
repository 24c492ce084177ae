"""Watches what a Python harness does with objects while it runs.

The harness reaches objects only through the functions that :meth:`Guard.names` gives out (the
instrumented source calls them; see :mod:`instrument_python`).  Each looks at the object itself, not
at its name: whoever hides ``os.system`` behind a chain of attributes still calls ``os.system``.
What is not allowed is reported *before* it is done, and then done: the run goes on as it would.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import operator
import types
from collections import deque
from collections.abc import Callable
from typing import Any

from .allowed_python import REASONS, allows, public_module
from .belongings_python import Belongings
from .calls_python import Calls
from .gifts_python import PLAIN, Gifts
from .homes_python import Home, Homes, TooDeep, Whose, is_a
from .instrument_python import (
    CALL,
    CHANGE,
    DECORATE,
    EACH,
    ENTER,
    GIVES,
    HELD,
    ITEM,
    LEAVE,
    LOAD,
    MADE,
    MARK,
    OPERATE,
    RAISE,
    SLICE,
    STORE,
    STORE_ITEM,
    TRUTH,
    WAIT,
    WITH,
)  # fmt: skip
from .shared_marks import Shared
from .uses_python import Uses, why

_SIMPLE = (*PLAIN, list, dict, set, tuple)
#: Functions of the standard library that call what they are given, and those that draw from it.
_APPLIERS = frozenset(
    {"map", "filter", "sorted", "min", "max", "reduce", "starmap", "takewhile", "dropwhile",
     "groupby", "accumulate", "filterfalse", "defaultdict", "sub", "subn", "cmp_to_key", "loads",
     "load", "zip", "enumerate", "chain", "from_iterable", "islice", "zip_longest", "pairwise"}
)  # fmt: skip
#: Those that take a class only to call it.
_OF_CLASSES = frozenset(
    {"map", "filter", "starmap", "reduce", "defaultdict", "sorted", "min", "max"}
)
_LOOKS_ONLY = frozenset({"isinstance", "issubclass", "id", "type", "callable"})
_CLASS_MAKERS = frozenset({"dataclasses", "enum", "abc", "_abc"})
_BREACHES, _RAISED, _GIVEN = 20, 64, 64


class Guard:
    """The functions that the instrumented harness calls."""

    def __init__(
        self, shared: Shared, homes: Homes, path: str, send: Callable[[dict[str, Any]], None],
        *, effect: str, input_bytes: int, version: str,
    ) -> None:  # fmt: skip
        self.raised: deque[BaseException] = deque(maxlen=_RAISED)
        self.ours = [False]  # true while we ourselves make code
        self._shared, self._homes, self._send, self._effect = shared, homes, send, effect
        self._breaches: set[tuple[int, str]] = set()
        self._gave: set[tuple[int, str]] = set()
        allowance = (1 << 20) + 100 * input_bytes
        self._gifts = Gifts(homes, path, self.breach, self._told, effect, allowance, self.ours)
        self._belongings = Belongings(homes, self._gifts, self.breach)
        self._uses = Uses(homes, self.breach, effect, version)
        self.calls = Calls(shared, self._gifts, homes, send, self.breach, effect)
        self.call = self._bound_call()

    def names(self) -> dict[str, Any]:
        """What the instrumented code looks up."""
        return {
            MARK: self._shared.mark, TRUTH: self._shared.truth, CALL: self.call,
            RAISE: self._raise, LOAD: self._load, ITEM: self._item, OPERATE: self._operate,
            SLICE: slice, CHANGE: self._belongings.change, STORE: self._store,
            STORE_ITEM: self._store_item, HELD: self._held, GIVES: self._gives, EACH: self._each,
            MADE: self._made, DECORATE: self._decorate, ENTER: self._enter, LEAVE: self._leave,
            WAIT: self._wait, WITH: self._with,
        }  # fmt: skip

    def breach(self, line: int, what: str) -> None:
        """Report, once, that the harness is about to do what costs it its attribution."""
        if (line, what) not in self._breaches and len(self._breaches) < _BREACHES:
            self._breaches.add((line, what))
            self._send({"breach": what, "line": line})

    # -- calls ---------------------------------------------------------------------------------------

    def _bound_call(self) -> Callable[..., Any]:
        find, breach, dispatch = self._homes.of, self.breach, self._dispatch

        def call(line: int, function: Any, /, *args: Any, **named: Any) -> Any:
            try:
                home = find(function)
            except TooDeep:
                breach(line, "calls something wrapped too often")
                return function(*args, **named)
            return dispatch(line, home, function, args, named)

        return call

    def _dispatch(
        self, line: int, home: Home, function: Any, args: tuple[Any, ...], named: dict[str, Any]
    ) -> Any:
        while type(function) is functools.partial:
            args, named = (*function.args, *args), {**function.keywords, **named}
            function = function.func
        match home.whose:
            case Whose.TARGET:
                return self.calls.call(line, home, function, args, named)
            case Whose.STANDARD:
                self.calls.way(line, home.full)
                return self._standard_call(line, home, function, args, named)
            case Whose.HARNESS if is_a(function, type):
                init = self._homes.of(_first(function, "__init__"))
                if init.whose is Whose.TARGET:
                    return self.calls.call(line, init, function, args, named)
            case Whose.HARNESS:
                own = getattr(function, "__code__", None)
                self.calls.way(line, f"line {own.co_firstlineno}" if own else home.full)
            case Whose.DEPENDENCY:
                self.calls.way(line, home.full)
                top = home.module.partition(".")[0]
                if top in REASONS:
                    self.breach(line, f"calls {home.full}, which {REASONS[top]}")
                args, named = self._gifts.give(line, args, named)
            case Whose.UNKNOWN if is_a(function, types.FunctionType):
                self.breach(line, f"calls {home.name}, code that has no file")
            case _:
                pass
        return function(*args, **named)

    def _standard_call(
        self, line: int, home: Home, function: Any, args: tuple[Any, ...], named: dict[str, Any]
    ) -> Any:
        if not allows(home.module, home.name):
            self.breach(line, f"calls {home.full}, which {why(home.module)}")
        full = f"{public_module(home.module)}.{home.name}"
        bound = getattr(function, "__self__", None)
        if is_a(bound, types.ModuleType):
            bound = None
        self._uses.look(line, full, function, bound, args, named)
        environment = functools.partial(self._uses.environment, line)
        self._belongings.mutated(line, full, bound, args, environment)
        involved = bound is not None and self._homes.of_instance(bound) is Whose.TARGET
        for one in itertools.chain(args, named.values()):
            if type(one) not in PLAIN:
                involved = self._handed_to_standard(line, home, one) or involved
        name = home.name.rpartition(".")[2]
        if self.calls.inside and self._gifts.handed(bound):
            for one in args:
                self._gave_kind(line, one)
        if name in _APPLIERS:
            args = tuple(self._through_guard(line, name, one) for one in args)
            named = {key: self._through_guard(line, name, one) for key, one in named.items()}
        if involved and name not in _LOOKS_ONLY:
            # It may run the target's code, as ``str(document)`` does.
            result = self.calls.run(line, home, functools.partial(function, *args, **named))
            self.calls.read(line, name, result)
        else:
            result = function(*args, **named)
        self._uses.lazy(line, full, result, args)
        if is_a(result, type) and full != "builtins.type":
            self._homes.note_made(result, line)
        return result

    def _handed_to_standard(self, line: int, home: Home, value: Any) -> bool:
        """Whether what the harness hands to the standard library is the target's."""
        if not callable(value):
            return self._homes.of_instance(value) is Whose.TARGET
        try:
            other = self._homes.of(value)
        except TooDeep:
            self.breach(line, "hands over something wrapped too often")
            return False
        if other.whose is Whose.STANDARD and not is_a(value, type):
            if not allows(other.module, other.name):
                self.breach(line, f"hands over {other.full}, which {why(other.module)}")
        elif other.whose is Whose.DEPENDENCY and other.module.partition(".")[0] in REASONS:
            self.breach(line, f"hands over {other.full}")
        elif is_a(value, type) and other.whose is Whose.TARGET and home.module in _CLASS_MAKERS:
            self.breach(line, f"changes the class {other.full}")
        return other.whose is Whose.TARGET

    def _through_guard(self, line: int, name: str, value: Any) -> Any:
        """Something of the target's that the standard library will call or draw from."""
        if type(value) in _SIMPLE:
            return value
        if not callable(value):
            return self._each(line, value)
        try:
            home = self._homes.of(value)
        except TooDeep:
            return value
        if home.whose is not Whose.TARGET or (is_a(value, type) and name not in _OF_CLASSES):
            return value
        call = self.call

        def apply(*args: Any, **named: Any) -> Any:
            return call(line, value, *args, **named)

        return apply

    # -- loading -------------------------------------------------------------------------------------

    def _load(self, line: int, base: Any, name: str) -> Any:
        kind = type(base)
        if kind in _SIMPLE:
            return getattr(base, name)
        if issubclass(kind, types.ModuleType) or issubclass(kind, type):
            return self._member(line, base, name)
        if self._homes.of_class(kind).whose is Whose.TARGET and _is_computed(kind, name):
            home = Home(Whose.TARGET, kind.__module__, f"{kind.__qualname__}.{name}")
            value = self.calls.run(line, home, lambda: getattr(base, name))
        else:
            value = getattr(base, name)
        if is_a(value, types.ModuleType):
            self._gifts.module(line, value)
        elif self._belongings.belongs(base):
            self._belongings.remember(value)
        if self._homes.of_class(kind).whose is Whose.TARGET:
            self.calls.read(line, name, value)
        return value

    def _member(self, line: int, base: Any, name: str) -> Any:
        """A member of a module or class."""
        try:
            value = getattr(base, name)
        except AttributeError:
            self._uses.lacks(line, base, name)
            raise
        self._uses.asked_for(line, base, name)
        if is_a(value, types.ModuleType):
            self._gifts.module(line, value)
        elif not (is_a(base, type) and self._homes.made(base)):
            self._belongings.remember(value)
            self.calls.read(line, name, value)
        return value

    def _held(self, line: int, value: Any, imported: bool) -> None:
        """Something that an import, or a pattern of ``match``, has bound to a name."""
        if is_a(value, types.ModuleType):
            self._gifts.module(line, value)
        elif imported:
            self._belongings.remember(value)
            self.calls.read(line, "import", value)
            if self._uses.tells(value):
                self.breach(line, "imports a text that says which version runs")

    def _item(self, line: int, base: Any, key: Any) -> Any:
        kind = type(base)
        if kind not in _SIMPLE and self._homes.of_class(kind).whose is Whose.TARGET:
            home = Home(Whose.TARGET, kind.__module__, f"{kind.__qualname__}.__getitem__")
            value = self.calls.call(line, home, operator.getitem, (base, key), {}, replayed=False)
        else:
            value = base[key]
        if self._belongings.belongs(base):
            self._belongings.remember(value)
        return value

    def _operate(self, line: int, name: str, left: Any, right: Any) -> Any:
        function = (
            _contains if name == "in" else _lacks if name == "not in" else getattr(operator, name)
        )
        if type(left) in PLAIN and type(right) in PLAIN:
            return function(left, right)
        if name.startswith("i") and name not in ("in", "is_", "is_not"):
            self._belongings.change(line, left, "item")
        for one in (left, right):
            if self._homes.of_instance(one) is Whose.TARGET:
                kind = type(one)
                home = Home(Whose.TARGET, kind.__module__, f"{kind.__qualname__}.{name}")
                return self.calls.call(line, home, function, (left, right), {}, replayed=False)
        return function(left, right)

    def _each(self, line: int, values: Any) -> Any:
        if type(values) in _SIMPLE or self._homes.of_instance(values) is not Whose.TARGET:
            return values
        return self.calls.drawn(line, values)

    async def _wait(self, line: int, waiting: Any) -> Any:
        return await self.calls.waited(line, waiting)

    def _with(self, line: int, manager: Any) -> Any:
        kind = type(manager)
        source = manager.gen if kind is contextlib._GeneratorContextManager else manager
        if self._homes.of_instance(source) is Whose.TARGET:
            return _Entered(self.calls, line, manager)
        return manager

    # -- changing ------------------------------------------------------------------------------------

    def _store(self, line: int, value: Any, base: Any, name: str) -> None:
        kind = type(base)
        whose = self._homes.of_class(kind).whose
        foreign = whose in (Whose.TARGET, Whose.DEPENDENCY)
        if foreign and not is_a(base, types.ModuleType, type):
            self._belongings.change(line, base, "item")
            home = Home(Whose.TARGET, kind.__module__, f"{kind.__qualname__}.{name}=")
            self.calls.call(line, home, _setter(name), (base, value), {}, replayed=False)
            return
        self._belongings.change(line, base, "attribute" if whose is Whose.STANDARD else "item")
        if self.calls.inside and self._gifts.handed(base):
            self._gave_kind(line, value)
        setattr(base, name, value)

    def _store_item(self, line: int, value: Any, base: Any, key: Any) -> None:
        self._belongings.change(line, base, "item")
        if self._homes.of_instance(base) is Whose.TARGET:
            kind = type(base)
            home = Home(Whose.TARGET, kind.__module__, f"{kind.__qualname__}.__setitem__")
            call = self.calls.call
            call(line, home, operator.setitem, (base, key, value), {}, replayed=False)
            return
        if self.calls.inside and self._gifts.handed(base):
            self._gave_kind(line, value)
        base[key] = value

    # -- definitions, returned values, errors ----------------------------------------------------------

    def _made(self, line: int) -> Callable[[type], type]:
        return functools.partial(self._belongings.made, line)

    def _decorate(self, line: int, decorator: Any) -> Callable[[Any], Any]:
        return functools.partial(self.call, line, decorator)

    def _raise(self, value: Any) -> Any:
        if is_a(value, type) and issubclass(value, BaseException):
            value = value()  # as Python does, so that this very one is known again
        self.raised.append(value)
        return value

    def _gives(self, line: int, *parts: Any) -> Any:
        """A value that the harness's function gives: to the target, when that called it."""
        value = parts[1] if len(parts) == 3 else parts[0]
        return self._told(line, value) if self.calls.inside else value

    def _told(self, line: int, value: Any) -> Any:
        if value is not None:
            self._shared.tick()
        self._gave_kind(line, value)
        return value

    def _gave_kind(self, line: int, value: Any) -> None:
        """What the harness lets the target have while the target has called it."""
        kind = self._gifts.kind(value)
        if (line, kind) in self._gave:
            return
        if len(self._gave) >= _GIVEN:
            self.breach(line, f"gives the target over {_GIVEN} kinds of values")
            return
        self._gave.add((line, kind))
        self._send({"gave": kind, "line": line})

    def _enter(self) -> None:
        if self.calls.inside and self._effect == "memory":
            self._shared.enter_callback()

    def _leave(self) -> None:
        if self.calls.inside and self._effect == "memory":
            self._shared.leave_callback()


class _Entered:
    """A context manager of the target's, whose errors are noted as its own."""

    def __init__(self, calls: Calls, line: int, manager: Any) -> None:
        self._calls, self._line, self._manager = calls, line, manager
        kind = type(manager)
        self._home = Home(Whose.TARGET, kind.__module__, f"{kind.__qualname__}.__enter__")

    def __enter__(self) -> Any:
        manager = self._manager
        return self._calls.run(self._line, self._home, lambda: type(manager).__enter__(manager))

    def __exit__(self, *error: object) -> Any:
        manager = self._manager
        return self._calls.run(
            self._line, self._home, lambda: type(manager).__exit__(manager, *error)
        )


def _contains(one: Any, many: Any) -> bool:
    return one in many


def _lacks(one: Any, many: Any) -> bool:
    return one not in many


def _first(cls: type, name: str) -> Any:
    return next((one.__dict__[name] for one in cls.__mro__ if name in one.__dict__), None)


def _is_computed(cls: type, name: str) -> bool:
    """Whether loading an attribute runs code: it is no function and no plain value of the class."""
    found = _first(cls, name)
    if found is None or is_a(found, types.FunctionType, staticmethod, classmethod):
        return found is None
    return hasattr(type(found), "__get__")


def _setter(name: str) -> Callable[[Any, Any], None]:
    def set_attribute(base: Any, value: Any) -> None:
        setattr(base, name, value)

    return set_attribute
