"""Taking in what is publicly known: records, what catalogues say of flaws, and VEX statements.

Each document is kept whole or not at all, and of one identifier the newest.  What has changed is
told, so that what rests on it can be looked at again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.db import transaction
from django.db.models import Max, Q

from clearhouse.exposure.documents import VEX, Document
from clearhouse.exposure.vulnerabilities import Vulnerability, of_record
from clearhouse.formats.instants import instant
from clearhouse.formats.osv_reading import Record as OsvRecord
from clearhouse.formats.vex import VexDocument
from clearhouse.office.cases.actions.public import note_public
from clearhouse.office.feeds.holding import hold_alone
from clearhouse.office.feeds.models import (
    LONGEST_ID,
    LONGEST_NAME,
    Record,
    Signal,
    Stated,
    Statements,
    Subject,
)
from clearhouse.office.feeds.noted import noted
from clearhouse.office.feeds.signals import Said, said_by
from clearhouse.office.storable import storable

_AT_ONCE: Final = 500

Package = tuple[str, str]
"""Ecosystem and name, as matching names them."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What is known differently now: packages that records are about, and flaws by name."""

    packages: frozenset[Package] = frozenset()
    names: frozenset[str] = frozenset()
    """Identifiers and aliases of the records that are about ``packages``."""
    flaws: frozenset[str] = frozenset()
    documents: int = 0
    """Records, entries of catalogues and VEX documents that are new or say something else."""

    @property
    def count(self) -> int:
        """How much that is."""
        return len(self.packages) + len(self.flaws)


def take_in(documents: Sequence[Document], *, now: datetime) -> Changed:
    """Keep documents of any kind, in one transaction; what is known differently by them."""
    with transaction.atomic():
        hold_alone()
        records = [one for one in documents if isinstance(one.value, OsvRecord)]
        packages, names, new_records = _records(records, now)
        signals = _signals([said for one in documents for said in said_by(one)], now)
        stated, new_stated = _statements([one for one in documents if one.kind in VEX], now)
        flaws = frozenset(flaw for flaw, _, _ in signals) | stated
        return Changed(packages, names, flaws, new_records + len(signals) + new_stated)


def forget_unlisted(began: datetime) -> frozenset[str]:
    """Take back that flaws are in KEV that the edition loaded since ``began`` does not list.

    Those flaws.  Call it when a catalogue was loaded whole.  An edition that is older than what was
    here has left nothing since then, and takes nothing back.
    """
    with transaction.atomic():
        hold_alone()
        listed = Signal.objects.filter(kind=Signal.Kind.KEV)
        newest = listed.filter(loaded_at__gte=began).aggregate(at=Max("at"))["at"]
        if newest is None:
            return frozenset()
        gone = listed.filter(Q(loaded_at__lt=began) | Q(at__lt=newest) & ~Q(at=""))
        flaws = frozenset(gone.values_list("flaw", flat=True))
        gone.delete()
        return flaws


def _records(
    documents: Sequence[Document], now: datetime
) -> tuple[frozenset[Package], frozenset[str], int]:
    """Keep OSV records; packages and names for which something has changed, by how many records.

    1. Of one identifier the record that was modified last counts, the later one where both say the
    same time.  2. One that is here as it is changes nothing, 3. and an older one than what is here
    neither.  4. What a record was about before is touched as well.
    """
    newest: dict[str, tuple[Vulnerability, Document]] = {}
    for one in documents:  # 1
        assert isinstance(one.value, OsvRecord)
        made = of_record(one.value)
        known = newest.get(made.id)
        if known is None or _when(known[0].modified) <= _when(made.modified):
            newest[made.id] = made, one
    rows = Record.objects.select_for_update().filter(identifier__in=newest).defer("body")
    there = {row.identifier: row for row in rows}
    new = {
        identifier: (made, one)
        for identifier, (made, one) in newest.items()
        if (row := there.get(identifier)) is None
        or (row.digest != one.digest and _when(row.modified) <= _when(made.modified))  # 2, 3
    }
    before = Subject.objects.filter(record__identifier__in=new)
    touched = set(before.values_list("ecosystem", "package"))  # 4
    before.delete()
    Record.objects.bulk_create(
        (_row(made, one, now) for made, one in new.values()),
        batch_size=_AT_ONCE,
        update_conflicts=True,
        unique_fields=["identifier"],
        update_fields=["modified", "is_withdrawn", "summary", "digest", "body", "loaded_at"],
    )
    keys = dict(Record.objects.filter(identifier__in=new).values_list("identifier", "pk"))
    subjects = [
        Subject(
            record_id=keys[identifier],
            ecosystem=storable(ecosystem)[:100],
            package=storable(package)[:1024],
        )
        for identifier, (made, _) in new.items()
        for ecosystem, package in _packages(made)
    ]
    Subject.objects.bulk_create(subjects, batch_size=_AT_ONCE)
    values = [one.value for _, one in new.values() if isinstance(one.value, OsvRecord)]
    note_public([each for value in values for each in noted(value)])
    packages = touched | {(one.ecosystem, one.package) for one in subjects}
    names = {name for made, _ in new.values() for name in (made.id, *made.aliases)}
    return frozenset(packages), frozenset(names), len(new)


def _when(modified: str) -> tuple[datetime, str]:
    """When a record was modified; what is no time is before all that is."""
    return instant(modified) or datetime.min.replace(tzinfo=UTC), modified


def _row(made: Vulnerability, one: Document, now: datetime) -> Record:
    return Record(
        identifier=made.id,
        modified=storable(made.modified)[:40],
        is_withdrawn=made.withdrawn is not None,
        summary=storable(made.summary)[:LONGEST_NAME],
        digest=one.digest,
        body=zlib.compress(one.raw, 6),
        loaded_at=now,
    )


def _packages(made: Vulnerability) -> Iterable[Package]:
    return dict.fromkeys((one.ecosystem, one.name) for one in made.affected)


def _signals(said: Sequence[Said], now: datetime) -> frozenset[tuple[str, str, str]]:
    """Keep what catalogues say; the keys of what they say that is new or other than before."""
    newest: dict[tuple[str, str, str], Said] = {}
    for one in _current(said):
        known = newest.get(one.key)
        if known is None or not _is_before(one.at, known.at):
            newest[one.key] = one
    flaws = {one.flaw for one in newest.values()}
    there = {
        (row.flaw, row.kind, row.source): row
        for row in Signal.objects.select_for_update().filter(flaw__in=flaws)
    }
    kept = [
        one
        for key, one in newest.items()
        if (row := there.get(key)) is None or not _is_before(one.at, row.at)
    ]  # fmt: skip
    Signal.objects.bulk_create(
        (
            Signal(
                flaw=one.flaw, kind=one.kind, source=one.source, at=one.at, said=one.said,
                loaded_at=now,
            )
            for one in kept
        ),
        batch_size=_AT_ONCE,
        update_conflicts=True,
        unique_fields=["flaw", "kind", "source"],
        update_fields=["at", "said", "loaded_at"],
    )  # fmt: skip
    return frozenset(
        one.key
        for one in kept
        if (row := there.get(one.key)) is None or (row.said, row.at) != (one.said, one.at)
    )


def _current(said: Sequence[Said]) -> Iterable[Said]:
    """All but what an older edition of KEV lists: what the newer one left out is taken back."""
    listed = [one.at for one in said if one.kind is Signal.Kind.KEV]
    if not listed:
        return said
    here = Signal.objects.filter(kind=Signal.Kind.KEV).aggregate(at=Max("at"))["at"]
    newest = max([here or "", *listed])
    return [
        one for one in said if one.kind is not Signal.Kind.KEV or not _is_before(one.at, newest)
    ]


def _is_before(at: str, other: str) -> bool:
    """Whether one time is before another; where one is not known, what comes later counts."""
    return bool(at and other) and at < other


def _statements(documents: Sequence[Document], now: datetime) -> tuple[frozenset[str], int]:
    """Keep VEX documents; the flaws that new ones, or those they replace, are about; how many."""
    flaws: set[str] = set()
    new = 0
    for one in documents:
        assert isinstance(one.value, VexDocument)
        row = Statements.objects.select_for_update().filter(kind=one.kind, identifier=one.id)
        known = row.first()
        if known is not None and (known.digest == one.digest or _is_older(one, known)):
            continue
        if known is not None:
            flaws |= set(known.flaws.values_list("flaw", flat=True))
            known.delete()
        made = Statements.objects.create(
            kind=one.kind.value, identifier=one.id, modified=one.modified, digest=one.digest,
            where=storable(one.where)[-LONGEST_NAME:], body=zlib.compress(one.raw, 6),
            loaded_at=now,
        )  # fmt: skip
        about = {storable(name)[:LONGEST_ID] for said in one.value.statements for name in said.ids}
        Stated.objects.bulk_create(
            (Stated(document=made, flaw=name) for name in sorted(about)), batch_size=_AT_ONCE
        )
        flaws |= about
        new += 1
    return frozenset(flaws), new


def _is_older(one: Document, known: Statements) -> bool:
    return one.modified is not None and known.modified is not None and one.modified < known.modified
