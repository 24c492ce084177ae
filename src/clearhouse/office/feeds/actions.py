"""Taking public records in: the newest of each identifier, with the packages that it is about."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from clearhouse.exposure.vulnerabilities import Vulnerability
from clearhouse.office.feeds.models import LONGEST_NAME, Record, Subject

_AT_ONCE: Final = 500

Package = tuple[str, str]
"""Ecosystem and name, as matching names them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record: what it says, and the document that says it."""

    vulnerability: Vulnerability
    document: Mapping[str, Any]


def take_in(entries: Sequence[Entry], *, now: datetime) -> frozenset[Package]:
    """Keep records; the packages for which something has changed.

    1. Of one identifier the record that was modified last counts, the later one where both say the
    same time.  2. One that is here as it is changes nothing, 3. and an older one than what is here
    neither.  4. What a record was about before is touched as well.
    """
    newest: dict[str, Entry] = {}
    for one in entries:  # 1
        known = newest.get(one.vulnerability.id)
        if known is None or known.vulnerability.modified <= one.vulnerability.modified:
            newest[one.vulnerability.id] = one
    touched: set[Package] = set()
    with transaction.atomic():
        there = {
            row.identifier: row
            for row in Record.objects.select_for_update()
            .filter(identifier__in=newest)
            .defer("body")
        }
        made: list[Record] = []
        subjects: list[tuple[str, Package]] = []
        for identifier, one in newest.items():
            body = _body(one.document)
            digest = hashlib.sha256(body).hexdigest()
            row = there.get(identifier)
            if row is not None and (  # 2, 3
                row.digest == digest or row.modified > one.vulnerability.modified
            ):
                continue
            made.append(_row(one.vulnerability, body, digest, now))
            subjects += [(identifier, package) for package in _packages(one.vulnerability)]
        changed = [one.identifier for one in made]
        before = Subject.objects.filter(record__identifier__in=changed)
        touched |= set(before.values_list("ecosystem", "package"))  # 4
        touched |= {package for _, package in subjects}
        before.delete()
        Record.objects.bulk_create(
            made,
            batch_size=_AT_ONCE,
            update_conflicts=True,
            unique_fields=["identifier"],
            update_fields=["modified", "is_withdrawn", "summary", "digest", "body", "loaded_at"],
        )
        keys = dict(Record.objects.filter(identifier__in=changed).values_list("identifier", "pk"))
        Subject.objects.bulk_create(
            (
                Subject(record_id=keys[identifier], ecosystem=ecosystem, package=package)
                for identifier, (ecosystem, package) in subjects
            ),
            batch_size=_AT_ONCE,
        )
    return frozenset(touched)


def _row(one: Vulnerability, body: bytes, digest: str, now: datetime) -> Record:
    return Record(
        identifier=one.id,
        modified=one.modified[:40],
        is_withdrawn=one.withdrawn is not None,
        summary=one.summary[:LONGEST_NAME],
        digest=digest,
        body=zlib.compress(body, 6),
        loaded_at=now,
    )


def _packages(one: Vulnerability) -> list[Package]:
    return list(dict.fromkeys((package.ecosystem, package.name) for package in one.affected))


def _body(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
