"""Taking an inventory in: kept whole, read, and put in the place of the one before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Count

from clearhouse.errors import Invalid
from clearhouse.exposure.inventories import (
    Unidentified,
    components_of,
    read,
    subject_of,
    without_release,
    without_source,
)
from clearhouse.exposure.matching import Component
from clearhouse.exposure.names import normal_ecosystem, normal_name
from clearhouse.formats.cyclonedx import SUBJECT
from clearhouse.formats.inventory import MOST_BYTES
from clearhouse.office.batches import batches
from clearhouse.office.blobs import store
from clearhouse.office.inventories import models
from clearhouse.office.inventories.actions.holding import held_in_use
from clearhouse.office.inventories.actions.matching import match_system
from clearhouse.office.inventories.doubting import Lacking, keep_names, lacking, lacks_of
from clearhouse.office.inventories.models import Inventory, Release
from clearhouse.office.inventories.sight import system_seen
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.names import new_name
from clearhouse.office.queue.actions import enqueue
from clearhouse.office.storable import storable, storable_json
from clearhouse.office.viewer import Viewer
from clearhouse.proof.text import printable
from clearhouse.protocol.roles import Scope
from clearhouse.versions.ecosystems import base_name

READ: Final = "inventories.read"
#: Read while its sender waits; a list of 2,000 packages with licences has about half of it.
AT_ONCE_BYTES: Final = 4 << 20
AT_ONCE_PACKAGES: Final = 10_000
#: Each is held against every flaw of the package, which may be hundreds.
MOST_VERSIONS: Final = 500
_SHOWN: Final = 1000  # of those that could not be identified
_BATCH: Final = 500
_LONGEST: Final = {"purl": 2048, "place": 300, "reason": 500, "file": 200, "distribution": 60}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file lists."""

    format: str
    components: Sequence[Component]
    subject: str
    unidentified: Sequence[Unidentified]


def receive(
    viewer: Viewer, system: str, raw: bytes, *, file: str, distribution: str = "", now: datetime
) -> Inventory:
    """Take in a list of what is installed on a system.

    1. What cannot be a list of packages is refused, with the reason.  2. It is kept as it came,
    with its entry.  3. A small one is read and matched in the same transaction; a large one by a
    job.  Raises :class:`Invalid`, and :class:`Conflict` for a system that was retired.
    """
    viewer.needs(Scope.INVENTORIES_WRITE)
    seen = system_seen(viewer, system)
    named = printable(file.strip() or "inventory")[: _LONGEST["file"]]
    if not raw:
        raise Invalid("is empty", where=named)
    if len(raw) > MOST_BYTES:
        raise Invalid(f"is larger than {MOST_BYTES >> 20} MiB", where=named)
    if len(distribution) > _LONGEST["distribution"] or not distribution.isprintable():
        raise Invalid("expected a distribution such as Debian:12", key="distribution")
    parsed = parse(raw, named, distribution) if len(raw) <= AT_ONCE_BYTES else None  # 1
    if parsed is not None and len(parsed.components) + len(parsed.unidentified) > AT_ONCE_PACKAGES:
        parsed = None  # others wait for the ledger meanwhile
    with transaction.atomic():
        held = held_in_use(seen)
        name = new_name("IN")
        blob = store.put(raw)
        entry = record("inventory.received", name, {"system": held.name, "content": blob}, now=now)
        made = Inventory.objects.create(
            name=name, system=held, at=now, by=viewer.name[:200], file=named,
            distribution=distribution, blob=blob, size=len(raw), entry=entry.index,
        )  # fmt: skip  # 2
        if parsed is not None:  # 3
            install(made, parsed, now=now)
        else:
            lane = f"organisation:{held.organisation_id}"
            enqueue(READ, {"inventory": name}, lane=lane, key=f"{READ}:{name}", now=now)
        return made


def parse(raw: bytes, where: str, distribution: str) -> Parsed:
    """Read a file.  Raises :class:`Invalid` with its place and reason."""
    found = read(raw, where, distribution)
    known, unknown = components_of(found.packages, where)
    if not known and not unknown:
        raise Invalid("lists no packages", where=where)
    # They are held against what is about any release, and against nothing else.
    unknown += [*without_release(known), *without_source(known)]
    _check_versions(known, where)
    subject = subject_of(found.packages)
    return Parsed(found.format, known, str(subject or ""), unknown)


def _check_versions(components: Sequence[Component], where: str) -> None:
    """Refuse what nobody has installed: a small list of it would take hours to match."""
    versions: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for one in components:
        versions[one.ecosystem, one.name].add((one.version, one.purl))
    for (_, name), several in versions.items():
        if len(several) > MOST_VERSIONS:
            raise Invalid(
                f"lists {len(several):,} versions of {printable(name, limit=100)}, more than"
                f" {MOST_VERSIONS:,}",
                where=where,
            )


def install(made: Inventory, parsed: Parsed, *, now: datetime) -> None:
    """Make a list the current one of its system, and match it; in the caller's transaction.

    One that came before the current one, and was read after it, is kept and changes nothing.
    """
    made.state = Inventory.State.READ
    made.format = parsed.format[:60]
    made.subject = storable(parsed.subject)[: _LONGEST["purl"]]
    made.components = len(parsed.components)
    made.unidentified_count = len(parsed.unidentified)
    made.unidentified = storable_json([_told(one) for one in parsed.unidentified[:_SHOWN]])
    current = Inventory.objects.filter(system=made.system_id, is_current=True).first()
    is_newest = current is None or (current.at, current.pk) <= (made.at, made.pk)
    if is_newest and current is not None:
        made.lacks = [one.as_json() for one in _lacking(current, made, parsed)]
        current.packages.all().delete()
        current.loose_names.all().delete()
        Inventory.objects.filter(pk=current.pk).update(is_current=False)
    made.is_current = is_newest
    made.save()
    if is_newest:
        _list(made, parsed.components)
        keep_names(made, parsed.unidentified)
        match_system(made.system, now=now)


def _lacking(current: Inventory, made: Inventory, parsed: Parsed) -> list[Lacking]:
    """The ecosystems that the list before had, and this one has not.

    What the list is of does not count: a tool that could not resolve what it needs names it alone.
    """
    counted: Counter[str] = Counter()
    installed = current.packages.exclude(place=SUBJECT)
    rows = installed.values_list("release__ecosystem").annotate(count=Count("pk"))
    for ecosystem, count in rows.order_by():
        counted[base_name(ecosystem)] += count
    there = {
        base_name(normal_ecosystem(one.ecosystem))
        for one in parsed.components
        if one.place != SUBJECT
    }
    return lacking(counted, lacks_of(current), there, made.at)


def refuse(name: str, reason: str) -> None:
    """Note that a list could not be read."""
    Inventory.objects.filter(name=name, state=Inventory.State.RECEIVED).update(
        state=Inventory.State.REFUSED, reason=storable(reason)[: _LONGEST["reason"]]
    )


def _list(made: Inventory, components: Sequence[Component]) -> None:
    keys: dict[_Key, int] = {}
    # In one order for everybody: two that make the same releases would wait for one another.
    for wanted in batches(sorted({_key(one) for one in components})):
        keys |= _releases(wanted)
    for some in batches(components):
        models.Component.objects.bulk_create(
            (
                models.Component(
                    inventory=made,
                    release_id=keys[_key(one)],
                    purl=storable(one.purl)[: _LONGEST["purl"]],
                    place=storable(one.place)[: _LONGEST["place"]],
                )
                for one in some
            ),
            batch_size=_BATCH,
        )


_Key = tuple[str, str, str, bool]


def _key(one: Component) -> _Key:
    """As matching names it, so that a record finds who has its package."""
    ecosystem = normal_ecosystem(one.ecosystem)
    name = storable(normal_name(ecosystem, one.name))
    return storable(ecosystem)[:100], name[:1024], storable(one.version)[:1024], one.lacks_epoch


def _releases(wanted: Sequence[_Key]) -> dict[_Key, int]:
    """The keys of releases, those that are new made."""
    found = _known(wanted)
    missing = [one for one in wanted if one not in found]
    if missing:
        Release.objects.bulk_create(
            (Release(ecosystem=e, package=p, version=v, lacks_epoch=k) for e, p, v, k in missing),
            batch_size=_BATCH,
            ignore_conflicts=True,
        )
        found |= _known(missing)
    return found


def _known(wanted: Sequence[_Key]) -> dict[_Key, int]:
    by_ecosystem: dict[str, set[str]] = {}
    for ecosystem, package, _, _ in wanted:
        by_ecosystem.setdefault(ecosystem, set()).add(package)
    sought, found = set(wanted), dict[_Key, int]()
    for ecosystem, packages in by_ecosystem.items():
        rows = Release.objects.filter(ecosystem=ecosystem, package__in=packages)
        for key, *rest in rows.values_list(
            "pk", "ecosystem", "package", "version", "lacks_epoch"
        ).iterator(chunk_size=2000):
            named = (rest[0], rest[1], rest[2], rest[3])
            if named in sought:
                found[named] = key
    return found


def _told(one: Unidentified) -> dict[str, str]:
    listed = one.listed
    return {
        "name": listed.name[:200],
        "version": listed.version[:100],
        "place": listed.place[:200],
        "reason": one.reason[:300],
        "suggestion": one.suggestion[:300],
    }
