"""Vulnerabilities and components as rows of the tables that the join reads.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from clearhouse.exposure.aliases import Aliases
from clearhouse.exposure.intervals import FIRST, LAST
from clearhouse.exposure.matching import comparable_key, has_epoch, words_among
from clearhouse.exposure.names import normal_ecosystem, normal_name
from clearhouse.exposure.vulnerabilities import AffectedPackage, Vulnerability
from clearhouse.versions.ecosystems import ORDERS, base_name

Row: TypeAlias = tuple[object, ...]
Rows: TypeAlias = dict[str, list[Row]]
PackageName: TypeAlias = tuple[str, str]
"""Ecosystem and name in their normal forms."""

EDITIONS: Final[Mapping[str, str]] = {name: order.name for name, order in ORDERS.items()}
"""The orders' editions: keys that were stored under others do not compare with these."""


def of_vulnerability(record: int, one: Vulnerability, packages: Mapping[PackageName, int]) -> Rows:
    """What ``one`` says, as rows of entries, intervals, listed and spellings.

    ``packages`` has a number for each package that it names.  A spelling that is no valid Unicode
    is left out, as no component has one, and so is one that has a key: that is listed.
    """
    found: Rows = {"entries": [], "intervals": [], "listed": [], "spellings": []}
    for entry in named(one):
        package = packages[entry.ecosystem, entry.name]
        epochs = int(any(map(has_epoch, entry.intervals)))
        every = any(span.low == FIRST and span.high == LAST for span in entry.intervals)
        bounded = bool(entry.intervals or entry.undecided)
        found["entries"].append(
            (record, package, int(every), int(bounded), epochs, int(bool(entry.undecided)))
        )
        if every:
            continue
        found["intervals"] += (
            (record, package, span.low, span.high, epochs) for span in entry.intervals
        )
        found["listed"] += ((record, package, key, epochs) for key in entry.listed)
        known = entry.listed.values()
        keyless = entry.spellings.difference(known) | words_among(entry.ecosystem, known)
        found["spellings"] += (
            (record, package, spelling, epochs)
            for spelling in keyless
            if is_unicode(spelling) and keyed(entry.ecosystem, spelling)[1] is None
        )
    return found


def named(one: Vulnerability) -> list[AffectedPackage]:
    """The entries of ``one`` whose package a component can be: all whose name is valid Unicode."""
    return [
        entry for entry in one.affected if is_unicode(entry.ecosystem) and is_unicode(entry.name)
    ]


def is_unicode(text: str) -> bool:
    """Whether ``text`` is valid Unicode: without halves of pairs, as JSON can spell them."""
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)


def spelt(text: str) -> str:
    r"""``text`` with what is no valid Unicode spelt out, as in ``\ud800``: it can be stored."""
    return text if is_unicode(text) else text.encode(errors="backslashreplace").decode()


def newest(records: Iterable[Vulnerability]) -> list[Vulnerability]:
    """One record for each identifier, in their order: the one that was modified last."""
    found: dict[str, Vulnerability] = {}
    for one in records:
        if one.id not in found or found[one.id].modified <= one.modified:
            found[one.id] = one
    return [found[one] for one in sorted(found)]


def flaws(records: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """The flaw that each record is about, by the most common of its names.

    ``records`` are identifiers and aliases, in the order of the identifiers: where aliases
    contradict one another the answer depends on the order.
    """
    aliases = Aliases()
    known = []
    for identifier, others in records:
        aliases.join(identifier, others)
        known.append(identifier)
    return {one: aliases.leading(one) for one in known}


def packages_of(ecosystem: str, name: str) -> tuple[str, str, str]:
    """The ecosystem with its release and without, and the name, as advisories spell them."""
    whole = normal_ecosystem(ecosystem)
    return whole, base_name(whole), normal_name(whole, name)


def keyed(ecosystem: str, version: str) -> tuple[str, bytes | None]:
    """A component's version without space around it, and its key; None where it has none."""
    bare = version.strip()
    found = comparable_key(ecosystem, bare)
    return bare, found if isinstance(found, bytes) else None
