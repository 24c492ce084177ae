"""JavaScript versions as npm reads them, and npm's ranges.

The order is that of :mod:`clearhouse.versions.semver`; the grammar is narrower: npm wants three
numbers, none with a zero before it, and reads a leading ``v`` or ``=`` away.  Ranges are those of
node-semver: comparators, hyphen ranges, x-ranges, tildes and carets, joined by spaces (and) and
``||`` (or), with its rule that a prerelease only matches where a comparator names a prerelease of
the same three numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import TypeAlias

from clearhouse.versions import OutsideGrammar, semver

SortKey: TypeAlias = tuple[bytes, str]

_NUMBER = r"(?:0|[1-9]\d*)"
_WORD = rf"(?:{_NUMBER}|\d*[a-zA-Z-][a-zA-Z0-9-]*)"
_TAIL = rf"(?:-({_WORD}(?:\.{_WORD})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_VERSION = re.compile(rf"[v=\s]*({_NUMBER})\.({_NUMBER})\.({_NUMBER}){_TAIL}\s*", re.ASCII)
_LONGEST = 256
"""node-semver's MAX_LENGTH; longer strings are no versions to npm."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A version in its parts. Equality is equality of precedence: it has no build metadata."""

    major: int
    minor: int
    patch: int
    prerelease: str = ""

    def __lt__(self, other: Version) -> bool:
        return self.precedence() < other.precedence()

    def precedence(self) -> bytes:
        """Its key in the order of SemVer."""
        return semver.precedence(self.numbers, self.prerelease)

    @property
    def numbers(self) -> tuple[int, int, int]:
        """Major, minor and patch."""
        return (self.major, self.minor, self.patch)


def parse(version: str) -> Version | OutsideGrammar:
    """Return the SemVer key of ``version``."""
    found = _VERSION.fullmatch(version) if len(version) <= _LONGEST else None
    if found is None:
        return OutsideGrammar(version, "SemVer 2.0.0")
    major, minor, patch, tail = found.groups()
    return Version(int(major), int(minor), int(patch), tail or "")


def sort_key(version: str) -> SortKey:
    """Return a key that totally orders any strings; what SemVer rejects sorts below, as text."""
    match parse(version):
        case OutsideGrammar():
            return (b"", version)
        case key:
            return (key.precedence(), "")


def compare(left: str, right: str) -> int:
    """-1, 0 or 1 as ``left`` sorts before, with or after ``right``."""
    a, b = sort_key(left), sort_key(right)
    return (a > b) - (a < b)


_X = r"(\d+|[xX*])"
_PARTIAL = rf"[v=\s]*{_X}(?:\.{_X}(?:\.{_X}{_TAIL})?)?"
_COMPARATOR = re.compile(rf"(<=|>=|<|>|=|~>|~|\^)?\s*(?:{_PARTIAL})", re.ASCII)
_HYPHEN = re.compile(rf"\s*({_PARTIAL})\s+-\s+({_PARTIAL})\s*", re.ASCII)
_GAP = re.compile(r"(<=|>=|<|>|=|~>|~|\^)\s+")
_LOWEST = "0"
"""The prerelease ``-0``, below every other version of the same three numbers."""


@dataclass(frozen=True, slots=True)
class _Bound:
    """One primitive comparison."""

    operator: str
    version: Version

    def holds(self, version: Version) -> bool:
        match self.operator:
            case "<":
                return version < self.version
            case "<=":
                return version <= self.version
            case ">":
                return version > self.version
            case ">=":
                return version >= self.version
            case _:
                return version == self.version


@dataclass(frozen=True, slots=True)
class Range:
    """A parsed npm range: alternatives, each of them bounds that must all hold."""

    alternatives: tuple[tuple[_Bound, ...], ...]

    def contains(self, version: Version) -> bool:
        """Whether npm would take ``version`` for this range."""
        return any(_within(version, bounds) for bounds in self.alternatives)


def parse_range(text: str) -> Range | OutsideGrammar:
    """Read an npm range; a tag such as ``latest`` or an address is outside the grammar."""
    alternatives: list[tuple[_Bound, ...]] = []
    for part in text.split("||"):
        bounds = _alternative(part)
        if bounds is None:
            return OutsideGrammar(text, "npm range")
        alternatives.append(bounds)
    # As in npm's own library: beside a star no other alternative counts, nor lets prereleases in.
    star = next((bounds for bounds in alternatives if _is_any(bounds)), None)
    return Range(tuple(alternatives) if star is None else (star,))


def _is_any(bounds: tuple[_Bound, ...]) -> bool:
    return all(bound.operator == ">=" and bound.version == Version(0, 0, 0) for bound in bounds)


def satisfies(version: str, text: str) -> bool:
    """Whether ``version`` lies in the npm range ``text``; False where either is no such thing."""
    key, wanted = parse(version), parse_range(text)
    if isinstance(key, OutsideGrammar) or isinstance(wanted, OutsideGrammar):
        return False
    return wanted.contains(key)


def _within(version: Version, bounds: tuple[_Bound, ...]) -> bool:
    if not all(bound.holds(version) for bound in bounds):
        return False
    if not version.prerelease:
        return True
    return any(
        bound.version.prerelease and bound.version.numbers == version.numbers for bound in bounds
    )


def _alternative(text: str) -> tuple[_Bound, ...] | None:
    hyphen = _HYPHEN.fullmatch(text)
    if hyphen is not None:
        groups = hyphen.groups()
        return (*_bounds(">=", groups[1:5]), *_bounds("<=", groups[6:10]))
    bounds: list[_Bound] = []
    for word in _GAP.sub(r"\1", text).split():
        found = _COMPARATOR.fullmatch(word)
        if found is None:
            return None
        operator, *partial = found.groups()
        bounds.extend(_bounds(operator or "", tuple(partial)))
    return tuple(bounds)


def _bounds(operator: str, partial: tuple[str | None, ...]) -> tuple[_Bound, ...]:
    """Return the primitive comparisons that ``operator`` on a partial version stands for.

    Numbers behind a star (``*.1``) do not count, as in the npm of the time when such ranges were
    published; today's refuses some of them.
    """
    numbers: list[int] = []
    for text in partial[:3]:
        if text is None or not text.isdecimal():
            break
        numbers.append(int(text))
    if len(numbers) < 3:
        return _x_bounds(operator, numbers)
    major, minor, patch = numbers
    version = Version(major, minor, patch, partial[3] or "")
    match operator:
        case "^":
            return (_Bound(">=", version), _below(_caret_end(numbers)))
        case "~" | "~>":
            return (_Bound(">=", version), _below((major, minor + 1, 0)))
        case "<" | "<=" | ">" | ">=":
            return (_Bound(operator, version),)
        case _:
            return (_Bound("=", version),)


def _x_bounds(operator: str, numbers: list[int]) -> tuple[_Bound, ...]:
    """``operator`` on a version with missing or starred numbers."""
    if not numbers:
        return (_below((0, 0, 0)),) if operator in {"<", ">"} else ()
    start = (*numbers, *([0] * (3 - len(numbers))))
    floor = Version(start[0], start[1], start[2])
    after = (start[0] + 1, 0, 0) if len(numbers) == 1 else (start[0], start[1] + 1, 0)
    match operator:
        case ">":
            return (_Bound(">=", Version(*after)),)
        case ">=":
            return (_Bound(">=", floor),)
        case "<":
            return (_below(floor.numbers),)
        case "<=":
            return (_below(after),)
        case "^":
            end = after if start[0] == 0 else (start[0] + 1, 0, 0)
            return (_Bound(">=", floor), _below(end))
        case _:
            return (_Bound(">=", floor), _below(after))


def _caret_end(numbers: list[int]) -> tuple[int, int, int]:
    """Return the first version that changes the leftmost number that is not zero."""
    major, minor, patch = numbers
    if major:
        return (major + 1, 0, 0)
    if minor:
        return (0, minor + 1, 0)
    return (0, 0, patch + 1)


def _below(numbers: tuple[int, int, int]) -> _Bound:
    return _Bound("<", Version(*numbers, _LOWEST))
