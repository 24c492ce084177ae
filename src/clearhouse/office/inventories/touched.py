"""Who has what a case is about: asked by the office, answered from what is installed now.

Nothing of it is kept.  What is written down about a flaw that is not public could be noticed by
somebody who may not know of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q
from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.exposure.loose_names import NOT_NAMED, loose_names
from clearhouse.exposure.matching import Component, Decision, decide
from clearhouse.exposure.names import of_purl
from clearhouse.exposure.vulnerabilities import AffectedPackage, Vulnerability, read
from clearhouse.office.cases.account import Account, account
from clearhouse.office.inventories import models
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope

#: A sector with fewer organisations than this is named "fewer than three" where it is passed on.
FEWEST: Final = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A component of somebody's system that a case touches, or may touch."""

    organisation: int
    organisation_name: str
    slug: str
    system: str
    title: str
    sector: str
    package: str
    version: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class Named:
    """A system whose list has an entry of that name, and nobody can tell which package it is."""

    organisation: int
    organisation_name: str
    slug: str
    system: str
    title: str
    sector: str
    listed: str
    """The entry as the list spells it."""
    place: str


@dataclass(frozen=True, slots=True)
class Touched:
    """Everything that a case touches."""

    case: str
    title: str
    asked: AffectedPackage
    found: Sequence[Found]
    taking_part: frozenset[int]
    """Organisations that are in the case already."""
    named: Sequence[Named] = ()
    """Who may have it, by the name of an entry that is not identified."""
    nameless: int = 0
    """How many current lists have entries of which no name can be told: each may have it."""

    @property
    def organisations(self) -> Mapping[int, Sequence[Found]]:
        """What was found, by organisation, those with the most systems first."""
        grouped: dict[int, list[Found]] = defaultdict(list)
        for one in self.found:
            grouped[one.organisation].append(one)
        ordered = sorted(
            grouped.items(), key=lambda item: (-len({o.system for o in item[1]}), item[0])
        )
        return dict(ordered)

    @property
    def sectors(self) -> Mapping[str, int]:
        """How many organisations are touched, by the sector of the system."""
        return _by_sector(self.found)

    @property
    def named_sectors(self) -> Mapping[str, int]:
        """How many organisations may have it and are not known to, by the sector of the system."""
        known = {one.organisation for one in self.found}
        return _by_sector([one for one in self.named if one.organisation not in known])


def _by_sector(rows: Iterable[Found | Named]) -> Mapping[str, int]:
    grouped: dict[str, set[int]] = defaultdict(set)
    for one in rows:
        grouped[one.sector].add(one.organisation)
    return {sector: len(grouped[sector]) for sector in sorted(grouped)}


def who_has(viewer: Viewer, case: str) -> Touched:
    """Who has what a case is about: for the office.

    Raises :class:`NotFound` for anybody else, and :class:`Invalid` where nothing is known of the
    affected versions, or the package is one that inventories do not name.
    """
    viewer.must_coordinate()
    viewer.needs(Scope.CASES_READ)
    known = account(viewer, case)
    flaw = vulnerability_of(known)
    [asked] = flaw.affected
    return Touched(
        known.name, known.title, asked, tuple(holders_of(asked)), known.organisations,
        tuple(named_by(asked)), _nameless(),
    )  # fmt: skip


def named_by(asked: AffectedPackage, organisation: int | None = None) -> Iterator[Named]:
    """Every system whose current list has an entry of that name that cannot be identified.

    Of everybody or of one organisation; of one system the first such entry.
    """
    rows = models.LooseName.objects.filter(
        name__in=loose_names(asked.name), inventory__is_current=True,
        inventory__system__retired_at=None,
    ).select_related("inventory__system__organisation")  # fmt: skip
    if organisation is not None:
        rows = rows.filter(inventory__system__organisation_id=organisation)
    ordered = rows.order_by("inventory__system__organisation_id", "inventory__system_id", "pk")
    last = None
    for row in ordered.iterator(chunk_size=2000):
        system = row.inventory.system
        if system.pk == last:
            continue
        last, owner = system.pk, system.organisation
        yield Named(
            organisation=owner.pk, organisation_name=owner.name, slug=owner.slug,
            system=system.name, title=system.title, sector=system.sector or owner.sector,
            listed=row.listed, place=row.place,
        )  # fmt: skip


def _nameless() -> int:
    rows = models.LooseName.objects.filter(
        name__in=(NOT_NAMED, models.MORE_NAMES), inventory__is_current=True,
        inventory__system__retired_at=None,
    )  # fmt: skip
    return rows.values("inventory_id").distinct().count()


def holders_of(asked: AffectedPackage, organisation: int | None = None) -> Iterator[Found]:
    """Every component that is affected or may be, of everybody or of one organisation."""
    of_it = Q(ecosystem=asked.ecosystem) | Q(ecosystem__startswith=f"{asked.ecosystem}:")
    decided: dict[int, Decision] = {}
    for row in models.Release.objects.filter(of_it, package=asked.name):
        one = Component(row.ecosystem, row.package, row.version, lacks_epoch=row.lacks_epoch)
        found = decide(one, asked)
        if found is not None:
            decided[row.pk] = found
    rows = models.Component.objects.filter(
        release_id__in=decided, inventory__is_current=True, inventory__system__retired_at=None
    ).select_related("release", "inventory__system__organisation")
    if organisation is not None:
        rows = rows.filter(inventory__system__organisation_id=organisation)
    ordered = rows.order_by("inventory__system__organisation_id", "inventory__system_id", "pk")
    for held in ordered.iterator(chunk_size=2000):
        system = held.inventory.system
        owner = system.organisation
        yield Found(
            organisation=owner.pk, organisation_name=owner.name, slug=owner.slug,
            system=system.name, title=system.title,
            sector=system.sector or owner.sector, package=held.release.package,
            version=held.release.version, decision=decided[held.release_id],
        )  # fmt: skip


def vulnerability_of(known: Account) -> Vulnerability:
    """A case as matching reads it: what running showed, and what was declared.

    Raises :class:`Invalid`.
    """
    package = of_purl(PackageURL.from_string(known.package))
    if package is None:
        raise Invalid(f"inventories do not name packages as {known.package} is named", key="case")
    ranges = [{"type": "ECOSYSTEM", "events": list(_events(one))} for one in known.declared]
    versions: list[str] = []
    if known.history is not None and known.history.get("osv"):
        ranges += [
            {"type": "ECOSYSTEM", "events": list(one["events"])}
            for one in known.history["osv"]["ranges"]
        ]
        versions = [
            str(one["version"]) for one in known.history["versions"] if one["status"] == "affected"
        ]
    if not ranges and not versions:
        raise Invalid(
            "the affected versions are not known: wait until they were run, or declare them in"
            " the case", key="versions",
        )  # fmt: skip
    affected = {
        "package": {"ecosystem": package.ecosystem, "name": package.name},
        "ranges": ranges, "versions": versions,
    }  # fmt: skip
    document = {"id": known.name, "summary": known.title, "affected": [affected]}
    return read(document, known.name)


def _events(row: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    yield {"introduced": str(row["introduced"] or "0")}
    if row["fixed"]:
        yield {"fixed": str(row["fixed"])}
