"""Feeds from files: documents about vulnerabilities, whatever they are wrapped in.

What cannot be read is set aside with the reason; the rest counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.exposure.documents import ALL, NAMES, Document, Kind
from clearhouse.exposure.tables import documents_in
from clearhouse.exposure.unpacking import PassedOver, SetAside, each
from clearhouse.exposure.vulnerabilities import Vulnerability, of_record
from clearhouse.formats.osv_reading import Record

MOST_SET_ASIDE: Final = 10_000


def read(
    path: Path, kinds: frozenset[Kind] = ALL, passed: PassedOver | None = None
) -> Iterator[Document | SetAside]:
    """Every document in ``path``, in the order of the names of files.

    A folder and an archive are searched; ``passed`` is told which files of them are not looked at.
    What is not of ``kinds`` is set aside.  Raises Invalid
    where ``path`` itself cannot be read, or more than ``MOST_SET_ASIDE`` documents cannot: it is no
    feed then.
    """
    aside = 0

    def documents(stream: BufferedReader, name: str, where: str) -> Iterator[Document | SetAside]:
        return documents_in(stream, name, where, kinds)

    for one in each(path, documents, PassedOver() if passed is None else passed):
        aside += isinstance(one, SetAside)
        if aside > MOST_SET_ASIDE:
            expected = ", ".join(NAMES[kind] for kind in Kind if kind in kinds)
            raise Invalid(
                f"has more than {MOST_SET_ASIDE:,} records that cannot be read; expected"
                f" {expected}",
                where=str(path),
            )
        yield one


def load(path: Path, passed: PassedOver | None = None) -> Iterator[Vulnerability | SetAside]:
    """Every OSV record in ``path``, as the engine matches it.

    An entry of a record is set aside where nobody can tell which package it is about.  ``passed``
    and what is raised are as for :func:`read`.
    """
    for one in read(path, frozenset({Kind.OSV}), passed):
        if isinstance(one, SetAside):
            yield one
        elif isinstance(one.value, Record):
            found = of_record(one.value)
            yield found
            for problem in found.unread:
                yield SetAside(f"{one.where}: {found.id}", problem)
