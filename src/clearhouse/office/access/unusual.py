"""Unusual use, looked for when uses are taken, and told to both sides."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import F

from clearhouse.office.access.changes import number_changed
from clearhouse.office.access.models import AccessAlert, AccessGrant, AccessHour
from clearhouse.office.ledgerbook.actions import record
from clearhouse.protocol import unusual_use
from clearhouse.protocol.unusual_use import Bounds, Consequence, Rule, Unusual, consequence

_HOUR_SECONDS: Final = 3600
#: The past that an hour is held against.
_PAST_HOURS: Final = 7 * 24
#: The same rule speaks once in so long of one grant.
_QUIET: Final = timedelta(hours=1)


def look_at(row: AccessGrant, requests: int, refused: int, *, now: datetime) -> None:
    """Count a grant's use, which is held, and raise what the rules find unusual."""
    if not requests and not refused:
        return
    hour = int(now.timestamp()) // _HOUR_SECONDS
    this, _ = AccessHour.objects.get_or_create(grant=row, hour=hour)
    AccessHour.objects.filter(pk=this.pk).update(
        requests=F("requests") + requests, refused=F("refused") + refused
    )
    bounds = Bounds(hours=frozenset(row.endpoint.hours))
    found = [unusual_use.pattern(refused, bounds)]
    if requests:
        past = AccessHour.objects.filter(grant=row, hour__gte=hour - _PAST_HOURS, hour__lt=hour)
        counts = list(past.values_list("requests", flat=True))
        found.append(unusual_use.volume(counts, this.requests + requests, bounds))
        found.append(unusual_use.hours(now, bounds))
    for one in found:
        if one is not None and not _was_told(row, one.rule, now=now):
            raise_alert(row, one, now=now)


def raise_alert(row: AccessGrant, unusual: Unusual, *, now: datetime) -> None:
    """Note unusual use of a grant, which is held, and pause it where its developer said so."""
    chosen = {Rule(rule): Consequence(one) for rule, one in row.endpoint.consequences.items()}
    cuts = consequence(chosen, unusual.rule) is Consequence.CUT
    if cuts and row.paused_at is None:
        row.paused_at = now
        number_changed([row])
        row.save(update_fields=["paused_at", "changed"])
        facts = {"until": row.ends_at.isoformat(), "by": None}
        record("access.paused", row.name, facts, now=now)
    entry = record("access.alert", row.name, {"rule": unusual.rule.value, "cut": cuts}, now=now)
    AccessAlert.objects.create(
        grant=row, rule=unusual.rule.value, says=unusual.says[:300], at=now, cut=cuts,
        entry=entry.index,
    )  # fmt: skip


def _was_told(row: AccessGrant, rule: Rule, *, now: datetime) -> bool:
    told = AccessAlert.objects.filter(grant=row, rule=rule.value, at__gt=now - _QUIET)
    return told.exists()
