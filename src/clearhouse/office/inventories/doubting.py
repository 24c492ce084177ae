"""What the newest list of a system may name, though nobody can tell: it is never taken for gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from clearhouse.exposure.inventories import Unidentified
from clearhouse.exposure.loose_names import NOT_NAMED, loose_names, names_of
from clearhouse.exposure.matching import Component
from clearhouse.exposure.touching import MayBe
from clearhouse.office.batches import batches
from clearhouse.office.feeds.queries import told_of
from clearhouse.office.inventories.models import MORE_NAMES, Exposure, Inventory, LooseName
from clearhouse.office.storable import storable
from clearhouse.versions.ecosystems import base_name

#: Of one list, in names that differ; a list with more may name anything.  Ten times the packages
#: of a large distribution's machine.
MOST_NAMES: Final = 50_000
#: A list without any package of an ecosystem that was there may be the wrong file, and a nightly
#: job sends that again.  After so long a list that still has none is believed.
BELIEVED_AFTER: Final = timedelta(days=7)
_BATCH: Final = 500
_TEXT: Final = 200

Package = tuple[str, str]
"""Ecosystem, with the release of a distribution, and name."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """An ecosystem of which the list before had packages and the newest has none."""

    ecosystem: str
    packages: int
    """How many the last list that had any had."""
    since: datetime
    """When the first list without any came."""

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Lacking:
        """What is stored of it in an inventory."""
        since = datetime.fromisoformat(stored["since"])
        return cls(stored["ecosystem"], stored["packages"], since)

    def as_json(self) -> dict[str, Any]:
        """What is stored of it."""
        return {
            "ecosystem": self.ecosystem, "packages": self.packages, "since": self.since.isoformat(),
        }  # fmt: skip

    @property
    def text(self) -> str:
        """What is said of it."""
        many = f"{self.packages:,} package{'' if self.packages == 1 else 's'} of {self.ecosystem}"
        return f"the list before had {many}, and this one has none"


def lacks_of(one: Inventory) -> list[Lacking]:
    """What a list lacks that the one before had."""
    return [Lacking.of(each) for each in one.lacks]


def lacking(
    before: Mapping[str, int], pending: Iterable[Lacking], now_there: Collection[str], at: datetime
) -> list[Lacking]:
    """The ecosystems of which a list that came ``at`` has none, though there were packages.

    ``before`` counts those of the list before, by ecosystem without release, and ``pending`` is
    what that one lacked itself.  1. What is there again is not lacking.  2. What was lacking for
    :data:`BELIEVED_AFTER` is believed to be gone, by a list that has packages at all.  3. What is
    lacking for the first time is so from now on.
    """
    known = {one.ecosystem: one for one in pending if one.ecosystem not in now_there}  # 1
    kept = {
        name: one
        for name, one in known.items()
        if not now_there or at - one.since < BELIEVED_AFTER  # 2
    }
    new = {
        name: Lacking(name, count, at)
        for name, count in before.items()
        if name not in now_there and name not in known
    }  # 3
    return sorted({**kept, **new}.values(), key=lambda one: one.ecosystem)


def keep_names(made: Inventory, unidentified: Sequence[Unidentified]) -> None:
    """Keep the names that unidentified entries of a list may have, in the caller's transaction."""
    found: dict[str, Unidentified | None] = {}
    for one in unidentified:
        for name in sorted(names_of(one)):
            found.setdefault(storable(name), one)
        if len(found) > MOST_NAMES:
            found = {**dict(islice(found.items(), MOST_NAMES)), MORE_NAMES: None}
            break
    rows = (
        LooseName(
            inventory=made,
            name=name,
            listed=storable(one.listed.name)[:_TEXT] if one is not None else "",
            place=storable(one.listed.place)[:_TEXT] if one is not None else "",
        )
        for name, one in found.items()
    )
    LooseName.objects.bulk_create(rows, batch_size=_BATCH)


@dataclass(frozen=True, slots=True)
class Doubts:
    """What of some packages the newest list leaves open."""

    file: str
    rows: Mapping[str, LooseName]
    lacks: Mapping[str, Lacking]
    identified: frozenset[Package]
    """Packages that the list has, ecosystems without release."""
    untold: Mapping[Package, str] = field(default_factory=dict)
    """Those of them of which nothing is known here in the ecosystem that the list has them in."""

    def about(self, ecosystem: str, package: str) -> MayBe | None:
        """Why a package may be there still; None where it is not, by what the list says.

        1. An entry has its name.  2. An entry has no name, and nothing else on the list is the
        package.  3. There are too many entries to keep.  4. The list has nothing of its ecosystem,
        and the one before had.  5. The list has it in a release of a distribution that no record
        here is about.
        """
        base = base_name(ecosystem)
        named = next((self.rows[n] for n in sorted(loose_names(package)) if n in self.rows), None)
        if named is not None:
            why = f"the newest list has {named.listed}, and it cannot be told which package that is"
            return self._may_be(ecosystem, package, named.place, why)  # 1
        nameless = self.rows.get(NOT_NAMED)
        if nameless is not None and (base, package) not in self.identified:
            why = "the newest list has an entry of which no name can be told, and it may be that"
            return self._may_be(ecosystem, package, nameless.place, why)  # 2
        if MORE_NAMES in self.rows:
            why = "the newest list has too many entries that cannot be identified"
            return self._may_be(ecosystem, package, "", why)  # 3
        gone = self.lacks.get(base)
        if gone is not None:
            why = gone.text.replace("this one", "the newest")
            return self._may_be(ecosystem, package, "", why)  # 4
        untold = self.untold.get((base, package))
        if untold is not None:
            why = f"the newest list has it in {untold}, and no record here is about that"
            return self._may_be(ecosystem, package, "", why)  # 5
        return None

    def _may_be(self, ecosystem: str, package: str, place: str, why: str) -> MayBe:
        return MayBe(Component(ecosystem, package, "", "", self.file, place), why)


def packages_in(one: Exposure) -> frozenset[Package]:
    """The packages in which a flaw was found."""
    return frozenset((ecosystem, package) for ecosystem, package in one.packages)


def is_unseen(one: Exposure) -> bool:
    """Whether nothing that the newest list identifies has a flaw, and something may."""
    return bool(one.found) and all(found.get("may_be") for found in one.found)


def doubts_of(
    current: Inventory | None, packages: Collection[Package], identified: Iterable[Package]
) -> Doubts:
    """What the newest list of a system leaves open of ``packages``.

    ``identified`` are the packages that it has.
    """
    if current is None:
        return Doubts("", {}, {}, frozenset())
    wanted = {name for _, package in packages for name in loose_names(package)}
    rows: dict[str, LooseName] = {}
    for some in batches(sorted({*wanted, NOT_NAMED, MORE_NAMES})):
        for row in LooseName.objects.filter(inventory=current, name__in=some):
            rows[row.name] = row
    lacks = {one.ecosystem: one for one in lacks_of(current)}
    there = {(base_name(ecosystem), package) for ecosystem, package in packages}
    known: set[Package] = set()
    listed: dict[Package, set[str]] = defaultdict(set)
    for ecosystem, package in identified:
        one = base_name(ecosystem), package
        known.add(one)
        if one in there:
            listed[one].add(ecosystem)
    told = told_of({each for several in listed.values() for each in several})
    untold = {one: min(several - told) for one, several in listed.items() if not several <= told}
    return Doubts(current.file, rows, lacks, frozenset(known), untold)
