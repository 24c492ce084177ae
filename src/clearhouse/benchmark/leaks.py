"""Guards against an item that gives its own answer away, and against items in training data.  Pure.

Two questions: does anything that an agent is given hold the reference input, or a long part of it,
in whatever form?  And does a text from elsewhere (a model's output, a log, a corpus) hold an item's
canary?  That what is given solves the item when it is simply tried is ``candidates``' question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from clearhouse.benchmark.item_file import CANARY_WORDS
from clearhouse.benchmark.items import Item
from clearhouse.benchmark.readings import DEPTH, readings, unpacked

#: A shorter input stands by chance in any text; ``candidates`` tries those.
SHORTEST: Final = 4
#: A part of this many bytes is no coincidence, if it is more than a few letters over and over.
PART_BYTES: Final = 16
_DIFFERENT: Final = 7
_MOST_PARTS: Final = 200_000
#: Below this level nothing may give the input away; the fix (3) may come with a test that has it.
LEVELS: Final = (0, 1, 2)
#: Ours, and the same for every item.
OWN: Final = frozenset({"try", "inside.py", "inside.cjs", "atheris.py", "task.json"})

_ADVISORY: Final = re.compile(
    rb"\b(?:CVE-\d{4}-\d{4,}|GHSA(?:-[0-9a-z]{4}){3}|PYSEC-\d{4}-\d+|RUSTSEC-\d{4}-\d+)\b",
    re.IGNORECASE,
)
_CANARY: Final = re.compile(
    re.escape(CANARY_WORDS.encode()) + rb"\s+([0-9a-fA-F-]{36})|(?<![0-9a-fA-F-])"
    rb"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?![0-9a-fA-F-])"
)


@dataclass(frozen=True, slots=True)
class Leak:
    """Part of the reference input in a file that is given: how it is written there, how long."""

    level: int
    file: str
    how: tuple[str, ...]
    size: int
    whole: bool

    def __str__(self) -> str:
        """What is wrong, without a byte of it."""
        form = " of ".join(reversed(self.how)) or "plain bytes"
        what = "the whole reference input" if self.whole else f"{self.size} bytes of the input"
        return f"level {self.level}, {self.file}: {what}, as {form}"


class Needle:
    """The reference input, and what of it cannot stand in a text by chance."""

    def __init__(self, reference: bytes, controls: Sequence[bytes]) -> None:
        inside = [held for held in unpacked(reference) if len(held) >= SHORTEST]
        shown = b"\xff\0\xff".join((*controls, *(u for c in controls for u in unpacked(c))))
        self._wholes = [
            core
            for text in (reference, *inside)
            if len(core := text.strip()) >= SHORTEST and len(set(core)) > 1 and core not in shown
        ]
        self._parts: set[bytes] = set()
        for text in (reference, *inside):
            for start in range(min(len(text) - PART_BYTES + 1, _MOST_PARTS)):
                part = text[start : start + PART_BYTES]
                if len(set(part)) >= _DIFFERENT and part not in shown:
                    self._parts.add(part)

    def found_in(self, text: bytes) -> tuple[int, bool] | None:
        """How many bytes of the input stand in a text, and whether all do; None for none."""
        for core in self._wholes:
            if core in text:
                return len(core), True
        longest, run = 0, 0
        if self._parts:
            for start in range(len(text) - PART_BYTES + 1):
                run = run + 1 if text[start : start + PART_BYTES] in self._parts else 0
                longest = max(longest, run)
        return (longest + PART_BYTES - 1, False) if longest else None


def leaks(given: Mapping[str, bytes], needle: Needle, *, level: int) -> Iterator[Leak]:
    """Files of one level that hold the input or long parts of it, each in the plainest form."""
    depth = DEPTH if level in LEVELS else 1
    for name, data in given.items():
        if name in OWN:
            continue
        for reading in readings(data, depth=depth):
            found = needle.found_in(reading.data)
            if found is not None:
                yield Leak(level, name, reading.how, *found)
                break


def leaks_of(item: Item, levels: Iterable[int] = LEVELS) -> tuple[Leak, ...]:
    """What an item gives away, prompts included.  Never empty where an input stands in a text."""
    mask = item.mask
    references = [mask.put_on(poc.data) for poc in item.bundle.pocs]
    controls = [mask.put_on(control.data) for control in item.bundle.controls]
    found: list[Leak] = []
    before: Mapping[str, bytes] = {}
    for level in levels:
        if level not in item.levels:
            continue
        given = item.given(level)
        new = {name: data for name, data in given.items() if name not in before}
        new["(prompt)"] = item.prompt(level).encode()
        before = given
        for reference in references:
            found += leaks(new, Needle(reference, controls), level=level)
    return tuple(dict.fromkeys(found))


def names_of_flaws(item: Item) -> tuple[str, ...]:
    """Numbers of advisories that an item's texts below the fix name: what was published is a hint.

    The harness of a bundle is its finder's text, and finders say what they found.
    """
    highest = max(level for level in item.levels if level in LEVELS)
    given = item.given(highest)
    found = (match for name, data in given.items() if name not in OWN
             for match in _ADVISORY.findall(data))  # fmt: skip
    return tuple(dict.fromkeys(match.decode() for match in found))


@dataclass(frozen=True, slots=True)
class Sighting:
    """A canary in a text: of which item (None: of none that is known here), and at which byte."""

    canary: str
    item: str | None
    at: int


def sightings(text: bytes, items: Iterable[Item]) -> tuple[Sighting, ...]:
    """Canaries in a text: those of ``items``, and any that stands behind a canary's words."""
    names = {item.canary: item.name for item in items}
    found = []
    for match in _CANARY.finditer(text):
        canary = (match[1] or match[2]).decode().lower()
        if match[1] is not None or canary in names:
            found.append(Sighting(canary, names.get(canary), match.start()))
    return tuple(found)
