"""A unit: one artifact made importable, kept by its content and shared by all targets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from packaging.metadata import parse_email

from clearhouse.proof.target.store import Store, read_small

SITE = "site"
_MODULE = re.compile(r"([^\W\d]\w*)(?:\.py|(?:\.[\w-]+)*\.so)")
_NOT_IMPORTED = re.compile(r".*\.(?:dist-info|egg-info|data|libs)")
_SOURCE = (".py", ".so")
_PKG_RESOURCES = re.compile(
    rb"^(?:import|from) pkg_resources\b|^__import__\(.pkg_resources", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Unit:
    """What one artifact contributes to a target."""

    folder: Path
    sha256: str
    """Of the artifact."""
    files: tuple[str, ...]
    """Relative to the folder."""
    importable: tuple[str, ...]
    requires: tuple[str, ...]
    """Its declared dependencies (PEP 508), markers not yet evaluated."""
    extensions: tuple[str, ...]
    """Extension modules it wants that are not there because they would have to be built."""
    notes: tuple[str, ...]


def keep(store: Store, staged: Path, unit: Unit, *place: str) -> Unit:
    """Publish the ``staged`` folder of ``unit`` at ``place`` with its description."""
    folder = store.path(*place)
    description = asdict(unit)
    del description["folder"]
    store.publish(staged, folder)
    store.write_json(description, *place[:-1], f"{place[-1]}.json")
    return replace(unit, folder=folder)


def kept_unit(store: Store, *place: str) -> Unit | None:
    """Return the unit at ``place``, or None."""
    folder = store.path(*place)
    if not folder.is_dir():
        return None
    return store.read_as(lambda raw: _unit(folder, raw), *place[:-1], f"{place[-1]}.json")


def _unit(folder: Path, raw: dict[str, Any]) -> Unit:
    fields = ("files", "importable", "requires", "extensions", "notes")
    lists = {name: tuple(raw[name]) for name in fields}
    return Unit(folder=folder, sha256=raw["sha256"], **lists)


def importable_names(files: Iterable[str]) -> tuple[str, ...]:
    """Return the top-level names that files below ``site/`` can be imported by, sorted.

    A folder counts when it holds Python files at any depth (namespace packages have no
    ``__init__.py``).
    """
    names: set[str] = set()
    for file in files:
        top, _, rest = file.removeprefix(f"{SITE}/").partition("/")
        if not file.startswith(f"{SITE}/") or _NOT_IMPORTED.fullmatch(top):
            continue
        if not rest:
            if found := _MODULE.fullmatch(top):
                names.add(found[1])
        elif rest.endswith(_SOURCE) and top.isidentifier():
            names.add(top)
    return tuple(sorted(names))


def undeclared(folder: Path, files: Iterable[str]) -> tuple[str, ...]:
    """Return the dependency that old releases need and never declared: ``pkg_resources``.

    It came with every Python installation of their time, as part of setuptools, and left
    setuptools in version 82.
    """
    for name in files:
        if name.endswith(".py") and "/test" not in name:
            content = read_small(folder / name)
            if b"pkg_resources" in content and _PKG_RESOURCES.search(content):
                return ("setuptools<81",)
    return ()


def declared(metadata: bytes) -> dict[str, Any]:
    """Return the fields of a METADATA or PKG-INFO file; what cannot be read is left out."""
    raw, _ = parse_email(metadata)
    return dict(raw)
