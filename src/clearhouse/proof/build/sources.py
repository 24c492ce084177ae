"""Where the target's source comes from: a registry's source archive, or the bundle itself."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from clearhouse.errors import Invalid
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.target import SourceTree, default_targets, unpack, unpack_source
from clearhouse.proof.target.store import Store, key_of, tree_digest

_MOST_FILES = 60_000


@dataclass(frozen=True, slots=True)
class Tree:
    """A read-only source tree; ``files`` are the names in it."""

    root: Path
    digest: str
    files: tuple[str, ...]
    purl: str  # or "source:NAME" for what the bundle brings
    sha256: str  # of the archive, or of the tree where there is none
    notes: tuple[str, ...]
    from_bundle: bool

    def text(self, name: str) -> str:
        """The content of a file; bytes that are not UTF-8 are replaced."""
        return (self.root / name).read_text(encoding="utf-8", errors="replace")


def registry_tree(purl: str) -> Tree:
    """The source archive of a released version.

    Raises what :func:`clearhouse.proof.target.unpack_source` raises.
    """
    return tree_of(unpack_source(purl))


def tree_of(source: SourceTree) -> Tree:
    """An unpacked source archive, or a patched copy of one, as a tree to build from."""
    return Tree(
        root=source.src,
        digest=source.digest,
        files=_files(source.src),
        purl=source.purl,
        sha256=source.sha256,
        notes=source.notes,
        from_bundle=False,
    )


def bundled_tree(bundle: Bundle) -> Tree:
    """The source that a bundle ships, unpacked once.  Raises ``Unavailable`` for a bad archive."""
    source = bundle.target.source
    if source is None:
        raise Invalid("the bundle brings no source", where="proof.toml", key="target.source")
    store = default_targets().store
    key = key_of(bundle.digest, source)
    final = store.path("sources-of-bundles", key)
    kept = store.read_json("sources-of-bundles", f"{key}.json")
    if kept is None or not final.is_dir():
        kept = _unpack(store, bundle, source, key, final)
    return Tree(
        root=final / kept["top"],
        digest=kept["digest"],
        files=_files(final / kept["top"]),
        purl=f"source:{source}",
        sha256=kept["digest"],
        notes=tuple(kept["notes"]),
        from_bundle=True,
    )


def _unpack(store: Store, bundle: Bundle, source: str, key: str, final: Path) -> dict[str, object]:
    with store.staging() as folder:
        staged = folder / "tree"
        staged.mkdir()
        notes: tuple[str, ...] = ()
        if source in bundle.files:
            archive = folder / Path(source).name
            archive.write_bytes(bundle.files[source])
            notes = unpack(archive, staged).notes
        else:
            for name, data in bundle.files.items():
                if name.startswith(f"{source}/"):
                    path = staged / name.removeprefix(f"{source}/")
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(data)
        top = _top(staged) if source in bundle.files else "."
        described: dict[str, object] = {"digest": tree_digest(staged), "top": top, "notes": notes}
        store.publish(staged, final)
        store.write_json(described, "sources-of-bundles", f"{key}.json")
    return described


def _top(folder: Path) -> str:
    """The one folder that an archive's content lies in, or the archive's root."""
    inside = list(folder.iterdir())
    return inside[0].name if len(inside) == 1 and inside[0].is_dir() else "."


@lru_cache(maxsize=64)
def _files(root: Path) -> tuple[str, ...]:
    """Names of all files of a tree, which lies in the cache under its content and never changes."""
    found = []
    for folder, folders, names in os.walk(root):
        folders.sort()
        inside = os.path.relpath(folder, root)
        for name in sorted(names):
            found.append(name if inside == "." else f"{inside}/{name}")
            if len(found) > _MOST_FILES:
                raise Invalid(f"the source has more than {_MOST_FILES} files")
    return tuple(found)
