"""New public records: taken in, and the systems looked at again that have what they are about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F, Q

from clearhouse.office.feeds.actions import Entry, take_in
from clearhouse.office.inventories.models import Component, System
from clearhouse.office.queue.actions import Request, enqueue_many

MATCH: Final = "inventories.match"
_BATCH: Final = 400


def take_in_records(entries: Sequence[Entry], *, now: datetime) -> int:
    """Keep public records, and mark each system that has a package of theirs, in one transaction.

    How many packages something has changed for.
    """
    with transaction.atomic():
        touched = take_in(entries, now=now)
        mark(systems_with(touched))
        return len(touched)


def mark(systems: Collection[int]) -> None:
    """Say that something may have changed for these systems; :func:`look_again` does the rest."""
    ordered = sorted(systems)
    for first in range(0, len(ordered), _BATCH):
        some = ordered[first : first + _BATCH]
        System.objects.filter(pk__in=some).update(revision=F("revision") + 1)


def look_again(now: datetime) -> int:
    """Put in a job for each system that has changed since it was matched.  How many there are."""
    behind = System.objects.filter(revision__gt=F("matched"), retired_at=None).order_by("pk")
    rows = list(behind.values_list("name", "revision", "organisation_id"))
    enqueue_many(
        (
            Request(
                MATCH,
                {"system": name},
                lane=f"organisation:{organisation}",
                key=f"{MATCH}:{name}:{revision}",
            )
            for name, revision, organisation in rows
        ),
        now=now,
    )
    return len(rows)


def systems_with(packages: Iterable[tuple[str, str]]) -> set[int]:
    """The keys of systems that have any version of one of the packages now.

    A record about a distribution as a whole is about each of its releases.
    """
    by_ecosystem: dict[str, list[str]] = {}
    for ecosystem, package in packages:
        by_ecosystem.setdefault(ecosystem, []).append(package)
    found: set[int] = set()
    for ecosystem, names in by_ecosystem.items():
        of_it = Q(release__ecosystem=ecosystem) | Q(release__ecosystem__startswith=f"{ecosystem}:")
        for first in range(0, len(names), _BATCH):
            rows = Component.objects.filter(
                of_it,
                release__package__in=names[first : first + _BATCH],
                inventory__is_current=True,
            )
            found |= set(rows.values_list("inventory__system_id", flat=True).distinct())
    return found
