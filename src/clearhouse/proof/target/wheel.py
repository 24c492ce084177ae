"""A wheel laid out as an installer would, without running anything of it."""

from __future__ import annotations

import re
from pathlib import Path

from clearhouse.proof.target.model import Reason, TargetUnavailable
from clearhouse.proof.target.store import Store, archive_sha256, read_small
from clearhouse.proof.target.unit import (
    SITE,
    Unit,
    declared,
    importable_names,
    keep,
    kept_unit,
    undeclared,
)
from clearhouse.proof.target.unpack import unpack

_SCHEMES = {
    "purelib": SITE,
    "platlib": SITE,
    "scripts": "bin",
    "data": "data",
    "headers": "include",
}
"""Where the keys of a wheel's ``.data`` folder go (binary distribution format, "Spreading")."""
_DATA = re.compile(r"[^/]+\.data/([^/]+)/(.+)")
_METADATA = re.compile(rf"{SITE}/[^/]+\.dist-info/METADATA")


def wheel_unit(store: Store, archive: Path) -> Unit:
    """Return the unit of a wheel, unpacked once.

    Raises TargetUnavailable with CORRUPT_ARCHIVE or UNSAFE_ARCHIVE.
    """
    sha256 = archive_sha256(archive)
    place = ("units", "wheel", sha256)
    if (kept := kept_unit(store, *place)) is not None:
        return kept
    with store.staging() as folder:
        staged = folder / "unit"
        staged.mkdir()
        unpacked = unpack(archive, staged, rename=_destination)
        metadata = next((name for name in unpacked.files if _METADATA.fullmatch(name)), None)
        if metadata is None:
            message = f"the wheel {archive.name} has no METADATA file"
            raise TargetUnavailable(Reason.CORRUPT_ARCHIVE, message)
        fields = declared(read_small(staged / metadata))
        unit = Unit(
            folder=staged,
            sha256=sha256,
            files=unpacked.files,
            importable=_top_level(staged / metadata, unpacked.files),
            requires=(*fields.get("requires_dist", ()), *undeclared(staged, unpacked.files)),
            extensions=(),
            notes=unpacked.notes,
        )
        return keep(store, staged, unit, *place)


def _destination(name: str) -> str | None:
    found = _DATA.fullmatch(name)
    if found is None:
        return f"{SITE}/{name}"
    scheme = _SCHEMES.get(found[1])
    return f"{scheme}/{found[2]}" if scheme else None


def _top_level(metadata: Path, files: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names in top_level.txt that are really there, else every importable name."""
    present = importable_names(files)
    named = read_small(metadata.with_name("top_level.txt")).decode(errors="replace").split()
    return tuple(name for name in present if name in named) or present
