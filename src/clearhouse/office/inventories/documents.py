"""What the API says of systems and what touches them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, TypeAlias

from ninja import Schema
from pydantic import Field

from clearhouse.office.inventories.doubting import Lacking, lacks_of
from clearhouse.office.inventories.models import Exposure, Inventory, OwnStatements, System
from clearhouse.office.inventories.queries import Summary
from clearhouse.office.inventories.touched import Found, Named, Touched

Name: TypeAlias = Annotated[str, Field(max_length=20, pattern=r"^[A-Z0-9-]*$")]
Short: TypeAlias = Annotated[str, Field(max_length=60, pattern=r"^[a-z-]*$")]
Text: TypeAlias = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f]*$")]


class SystemIn(Schema):
    """A system: what it is called, its sector, and what its owner knows of it."""

    title: Text = Field(examples=["Patient records"])
    sector: Short = ""
    answers: dict[Short, Short | list[Short]] = Field(
        default_factory=dict, examples=[{"exposure": "internet", "kind": ["medical"]}]
    )
    next_upgrade: date | None = Field(
        default=None, description="The day of the next planned upgrade, in UTC."
    )


class SystemOut(Schema):
    """A system of yours."""

    name: str = Field(examples=["SY-7KQ2M9XD4T"])
    title: str
    sector: str
    answers: dict[str, str | list[str]]
    next_upgrade: date | None
    made_at: datetime
    retired_at: datetime | None
    exposures: int | None = None
    undecided: int | None = None
    due: datetime | None = None
    inventory_at: datetime | None = Field(
        default=None,
        description="When the list came that counts; null where none was read: nothing is known.",
    )
    unidentified: int | None = Field(
        default=None, description="Entries of the current list that cannot be identified."
    )

    @classmethod
    def of(cls, one: System) -> SystemOut:
        """A system that its viewer may see."""
        return cls(
            name=one.name, title=one.title, sector=one.sector, answers=one.answers,
            next_upgrade=one.next_upgrade, made_at=one.made_at, retired_at=one.retired_at,
        )  # fmt: skip

    @classmethod
    def summed(cls, one: Summary) -> SystemOut:
        """The same with how much touches it."""
        made = cls.of(one.system)
        made.exposures, made.undecided = one.exposures, one.undecided
        made.due, made.inventory_at = one.due, one.listed_at
        made.unidentified = one.unidentified
        return made


class LacksOut(Schema):
    """An ecosystem that the list before had: it may be the wrong file, and nothing of it ends."""

    ecosystem: str = Field(examples=["PyPI"])
    packages: int = Field(description="How many the last list with any had.")
    since: datetime

    @classmethod
    def of(cls, one: Lacking) -> LacksOut:
        """What a list that its viewer may see lacks."""
        return cls(ecosystem=one.ecosystem, packages=one.packages, since=one.since)


class InventoryOut(Schema):
    """A list of packages that came in."""

    name: str = Field(examples=["IN-7KQ2M9XD4T"])
    system: str
    file: str
    at: datetime
    state: str = Field(description="received, read or refused")
    reason: str
    format: str
    components: int
    unidentified_count: int
    unidentified: list[dict[str, str]] = Field(
        description="Those that cannot be matched, the first thousand, with what to do about each."
    )
    lacks: list[LacksOut] = Field(
        description="Ecosystems of which the list before had packages and this one has none."
    )
    is_current: bool

    @classmethod
    def of(cls, one: Inventory) -> InventoryOut:
        """A list that its viewer may see."""
        return cls(
            name=one.name, system=one.system.name, file=one.file, at=one.at, state=one.state,
            reason=one.reason, format=one.format, components=one.components,
            unidentified_count=one.unidentified_count, unidentified=one.unidentified,
            lacks=[LacksOut.of(each) for each in lacks_of(one)],
            is_current=one.is_current,
        )  # fmt: skip


class StatementsOut(Schema):
    """A VEX document of yours."""

    name: str = Field(examples=["VX-7KQ2M9XD4T"])
    system: str
    file: str
    at: datetime
    count: int = Field(description="Statements in it.")
    withdrawn_at: datetime | None

    @classmethod
    def of(cls, one: OwnStatements) -> StatementsOut:
        """A document that its viewer may see."""
        return cls(
            name=one.name, system=one.system.name, file=one.file, at=one.at, count=one.count,
            withdrawn_at=one.withdrawn_at,
        )  # fmt: skip


class ExposureOut(Schema):
    """A flaw that touches a system of yours."""

    name: str = Field(examples=["EX-7KQ2M9XD4T"])
    system: str
    flaw: str
    ids: list[str]
    summary: str
    answer: str = Field(description="affected or undecided")
    found: list[dict[str, Any]]
    detected_at: datetime
    gone_at: datetime | None
    gone_because: str
    due: datetime | None
    judged: dict[str, Any]
    statement: dict[str, Any] | None

    @classmethod
    def of(cls, one: Exposure) -> ExposureOut:
        """An exposure that its viewer may see."""
        return cls(
            name=one.name, system=one.system.name, flaw=one.flaw, ids=one.ids,
            summary=one.summary, answer=one.answer, found=one.found, detected_at=one.detected_at,
            gone_at=one.gone_at, gone_because=one.gone_because, due=one.due, judged=one.judged,
            statement=one.statement,
        )  # fmt: skip


class ExposurePage(Schema):
    """Some of what touches you, what is due first at the top."""

    exposures: list[ExposureOut]
    next: str | None = Field(description="Send it as `after` for what follows.")
    unidentified: int = Field(
        description="Entries of the current lists that cannot be identified: of these nothing is"
        " known."
    )


class FoundOut(Schema):
    """A component of somebody's system that a case touches."""

    organisation: str
    system: str
    sector: str
    package: str
    version: str
    answer: str
    because: str

    @classmethod
    def of(cls, one: Found) -> FoundOut:
        """For the office."""
        return cls(
            organisation=one.organisation_name, system=one.system, sector=one.sector,
            package=one.package, version=one.version, answer=one.decision.answer.value,
            because=one.decision.because,
        )  # fmt: skip


class NamedOut(Schema):
    """A system whose list names it, without that anybody could tell which package that is."""

    organisation: str
    system: str
    sector: str
    listed: str = Field(description="The entry as the list spells it.")
    place: str

    @classmethod
    def of(cls, one: Named) -> NamedOut:
        """For the office."""
        return cls(
            organisation=one.organisation_name, system=one.system, sector=one.sector,
            listed=one.listed, place=one.place,
        )  # fmt: skip


class TouchedOut(Schema):
    """Who has what a case is about."""

    case: str
    sectors: dict[str, int] = Field(description="Organisations that are touched, by sector.")
    found: list[FoundOut]
    may_have: list[NamedOut] = Field(
        description="Systems with an entry of that name that cannot be identified."
    )
    may_have_sectors: dict[str, int] = Field(
        description="Organisations that may have it and are not known to, by sector."
    )
    nameless: int = Field(description="Current lists with entries of which no name can be told.")

    @classmethod
    def of(cls, one: Touched) -> TouchedOut:
        """For the office."""
        return cls(
            case=one.case, sectors=dict(one.sectors), found=[FoundOut.of(f) for f in one.found],
            may_have=[NamedOut.of(each) for each in one.named],
            may_have_sectors=dict(one.named_sectors), nameless=one.nameless,
        )  # fmt: skip
