"""Variants of an input: many different small changes, tried where they have worked.  Pure.

A variant says something about a patch only when it shows the effect on the unpatched version. So
whoever runs them tells the :class:`Mutator` which did, and it goes on from those and by the changes
that led there, without staying with one kind of change: a filter has to hold against all of them.
The same seed and the same answers give the same variants.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from clearhouse.proof.containers import WHOLE, View, views
from clearhouse.proof.mutations import CHANGES, EVASION
from clearhouse.proof.spellings import REPEATED, Pool, evasions, tokens_of

#: A variant may be this much larger than the largest input it comes from: a fixed parser, too,
#: needs long for what is long.
_GROWTH: Final = 1.6
_ROOM: Final = 64
#: By how much deeper what exhausts the stack is nested, and how large that may make an input.
_DEEPER: Final = (8, 32)
_DEEPEST_BYTES: Final = 1 << 20
_NESTED: Final = 32  # repetitions from which on something is taken for nesting
_ATTEMPTS: Final = 200
_DEPTH: Final = 2  # containers in containers
_LITERAL: Final = re.compile(r"""'((?:\\.|[^'\\\n]){1,80})'|"((?:\\.|[^"\\\n]){1,80})\"""")
_NUMBER: Final = re.compile(
    r"(?<![\w.])(0x[0-9a-fA-F]{1,16}|\d{1,16})(?:\s*(\*\*|<<|\*)\s*(\d{1,4}))?(?![\w.])"
)
_LARGEST_HINT: Final = 1 << 22


@dataclass(frozen=True, slots=True)
class Variant:
    """A changed input, and by which changes it came about."""

    data: bytes
    changes: tuple[str, ...]

    @property
    def how(self) -> str:
        """The changes in words."""
        return ", then ".join(self.changes)


@dataclass(frozen=True, slots=True)
class Hints:
    """What a patch compares with: the strings and numbers in its added lines."""

    literals: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()


def hints_of(added: Sequence[str]) -> Hints:
    """Read the strings and numbers out of the lines that a patch adds."""
    literals: dict[str, None] = {}
    numbers: dict[int, None] = {}
    for line in added:
        for match in _LITERAL.finditer(line):
            text = match[1] or match[2]
            literals[text] = None
            # A pattern's words are what it looks for; "\\" before a sign is its quoting.
            for piece in re.findall(r"\w{3,}", text):
                literals[piece] = None
            literals[re.sub(r"\\(.)", r"\1", text)] = None
        for match in _NUMBER.finditer(_LITERAL.sub("''", line)):
            value = _value(match)
            if 1 < value <= _LARGEST_HINT:
                numbers[value] = None
    return Hints(tuple(literals)[:100], tuple(numbers)[:50])


def _value(match: re.Match[str]) -> int:
    base = int(match[1], 0) if match[1].startswith("0x") else int(match[1])
    if match[2] is None:
        return base
    other = int(match[3])
    if match[2] == "*":
        return base * other
    if base > 1024 or other > 64:
        return 0
    return int(base**other) if match[2] == "**" else base << other


DEEPER: Final = "nested deeper"


def deeper(data: bytes) -> Iterator[Variant]:
    """The input with everything that repeats in it, opened and closed alike, more often.

    For stacks that are exhausted: who only gave the stack more room, or moved a limit up, has
    mended nothing. Other flaws are never asked for so much: a right patch, too, may be slow.
    """
    for factor in _DEEPER:
        for view in views(data):
            parts = [_more_often(part, factor) for part in view.parts]
            if parts == list(view.parts) or sum(map(len, parts)) > _DEEPEST_BYTES:
                continue
            yield Variant(view.build(parts), (DEEPER,))
            break


def _more_often(part: bytes, factor: int) -> bytes:
    def more(run: re.Match[bytes]) -> bytes:
        return run[0] * (factor if len(run[0]) >= _NESTED * len(run[1]) else 1)

    return REPEATED.sub(more, part)


class _Tally:
    """How often a kind of change was tried, and how often it led to something kept."""

    def __init__(self) -> None:
        self.tried = self.kept = 0

    @property
    def weight(self) -> float:
        """Success so far, held down for a kind that has brought many already."""
        return (self.kept + 1) / (self.tried + 2) / (1 + self.kept / 3)


class Mutator:
    """Makes variants of ``origins``; ``others`` are inputs of the same kind to draw on."""

    def __init__(
        self,
        origins: Sequence[bytes],
        others: Sequence[bytes] = (),
        *,
        seed: int,
        hints: Hints | None = None,
    ) -> None:
        hints = hints or Hints()
        self._chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._origins = list(dict.fromkeys(origins))
        self._kept: list[Variant] = []
        self._seen = {*self._origins, *others}
        self._largest = int(max(map(len, self._origins), default=0) * _GROWTH) + _ROOM
        tokens = (*tokens_of([*origins, *others]), *hints.literals)
        self._pool = Pool(tuple(others), tokens, hints.literals, hints.numbers)
        self._tallies = {name: _Tally() for name in CHANGES}
        self._evasions = self._evading()
        self._turn = 0

    def next(self) -> Variant | None:
        """Another variant that was not made before; None when chance finds none any more."""
        for _ in range(_ATTEMPTS):
            self._turn += 1
            evasion = next(self._evasions, None) if self._turn % 2 else None
            variant = evasion or self._attempt()
            if variant is None or variant.data in self._seen or len(variant.data) > self._largest:
                continue
            self._seen.add(variant.data)
            return variant
        return None

    def keep(self, variant: Variant) -> None:
        """The variant did what was wanted: go on from it, and by such changes."""
        self._kept.append(variant)
        for name in variant.changes:
            if name in self._tallies:
                self._tallies[name].kept += 1

    def __iter__(self) -> Iterator[Variant]:
        while (variant := self.next()) is not None:
            yield variant

    def _evading(self) -> Iterator[Variant]:
        for origin in self._origins:
            for view in views(origin):
                for at, part in enumerate(view.parts):
                    for changed in evasions(part, self._pool):
                        data = view.build([*view.parts[:at], changed, *view.parts[at + 1 :]])
                        yield Variant(data, (EVASION,))

    def _attempt(self) -> Variant | None:
        chance = self._chance
        base = Variant(chance.choice(self._origins), ())
        if self._kept and chance.random() < 0.4:
            base = chance.choice(self._kept)
        data, names = base.data, list(base.changes)
        for _ in range(chance.choice((1, 1, 1, 2))):
            done = self._change(data)
            if done is None:
                return None
            data, name = done
            names.append(name)
        return Variant(data, tuple(names[-4:]))

    def _change(self, data: bytes, depth: int = 0) -> tuple[bytes, str] | None:
        view = self._view(data)
        at = self._chance.randrange(len(view.parts))
        part = view.parts[at]
        if view.kind != WHOLE and depth < _DEPTH and len(list(views(part))) > 1:
            inner = self._change(part, depth + 1)
        else:
            inner = self._direct(part)
        if inner is None or inner[0] == part:
            return None
        parts = list(view.parts)
        parts[at] = inner[0]
        return view.build(parts), inner[1]

    def _direct(self, part: bytes) -> tuple[bytes, str] | None:
        weights = [tally.weight for tally in self._tallies.values()]
        name = self._chance.choices(list(CHANGES), weights)[0]
        changed = CHANGES[name](self._chance, part, self._pool)
        if changed is None:
            return None
        self._tallies[name].tried += 1
        return changed, name

    def _view(self, data: bytes) -> View:
        found = list(views(data))
        # The inside of a container is where a target's own work begins.
        inside = len(found) > 1 and self._chance.random() < 0.75
        return self._chance.choice(found[1:]) if inside else found[0]
