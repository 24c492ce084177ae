"""Records as reports without proof are held against them: what is public already is no news."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from packageurl import PackageURL

from clearhouse.formats.osv import ECOSYSTEMS
from clearhouse.formats.osv_reading import Record
from clearhouse.office.cases.actions.public import PublicRecord
from clearhouse.office.storable import storable

_TYPES: Final = {ecosystem.lower(): kind for kind, ecosystem in ECOSYSTEMS.items()}
_ID, _PACKAGE = 60, 300


def noted(record: Record) -> Iterator[PublicRecord]:
    """Each package that a record is about, where reports name packages of its kind."""
    if record.withdrawn is not None:
        return
    cwes = [one.removeprefix("CWE-") for one in record.cwe_ids]
    for entry in record.affected:
        kind = _TYPES.get(entry.ecosystem.lower())
        if kind is None or not entry.name:
            continue
        namespace, _, name = storable(entry.name).rpartition("/")
        if not name.strip():
            continue
        try:
            purl = str(PackageURL(type=kind, namespace=namespace or None, name=name))
        except ValueError:
            continue  # no package URL, so no report names it
        yield PublicRecord(
            advisory=record.id[:_ID],
            aliases=tuple(storable(one)[:_ID] for one in record.aliases),
            package=purl[:_PACKAGE],
            summary=storable(record.summary),
            weaknesses=tuple(int(one) for one in cwes if one.isdecimal()),
        )
