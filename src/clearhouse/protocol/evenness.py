"""Even-handedness: who asked, who got it, by sector and by size.

:func:`tallied` is exact, for those who may see every row.  :func:`published` is for everybody and
shows nothing that points at few: in each row, those who got it and those who did not are each none,
or at least ``least`` (Hundepool et al., Statistical Disclosure Control, Wiley 2012, chapter 5).
Groups that do not fit are joined into one, with the smallest that would, until the joined one fits
too; so every table adds up to the same and nothing is found by subtraction.  Where all together do
not fit, nothing is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from statistics import median
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.protocol.deficit import LEAST, suppressed

#: The name of the group that others were joined into.
OTHERS: Final = "all others"


class Size(StrEnum):
    """How large an organisation is, by its people (OECD, Entrepreneurship at a Glance)."""

    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"

    @property
    def meaning(self) -> str:
        """The bounds in plain words."""
        return _PEOPLE[self]


_PEOPLE: Final = {
    Size.MICRO: "under 10 people",
    Size.SMALL: "10 to 49 people",
    Size.MEDIUM: "50 to 249 people",
    Size.LARGE: "250 people or more",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody who asked, and whether it got what it asked for."""

    sector: str
    size: Size
    got: bool


@dataclass(frozen=True, slots=True)
class Row:
    """How many of a group asked, and got it."""

    group: str
    asked: int
    got: int

    def fits(self, least: int) -> bool:
        """Whether neither those who got it nor those who did not are few."""
        return not suppressed(self.got, least=least) and not suppressed(
            self.asked - self.got, least=least
        )


def by_sector(one: Asked) -> str:
    """The group by sector; one that named none is in a group of its own."""
    return one.sector.strip().lower() or "not stated"


def by_size(one: Asked) -> str:
    """The group by size."""
    return one.size.value


def tallied(those: Iterable[Asked], group: Callable[[Asked], str]) -> tuple[Row, ...]:
    """The exact table, by the name of the group."""
    asked: dict[str, int] = {}
    got: dict[str, int] = {}
    for one in those:
        name = group(one)
        asked[name] = asked.get(name, 0) + 1
        got[name] = got.get(name, 0) + int(one.got)
    return tuple(Row(name, asked[name], got[name]) for name in sorted(asked))


def published(
    those: Iterable[Asked], group: Callable[[Asked], str], *, least: int = LEAST
) -> tuple[Row, ...]:
    """What everybody may see of the table; nothing where all together are few.

    Raises :class:`Invalid` for a ``least`` below 3.
    """
    if least < 3:
        raise Invalid("expected 3 or more: a hidden count below 2 is known to be 1", key="least")
    rows = sorted(tallied(those, group), key=lambda one: (one.fits(least), one.asked, one.group))
    joined = [one for one in rows if not one.fits(least)]
    shown = [one for one in rows if one.fits(least)]
    while joined and (len(joined) < 2 or not _sum(joined).fits(least)):
        if not shown:
            break
        joined.append(shown.pop(0))
    if not joined:
        return tuple(sorted(shown, key=lambda one: one.group))
    others = _sum(joined)
    if not others.fits(least):
        return ()
    return (*sorted(shown, key=lambda one: one.group), others)


def _sum(rows: list[Row]) -> Row:
    return Row(OTHERS, sum(one.asked for one in rows), sum(one.got for one in rows))


@dataclass(frozen=True, slots=True)
class Over:
    """A request that is over: when, how long it took, and what came of it.  ``at`` has a zone."""

    asked: Asked
    at: datetime
    took: timedelta


@dataclass(frozen=True, slots=True)
class Block:
    """What is published of a run of quarters; nothing inside it is shown apart.

    ``days`` is the median of how long they took, in whole days.
    """

    first: str
    last: str
    count: int
    days: int
    sectors: tuple[Row, ...]
    sizes: tuple[Row, ...]


def quarter(at: datetime) -> str:
    """The quarter of a moment in UTC: ``2026-Q1``."""
    day = at.astimezone(UTC)
    return f"{day.year:04}-Q{(day.month + 2) // 3}"


def blocks(those: Iterable[Over], until: datetime, *, least: int = LEAST) -> tuple[Block, ...]:
    """What everybody may see, for the quarters before that of ``until``.

    A quarter in which the tables would point at few is joined with those after it until they do
    not; what is left at the end is withheld.  So every request is in one block for good, and the
    difference of two publications is whole blocks.
    """
    past = sorted(
        (one for one in those if quarter(one.at) < quarter(until)), key=lambda one: one.at
    )
    found: list[Block] = []
    waiting: list[Over] = []
    for name, some in groupby(past, key=lambda one: quarter(one.at)):
        waiting += some
        asked = [one.asked for one in waiting]
        sectors = published(asked, by_sector, least=least)
        sizes = published(asked, by_size, least=least)
        if not sectors or not sizes:
            continue
        days = round(median(one.took.total_seconds() for one in waiting) / 86_400)
        found.append(
            Block(quarter(waiting[0].at), name, len(waiting), days, sectors, sizes)
        )  # fmt: skip
        waiting = []
    return tuple(found)
