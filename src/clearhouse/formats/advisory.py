"""An advisory as a frozen value: what CSAF documents, OSV records and CVE records are written from.

It is put together once, from a case; each format says the same in its own words.  What was found
by running versions (``executed``) stands beside what somebody declares (``declared``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.formats.osv import Event
from clearhouse.protocol.tlp import Tlp


class RangeSource(StrEnum):
    """How affected versions are known."""

    EXECUTED = "executed"
    DECLARED = "declared"


class Status(StrEnum):
    """Where an advisory stands (CSAF 2.0, section 3.2.1.12.7)."""

    DRAFT = "draft"
    FINAL = "final"


class Remedy(StrEnum):
    """What a deployer can do (CSAF 2.0, section 3.2.3.12.1)."""

    FIX = "vendor_fix"
    MITIGATION = "mitigation"
    WORKAROUND = "workaround"
    NONE_PLANNED = "no_fix_planned"
    NONE_YET = "none_available"


class Claim(StrEnum):
    """What a statement about a version says (VEX minimum requirements, CISA 2023)."""

    AFFECTED = "affected"
    FIXED = "fixed"
    NOT_AFFECTED = "not_affected"
    UNDER_INVESTIGATION = "under_investigation"


class CreditRole(StrEnum):
    """What somebody is thanked for (CVE record 5.1 and OSV credit types)."""

    FINDER = "finder"
    REMEDIATION_DEVELOPER = "remediation developer"
    COORDINATOR = "coordinator"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class VersionRanges:
    """Affected intervals of a package in the ecosystem's order, each ``introduced`` then its end.

    An interval is one or two events: without an end it is open.  ``affected`` and ``unaffected``
    are versions named one by one: for executed ranges, those that were run.
    """

    source: RangeSource
    intervals: tuple[tuple[Event, ...], ...]
    affected: tuple[str, ...] = ()
    unaffected: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    by: str = ""
    """Who says so: the advisory or supplier that declares them, or the digest of the history."""


@dataclass(frozen=True, slots=True)
class AffectedPackage:
    """One package (a purl without version), and what is known of its versions.

    ``executed`` wins in every format's affected ranges where it is there; ``declared`` is shown
    beside it.
    """

    purl: PackageURL
    supplier: str
    executed: VersionRanges | None = None
    declared: tuple[VersionRanges, ...] = ()
    fixed: tuple[str, ...] = ()

    @property
    def ranges(self) -> VersionRanges:
        """What is published as affected.  Raises Invalid where nothing is known."""
        if self.executed is not None:
            return self.executed
        if self.declared:
            return self.declared[0]
        raise Invalid("name the affected versions of each package", key=str(self.purl))


@dataclass(frozen=True, slots=True)
class Score:
    """A CVSS vector, whose it is, and whether it is the one that counts."""

    vector: str
    by: str
    is_suppliers: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A web address and what is there; ``kind`` is one of OSV's reference types in upper case."""

    url: str
    summary: str
    kind: str = "WEB"


@dataclass(frozen=True, slots=True)
class Credit:
    """Who is thanked, for what; an AI system is named as the tool it is."""

    name: str
    role: CreditRole
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class Remediation:
    """What to do about it: one remedy for all affected versions."""

    kind: Remedy
    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """One published state of the document; ``number`` counts from 1."""

    number: int
    at: datetime
    summary: str


@dataclass(frozen=True, slots=True)
class Publisher:
    """The office that publishes; ``cna_org_id`` is its UUID in the CVE programme, if any."""

    name: str
    namespace: str
    contact: str = ""
    cna_org_id: str | None = None
    cna_short_name: str | None = None


@dataclass(frozen=True, slots=True)
class Advisory:
    """Everything that is said about one vulnerability.  All times have a zone.

    ``id`` is the office's tracking number (``CH-2026-0007``), ``cve`` the CVE identifier once one
    is assigned.  ``summary`` is one sentence, ``details`` plain paragraphs.
    """

    id: str
    title: str
    summary: str
    details: str
    tlp: Tlp
    status: Status
    publisher: Publisher
    packages: tuple[AffectedPackage, ...]
    weaknesses: tuple[int, ...]
    revisions: tuple[Revision, ...]
    cve: str | None = None
    aliases: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()
    references: tuple[Reference, ...] = ()
    credits: tuple[Credit, ...] = ()
    remediations: tuple[Remediation, ...] = ()
    discovered: datetime | None = None
    withdrawn: datetime | None = None

    def __post_init__(self) -> None:
        if not self.packages:
            raise Invalid("an advisory names at least one package", key="packages")
        if not self.revisions:
            raise Invalid("an advisory has a history of revisions", key="revisions")
        numbers: Sequence[int] = [one.number for one in self.revisions]
        if list(numbers) != list(range(1, len(numbers) + 1)):
            raise Invalid("revisions count 1, 2, 3 ... in order", key="revisions")

    @property
    def current(self) -> Revision:
        """The latest revision."""
        return self.revisions[-1]

    @property
    def released(self) -> datetime:
        """When the first revision came out."""
        return self.revisions[0].at

    @property
    def leading_score(self) -> Score | None:
        """The score that counts: the supplier's own where it gave one, else the first."""
        theirs = [score for score in self.scores if score.is_suppliers]
        return next(iter(theirs or self.scores), None)
