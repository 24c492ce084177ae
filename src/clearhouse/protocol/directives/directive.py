"""A directive as a value, and what it asks of one organisation for one vulnerability on one system.

1. It is in the directive's audience.  2. The vulnerability is selected.  3. The system is selected.
Where something is not known the directive may apply: the obligation is made all the same, with what
has to be answered.  Everything here is decided from what it is handed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.protocol.bod2604 import Facts
from clearhouse.protocol.directives.deadlines import MOST_DAYS, Due, Rule, dated, due
from clearhouse.protocol.directives.selection import (
    Applies,
    Selection,
    SystemFacts,
    Systems,
    Vulnerabilities,
    VulnerabilityFacts,
    all_of,
)
from clearhouse.protocol.sectors import Sector

#: Characters of a text, and entries of a list.
LONGEST_TEXT: Final = 2000
MOST_ENTRIES: Final = 1000


class Force(StrEnum):
    """What becomes of those who do not follow it."""

    BINDING = "binding"  # they have to
    ADVICE = "advice"  # it is for them to decide


class Way(StrEnum):
    """How an obligation can be met."""

    INVENTORY = "inventory"
    VEX = "vex"
    PROOF = "proof"
    REMOVED = "removed"
    ACCEPTED = "accepted"

    @property
    def meaning(self) -> str:
        """What has to be handed in, in plain words."""
        return _WAYS[self]

    @property
    def is_decided_by_rule(self) -> bool:
        """Whether evidence of this kind is checked without anybody's judgement."""
        return self in (Way.INVENTORY, Way.VEX, Way.PROOF)


_WAYS: Final = {
    Way.INVENTORY: "a new inventory of the system that does not have the affected version",
    Way.VEX: "a VEX statement that the system is not affected, or that it is fixed",
    Way.PROOF: "a run of the proof on the installed version in which the effect does not show",
    Way.REMOVED: "a statement that it was taken off the network, or away",
    Way.ACCEPTED: "the authority's agreement to leave it, with the reason",
}


class To(StrEnum):
    """Who is told."""

    DEPLOYER = "deployer"
    AUTHORITY = "authority"


@dataclass(frozen=True, slots=True)
class Stage:
    """When people are reminded, unless it is done: a share of the time given, or a delay after it.

    ``share`` is a percentage of the time from start to due; ``hours_late`` count from due.
    """

    key: str
    share: int = 100
    hours_late: int = 0
    to: frozenset[To] = frozenset({To.DEPLOYER})

    def __post_init__(self) -> None:
        if not 0 < self.share <= 100 or not 0 <= self.hours_late <= 24 * MOST_DAYS:
            raise Invalid("expected a share of 1 to 100, and at most ten years later", key="share")
        if self.share < 100 and self.hours_late:
            raise Invalid("a stage is before the end or after it, not both", key="share")
        if not 0 < len(self.key) <= LONGEST_TEXT or not self.to:
            raise Invalid("a stage has a name, and tells somebody", key="to")

    def at(self, start: datetime, end: datetime) -> datetime:
        """When it is reached."""
        return start + (end - start) * self.share / 100 + timedelta(hours=self.hours_late)


#: Half of the time, its end, a day, a week and thirty days later.
STAGES: Final = (
    Stage("half", 50),
    Stage("due"),
    Stage("day-late", hours_late=24, to=frozenset(To)),
    Stage("week-late", hours_late=7 * 24, to=frozenset(To)),
    Stage("month-late", hours_late=30 * 24, to=frozenset(To)),
)


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a directive addresses: organisations by name, sectors, or everybody.

    The one that names nobody reaches nobody.
    """

    organisations: frozenset[str] = frozenset()
    sectors: frozenset[Sector] = frozenset()
    everybody: bool = False

    def reaches(self, organisation: str, sectors: Collection[Sector] | None) -> Selection:
        """Whether an organisation is addressed; ``sectors`` is None where it has not said any."""
        if self.everybody or organisation in self.organisations:
            return Selection(Applies.YES)
        if self.sectors and sectors is None:
            return Selection(Applies.MAYBE, frozenset({"sector"}))
        met = not self.sectors.isdisjoint(sectors or ())
        return Selection(Applies.YES if met else Applies.NO)


@dataclass(frozen=True, slots=True)
class Source:
    """Where what is asked can be read."""

    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Directive:
    """What an authority asks.

    ``issued`` is when, ``in_force`` from when anything can be due, ``ends`` when it stops to ask.
    """

    key: str
    title: str
    issuer: str
    basis: str
    """The law or order that it rests on."""
    force: Force
    issued: datetime
    in_force: datetime
    audience: Audience
    vulnerabilities: Vulnerabilities
    systems: Systems
    deadline: Rule
    actions: tuple[str, ...]
    """What to do, each a sentence."""
    ways: frozenset[Way]
    ends: datetime | None = None
    stages: tuple[Stage, ...] = STAGES
    sources: tuple[Source, ...] = ()

    def __post_init__(self) -> None:
        dated(self.issued, "issued")
        for at, key in ((self.in_force, "in_force"), (self.ends, "ends")):
            if at is not None and dated(at, key) < self.issued:
                raise Invalid("that is before the directive is issued", key=key)
        for text, key in (
            (self.key, "key"), (self.title, "title"), (self.issuer, "issuer"),
            (self.basis, "basis"), *((one, "actions") for one in self.actions),
        ):  # fmt: skip
            if not text.strip() or len(text) > LONGEST_TEXT:
                raise Invalid(f"expected a text of at most {LONGEST_TEXT} characters", key=key)
            if not text.isprintable():
                raise Invalid("expected one line of text, without signs that do not show", key=key)
        if not self.actions:
            raise Invalid("say what to do", key="actions")
        if not self.ways:
            raise Invalid("say how it can be met", key="ways")
        if len({one.key for one in self.stages}) != len(self.stages):
            raise Invalid("each stage has a name of its own", key="stages")

    def asks_at(self, now: datetime) -> bool:
        """Whether it asks anything at a moment."""
        return self.issued <= now and (self.ends is None or now < self.ends)

    def addressed_to(self, audience: Audience) -> Directive:
        """The same for another audience: how a template, which reaches nobody, is issued."""
        return replace(self, audience=audience)


@dataclass(frozen=True, slots=True)
class Organisation:
    """Who may be addressed; ``sectors`` is None where it has not said any."""

    key: str
    sectors: frozenset[Sector] | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """What a directive asks of one organisation for one vulnerability on one system."""

    applies: Applies
    """Never no."""
    unanswered: frozenset[str]
    """What has to be answered to know whether it applies; keys as in ``selection.Selection``."""
    due: Due


def demand(
    directive: Directive,
    organisation: Organisation,
    vulnerability: VulnerabilityFacts,
    system: SystemFacts,
    facts: Facts,
    *,
    upgrades: Sequence[datetime] = (),
) -> Demand | None:
    """What the directive asks there, or may ask; None where it asks nothing.

    ``facts`` are those of the deadline's rule, ``upgrades`` are when the system is upgraded
    as planned.  Raises :class:`Invalid` for a time without zone.
    """
    selection = all_of(
        (
            directive.audience.reaches(organisation.key, organisation.sectors),
            directive.vulnerabilities.select(vulnerability),
            directive.systems.select(system),
        )
    )
    if selection.applies is Applies.NO:
        return None
    by = due(
        directive.deadline,
        facts,
        issued=directive.issued,
        in_force=directive.in_force,
        upgrades=upgrades,
    )
    return Demand(selection.applies, selection.unanswered, by)
