"""What is public already, noted so that reports without proof can be held against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from clearhouse.office.cases.models import PublicAdvisory

_SUMMARY = 1000


@dataclass(frozen=True, slots=True)
class PublicRecord:
    """One package of a public advisory; ``package`` is a purl without version."""

    advisory: str
    package: str
    aliases: tuple[str, ...] = ()
    summary: str = ""
    weaknesses: tuple[int, ...] = ()


def note_public(records: Sequence[PublicRecord]) -> int:
    """Note public advisories; one that is known is brought up to date.  How many there were."""
    rows = {
        (one.advisory, one.package): PublicAdvisory(
            advisory=one.advisory,
            package=one.package,
            aliases=list(one.aliases),
            summary=one.summary[:_SUMMARY],
            weaknesses=list(one.weaknesses),
        )
        for one in records
    }
    with transaction.atomic():
        PublicAdvisory.objects.bulk_create(
            rows.values(),
            batch_size=500,
            update_conflicts=True,
            unique_fields=["advisory", "package"],
            update_fields=["aliases", "summary", "weaknesses"],
        )
    return len(rows)
