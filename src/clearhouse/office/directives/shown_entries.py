"""What the pages show of obligations that stand in one entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse

from clearhouse.office.directives.grouping import PackageEntry, PlaceEntry, Tally
from clearhouse.office.directives.shown import Row, row_of
from clearhouse.office.directives.words import QUESTIONS, STANDINGS
from clearhouse.office.inventories.shown import step_of
from clearhouse.office.look.clock import Clock
from clearhouse.office.look.words import Tag
from clearhouse.protocol.directives.obligation import Standing
from clearhouse.protocol.severity import Severity

_EXAMINED: Final = Tag("Being examined", "wait", "All of it was handed in and is being examined.")
_ALSO: Final = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """Obligations that are one thing to do, as one entry of a list."""

    heading: str
    where: str
    system: str
    """The name of the system, where its page may be opened."""
    tag: Tag
    clock: Clock | None
    why: str
    more: Sequence[str]
    """What else is to be known, a sentence each."""
    unsure: str
    """Whether it may not apply, or the date may move; empty where neither."""
    questions: Sequence[str]
    """What its owner can answer, so that it is known."""
    unfold: str
    rows: Sequence[Row]
    rest: str
    """Where the obligations stand that are not among the rows; empty where all are."""


def entry_of(one: PackageEntry, now: datetime, *, directive: str = "") -> Entry:
    """What has to be done about a package, for whose it is."""
    rows = [row_of(each, now) for each in one.first]
    title = rows[0].system if rows else one.system
    named = {one.system: title}
    leading = next((each for each in one.remedies if each.package == one.package), None)
    if leading is not None:
        step = step_of(leading, named, now)
        heading, why = step.heading, step.why
    else:
        heading = f"Find out which version of {one.package or 'the package'} is there"
        why = f"{_many(one.flaws, 'known flaw')} may touch it."
    asked = [
        text
        for key, (text, is_owners) in sorted(QUESTIONS.items())
        if is_owners and key in one.unanswered
    ]
    others = [step_of(each, named, now).heading for each in one.remedies if each is not leading]
    return Entry(
        heading=heading, where=title, system=one.system, tag=_tag(one.tally),
        clock=_clock(one.tally, now), why=why,
        more=[*_how_bad(one), *_also(others), *_progress(one.tally)],
        unsure=_unsure(one.tally, asked), questions=asked,
        unfold=_many(one.tally.count, "obligation"), rows=rows,
        rest=_rest(reverse("directives:obligations"), rows, one.tally, directive=directive),
    )  # fmt: skip


def place_of(one: PlaceEntry, now: datetime, *, directive: str) -> Entry:
    """What an organisation has to do on a system, for who issued the directive."""
    rows = [row_of(each, now) for each in one.first]
    address = reverse("directives:under", args=[directive])
    return Entry(
        heading=f"{one.organisation}: {one.place or 'systems that are not shown'}", where="",
        system="", tag=_tag(one.tally), clock=_clock(one.tally, now), why="",
        more=list(_progress(one.tally)), unsure="", questions=(),
        unfold=_many(one.tally.count, "obligation"), rows=rows,
        rest=_rest(address, rows, one.tally),
    )  # fmt: skip


def _tag(tally: Tally) -> Tag:
    """How the worst of them stands."""
    if tally.overdue:
        return STANDINGS[Standing.OVERDUE]
    return STANDINGS[Standing.OPEN] if tally.open else _EXAMINED


def _clock(tally: Tally, now: datetime) -> Clock | None:
    return Clock(tally.due, now) if tally.due is not None else None


def _how_bad(one: PackageEntry) -> Sequence[str]:
    found = []
    if one.attacked:
        are = "is" if one.attacked == 1 else "are"
        found.append(f"{one.attacked} of the flaws {are} known to be exploited.")
    if one.severity is not None and one.severity is not Severity.NONE:
        found.append(f"The worst is {one.severity.value}.")
    if one.forensic:
        found.append("Search the system for signs of an attack.")
    return found


def _also(headings: Sequence[str]) -> Sequence[str]:
    """What the same flaws ask for beside the update."""
    if not headings:
        return ()
    more = len(headings) - _ALSO
    rest = [f"and {_many(more, 'more update')}"] if more > 0 else []
    return (f"With it: {'; '.join([*headings[:_ALSO], *rest])}.",)


def _progress(tally: Tally) -> Sequence[str]:
    """How many stand otherwise than the tag says."""
    said = []
    if 0 < tally.overdue < tally.count:
        said.append(f"{tally.overdue} overdue")
    if 0 < tally.examined < tally.count:
        said.append(f"{tally.examined} being examined")
    return (f"{' and '.join(said)} of {tally.count}.",) if said else ()


def _unsure(tally: Tally, questions: Sequence[str]) -> str:
    if not tally.may_apply:
        return "What you answer may move the date." if questions else ""
    if tally.may_apply == tally.count:
        return "It may not apply to you; until more is known it counts as if it did."
    return (
        f"{tally.may_apply} of {tally.count} may not apply to you;"
        " until more is known they count as if they did."
    )


def _rest(address: str, rows: Sequence[Row], tally: Tally, *, directive: str = "") -> str:
    if not rows or tally.count <= len(rows):
        return ""
    asked = {"beside": rows[0].name} | ({"directive": directive} if directive else {})
    return f"{address}?{urlencode(asked)}"


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
