"""The ecosystems' own comparisons, written out step by step, sharing nothing with the keys.

Each returns -1, 0 or 1 as the first version comes before, with or after the second.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Any


def sign(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


def rpmvercmp(one: str, two: str) -> int:
    """``rpmio/rpmvercmp.c`` of RPM 4.18."""
    while one or two:
        one = re.sub(r"^[^0-9A-Za-z~^]+", "", one)
        two = re.sub(r"^[^0-9A-Za-z~^]+", "", two)
        if "~" in (one[:1], two[:1]):
            if one[:1] != two[:1]:
                return -1 if one[:1] == "~" else 1
            one, two = one[1:], two[1:]
            continue
        if "^" in (one[:1], two[:1]):
            if one[:1] != two[:1]:
                return sign(bool(one), bool(two)) or (-1 if one[0] == "^" else 1)
            one, two = one[1:], two[1:]
            continue
        if not (one and two):
            break
        kind = "[0-9]*" if one[0].isdigit() else "[A-Za-z]*"
        first, second = re.match(kind, one)[0], re.match(kind, two)[0]  # type: ignore[index] # stars match
        if not second:
            return 1 if one[0].isdigit() else -1
        one, two = one[len(first) :], two[len(second) :]
        if first[0].isdigit():
            first, second = first.lstrip("0"), second.lstrip("0")
            if len(first) != len(second):
                return sign(len(first), len(second))
        if first != second:
            return sign(first, second)
    return sign(bool(one), bool(two))


def gem(left: str, right: str) -> int:
    """``Gem::Version#<=>`` of RubyGems 3.5."""

    def canonical(version: str) -> list[int | str]:
        parts = re.findall(r"[0-9]+|[a-zA-Z]+", version.replace("-", ".pre."))
        values = [int(p) if p.isdigit() else p for p in parts]
        at = next((i for i, v in enumerate(values) if isinstance(v, str)), len(values))
        front, back = values[:at], values[at:]
        for half in (front, back):
            while half and half[-1] == 0:
                half.pop()
        return front + back

    for a, b in zip_longest(canonical(left), canonical(right), fillvalue=0):
        if a == b:
            continue
        if isinstance(a, str) != isinstance(b, str):
            return -1 if isinstance(a, str) else 1
        return sign(a, b)
    return 0


_PHP = ("dev", "alpha", "a", "beta", "b", "RC", "rc", "#", "pl", "p")
_PHP_RANKS = (0, 1, 1, 2, 2, 3, 3, 4, 5, 5)


def php(left: str, right: str) -> int:
    """``php_version_compare`` of PHP 8.3 (``ext/standard/versioning.c``)."""

    def canonical(version: str) -> list[str]:
        spaced = re.sub(r"[-_+]", ".", version)
        spaced = re.sub(r"(?<=[0-9])(?=[^0-9.])|(?<=[^0-9.])(?=[0-9])", ".", spaced)
        return [part for part in spaced.split(".") if part]

    def rank(form: str) -> int:
        return next((r for w, r in zip(_PHP, _PHP_RANKS, strict=True) if form.startswith(w)), -1)

    ours, theirs = canonical(left), canonical(right)
    for a, b in zip(ours, theirs, strict=False):
        if a.isdigit() and b.isdigit():
            found = sign(int(a), int(b))
        else:
            found = sign(rank("#" if a.isdigit() else a), rank("#" if b.isdigit() else b))
        if found:
            return found
    if len(ours) == len(theirs):
        return 0
    longer, way = (ours, 1) if len(ours) > len(theirs) else (theirs, -1)
    rest = longer[min(len(ours), len(theirs)) :]
    return way if rest[0].isdigit() else way * php(".".join(rest), "#N#")


def semver(left: str, right: str) -> int:
    """Semantic Versioning 2.0.0, section 11, for versions that its grammar allows."""

    def split(version: str) -> tuple[list[int], list[str]]:
        core, _, pre = version.partition("+")[0].partition("-")
        return [int(n) for n in core.split(".")], pre.split(".") if pre else []

    (core, pre), (other_core, other_pre) = split(left), split(right)
    if core != other_core:
        return sign(core, other_core)
    if not pre or not other_pre:
        return sign(not pre, not other_pre)
    for a, b in zip(pre, other_pre, strict=False):
        if a == b:
            continue
        if a.isdigit() and b.isdigit():
            return sign(int(a), int(b))
        return sign(not a.isdigit(), not b.isdigit()) or sign(a, b)
    return sign(len(pre), len(other_pre))


def debian(left: str, right: str) -> int:
    """Debian Policy 5.6.12, word by word."""

    def split(version: str) -> tuple[int, str, str]:
        epoch, colon, rest = version.partition(":")
        upstream, _, revision = (rest if colon else version).rpartition("-")
        return int(epoch) if colon else 0, upstream or revision, revision if upstream else ""

    def weigh(char: str) -> int:
        return -1 if char == "~" else ord(char) if char.isalpha() else ord(char) + 256

    def words(a: str, b: str) -> int:
        for x, y in zip_longest(map(weigh, a), map(weigh, b), fillvalue=0):
            if x != y:
                return sign(x, y)
        return 0

    def part(a: str, b: str) -> int:
        while a or b:
            first, second = re.match(r"\D*", a)[0], re.match(r"\D*", b)[0]  # type: ignore[index] # stars match
            if found := words(first, second):
                return found
            a, b = a[len(first) :], b[len(second) :]
            first, second = re.match(r"\d*", a)[0], re.match(r"\d*", b)[0]  # type: ignore[index] # stars match
            if found := sign(int(first or 0), int(second or 0)):
                return found
            a, b = a[len(first) :], b[len(second) :]
        return 0

    (e1, u1, r1), (e2, u2, r2) = split(left), split(right)
    return sign(e1, e2) or part(u1, u2) or part(r1, r2)
