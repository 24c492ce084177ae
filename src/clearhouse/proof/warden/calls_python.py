"""What a harness calls of the target, noted before it happens, and the exchange of answers.

A message is sent for everything that is new about a call before the call is made: a run that is
killed in the middle has told by then what it did.
"""

from __future__ import annotations

import copy
import itertools
import types
from collections.abc import Callable, Iterator
from typing import Any

from .gifts_python import PLAIN, Gifts, describe, plain
from .homes_python import Home, Homes, Whose, is_a
from .shared_marks import Shared

_CALLS, _KINDS, _WAYS, _KEPT = 256, 16, 512, 256
_ERRORS = 64
_READ = (bool, int, float, str, bytes, list, tuple, dict, type(None))
_MEMORY = 512 << 20
_ROOM = 700  # of the interpreter's thousand frames: what a call of the target must find free


class Calls:
    """The calls of one run, what came out of them, and what comes out of them instead."""

    def __init__(
        self, shared: Shared, gifts: Gifts, homes: Homes, send: Callable[[dict[str, Any]], None],
        breach: Callable[[int, str], None], effect: str,
    ) -> None:  # fmt: skip
        self.made: dict[tuple[int, str], dict[str, Any]] = {}
        self.escaped: tuple[BaseException, dict[str, Any]] | None = None
        self.inside = 0  # calls of the target that are going on
        self.entered = False  # whether the harness has been called, not only loaded
        self._shared, self._gifts, self._homes = shared, gifts, homes
        self._send, self._breach, self._effect = send, breach, effect
        self._ways: set[tuple[int, str]] = set()
        self._told: set[tuple[int, str, str]] = set()
        self._ended: set[int] = set()
        self._reads: set[tuple[int, str, str]] = set()
        self._answers: dict[str, list[tuple[bool, Any]]] | None = None
        self._given: dict[str, list[tuple[bool, Any]]] = {}

    # -- making calls ------------------------------------------------------------------------------

    def way(self, line: int, name: str) -> None:
        """A function, whosever it is, that the harness calls from a line."""
        if (line, name) not in self._ways:
            if len(self._ways) >= _WAYS:
                self._breach(line, f"calls more than {_WAYS} different functions")
                return
            self._ways.add((line, name))
            self._send({"way": name, "line": line, "at": self._shared.calls})

    def read(self, line: int, name: str, value: Any) -> None:
        """A simple value that the harness reads off the target: versions must agree on it."""
        if type(value) not in _READ or (type(value) is str and " at 0x" in value):
            return
        told = line, name, describe((value,), {})
        if told in self._reads:
            return
        if len([one for one in self._reads if one[:2] == told[:2]]) >= 8:
            return  # the first values tell versions apart; the rest would only fill the report
        if len(self._reads) >= _WAYS:
            self._breach(line, f"reads over {_WAYS} values off the target")
            return
        self._reads.add(told)
        self._send({"read": list(told)})

    def call(
        self, line: int, home: Home, function: Any, args: tuple[Any, ...], named: dict[str, Any],
        *, replayed: bool = True,
    ) -> Any:  # fmt: skip
        """Call the target, or answer in its place."""
        origin = self._gifts.origin(function)
        args, named = self._gifts.give(line, args, named)
        kinds = ([origin] if origin else []) + self._gifts.kinds(function, args, named)
        entry = self._noted(line, home, kinds, args, named)
        self._ask_for_room(line)
        replays = replayed and self.entered and (self._given or self._answers is not None)
        if replays:
            result = self.run(line, home, lambda: self._answer(home.full, function, args, named))
        else:
            result = self.run(line, home, lambda: function(*args, **named))
        self._gifts.made_by_target(line, result)
        if entry is not None and len(entry["returned"]) < 8:
            entry["returned"].append(plain(result))
        return result

    def run(self, line: int, home: Home, action: Callable[[], Any]) -> Any:
        """Do something that runs the target's code."""
        self._shared.begin_call(line)
        self.inside += 1
        try:
            return action()
        except BaseException as error:
            if not isinstance(error, StopIteration | StopAsyncIteration):
                self.note_error(line, home, error)
            raise
        finally:
            self.inside -= 1

    def _ask_for_room(self, line: int) -> None:
        """A call must not begin with what then runs out: stack, memory."""
        if self._effect not in ("exception", "crash"):
            return
        try:
            _room(_ROOM)
        except RecursionError:
            self._breach(line, "calls the target with most of the stack already in use")
        if self._shared.data_bytes() > _MEMORY:
            self._breach(line, "calls the target with much of the memory already in use")

    def _noted(
        self,
        line: int,
        home: Home,
        kinds: list[str],
        args: tuple[Any, ...],
        named: dict[str, Any],
    ) -> dict[str, Any] | None:
        key = (line, home.full)
        entry = self.made.get(key)
        new = entry is None
        if entry is None:
            if len(self.made) >= _CALLS:
                self._breach(line, f"calls the target in over {_CALLS} different ways")
                return None
            entry = self.made[key] = {
                "count": 0, "native": home.native, "types": [], "at": [], "given": [],
                "returned": [],
            }  # fmt: skip
        entry["count"] += 1
        if kinds not in entry["types"]:
            if len(entry["types"]) >= _KINDS:
                self._breach(line, f"calls {home.full} with over {_KINDS} kinds of arguments")
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

    def note_error(self, line: int, home: Home, error: BaseException) -> None:
        """An exception that comes out of the target, whether or not the harness lets it pass."""
        told = line, home.full, type(error).__name__
        if told not in self._told:
            if len(self._told) >= _ERRORS:
                self._breach(line, f"gets over {_ERRORS} kinds of exceptions from the target")
            else:
                self._told.add(told)
                self._send({"came_out": list(told)})
        if self.escaped is None or self.escaped[0] is not error:
            self.escaped = (
                error,
                {
                    "site": line, "callee": home.full, "native": home.native,
                    "marks": self._shared.marks_hex(),
                },
            )  # fmt: skip

    # -- the target's iterators ----------------------------------------------------------------------

    def drawn(self, line: int, values: Any) -> Iterator[Any]:
        """The elements of one of the target's iterables; drawing each is a call of the target.

        An iterator that ends by itself with a control and does not with the poc is the target's
        doing, however many elements were drawn; so it is noted when one ends.
        """
        kind = type(values)
        home = Home(Whose.TARGET, kind.__module__, f"{kind.__qualname__}.__next__")
        done = object()
        source = self.run(line, home, lambda: iter(values))
        while True:
            one = self.run(line, home, lambda: next(source, done))
            if one is done:
                if line not in self._ended:
                    self._ended.add(line)
                    self._send({"ended": line})
                return
            yield one

    async def waited(self, line: int, waiting: Any) -> Any:
        """Wait for something of the target's."""
        name = getattr(type(waiting), "__qualname__", "?")
        self.inside += 1
        try:
            return await waiting
        except BaseException as error:
            self.note_error(line, Home(Whose.TARGET, "", name), error)
            raise
        finally:
            self.inside -= 1

    # -- answers -------------------------------------------------------------------------------------

    def record_answers(self) -> None:
        """Keep what the target answers from now on."""
        self._answers = {}

    def forget(self) -> None:
        """Forget the way of the input before; the harness is loaded anew after this."""
        self._shared.forget_marks()
        self._gifts.forget_origins()
        self.made.clear()
        self.escaped = None

    def answer_again(self, *, as_first: bool) -> None:
        """From now on answer for real, or as it was answered the first time."""
        self._given = (self._answers or {}) if as_first else {}
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
        result, again = _twice(result)
        if len(kept) < _KEPT:
            kept.append((False, again))
        return result


def _room(depth: int) -> int:
    return depth and _room(depth - 1)


def _twice(result: Any) -> tuple[Any, Any]:
    """An answer, and another like it that does not change when the first is used."""
    if type(result) in PLAIN and type(result) is not bytearray:
        return result, result
    if is_a(result, types.GeneratorType):
        drawn = list(itertools.islice(result, 10_000))
        return iter(drawn), iter(list(drawn))
    try:
        return result, copy.deepcopy(result)
    except Exception:
        return result, result  # what cannot be copied is answered as it is
