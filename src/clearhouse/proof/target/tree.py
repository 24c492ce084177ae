"""An installed target put together from units and kept by its content."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from clearhouse.proof.target.model import Installed, InstalledPackage
from clearhouse.proof.target.store import Store, key_of, link_tree, tree_digest


@dataclass(frozen=True, slots=True)
class Part:
    """The files one package brings."""

    purl: str
    sha256: str
    folder: Path
    files: Mapping[str, str]
    """Where each file goes, relative to the root, and where it is in the folder."""
    is_target: bool


def assemble(
    store: Store,
    parts: tuple[Part, ...],
    *,
    folders: Iterable[str],
    importable: tuple[str, ...],
    notes: Iterable[str],
) -> Installed:
    """Return the tree of ``parts``, made once; where two bring a file, the first one's stays.

    ``folders`` exist in it even when nothing is put there.
    """
    contents = (f"{part.purl} {part.sha256} {part.folder.name}" for part in parts)
    key = key_of(*contents, *sorted(folders))
    root = store.path("trees", key)
    digest: str | None = store.read_json("trees", f"{key}.json")
    owned = _owned(parts)
    if digest is None or not root.is_dir():
        with store.staging() as folder:
            staged = folder / "tree"
            for name in folders:
                (staged / name).mkdir(parents=True)
            for part in parts:
                link_tree(part.folder, staged, part.files)
            digest = tree_digest(staged)
            store.publish(staged, root)
            store.write_json(digest, "trees", f"{key}.json")
    packages = tuple(
        InstalledPackage(part.purl, part.sha256, prefixes, part.is_target)
        for part, prefixes in zip(parts, _prefixes(owned), strict=True)
    )
    return Installed(root, digest, packages, importable, tuple(dict.fromkeys(notes)))


def remember_install(store: Store, installed: Installed, *place: str) -> None:
    """Keep the description of an install, so that the next one needs no registry."""
    value = asdict(installed)
    value["root"] = installed.root.name
    store.write_json(value, "installs", *place)


def known_install(store: Store, *place: str) -> Installed | None:
    """Return the install kept at ``place`` if its files are still there."""
    installed = store.read_as(lambda kept: _installed(store, kept), "installs", *place)
    return installed if installed is not None and installed.root.is_dir() else None


def _installed(store: Store, kept: dict[str, Any]) -> Installed:
    packages = tuple(
        InstalledPackage(one["purl"], one["sha256"], tuple(one["prefixes"]), one["is_target"])
        for one in kept["packages"]
    )
    root = store.path("trees", kept["root"])
    return Installed(
        root, kept["digest"], packages, tuple(kept["importable"]), tuple(kept["notes"])
    )


def _owned(parts: tuple[Part, ...]) -> list[list[str]]:
    """Return for each part the files that are its own, earlier parts going first."""
    taken: set[str] = set()
    result: list[list[str]] = []
    for part in parts:
        own = [name for name in part.files if name not in taken]
        taken.update(own)
        result.append(own)
    return result


def _prefixes(owned: list[list[str]]) -> list[tuple[str, ...]]:
    """Shorten each part's files to the highest folders that no other part has a file in."""
    owners: dict[PurePosixPath, set[int]] = defaultdict(set)
    for index, files in enumerate(owned):
        for folder in {PurePosixPath(name).parent for name in files}:
            for path in (folder, *folder.parents):
                owners[path].add(index)
    result: list[tuple[str, ...]] = []
    for files in owned:
        prefixes: dict[str, None] = {}
        for name in files:
            parents = [*reversed(PurePosixPath(name).parents)]
            # The root and its first folder (site, node_modules) belong to nobody.
            alone = next((one for one in parents[2:] if len(owners[one]) == 1), None)
            prefixes[name if alone is None else f"{alone}/"] = None
        result.append(tuple(prefixes))
    return result
