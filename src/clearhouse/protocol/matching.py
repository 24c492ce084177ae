"""Which known flaw an unproven report may be about: suggestions with reasons, never decisions.

Without a run, two reports can only look alike.  What they name counts most, what they say least:
the weights were chosen so that a shared function alone is worth a look, and shared words are not.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_FUNCTION, _FILE, _WEAKNESS, _TEXT, _NAMED = 0.45, 0.2, 0.15, 0.2, 1.0
#: Below this a coordinator's look is not worth it.
LEAST: Final = 0.3
_WORD: Final = re.compile(r"[a-z_][a-z0-9_]{2,}")
_SAID: Final = 0.35
#: Words that reports of any flaw share.
_COMMON: Final = frozenset(
    [
        "the",
        "and",
        "for",
        "with",
        "that",
        "this",
        "from",
        "has",
        "have",
        "not",
        "can",
        "which",
        "when",
        "where",
        "was",
        "are",
        "its",
        "via",
        "allows",
        "may",
        "attacker",
        "attackers",
        "vulnerability",
        "issue",
        "version",
        "versions",
        "before",
        "through",
        "using",
        "used",
        "could",
        "remote",
        "crafted",
        "input",
        "function",
        "file",
        "code",
        "user",
        "users",
        "data",
        "affected",
    ]
)


@dataclass(frozen=True, slots=True)
class Described:
    """A flaw as somebody describes it: the package (purl without version), places, words."""

    package: str
    text: str
    files: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    weaknesses: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()
    """Identifiers: CVE, GHSA, the office's own."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike, from 0 to 1, and why, in sentences."""

    score: float
    reasons: tuple[str, ...]


def likeness(report: Described, known: Described) -> Likeness:
    """How likely a report is about a known flaw.

    1. Another package: not at all.  2. It names the flaw itself: certainly.  3. Else what both
    name adds up: functions, files, weaknesses, and how alike the words are.
    """
    if not report.package or report.package != known.package:
        return Likeness(0.0, ())  # 1
    named = sorted(report.names & known.names)
    if named:
        return Likeness(_NAMED, (f"the report names {named[0]}",))  # 2
    score, reasons = 0.0, [f"both are about {known.package}"]
    functions = sorted(_last(report.functions) & _last(known.functions))
    if functions:
        score += _FUNCTION
        reasons.append(f"both name the function {functions[0]}")
    files = sorted(_base(report.files) & _base(known.files))
    if files:
        score += _FILE
        reasons.append(f"both name the file {files[0]}")
    weaknesses = sorted(report.weaknesses & known.weaknesses)
    if weaknesses:
        score += _WEAKNESS
        reasons.append(f"both are CWE-{weaknesses[0]}")
    alike = cosine(report.text, known.text)
    score += _TEXT * alike
    if alike >= _SAID:
        reasons.append(f"their words are {alike:.0%} alike")
    return Likeness(min(1.0, round(score, 4)), tuple(reasons))


def suggestions(
    report: Described, known: Iterable[tuple[str, Described]], *, most: int = 5
) -> list[tuple[str, Likeness]]:
    """The known flaws that are worth a look, most alike first."""
    found = [(name, likeness(report, one)) for name, one in known]
    found = [(name, one) for name, one in found if one.score >= LEAST]
    return sorted(found, key=lambda pair: (-pair[1].score, pair[0]))[:most]


def cosine(one: str, other: str) -> float:
    """How alike two texts are by their words, from 0 to 1."""
    first, second = _words(one), _words(other)
    shared = sum(first[word] * second[word] for word in first.keys() & second.keys())
    if not shared:
        return 0.0
    length = math.sqrt(_square(first.values())) * math.sqrt(_square(second.values()))
    return min(1.0, shared / length)


def _square(counts: Iterable[int]) -> int:
    return sum(count * count for count in counts)


def _words(text: str) -> Counter[str]:
    found: Sequence[str] = _WORD.findall(text.lower())
    return Counter(word for word in found if word not in _COMMON)


def _last(functions: Iterable[str]) -> set[str]:
    return {one.rpartition(".")[2].rpartition("::")[2] for one in functions if one}


def _base(files: Iterable[str]) -> set[str]:
    return {one.replace("\\", "/").rpartition("/")[2] for one in files if one}
