"""A system as it stands now, for rooms that ask something of its owner: what touches it, and why.

For the office itself: it says whose the system is and what is installed on it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from packageurl import PackageURL

from clearhouse.exposure.judging.judgement import Judgement
from clearhouse.exposure.remedies import Flawed
from clearhouse.office.batches import batches
from clearhouse.office.inventories import models
from clearhouse.office.inventories.doubting import doubts_of, is_unseen, packages_in
from clearhouse.office.inventories.judging import judgements_of
from clearhouse.office.inventories.models import (
    LONGEST_FOUND_PACKAGE,
    LONGEST_FOUND_PURL,
    LONGEST_FOUND_VERSION,
    MOST_FOUND,
    Exposure,
    Inventory,
    System,
)

#: Qualifiers that every type of package URL may have, of where the files are.
_ELSEWHERE: Final = frozenset({"repository_url", "download_url", "vcs_url"})

Installed = tuple[str, str, str]
"""Ecosystem, package and version."""


@dataclass(frozen=True, slots=True)
class Touching:
    """A flaw that touches a system, or did; ``judgement`` is of one that does."""

    key: int
    flaw: str
    ids: tuple[str, ...]
    is_undecided: bool
    found: frozenset[Installed]
    """What is affected, or was."""
    is_over: bool
    over_because: str
    statement: Mapping[str, Any] | None
    judgement: Judgement | None = None
    weaknesses: frozenset[int] = frozenset()
    """Numbers in CWE; empty where nobody has published any."""
    is_whole: bool = True
    """False: more was found than is kept, or what was kept was cut."""
    elsewhere: frozenset[Installed] = frozenset()
    """What its inventory says to have come from elsewhere than the ecosystem's own registry."""
    is_unseen: bool = False
    """Whether nothing that the newest inventory identifies has it: it may, and nobody can tell."""

    @property
    def stands(self) -> bool:
        """Whether it is there and no statement takes it back."""
        return not self.is_over and self.statement is None


@dataclass(frozen=True, slots=True)
class Present:
    """A system and what touches it."""

    key: int
    name: str
    organisation: int
    slug: str
    sectors: frozenset[str]
    """What the system and its owner are said to be for; none where nobody said."""
    answers: Mapping[str, Any]
    is_retired: bool
    inventory: str
    """The name of what is installed now; empty where nothing came."""
    inventory_at: datetime | None
    touching: tuple[Touching, ...]
    installed: frozenset[Installed]
    """Of what the flaws that are over were found in, what is installed still."""
    may_have: frozenset[int] = frozenset()
    """The keys of flaws that are over, and whose packages the newest inventory may name."""


def hold_system(key: int) -> bool:
    """Let nobody else change or match a system until the transaction ends; False for none."""
    return System.objects.select_for_update(no_key=True).filter(pk=key).first() is not None


def present_of(key: int, *, also: Collection[int] = ()) -> Present:
    """A system that is held, with what touches it now and, of what is over, those in ``also``."""
    return _present(System.objects.select_related("organisation").get(pk=key), also)


def systems_in_use() -> Iterator[tuple[int, str, int]]:
    """The key, name and owner of every system that is in use, in the order of the keys."""
    rows = System.objects.filter(retired_at=None).order_by("pk")
    yield from rows.values_list("pk", "name", "organisation_id").iterator(chunk_size=2000)


def lanes_of(keys: Collection[int]) -> Iterator[tuple[int, str, int]]:
    """The same of some systems, in use or not."""
    for some in batches(sorted(keys)):
        rows = System.objects.filter(pk__in=some).order_by("pk")
        yield from rows.values_list("pk", "name", "organisation_id")


def flawed_in(
    found: Iterable[Mapping[str, Any]], *, system: str, flaw: str, due: datetime | None, rank: str
) -> list[Flawed]:
    """What an exposure was found in, as what is to be done counts it.

    Each component that is affected, and that no statement takes back; ``due`` and ``rank`` say how
    urgent that is to whoever asks.
    """
    return [
        Flawed(
            system=system, ecosystem=one["ecosystem"], package=one["package"],
            version=one["version"], flaw=flaw, fixed=one["fixed"], due=due, rank=rank,
        )
        for one in found
        if one["answer"] == Exposure.Answer.AFFECTED and not one.get("is_taken_back")
    ]  # fmt: skip


def _present(system: System, also: Collection[int]) -> Present:
    rows = list(Exposure.objects.filter(system=system, gone_at=None).order_by("pk"))
    for some in batches(also):
        over = Exposure.objects.filter(system=system, pk__in=some).exclude(gone_at=None)
        rows += over.order_by("pk")
    there = [one for one in rows if one.gone_at is None and one.statement is None]
    judged = dict(zip((one.pk for one in there), judgements_of(system, there), strict=True))
    touching = tuple(_touching(one, judged.get(one.pk)) for one in rows)
    current = Inventory.objects.filter(system=system, is_current=True).first()
    owner = system.organisation
    gone = {each for one in touching if one.is_over for each in one.found}
    return Present(
        key=system.pk, name=system.name, organisation=owner.pk, slug=owner.slug,
        sectors=frozenset(one for one in (owner.sector, system.sector) if one),
        answers=system.answers,
        is_retired=system.retired_at is not None,
        inventory=current.name if current else "", inventory_at=current.at if current else None,
        touching=touching, installed=frozenset(_still(current, gone)),
        may_have=frozenset(_maybe_still(current, rows)),
    )  # fmt: skip


def touching_of(one: Exposure) -> Touching:
    """A flaw that touches a system, or did, for whoever may see what is installed there."""
    return _touching(one, None)


def _touching(one: Exposure, judgement: Judgement | None) -> Touching:
    return Touching(
        key=one.pk, flaw=one.flaw, ids=tuple(one.ids),
        is_undecided=one.answer == Exposure.Answer.UNDECIDED,
        found=frozenset(_installed(each) for each in one.found),
        is_over=one.gone_at is not None, over_because=one.gone_because, statement=one.statement,
        judgement=judgement, weaknesses=frozenset(one.weaknesses),
        is_whole=len(one.found) < MOST_FOUND and not any(_is_cut(each) for each in one.found),
        is_unseen=is_unseen(one),
        elsewhere=frozenset(_installed(each) for each in one.found if _is_elsewhere(each["purl"])),
    )  # fmt: skip


def _installed(found: Mapping[str, Any]) -> Installed:
    return found["ecosystem"], found["package"], found["version"]


def _is_cut(found: Mapping[str, Any]) -> bool:
    return (
        len(found["package"]) >= LONGEST_FOUND_PACKAGE
        or len(found["version"]) >= LONGEST_FOUND_VERSION
        or len(found["purl"]) >= LONGEST_FOUND_PURL
    )


def _is_elsewhere(purl: str) -> bool:
    """Whether a package URL says that the files came from elsewhere (purl-spec, qualifiers)."""
    try:
        qualifiers = PackageURL.from_string(purl).qualifiers if purl else {}
    except ValueError:
        return True  # it is none: nothing says where the files came from
    return not _ELSEWHERE.isdisjoint(qualifiers)


def _still(current: Inventory | None, found: Collection[Installed]) -> Iterator[Installed]:
    """Which of these are installed now; long names are compared as far as they were kept."""
    if current is None or not found:
        return
    for some in batches(sorted({package for _, package, _ in found})):
        rows = models.Component.objects.filter(inventory=current, release__package__in=some)
        for ecosystem, package, version in rows.values_list(
            "release__ecosystem", "release__package", "release__version"
        ):
            if (ecosystem, package, version) in found:
                yield ecosystem, package, version


def _maybe_still(current: Inventory | None, rows: Iterable[Exposure]) -> Iterator[int]:
    """Which of the flaws that are over the newest list leaves open whether they are."""
    packages = {one.pk: packages_in(one) for one in rows if one.gone_at is not None}
    if current is None or not packages:
        return
    listed = models.Component.objects.filter(inventory=current)
    identified = listed.values_list("release__ecosystem", "release__package").distinct()
    doubts = doubts_of(current, frozenset().union(*packages.values()), identified)
    for key, pairs in packages.items():
        if any(doubts.about(*pair) is not None for pair in pairs):
            yield key
