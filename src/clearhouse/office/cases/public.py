"""Public advisories from OSV records: read line by line, bad ones set aside."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.formats.osv import ECOSYSTEMS
from clearhouse.office.cases.actions.public import PublicRecord, note_public

_BATCH: Final = 1000
_TYPES: Final = {ecosystem.lower(): kind for kind, ecosystem in ECOSYSTEMS.items()}


def load(path: Path) -> tuple[int, list[str]]:
    """Note every record of a file.  How many entries there were, and what was left out and why."""
    count, bad = 0, list[str]()
    batch: list[PublicRecord] = []
    for number, line in enumerate(_lines(path), 1):
        try:
            rows = list(_rows(json.loads(line)))
        except (ValueError, RecursionError, Invalid) as error:
            bad.append(f"record {number}: {str(error)[:200]}")
            continue
        batch += rows
        if len(batch) >= _BATCH:
            count += note_public(batch)
            batch = []
    if batch:
        count += note_public(batch)
    return count, bad


def _lines(path: Path) -> Iterator[bytes]:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        if path.name.removesuffix(".gz").endswith(".json"):
            yield stream.read()
        else:
            yield from (line for line in stream if line.strip())


def _rows(record: Any) -> Iterable[PublicRecord]:  # noqa: ANN401 - JSON from outside
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise Invalid("no OSV record: it has no id")
    if record.get("withdrawn"):
        return
    specific = record.get("database_specific")
    named = specific.get("cwe_ids") if isinstance(specific, dict) else None
    cwes = [int(one[4:]) for one in named or () if isinstance(one, str) and one[4:].isdecimal()]
    for entry in record.get("affected") or ():
        package = entry.get("package") or {}
        kind = _TYPES.get(str(package.get("ecosystem", "")).lower())
        if kind is None or not package.get("name"):
            continue
        namespace, _, name = str(package["name"]).rpartition("/")
        purl = PackageURL(type=kind, namespace=namespace or None, name=name)
        yield PublicRecord(
            advisory=record["id"][:60],
            aliases=tuple(str(one)[:60] for one in record.get("aliases") or ()),
            package=str(purl)[:300],
            summary=str(record.get("summary") or record.get("details") or ""),
            weaknesses=tuple(cwes),
        )
