"""Taking in what was uploaded: file by file and in batches, each kept as soon as it is stored.

A batch that fails takes none of those before it along; what was handed in twice was here already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import IO, Final, NamedTuple

from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.office.batches import batches
from clearhouse.office.findings.actions import submit
from clearhouse.office.findings.intake import Left, Promise
from clearhouse.office.findings.uploads import Read, Taken, read_upload
from clearhouse.office.viewer import Viewer

#: A transaction of this many holds up no other finder for longer than about a second.
BATCH: Final = 200


class Upload(NamedTuple):
    """A file as it came."""

    name: str
    stream: IO[bytes]
    size: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one thing that was handed in: a finding's name, or why it was refused."""

    where: str
    title: str = ""
    name: str = ""
    is_new: bool = False
    reason: str = ""


def take_in(
    viewer: Viewer,
    uploads: Iterable[Upload],
    *,
    target: PackageURL | None = None,
    label: str,
    clock: Callable[[], datetime],
) -> list[Outcome]:
    """Take in what the files hold, in their order.  ``clock`` is read once for each batch."""
    outcomes: list[Outcome] = []
    for batch in batches(_read(uploads, target), BATCH):
        outcomes += _taken(viewer, batch, label=label, now=clock())
    return list(_once(outcomes))


def take_promised(
    viewer: Viewer, upload: Upload, promise: Promise, *, label: str, now: datetime
) -> Outcome:
    """Take in one finding with the commitment that it opens.  Raises :class:`Invalid`."""
    found = list(islice(_read([upload], None), 2))
    if len(found) != 1:
        raise Invalid("a commitment is to one content; this file has several", key="uploads")
    first = found[0]
    if isinstance(first, Left):
        raise Invalid(f"{first.where}: {first.reason}", key="uploads")
    [accepted] = submit(viewer, [first.item.promised(promise)], now=now, label=label)
    return Outcome(first.where, first.item.title, accepted.name, accepted.is_new)


def _once(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """What stands in one upload twice was new the first time only."""
    names: set[str] = set()
    for one in outcomes:
        yield replace(one, is_new=one.is_new and one.name not in names)
        names.add(one.name)


def _read(uploads: Iterable[Upload], target: PackageURL | None) -> Iterator[Read]:
    for one in uploads:
        yield from read_upload(one.name, one.stream, one.size, target=target)


def _taken(viewer: Viewer, batch: list[Read], *, label: str, now: datetime) -> Iterator[Outcome]:
    items = [one.item for one in batch if isinstance(one, Taken)]
    accepted = iter(submit(viewer, items, now=now, label=label) if items else [])
    for one in batch:
        if isinstance(one, Left):
            yield Outcome(one.where, reason=one.reason)
        else:
            made = next(accepted)
            yield Outcome(one.where, one.item.title, made.name, made.is_new)
