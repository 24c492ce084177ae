"""Following the ledger for exact figures; publishing those for everybody, each week once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, F, OuterRef, Subquery

from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.ledgerbook.queries import entries_of, first_entry_at, head
from clearhouse.office.oversight.figures import EVERY, digest_of, document_of
from clearhouse.office.oversight.models import Followed, Opener, Passed, Publication
from clearhouse.office.oversight.passages import KINDS, passages
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.deficit import WAY, Milestone

#: Entries of one transaction: others wait for it half a second.
_AT_ONCE: Final = 5_000
_BATCH: Final = 1_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Due:
    """Figures that are to be published, and how much of the ledger they were made from."""

    until: str
    size: int
    document: dict[str, Any]


def is_due(now: datetime) -> bool:
    """Whether a week is over whose figures were not published."""
    return not Publication.objects.filter(until=EVERY.period(now)).exists()


def made_figures(now: datetime) -> Due | None:
    """Make the figures of the weeks that are over; None where that is done, or nothing happened.

    They are made from the ledger itself, as whoever holds it makes them again.  What is written
    there stays as it is, so this needs no transaction and holds up nobody.
    """
    since = first_entry_at()
    if since is None or not is_due(now):
        return None
    size = head().size
    found = document_of(passages(entries_of(SYSTEM, KINDS, below=size)), since=since, until=now)
    return Due(EVERY.period(now), size, found)


def publish(due: Due, *, now: datetime) -> Publication | None:
    """Store figures; None where others were quicker.

    The ledger's entry names their digest and how much of the ledger they were made from.
    """
    digest = digest_of(due.document)
    with transaction.atomic():
        made, is_new = Publication.objects.get_or_create(
            until=due.until,
            defaults={"at": now, "size": due.size, "document": due.document, "digest": digest},
        )
        if not is_new:
            return None
        record("oversight.published", due.until, {"size": due.size, "figures": digest}, now=now)
        return made


def publish_figures(now: datetime) -> Publication | None:
    """Make and store them."""
    due = made_figures(now)
    return None if due is None else publish(due, now=now)


def follow(now: datetime, *, most: int = _AT_ONCE) -> int:
    """Read some of what was added to the ledger; how many entries are left.

    How far it was read and what was found there are stored together: an interrupted call goes on
    where the last one ended, and an entry counts once.  The figures are made at the end of it.
    """
    with transaction.atomic():
        row, _ = Followed.objects.select_for_update().get_or_create(defaults={"at": now})
        end = head().size
        until = min(row.size + most, end)
        if until > row.size or not row.figures:
            _take(row.size, until)
            row.size = until
            if until == end or not row.figures:
                row.at, row.figures = now, {"size": until, **_figures()}
            row.save()
        return end - until


def _take(since: int, until: int) -> None:
    entries = list(entries_of(SYSTEM, KINDS, since=since, below=until))
    subjects = {one.subject for one in entries if not one.subject.startswith("F-")}
    opener = dict(Opener.objects.filter(case__in=subjects).values_list("case", "finding"))
    # No entry is earlier than the one before it, so the first that tells of a passage stays.
    Passed.objects.bulk_create(
        (
            Passed(subject=one.subject, milestone=one.milestone.value, at=_microseconds(one.at))
            for one in passages(entries, opener=opener)
        ),
        batch_size=_BATCH,
        ignore_conflicts=True,
    )
    Opener.objects.bulk_create(
        (Opener(case=case, finding=finding) for case, finding in opener.items()),
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["case"],
        update_fields=["finding"],
    )


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _figures() -> dict[str, Any]:
    counted = dict(Passed.objects.values_list("milestone").annotate(number=Count("pk")).order_by())
    return {
        "counts": {one.value: counted.get(one.value, 0) for one in Milestone},
        "intervals": list(_intervals()),
    }


def _intervals() -> Iterator[dict[str, Any]]:
    """As :func:`clearhouse.protocol.deficit.intervals` has them, from what is kept."""
    for start, end in pairwise(WAY):
        begun = Passed.objects.filter(subject=OuterRef("subject"), milestone=start.value)
        both = Passed.objects.filter(milestone=end.value).annotate(
            span=F("at") - Subquery(begun.values("at")[:1])
        )
        spans = list(both.exclude(span=None).order_by().values_list("span", flat=True))
        yield {
            "start": start.value,
            "end": end.value,
            "count": len(spans),
            "median": round(median(spans)) if spans else None,
        }
