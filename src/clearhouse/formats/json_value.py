"""JSON from outside, read key by key; each error names the file and the path inside it.

The path is written as people write it: ``locations[3].line`` (JSON Pointer, RFC 6901, is for
machines).  Pure; whatever the bytes are, the outcome is a value or :class:`Invalid`.
"""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from clearhouse.errors import Invalid

T = TypeVar("T")

#: How much of a name from outside stands in a message.
_SHOWN: Final = 60
_KINDS: Final[Mapping[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def decode(raw: bytes, where: str, *, most_bytes: int) -> object:
    """The value that ``raw`` is in JSON (RFC 8259), UTF-8 with or without a byte order mark.

    Refused: more than ``most_bytes``, a key twice in one object (its readers would differ on which
    counts), numbers that are none (``NaN``), and nesting deeper than the interpreter's stack.
    """
    if len(raw) > most_bytes:
        raise Invalid(f"has {len(raw)} bytes, more than {most_bytes}", where=where)
    try:
        return json.loads(raw, object_pairs_hook=_object, parse_constant=_no_constant)
    except RecursionError:
        raise Invalid("is nested too deeply", where=where) from None
    except json.JSONDecodeError as error:
        raise Invalid(
            f"is not JSON: {error.msg} in line {error.lineno}, column {error.colno}", where=where
        ) from None
    except _Refusal as error:
        raise Invalid(f"is not JSON: {error}", where=where) from None
    except UnicodeDecodeError:
        raise Invalid("is not JSON: expected UTF-8", where=where) from None
    except ValueError:
        # An integer of thousands of digits (CVE-2020-10735).
        raise Invalid("is not JSON that can be read: a number is too long", where=where) from None


@dataclass(frozen=True, slots=True)
class Problem:
    """What of a document cannot be read, and where it stands."""

    place: str
    message: str

    @classmethod
    def of(cls, error: Invalid, place: str = "") -> Problem:
        """What ``error`` says; ``place`` where it names none."""
        return cls(error.key or place, error.message)

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class _Refusal(Exception):
    """Why a decoder's hook refuses."""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise _Refusal(f"the key {shown(twice)} stands twice in one object")
    return found


def _no_constant(name: str) -> object:
    raise _Refusal(f"{name} is no number")


def shown(text: str) -> str:
    """A name from outside, quoted, cut and escaped for a message."""
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return ascii(cut)


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The one of ``known`` that ``word`` was probably meant to be."""
    near = difflib.get_close_matches(word[:_SHOWN].lower(), known, n=1, cutoff=0.5)
    return near[0] if near else None


Trail: TypeAlias = tuple["Trail | None", str | int]
"""The way to the value around, None for the top, and the last step."""


class JsonValue:
    """A value, and where it stands; the path is only put together for an error."""

    __slots__ = ("_trail", "_where", "raw")

    def __init__(self, raw: object, where: str, *, trail: Trail | None = None) -> None:
        self.raw = raw
        self._where = where
        self._trail = trail

    @property
    def path(self) -> str:
        """The way here from the top, empty at the top."""
        steps: list[str] = []
        trail = self._trail
        while trail is not None:  # not by recursion: values may be nested deeply
            trail, step = trail
            steps.append(f"[{step}]" if isinstance(step, int) else f".{shown(step)[1:-1]}")
        return "".join(reversed(steps)).removeprefix(".")

    @property
    def where(self) -> str:
        """The name of the file."""
        return self._where

    def wrong(self, message: str) -> Invalid:
        """The error that ``message`` is about this value."""
        return Invalid(message, where=self._where, key=self.path or None)

    def expected(self, what: str) -> Invalid:
        """The error that something else was expected."""
        return self.wrong(f"expected {what}, found {_KINDS.get(type(self.raw), 'something else')}")

    def table(self) -> Mapping[str, Any]:
        """The object's keys and values."""
        if not isinstance(self.raw, dict):
            raise self.expected("an object")
        return self.raw

    def get(self, key: str) -> JsonValue | None:
        """What stands under ``key`` of this object; None where nothing or null does."""
        found = self.table().get(key)
        if found is None:
            return None
        return JsonValue(found, self._where, trail=(self._trail, key))

    def items(self, *, most: int | None = None) -> Iterator[JsonValue]:
        """The members of this list."""
        if not isinstance(self.raw, list):
            raise self.expected("a list")
        if most is not None and len(self.raw) > most:
            raise self.wrong(f"expected at most {most} entries, found {len(self.raw)}")
        for index, one in enumerate(self.raw):
            yield JsonValue(one, self._where, trail=(self._trail, index))

    def listed(self, key: str) -> Iterator[JsonValue]:
        """The members of the list under ``key``; none where there is no such key."""
        found = self.get(key)
        return found.items() if found is not None else iter(())

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of the list under ``key``; none where there is no such key."""
        found = self.table().get(key)
        # Advisories list many thousand versions: each is looked at for itself where one is wrong.
        if isinstance(found, list) and all(type(one) is str for one in found):
            return tuple(found)
        return tuple(one.text() for one in self.listed(key))

    def text(self) -> str:
        """The text this is."""
        if not isinstance(self.raw, str):
            raise self.expected("a text")
        return self.raw

    def text_at(self, key: str) -> str | None:
        """The text under ``key``, or None."""
        found = self.get(key)
        return None if found is None else found.text()

    def integer(self) -> int:
        """The integer this is; ``3.0`` is one (JSON Schema 2020-12 core, section 4.2.3)."""
        raw = self.raw
        if isinstance(raw, float) and raw.is_integer():
            return int(raw)
        if isinstance(raw, bool) or not isinstance(raw, int):
            raise self.expected("an integer")
        return raw

    def integer_at(self, key: str) -> int | None:
        """The integer under ``key``, or None."""
        found = self.get(key)
        return None if found is None else found.integer()

    def check_keys(self, required: Sequence[str], optional: Sequence[str]) -> None:
        """Refuse unknown keys first, then missing ones: a misspelt key is both."""
        known = (*required, *optional)
        table = self.table()
        for key in table:
            if key not in known:
                near = nearest(str(key), known)
                hint = f"did you mean '{near}'?" if near else f"known are {', '.join(known)}"
                here = JsonValue(None, self._where, trail=(self._trail, str(key)))
                raise here.wrong(f"unknown key; {hint}")
        for key in required:
            if table.get(key) is None:
                here = JsonValue(None, self._where, trail=(self._trail, key))
                raise here.wrong("has to be there")


def read_each(
    values: Iterable[JsonValue], read: Callable[[JsonValue], T], problems: list[Problem]
) -> list[T]:
    """What ``read`` makes of each value; of one that it refuses ``problems`` has the reason."""
    found: list[T] = []
    for one in values:
        try:
            found.append(read(one))
        except Invalid as error:
            problems.append(Problem.of(error, one.path))
    return found
