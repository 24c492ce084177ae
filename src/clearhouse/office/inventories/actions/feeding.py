"""New public records: taken in, and the systems looked at again that have what they are about."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q

from clearhouse.errors import Invalid
from clearhouse.exposure.documents import VEX, Document, Kind, of_json
from clearhouse.exposure.feeds import read
from clearhouse.exposure.unpacking import PassedOver, SetAside
from clearhouse.formats.osv_reading import Record
from clearhouse.office.batches import batches
from clearhouse.office.feeds.actions import Changed, forget_unlisted, take_in
from clearhouse.office.feeds.holding import hold_alone
from clearhouse.office.feeds.models import (
    LONGEST_ID,
    LONGEST_IDENTIFIER,
    LONGEST_NAME,
    LONGEST_PACKAGE,
    Load,
)
from clearhouse.office.feeds.queries import editions
from clearhouse.office.inventories.models import Component, Exposure, System
from clearhouse.office.queue.actions import Request, enqueue, enqueue_many
from clearhouse.office.storable import storable, storable_json

MATCH: Final = "inventories.match"
OWN: Final = "inventories.own-record"
_DOCUMENTS: Final = 500
_BYTES: Final = 16 << 20
_REASONS: Final = 100
_CHUNK: Final = 1 << 20


def load(
    path: Path,
    *,
    clock: Callable[[], datetime],
    say: Callable[[str], None] = lambda _: None,
    passed: PassedOver | None = None,
) -> Load:
    """Take in everything in a file, a folder or an archive, of any kind that is known.

    ``passed`` is told which files are not looked at, as their names are of no feed.

    1. A load of the same content that was cut off goes on where it stood.  2. So many documents at
    a time are kept in one transaction with how far it is.  3. What cannot be read is left out with
    its reason.  4. At the end of a whole KEV catalogue, what it lists no more is taken back, but
    not where something was left out: that may be what it lists.  At the end of anything else
    nothing is: the catalogue may be loaded beside it, and be half here.
    Raises :class:`Invalid` where the path cannot be read at all.
    """
    began = clock()
    row = _begun(path, began)  # 1
    kinds: set[Kind] = set()
    for some in _together(
        islice(_kinds_noted(read(path, passed=passed), kinds), row.position, None)
    ):
        documents = [one for one in some if isinstance(one, Document)]
        with transaction.atomic():  # 2
            changed = take_in_documents(documents, now=clock())
            _note(row, some, changed)  # 3
        say(f"{row.position:,} read, {row.changed:,} new or changed")
    with transaction.atomic():
        hold_alone()
        if Kind.KEV in kinds and not row.left_out:  # 4
            mark(systems_touched_by(forget_unlisted(row.began_at)))
        row.ended_at = clock()
        row.save(update_fields=["ended_at"])
        look_again(row.ended_at)
    return row


def take_in_documents(documents: Sequence[Document], *, now: datetime) -> Changed:
    """Keep documents, and mark each system that they say something new about, at once.

    The first of KEV says something of every flaw: that it is not listed was not known before.
    """
    with transaction.atomic():
        hold_alone()
        is_first = any(one.kind is Kind.KEV for one in documents) and Kind.KEV not in editions()
        changed = take_in(documents, now=now)
        systems = systems_with(changed.packages) | systems_touched_by(changed.flaws)
        systems |= _systems_of(changed.names)
        if is_first:
            touched = Exposure.objects.filter(gone_at=None)
            systems |= set(touched.values_list("system_id", flat=True).distinct())
        mark(systems)
        return changed


def announce(record: Mapping[str, Any], *, key: str, now: datetime) -> None:
    """Have the office's own record taken in, as part of the transaction of its publication.

    Before that nothing of it is anywhere that matching looks.  It is done by a job: a publication
    holds the ledger, and whoever hands in a list holds its system before the ledger.
    """
    enqueue(OWN, {"record": record}, lane=OWN, key=f"{OWN}:{key}", now=now)


def take_in_own(record: Mapping[str, Any], *, now: datetime) -> None:
    """Take in a record that the office has published, and look again at whom it touches."""
    found = of_json(json.dumps(record).encode(), "the office's own record", frozenset({Kind.OSV}))
    take_in_documents([one for one in found if isinstance(one, Document)], now=now)
    look_again(now)


def mark(systems: Collection[int]) -> None:
    """Say that something may have changed for these systems; :func:`look_again` does the rest."""
    for some in batches(sorted(systems)):
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
        for some in batches(names):
            rows = Component.objects.filter(
                of_it, release__package__in=some, inventory__is_current=True
            )
            found |= set(rows.values_list("inventory__system_id", flat=True).distinct())
    return found


def _systems_of(names: Collection[str]) -> set[int]:
    """The keys of systems that a flaw touches now that goes by one of the names.

    Those that have its package are found by that; here are those whose list may have it.
    """
    open_ = Exposure.objects.filter(gone_at=None)
    found: set[int] = set()
    for some in batches(sorted(map(storable, names))):
        rows = open_.filter(flaw__in=some)
        found |= set(rows.values_list("system_id", flat=True).distinct())
    return found


def systems_touched_by(flaws: Iterable[str]) -> set[int]:
    """The keys of systems that one of the flaws, by any of its names, touches now."""
    named = sorted(flaws)
    found: set[int] = set()
    names = {one.casefold() for one in named}
    open_ = Exposure.objects.filter(gone_at=None)
    if all(one.startswith("CVE-") for one in named):
        # A flaw goes by its CVE, where it has one; few have a second, which stands behind it.
        open_ = open_.filter(has_second_cve=True)
    if names:
        for system, ids in open_.values_list("system_id", "ids").iterator(chunk_size=5000):
            if not names.isdisjoint(one.casefold() for one in ids):
                found.add(system)
    for some in batches(named):
        rows = Exposure.objects.filter(Q(flaw__in=some) | Q(record__in=some), gone_at=None)
        found |= set(rows.values_list("system_id", flat=True).distinct())
    return found


def _kinds_noted(
    coming: Iterable[Document | SetAside], kinds: set[Kind]
) -> Iterator[Document | SetAside]:
    """The same, those that were kept before among them; ``kinds`` has what they are."""
    for one in coming:
        if isinstance(one, Document):
            kinds.add(one.kind)
        yield one


def _together(coming: Iterable[Document | SetAside]) -> Iterator[list[Document | SetAside]]:
    """What is kept in one transaction: so many documents, and no more of them than fits memory."""
    some: list[Document | SetAside] = []
    size = 0
    for one in coming:
        some.append(_kept(one))
        size += len(one.raw) if isinstance(one, Document) else 0
        if len(some) == _DOCUMENTS or size >= _BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _kept(one: Document | SetAside) -> Document | SetAside:
    """The document, or why it is left out: a name that is longer than any is kept."""
    if isinstance(one, SetAside):
        return one
    longest = LONGEST_IDENTIFIER if one.kind in VEX else LONGEST_ID
    if len(one.id) > LONGEST_ID and len(one.id.encode()) > longest:
        return SetAside(one.where, f"has an identifier of more than {longest:,} characters")
    if isinstance(one.value, Record):
        for entry in one.value.affected:
            if len(storable(entry.name).encode()) > LONGEST_PACKAGE or len(entry.ecosystem) > 100:
                reason = f"{entry.place} names a package by more than {LONGEST_PACKAGE:,} bytes"
                return SetAside(one.where, reason)
    return one


def _begun(path: Path, now: datetime) -> Load:
    """The load of this file, begun or gone on with.  Raises :class:`Invalid`."""
    if not (path.is_file() or path.is_dir()):
        raise Invalid(
            "is neither a file nor a folder: a stream cannot be gone on with", where=str(path)
        )
    digest, name = _digest(path), storable(path.resolve().name)[-LONGEST_NAME:]
    known = Load.objects.filter(file=name, digest=digest, ended_at=None).first()
    return known or Load.objects.create(file=name, digest=digest, began_at=now)


def _note(row: Load, some: Sequence[Document | SetAside], changed: Changed) -> None:
    aside = [(one.where, one.reason) for one in some if isinstance(one, SetAside)]
    aside += [
        (one.where, str(problem))
        for one in some
        if isinstance(one, Document)
        for problem in one.problems
    ]
    row.position += len(some)
    row.changed += changed.documents
    row.left_out += len(aside)
    room = _REASONS - len(row.reasons)
    shown = [[where[-300:], reason[:300]] for where, reason in aside[:room]]
    row.reasons = [*row.reasons, *storable_json(shown)]
    row.save(update_fields=["position", "changed", "left_out", "reasons"])


def _digest(path: Path) -> str:
    """What tells the content: of a file its bytes, of a folder names, sizes and times."""
    found = hashlib.sha256()
    try:
        if path.is_dir():
            for one in sorted(path.rglob("*")):
                told = one.lstat()
                found.update(os.fsencode(one))
                found.update(f"\0{told.st_size}\0{told.st_mtime_ns}\n".encode())
        else:
            with path.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    found.update(chunk)
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    return found.hexdigest()
