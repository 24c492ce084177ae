"""What is publicly known: the same for everybody."""

from __future__ import annotations

import json
import zlib
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Any, Final

from clearhouse.errors import Invalid, NotFound
from clearhouse.exposure.documents import ALL, of_json
from clearhouse.exposure.unpacking import SetAside
from clearhouse.exposure.vulnerabilities import Vulnerability, read
from clearhouse.formats.vex import Statement, VexDocument
from clearhouse.office.batches import batches
from clearhouse.office.feeds.models import Load, Record, Signal, Statements, Subject
from clearhouse.versions.ecosystems import base_name

_KEPT: Final = 5000
#: Records that were read lately, by their digest: the next system has much of the same software.
_read: Final[OrderedDict[str, Vulnerability]] = OrderedDict()
_lock: Final = Lock()


def records_about(packages: Iterable[tuple[str, str]]) -> list[Vulnerability]:
    """Every record that stands about one of the packages, given by ecosystem and name."""
    by_ecosystem: dict[str, set[str]] = {}
    for ecosystem, package in packages:
        by_ecosystem.setdefault(ecosystem, set()).add(package)
    digests: dict[str, int] = {}
    for ecosystem, names in by_ecosystem.items():
        for some in batches(sorted(names)):
            found = Subject.objects.filter(
                ecosystem=ecosystem, package__in=some, record__is_withdrawn=False
            )
            digests |= dict(found.values_list("record__digest", "record_id"))
    return list(_vulnerabilities(digests))


def told_of(ecosystems: Iterable[str]) -> set[str]:
    """Those of the ecosystems that any record is about, as a whole or in this release.

    Of any other it says nothing that no record is about a package.
    """
    found: set[str] = set()
    for one in set(ecosystems):
        named = {one, base_name(one)}
        if Subject.objects.filter(ecosystem__in=named).exists():
            found.add(one)
    return found


def signals_of(flaws: Iterable[str]) -> Mapping[str, Sequence[Signal]]:
    """What catalogues say of flaws, by each name that was asked for."""
    found: dict[str, list[Signal]] = defaultdict(list)
    for some in batches(sorted(set(flaws))):
        for row in Signal.objects.filter(flaw__in=some).order_by("kind", "source"):
            found[row.flaw].append(row)
    return found


def editions() -> Mapping[str, datetime]:
    """When each catalogue was loaded last, by its kind: one that is missing was never looked in."""
    found: dict[str, datetime] = {}
    for kind in Signal.Kind:
        newest = Signal.objects.filter(kind=kind).order_by("-loaded_at").first()
        if newest is not None:
            found[kind.value] = newest.loaded_at
    return found


def statements_about(flaws: Iterable[str]) -> list[Statement]:
    """Every VEX statement of a document that is about one of the flaws."""
    keys: set[int] = set()
    for some in batches(sorted(set(flaws))):
        keys |= set(Statements.objects.filter(flaws__flaw__in=some).values_list("pk", flat=True))
    found: list[Statement] = []
    for some_keys in batches(sorted(keys)):
        for row in Statements.objects.filter(pk__in=some_keys).order_by("pk"):
            found += _statements(row)
    return found


def document(identifier: str) -> dict[str, Any]:
    """A record as it was published.  Raises :class:`NotFound`."""
    found = Record.objects.filter(identifier=identifier).first()
    if found is None:
        raise NotFound("there is no such record here")
    return _document(bytes(found.body))


def counts() -> Mapping[str, int]:
    """How much is here: records, VEX documents, and what each catalogue says."""
    found = {"records": Record.objects.count(), "statements": Statements.objects.count()}
    for kind in Signal.Kind:
        found[kind.value] = Signal.objects.filter(kind=kind).count()
    return found


def loads(most: int = 20) -> list[Load]:
    """The files that were loaded last."""
    return list(Load.objects.order_by("-began_at", "-pk")[:most])


def _statements(row: Statements) -> Sequence[Statement]:
    """Read a document that was read when it was taken in."""
    for one in of_json(zlib.decompress(bytes(row.body)), row.where, ALL):
        if isinstance(one, SetAside):
            raise Invalid(one.reason, where=one.where)
        if isinstance(one.value, VexDocument):
            return one.value.statements
    return ()


def _vulnerabilities(digests: dict[str, int]) -> Iterator[Vulnerability]:
    missing: dict[str, int] = {}
    for digest, key in digests.items():
        with _lock:
            known = _read.get(digest)
            if known is not None:
                _read.move_to_end(digest)
        if known is None:
            missing[digest] = key
        else:
            yield known
    for some in batches(sorted(missing.values())):
        for row in Record.objects.filter(pk__in=some):
            made = read(_document(bytes(row.body)), row.identifier)
            with _lock:
                _read[row.digest] = made
                while len(_read) > _KEPT:
                    _read.popitem(last=False)
            yield made


def _document(body: bytes) -> dict[str, Any]:
    found = json.loads(zlib.decompress(body))
    assert isinstance(found, dict)
    return found
