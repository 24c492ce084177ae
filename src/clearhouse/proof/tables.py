"""One section of ``proof.toml``, read value by value; each error names the file and the key."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clearhouse.errors import Invalid
from clearhouse.proof.members import shown
from clearhouse.proof.text import is_plain_line, printable

#: Longest identifier or title.
TEXT_CHARACTERS: Final = 200

_TYPE_NAMES: Final[dict[type, str]] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "a table",
}


def described(value: object) -> str:
    """Return what a TOML value is, with the value itself where it is short and plain."""
    kind = _TYPE_NAMES.get(type(value), "a date or time")
    if isinstance(value, str):
        return f"the string {shown(value)}" if value else "an empty string"
    if isinstance(value, bool | int | float):
        # Long integers: str() refuses those of thousands of digits (CVE-2020-10735).
        text = str(value) if not isinstance(value, int) or abs(value) < 10**18 else "a huge one"
        return f"{kind} ({text})"
    if isinstance(value, list | dict) and not value:
        return f"an empty {kind.split()[-1]}"
    return kind


def either(values: Iterable[str]) -> str:
    """Return ``'a', 'b' or 'c'``."""
    quoted = [f"'{value}'" for value in values]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def nearest(word: str, known: Sequence[str], *, cutoff: float = 0.6) -> str | None:
    """Return the one of ``known`` that ``word`` was probably meant to be."""
    near = difflib.get_close_matches(word[:60].lower(), known, n=1, cutoff=cutoff)
    return near[0] if near else None


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the manifest: its name, its values, and the file it stands in."""

    name: str
    raw: Mapping[str, Any]
    where: str

    def __contains__(self, key: object) -> bool:
        return key in self.raw

    def wrong(self, key: str, message: str) -> Invalid:
        """Return the error that ``message`` is about ``key``."""
        place = f"[{self.name}] {printable(key, limit=60)}"
        return Invalid(message, where=self.where, key=place)

    def check_keys(self, required: Sequence[str], optional: Sequence[str]) -> None:
        """Refuse unknown keys first, then missing ones: a misspelt key is both."""
        known = (*required, *optional)
        for key in self.raw:
            if key not in known:
                near = nearest(key, known, cutoff=0.5)
                hint = f"did you mean '{near}'?" if near else f"expected {either(known)}"
                raise self.wrong(key, f"unknown key; {hint}")
        for key in required:
            if key not in self.raw:
                raise self.wrong(key, "the key is missing")

    def string(self, key: str) -> str:
        """Return a string that is not blank."""
        value = self.raw[key]
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, f"expected a string, found {described(value)}")
        return value

    def line(self, key: str) -> str:
        """Return a string of one visible line, short enough to stand in a listing."""
        value = self.string(key).strip()
        if len(value) > TEXT_CHARACTERS:
            message = f"expected at most {TEXT_CHARACTERS} characters, found {len(value)}"
            raise self.wrong(key, message)
        if not is_plain_line(value):
            raise self.wrong(
                key,
                f"expected one line without control or invisible characters, found {shown(value)}",
            )
        return value

    def choice(self, key: str, values: Sequence[str]) -> str:
        """Return a string that is one of ``values``."""
        value = self.string(key)
        if value not in values:
            near = nearest(value, values)
            hint = f"; did you mean '{near}'?" if near else ""
            raise self.wrong(key, f"expected {either(values)}, found {shown(value)}{hint}")
        return value

    def integers(self, key: str, example: str, *, low: int, high: int, most: int) -> list[int]:
        """Return a list of distinct integers, at least one."""
        items = self._list(key, example, most=most)
        for item in items:
            if isinstance(item, bool) or not isinstance(item, int) or not low <= item <= high:
                raise self.wrong(key, f"expected {example}, found {described(item)} in it")
        self._check_distinct(key, items)
        return items

    def names(self, key: str, example: str, *, most: int) -> list[str]:
        """Return a list of distinct strings, at least one and none blank."""
        items = self.strings(key, example, most=most)
        self._check_distinct(key, items)
        return items

    def strings(self, key: str, example: str, *, most: int) -> list[str]:
        """Return a list of strings, at least one and none blank; one may stand there twice."""
        items = self._list(key, example, most=most)
        for item in items:
            if not isinstance(item, str) or not item.strip():
                raise self.wrong(key, f"expected {example}, found {described(item)} in it")
        return items

    def number(self, key: str, low: float, high: float, unit: str) -> float | int:
        """Return a number from ``low`` to ``high``."""
        value = self.raw[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, f"expected a number, found {described(value)}")
        if not low <= value <= high:  # refuses nan too
            raise self.wrong(key, f"expected {low:g} to {high:g} {unit}, found {described(value)}")
        return value

    def _list(self, key: str, example: str, *, most: int) -> list[Any]:
        value = self.raw[key]
        if not isinstance(value, list) or not value:
            raise self.wrong(key, f"expected {example}, found {described(value)}")
        if len(value) > most:
            raise self.wrong(key, f"expected at most {most} entries, found {len(value)}")
        return list(value)

    def _check_distinct(self, key: str, items: Sequence[object]) -> None:
        for index, item in enumerate(items):
            if item in items[:index]:
                raise self.wrong(key, f"{described(item)} is listed twice")
