"""Inputs cut out of what is given, and whether one of them solves the item when it is tried.

Looking for the reference input in a text finds only that input; a text may as well spell out
another one that works.  So what a reader without any skill would try is tried: what stands in
quotes, what stands in a block of code, each line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from clearhouse.benchmark.items import Item
from clearhouse.benchmark.leaks import OWN
from clearhouse.benchmark.readings import readings
from clearhouse.proof.effects import Effect
from clearhouse.proof.judge import Case, Grade, shows
from clearhouse.proof.observation import Outcome
from clearhouse.proof.prove import prove
from clearhouse.proof.runners.base import Runner
from clearhouse.proof.runners.choose import Workshop

#: Each is one run: this many keep an item's check under ten seconds for most targets.
MOST: Final = 80
#: An input that is that simple shows what it shows at once; some make a harness run for ever.
_CPU_S: Final = 1.0
#: A harness that had to be stopped so often runs for ever on whatever it cannot read.
_MOST_STOPPED: Final = 8
_LONGEST: Final = 1 << 20
#: Inputs that exhaust something are often one short text over and over.
_REPEATED_TO: Final = 20_000
_SHORT: Final = 12
_EXHAUSTING: Final = frozenset({Effect.HANG, Effect.MEMORY, Effect.EXCEPTION, Effect.CRASH})

_BLOCK: Final = re.compile(
    rb"```[^\n]*\n(.*?)```|((?:^(?: {4}|\t)[^\n]*\n)+)", re.DOTALL | re.MULTILINE
)
_QUOTED: Final = re.compile(
    rb'"""(.*?)"""|"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\'|`([^`]+)`|\xe2\x80\x9c(.*?)\xe2\x80\x9d',
    re.DOTALL,
)

#: Ways of writing that leave a text a text; other readings are tried of what stands in quotes.
_SPELLED: Final = frozenset({"escapes", "joined literals"})

Progress = Callable[[str], None]


def candidates(given: Mapping[str, bytes], effect: Effect, *, most: int = MOST) -> list[bytes]:
    """Inputs that a text spells out, the likelier ones first, none twice, at most ``most``.

    Controls are no text: they are known not to show the effect.  Of code, and of a diff, only what
    stands in quotes is tried.
    """
    texts = {
        name: [
            reading.data for reading in readings(data, depth=1) if _SPELLED.issuperset(reading.how)
        ]
        for name, data in given.items()
        if name not in OWN and not name.startswith("controls/")
    }
    found: dict[bytes, None] = {}
    for way in (_quoted, _blocks, _lines):
        for name, forms in texts.items():
            if way is not _quoted and not name.endswith(".txt"):
                continue
            for one in (one for text in forms for one in way(text)):
                if one and len(one) <= _LONGEST:
                    found.setdefault(one)
    repeated: list[bytes] = []
    if effect in _EXHAUSTING:
        quoted = (one for forms in texts.values() for text in forms for one in _quoted(text))
        short = dict.fromkeys(one for one in quoted if 0 < len(one) <= _SHORT)
        repeated = [one * (_REPEATED_TO // len(one)) for one in list(short)[: most // 3]]
    plain = list(found)[: most - len(repeated)]
    return list(dict.fromkeys([*plain, *repeated]))[:most]


def _quoted(text: bytes) -> Iterator[bytes]:
    for match in _QUOTED.finditer(text):
        inside = next((group for group in match.groups() if group is not None), b"")
        yield inside
        yield from (reading.data for reading in readings(inside, depth=1))


def _blocks(text: bytes) -> Iterator[bytes]:
    for match in _BLOCK.finditer(text):
        fenced, indented = match.groups()
        if fenced is not None:
            yield from (fenced, fenced.rstrip(b"\n"))
        else:
            block = b"\n".join(
                line[1 if line[:1] == b"\t" else 4 :] for line in indented.split(b"\n")
            )
            yield from (block, block.rstrip(b"\n"))


def _lines(text: bytes) -> Iterator[bytes]:
    for line in text.splitlines():
        stripped = line.strip()
        yield stripped
        _, colon, rest = stripped.partition(b": ")
        if colon:
            yield rest


@dataclass(frozen=True, slots=True)
class Solved:
    """An item that what is given solves: at which level, by an input of how many bytes."""

    level: int
    size: int

    def __str__(self) -> str:
        """What is wrong, without the input."""
        return (
            f"level {self.level}: an input of {self.size} bytes that the text spells out solves it"
        )


def solved_by_its_text(
    item: Item, workshop: Workshop, levels: Sequence[int], *, progress: Progress
) -> Solved | None:
    """The first level at which a candidate solves an item by proof; None where none does.

    Raises :class:`clearhouse.errors.Unavailable` where the item cannot be run here.
    """
    with Workshop.hasty(_CPU_S) as hasty:
        return _first_solved(item, workshop, hasty.attacked(item.bundle), levels, progress)


def _first_solved(
    item: Item, workshop: Workshop, runner: Runner, levels: Sequence[int], progress: Progress
) -> Solved | None:
    probe = Case(item.effect, item.bundle.expect, "", "", (), ())
    tried: set[bytes] = set()
    before: Mapping[str, bytes] = {}
    for level in levels:
        if level not in item.levels:
            continue
        given = item.given(level)
        texts = {name: data for name, data in given.items() if name not in before}
        before = given
        new = [one for one in candidates(texts, item.effect) if one not in tried]
        tried.update(new)
        stopped = 0
        for number, one in enumerate(new, 1):
            progress(f"level {level}: trying what the text spells out, {number} of {len(new)}")
            bundle = item.bundle_with(one)
            run = runner.run("candidate", bundle.pocs[0].data)
            if not shows(probe, run):
                stopped += run.outcome is Outcome.KILLED
                if stopped >= _MOST_STOPPED:
                    break
            elif prove(bundle, workshop).grade is Grade.DIFFERENTIAL:
                return Solved(level, len(one))
    return None
