"""Watches what a Python harness does with objects, and notes what it calls of the target.

The harness reaches objects only through the functions that :func:`Guard.names` gives out (the
instrumented source calls them; see :mod:`instrument_python`).  Each looks at the object itself, not
at its name: whoever hides ``os.system`` behind a chain of attributes still calls ``os.system``.  What
is not allowed is reported *before* it is done, and then done: the run goes on as it would.
"""

from __future__ import annotations

import functools
import itertools
import operator
import os
import re
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from .allowed_python import REASONS, VERSION_NAMES, allows, public_module
from .gifts_python import PLAIN, Gifts, describe, plain
from .homes_python import Home, Homes, TooDeep, Whose
from .instrument_python import (
    CALL,
    CAPACITY,
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
    MARK_HEAD,
    OPERATE,
    RAISE,
    SLICE,
    STORE,
    STORE_ITEM,
    TRUTH,
)  # fmt: skip
from .paths_python import FileRules
from .shared_marks import Shared

_MUTABLE = (list, dict, set, bytearray)
_MUTATORS = frozenset(
    {"append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse", "update", "add",
     "setdefault", "popitem", "discard", "appendleft", "extendleft", "popleft", "rotate",
     "difference_update", "intersection_update", "symmetric_difference_update", "__setitem__",
     "__delitem__", "__ior__", "__iadd__", "move_to_end", "subtract"}
)  # fmt: skip
_MUTATING = frozenset({"random.shuffle", "struct.pack_into", "shutil.copyfileobj"})
_CHANGEABLE = frozenset(
    {"zipfile", "tarfile", "types", "email", "xml", "http.cookies", "urllib.request"}
)
_APPLIERS = frozenset(
    {"map", "filter", "sorted", "min", "max", "reduce", "starmap", "takewhile", "dropwhile",
     "groupby", "accumulate", "filterfalse", "defaultdict", "sub", "subn", "cmp_to_key"}
)  # fmt: skip
_LAZY = frozenset({"map", "filter", "zip", "enumerate", "reversed", "chain", "islice", "starmap",
                   "takewhile", "dropwhile", "accumulate", "zip_longest", "tee", "compress",
                   "filterfalse", "pairwise", "groupby"})  # fmt: skip
_CLASS_MAKERS = frozenset({"dataclasses", "enum", "abc", "_abc"})
_FIELD_PATH = re.compile(r"\{[^{}]*[.\[]")
_NESTED, _ROOM, _CALLS, _MEMORY = 16, 700, 256, 512 << 20
_QUIET = frozenset({"ignore", "default", "once", "module", "always"})


class Guard:
    """The functions that the instrumented harness calls, and what they noted."""

    def __init__(
        self, shared: Shared, homes: Homes, path: str, send: Callable[[dict[str, Any]], None],
        *, effect: str, input_bytes: int, version: str,
    ) -> None:  # fmt: skip
        self.calls: dict[tuple[int, str], dict[str, Any]] = {}
        self.raised: list[BaseException | type[BaseException]] = []
        self.escaped: tuple[BaseException, dict[str, Any]] | None = None
        self._shared, self._homes, self._send = shared, homes, send
        self._effect, self._version = effect, version
        self._files = FileRules()
        allowance = (1 << 20) + 100 * input_bytes
        self.ours = [False]
        self._gifts = Gifts(homes, path, self.breach, self._told, effect, allowance, self.ours)
        self._breaches: set[tuple[int, str]] = set()
        self._inside = 0  # calls of the target that are going on
        self._global: dict[int, Any] = {}  # what belongs to a module or class, by identity
        self._gave: set[tuple[int, str]] = set()
        self._lazy: dict[int, tuple[Any, int]] = {}
        self._answers: dict[str, list[tuple[bool, Any]]] | None = None
        self._given: dict[str, list[tuple[bool, Any]]] = {}

    def names(self) -> dict[str, Any]:
        """What the instrumented code looks up."""
        return {
            MARK: self._shared.mark, TRUTH: self._shared.truth, CALL: self._bound_call(),
            RAISE: self._raise, LOAD: self._load, ITEM: self._item, OPERATE: self._operate,
            SLICE: slice, CHANGE: self._change, STORE: self._store, STORE_ITEM: self._store_item,
            HELD: self._held, GIVES: self._gives, EACH: self._each, MADE: self._made,
            DECORATE: self._decorate, ENTER: self._enter, LEAVE: self._leave,
        }  # fmt: skip

    def breach(self, line: int, what: str) -> None:
        """Report, once, that the harness is about to do what costs it its attribution."""
        if (line, what) not in self._breaches and len(self._breaches) < 20:
            self._breaches.add((line, what))
            self._send({"breach": what, "line": line})

    # -- the counterfactual ------------------------------------------------------------------------

    def record_answers(self) -> None:
        """Keep what the target answers from now on."""
        self._answers = {}

    def second_time(self, *, answers_as_first: bool) -> None:
        """Forget the way of the input before; from now on answer as it was answered, or for real."""
        self._shared.forget_marks()
        self.calls.clear()
        self.raised.clear()
        self.escaped = None
        self._given = (self._answers or {}) if answers_as_first else {}
        self._answers = None

    def _answer(self, callee: str, function: Any, args: Any, named: Any) -> Any:
        """What a call of the target gives: its own result, or the one it gave the first time."""
        given = self._given.get(callee)
        if given:
            raised, value = given.pop(0)
            if raised:
                raise value
            return value
        if self._answers is None:
            return function(*args, **named)
        kept = self._answers.setdefault(callee, [])
        try:
            result = function(*args, **named)
        except Exception as error:
            kept.append((True, error))
            raise
        result, copy = _twice(result)
        if len(kept) < 256:
            kept.append((False, copy))
        return result

    # -- calls ---------------------------------------------------------------------------------------

    def _bound_call(self) -> Callable[..., Any]:
        find, target_call, standard = self._homes.of, self._target_call, self._standard_call
        plain_function, homes, breach = types.FunctionType, self._homes, self.breach

        def call(line: int, function: Any, /, *args: Any, **named: Any) -> Any:
            try:
                home = find(function)
            except TooDeep:
                breach(line, "calls something wrapped too often")
                return function(*args, **named)
            whose = home.whose
            if whose is Whose.TARGET:
                return target_call(line, home, function, args, named)
            if whose is Whose.STANDARD:
                return standard(line, home, function, args, named)
            if whose is Whose.HARNESS and isinstance(function, type):
                init = _first(function, "__init__")
                if type(init) is plain_function and homes.of(init).whose is Whose.TARGET:
                    return target_call(line, homes.of(init), function, args, named)
            elif whose is Whose.DEPENDENCY:
                top = home.module.partition(".")[0]
                if top in REASONS:
                    breach(line, f"calls {home.full}, which {REASONS[top]}")
                args, named = self._gifts.give(line, args, named)
            return function(*args, **named)

        return call

    def _target_call(
        self, line: int, home: Home, function: Any, args: tuple[Any, ...], named: dict[str, Any],
        *, replayed: bool = True,
    ) -> Any:  # fmt: skip
        while type(function) is functools.partial:
            args, named = (*function.args, *args), {**function.keywords, **named}
            function = function.func
        args, named = self._gifts.give(line, args, named)
        entry = self._noted(line, home, args, named)
        if self._effect in ("exception", "crash"):
            try:
                _room(_ROOM)
            except RecursionError:
                self.breach(line, "calls the target with most of the stack already in use")
            if self._shared.data_bytes() > _MEMORY:
                self.breach(line, "calls the target with much of the memory already in use")
        self._shared.begin_call(line)
        self._inside += 1
        try:
            if replayed and (self._given or self._answers is not None):
                result = self._answer(home.full, function, args, named)
            else:
                result = function(*args, **named)
        except BaseException as error:
            self._noted_error(line, home, entry, error)
            raise
        finally:
            self._inside -= 1
        if entry is not None and len(entry["returned"]) < 8:
            entry["returned"].append(plain(result))
        return result

    def _noted(
        self, line: int, home: Home, args: tuple[Any, ...], named: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Write down a call before it is made; what is new about it is sent at once."""
        key = (line, home.full)
        entry = self.calls.get(key)
        new = entry is None
        if entry is None:
            if len(self.calls) >= _CALLS:
                self.breach(line, f"calls the target in over {_CALLS} different ways")
                return None
            entry = self.calls[key] = {
                "count": 0, "native": home.native, "types": [], "at": [], "given": [],
                "returned": [], "raised": [],
            }  # fmt: skip
        entry["count"] += 1
        if entry["count"] > 64 and not new:
            return entry
        kinds = self._gifts.kinds(args, named)
        if kinds not in entry["types"]:
            if len(entry["types"]) >= 16:
                self.breach(line, f"calls {home.full} with over 16 kinds of arguments")
            else:
                entry["types"].append(kinds)
                entry["at"].append(self._shared.calls + 1)
                new = True
        if len(entry["given"]) < 8:
            entry["given"].append(describe(args, named))
            new = True
        if new:
            self._send({"called": {"line": line, "callee": home.full, **entry}})
        return entry

    def _noted_error(
        self, line: int, home: Home, entry: dict[str, Any] | None, error: BaseException
    ) -> None:
        name = type(error).__name__
        if entry is not None and name not in entry["raised"] and len(entry["raised"]) < 8:
            entry["raised"].append(name)
        if self.escaped is None or self.escaped[0] is not error:
            self.escaped = (
                error,
                {
                    "site": line, "callee": home.full, "native": home.native,
                    "marks": self._shared.marks_hex(),
                },
            )  # fmt: skip

    def _standard_call(
        self, line: int, home: Home, function: Any, args: tuple[Any, ...], named: dict[str, Any]
    ) -> Any:
        if not allows(home.module, home.name):
            self.breach(line, f"calls {home.full}, which {_why(home.module)}")
        self._look_at_standard(line, home, function, args, named)
        name = home.name.rpartition(".")[2]
        involved = False
        for one in itertools.chain(args, named.values()):
            if type(one) in PLAIN:
                continue
            if callable(one):
                self._handed_to_standard(line, home, one)
            involved = (
                involved or self._homes.of_instance(one) is Whose.TARGET or isinstance(one, type)
            )
        if name in _APPLIERS:
            args = tuple(self._through_guard(line, one) for one in args)
            named = {key: self._through_guard(line, one) for key, one in named.items()}
        bound = getattr(function, "__self__", None)
        if bound is not None and not isinstance(bound, types.ModuleType | type):
            involved = involved or self._homes.of_instance(bound) is Whose.TARGET
        if involved:
            result = self._involved_call(line, home, function, args, named)
        else:
            result = function(*args, **named)
        if name in _LAZY:
            self._note_lazy(line, result, args)
        if isinstance(result, type) and home.full != "builtins.type":
            self._homes.note_made(result, line)
        return result

    def _involved_call(self, line: int, home: Home, function: Any, args: Any, named: Any) -> Any:
        """A call of the standard library that may run the target's code: ``str(document)``."""
        if home.name in ("isinstance", "issubclass", "id", "type", "callable"):
            return function(*args, **named)
        return self._run_targets(line, home, functools.partial(function, *args, **named))

    def _run_targets(
        self, line: int, home: Home, action: Callable[[], Any], *, counted: bool = True
    ) -> Any:
        if counted:
            self._shared.begin_call(line)
        self._inside += 1
        try:
            return action()
        except BaseException as error:
            self._noted_error(line, home, None, error)
            raise
        finally:
            self._inside -= 1

    def _handed_to_standard(self, line: int, home: Home, value: Any) -> None:
        """A callable that the harness hands to the standard library."""
        try:
            other = self._homes.of(value)
        except TooDeep:
            self.breach(line, "hands over something wrapped too often")
            return
        if other.whose is Whose.STANDARD and not isinstance(value, type):
            if not allows(other.module, other.name):
                self.breach(line, f"hands over {other.full}, which {_why(other.module)}")
        elif other.whose is Whose.DEPENDENCY and other.module.partition(".")[0] in REASONS:
            self.breach(line, f"hands over {other.full}")
        elif (
            isinstance(value, type) and other.whose is Whose.TARGET and home.module in _CLASS_MAKERS
        ):
            self.breach(line, f"changes the class {other.full}")

    def _through_guard(self, line: int, value: Any) -> Any:
        """A callable of the target that the standard library will call for the harness."""
        if type(value) in PLAIN or not callable(value):
            return value
        try:
            home = self._homes.of(value)
        except TooDeep:
            return value
        if home.whose is not Whose.TARGET:
            return value

        def apply(*args: Any, **named: Any) -> Any:
            return self._target_call(line, home, value, args, named)

        return apply

    def _look_at_standard(
        self, line: int, home: Home, function: Any, args: tuple[Any, ...], named: dict[str, Any]
    ) -> None:
        """Uses of allowed functions that are not allowed."""
        full = f"{public_module(home.module)}.{home.name}"
        name = home.name.rpartition(".")[2]
        bound = getattr(function, "__self__", None)
        if name in _MUTATORS:
            subject = (
                bound if bound is not None and not isinstance(bound, type) else args[:1] and args[0]
            )
            self._mutated(line, subject, args)
        elif full in _MUTATING or full.startswith(("heapq.", "bisect.insort")):
            for one in args:
                self._mutated(line, one, ())
        elif name in ("format", "format_map") and home.name.startswith("str."):
            text = bound if isinstance(bound, str) else args[0] if args else ""
            if isinstance(text, str) and _FIELD_PATH.search(text):
                self.breach(line, "formats an attribute or item that a text names")
        elif full in ("builtins.getattr", "builtins.hasattr") and len(args) > 1:
            self._asked_for(line, args[0], args[1])
        elif full in ("contextlib.redirect_stdout", "contextlib.redirect_stderr"):
            if any(self._homes.of_class(type(one)).module not in ("_io", "io") for one in args):
                self.breach(line, "redirects output into an object of its own")
        elif full.startswith("warnings."):
            if {a for a in (*args, *named.values()) if isinstance(a, str)} & {
                "error"
            } or "module" in named:
                self.breach(line, "turns warnings into errors")
        elif full == "logging.basicConfig" and set(named) - {"level", "format", "datefmt", "style"}:
            self.breach(line, "sets up logging to somewhere")
        for path in self._files.looked_at(full, bound, args, named):
            self.breach(line, f"looks at {path}")

    def _note_lazy(self, line: int, result: Any, args: tuple[Any, ...]) -> None:
        """Iterators in iterators in iterators use up the machine's stack unseen."""
        depth = 1 + max((self._lazy[id(a)][1] for a in args if id(a) in self._lazy), default=0)
        if depth > _NESTED:
            self.breach(line, "puts iterators into each other without end")
        if len(self._lazy) > 4096:
            self._lazy.clear()
        self._lazy[id(result)] = result, depth

    # -- loading -------------------------------------------------------------------------------------

    def _load(self, line: int, base: Any, name: str) -> Any:
        kind = type(base)
        if kind in PLAIN:
            return getattr(base, name)
        if isinstance(base, types.ModuleType | type):
            value = getattr(base, name)
            self._asked_for(line, base, name)
            self._from_global(line, base, value)
            return value
        if self._homes.of_class(kind).whose is Whose.TARGET and _is_computed(kind, name):
            home = Home(Whose.TARGET, kind.__module__, f"{kind.__qualname__}.{name}")
            value = self._run_targets(line, home, lambda: getattr(base, name))
        else:
            value = getattr(base, name)
        if isinstance(value, types.ModuleType):
            self._gifts.module(line, value)
        if id(base) in self._global:
            self._belongs(value)
        return value

    def _asked_for(self, line: int, base: Any, name: Any) -> None:
        """A member of a module or class, asked for by its name."""
        if not isinstance(base, types.ModuleType | type) or not isinstance(name, str):
            return
        if isinstance(base, types.ModuleType):
            module, member = base.__name__, name
        else:
            home = self._homes.of_class(base)
            module, member = home.module, f"{home.name}.{name}"
        whose = self._homes.of_module(module)
        value = getattr(base, name, None)
        if whose is Whose.STANDARD:
            if isinstance(base, types.ModuleType) and not isinstance(value, types.ModuleType):
                if not allows(module, member):
                    self.breach(line, f"{module}.{member} {_why(module)}")
        elif whose in (Whose.TARGET, Whose.DEPENDENCY) and not callable(value):
            known = name.strip("_").lower() in VERSION_NAMES or name in VERSION_NAMES
            told = isinstance(value, str) and len(self._version) > 2 and self._version in value
            if (known and not isinstance(value, types.ModuleType)) or told:
                self.breach(line, f"{name}: a harness must not ask which version runs")

    def _from_global(self, line: int, base: Any, value: Any) -> None:
        if isinstance(value, types.ModuleType):
            self._gifts.module(line, value)
        elif not (isinstance(base, type) and self._homes.made(base)):
            self._belongs(value)

    def _belongs(self, value: Any) -> None:
        """Remember that an object, and what it holds, belongs to a module or class."""
        waiting, room = [value], 5000
        while waiting and room:
            one = waiting.pop()
            room -= 1
            if type(one) in PLAIN and not isinstance(one, bytearray):
                continue
            if (
                isinstance(one, types.ModuleType | type | types.FunctionType)
                or id(one) in self._global
            ):
                continue
            if isinstance(one, types.BuiltinFunctionType | types.MethodType):
                continue
            self._global[id(one)] = one
            if isinstance(one, dict):
                waiting += itertools.islice(dict.values(one), 2000)
            elif isinstance(one, list | tuple | set | frozenset):
                waiting += itertools.islice(one, 2000)
            own = getattr(type(one), "__dict__", {}).get("__dict__") and _dict_of(one)
            if own:
                waiting += itertools.islice(own.values(), 2000)

    def _held(self, line: int, value: Any, imported: bool) -> None:
        if isinstance(value, types.ModuleType):
            self._gifts.module(line, value)
        elif imported and type(value) not in PLAIN:
            self._belongs(value)
        elif (
            imported
            and isinstance(value, str)
            and len(self._version) > 2
            and self._version in value
        ):
            self.breach(line, "imports a text that says which version runs")

    def _item(self, line: int, base: Any, key: Any) -> Any:
        kind = type(base)
        if kind in PLAIN or kind in _MUTABLE or kind is tuple:
            value = base[key]
        elif self._homes.of_class(kind).whose is Whose.TARGET:
            home = Home(Whose.TARGET, kind.__module__, f"{kind.__qualname__}.__getitem__")
            value = self._target_call(line, home, operator.getitem, (base, key), {}, replayed=False)
        else:
            value = base[key]
        if id(base) in self._global:
            self._belongs(value)
        return value

    def _operate(self, line: int, name: str, left: Any, right: Any) -> Any:
        function = getattr(operator, name)
        if type(left) in PLAIN and type(right) in PLAIN:
            return function(left, right)
        for one in (left, right):
            if self._homes.of_instance(one) is Whose.TARGET:
                kind = type(one)
                home = Home(Whose.TARGET, kind.__module__, f"{kind.__qualname__}.{name}")
                return self._target_call(line, home, function, (left, right), {}, replayed=False)
        return function(left, right)

    def _each(self, line: int, values: Any) -> Any:
        kind = type(values)
        if kind in PLAIN or kind in _MUTABLE or kind is tuple:
            return values
        if kind is types.GeneratorType:
            whose = self._homes.of_file(values.gi_code.co_filename)
        else:
            whose = self._homes.of_class(kind).whose
        return self._drawn(line, values) if whose is Whose.TARGET else values

    def _drawn(self, line: int, values: Any) -> Iterator[Any]:
        """The elements of one of the target's iterables; drawing them is the target's doing."""
        kind = type(values)
        home = Home(Whose.TARGET, kind.__module__, f"{kind.__qualname__}.__next__")
        done = object()
        source = self._run_targets(line, home, lambda: iter(values))
        while True:
            # Not counted as calls of its own: an iterator that never ends is one call without end.
            one = self._run_targets(line, home, lambda: next(source, done), counted=False)
            if one is done:
                return
            yield one

    # -- changing ------------------------------------------------------------------------------------

    def _change(self, line: int, subject: Any, how: str) -> Any:
        kind = type(subject)
        if kind in PLAIN and kind is not bytearray:
            return subject
        whose = self._homes.of_class(kind).whose
        if isinstance(subject, types.ModuleType):
            if subject.__name__ != "harness":
                self.breach(line, f"changes the module {subject.__name__}")
        elif isinstance(subject, type):
            if not self._homes.made(subject):
                self.breach(line, f"changes the class {subject.__qualname__}")
        elif isinstance(subject, types.FunctionType | types.MethodType):
            if self._homes.of(subject).whose is not Whose.HARNESS:
                self.breach(line, f"changes the function {subject.__qualname__}")
        elif subject is os.environ:
            pass  # constant variables only: see the contract
        elif id(subject) in self._global:
            self.breach(line, f"changes a {kind.__name__} that belongs to a module")
        elif how == "attribute" and whose is Whose.STANDARD:
            if public_module(kind.__module__).partition(".")[0] not in _CHANGEABLE:
                self.breach(line, f"changes an attribute of a {kind.__name__}")
        elif how == "attribute" and whose in (Whose.TARGET, Whose.DEPENDENCY):
            self.breach(line, f"changes a {kind.__name__} in a way that hides the value")
        return subject

    def _store(self, line: int, value: Any, base: Any, name: str) -> None:
        whose = self._homes.of_instance(base)
        if whose in (Whose.TARGET, Whose.DEPENDENCY) and not isinstance(
            base, types.ModuleType | type
        ):
            self._change(line, base, "item")
            kind = type(base)
            home = Home(Whose.TARGET, kind.__module__, f"{kind.__qualname__}.{name}")
            self._target_call(line, home, _set(name), (base, value), {}, replayed=False)
            return
        self._change(line, base, "attribute" if whose is Whose.STANDARD else "item")
        setattr(base, name, value)

    def _store_item(self, line: int, value: Any, base: Any, key: Any) -> None:
        self._change(line, base, "item")
        if self._homes.of_instance(base) is Whose.TARGET:
            kind = type(base)
            home = Home(Whose.TARGET, kind.__module__, f"{kind.__qualname__}.__setitem__")
            action = operator.setitem
            self._target_call(line, home, action, (base, key, value), {}, replayed=False)
            return
        base[key] = value

    def _mutated(self, line: int, subject: Any, args: tuple[Any, ...]) -> None:
        if subject is os.environ:
            self._files.environment(args, lambda what: self.breach(line, what))
        elif id(subject) in self._global:
            self.breach(line, f"changes a {type(subject).__name__} that belongs to a module")

    # -- definitions, returned values, errors ----------------------------------------------------------

    def _made(self, line: int) -> Callable[[type], type]:
        def made(cls: type) -> type:
            self._homes.note_made(cls, line)
            for base in cls.__mro__[1:]:
                home = self._homes.of_class(base)
                if home.whose is Whose.STANDARD and (
                    not allows(home.module, home.name) or home.name.startswith("redirect_")
                    or home.name == "FileIO"
                ):  # fmt: skip
                    self.breach(line, f"makes a class of {home.full}")
            for name, value in list(vars(cls).items()):
                self._class_member(line, name, value)
            return cls

        return made

    def _class_member(self, line: int, name: str, value: Any) -> None:
        if isinstance(value, property):
            for one in (value.fget, value.fset, value.fdel):
                self._class_member(line, name, one)
            return
        inner = value.__func__ if isinstance(value, staticmethod | classmethod) else value
        if not callable(inner) or isinstance(inner, type) or name in ("__hash__", "__new__"):
            return
        try:
            whose = self._homes.of(inner).whose
        except TooDeep:
            whose = Whose.UNKNOWN
        if whose not in (Whose.HARNESS, Whose.OBSERVER) and not name.startswith("__"):
            self.breach(line, f"makes {name} of a class something other than a function of its own")

    def _decorate(self, line: int, decorator: Any) -> Callable[[Any], Any]:
        call = self._bound_call()

        def decorate(what: Any) -> Any:
            return call(line, decorator, what)

        return decorate

    def _raise(self, value: Any) -> Any:
        self.raised.append(value)
        return value

    def _gives(self, line: int, *parts: Any) -> Any:
        """A value that the harness's function gives: to the target, when that called it."""
        value = parts[1] if len(parts) == 3 else parts[0]
        return self._told(line, value) if self._inside else value

    def _told(self, line: int, value: Any) -> Any:
        if value is not None:
            self._shared.tick()
        kind = self._gifts.kind(value)
        if (line, kind) not in self._gave and len(self._gave) < 64:
            self._gave.add((line, kind))
            self._send({"gave": kind, "line": line})
        return value

    def _enter(self) -> None:
        if self._inside and self._effect == "memory":
            self._shared.enter_callback()

    def _leave(self) -> None:
        if self._inside and self._effect == "memory":
            self._shared.leave_callback()


def _why(module: str) -> str:
    top = public_module(module).partition(".")[0]
    return REASONS.get(top) or {
        "os": "acts on the machine",
        "sys": "changes or reads the interpreter",
    }.get(top, "can run code, or change what others do")


def _room(depth: int) -> int:
    return depth and _room(depth - 1)


def _first(cls: type, name: str) -> Any:
    return next((one.__dict__[name] for one in cls.__mro__ if name in one.__dict__), None)


def _dict_of(value: Any) -> dict[str, Any]:
    found = getattr(value, "__dict__", None)
    return found if type(found) is dict else {}


def _is_computed(cls: type, name: str) -> bool:
    found = _first(cls, name)
    return (
        found is None
        or isinstance(found, property)
        or (
            hasattr(type(found), "__get__")
            and not (isinstance(found, types.FunctionType | staticmethod | classmethod))
        )
    )


def _set(name: str) -> Callable[[Any, Any], None]:
    def set_attribute(base: Any, value: Any) -> None:
        setattr(base, name, value)

    return set_attribute


def _twice(result: Any) -> tuple[Any, Any]:
    """An answer, and another like it that does not change when the first is used."""
    if type(result) in PLAIN and type(result) is not bytearray:
        return result, result
    if isinstance(result, types.GeneratorType):
        drawn = list(itertools.islice(result, 10_000))
        return iter(drawn), iter(list(drawn))
    copy = sys.modules["copy"]
    try:
        return result, copy.deepcopy(result)
    except Exception:
        return result, result


__all__ = ["CAPACITY", "MARK_HEAD", "Guard"]
