"""What is publicly known: the same for everybody."""

from __future__ import annotations

import json
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from threading import Lock
from typing import Any, Final

from clearhouse.errors import NotFound
from clearhouse.exposure.vulnerabilities import Vulnerability, read
from clearhouse.office.feeds.models import Record, Subject

_AT_ONCE: Final = 400
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
        for some in _batches(sorted(names)):
            found = Subject.objects.filter(
                ecosystem=ecosystem, package__in=some, record__is_withdrawn=False
            )
            digests |= dict(found.values_list("record__digest", "record_id"))
    return list(_vulnerabilities(digests))


def document(identifier: str) -> dict[str, Any]:
    """A record as it was published.  Raises :class:`NotFound`."""
    found = Record.objects.filter(identifier=identifier).first()
    if found is None:
        raise NotFound("there is no such record here")
    return _document(bytes(found.body))


def count() -> int:
    """How many records there are."""
    return Record.objects.count()


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
    for some in _batches(sorted(missing.values())):
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


def _batches(values: Sequence[Any]) -> Iterator[list[Any]]:
    coming = iter(values)
    while some := list(islice(coming, _AT_ONCE)):
        yield some
