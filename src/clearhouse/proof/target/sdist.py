"""A source distribution made importable without building it.

Its files are unpacked, the packages and modules are found by reading (``layout``), and put where
an installer would have put them. Extension modules are missing then: many packages have a
fallback in Python, and whether this one has shows when it is imported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from clearhouse.proof.target.interpreter import Interpreter
from clearhouse.proof.target.layout import Layout, egg_info_files, placements, read_layout
from clearhouse.proof.target.model import Reason, TargetUnavailable
from clearhouse.proof.target.reading import convert_to_python_3
from clearhouse.proof.target.store import Store, archive_sha256, link_tree, read_small, tree_digest
from clearhouse.proof.target.unit import (
    SITE,
    Unit,
    declared,
    importable_names,
    keep,
    kept_unit,
    undeclared,
)
from clearhouse.proof.target.unpack import strip_top_folder, unpack

SOURCE = "src"
_RELIABLE = Version("2.2")
"""From this metadata version on, a PKG-INFO field not named Dynamic is what a wheel would say
(PEP 643)."""


@dataclass(frozen=True, slots=True)
class UnpackedSource:
    """A source archive in the cache; its files are in ``root/src``."""

    root: Path
    digest: str
    notes: tuple[str, ...]


def source_tree(store: Store, archive: Path) -> UnpackedSource:
    """Unpack a source archive without its top folder, once.

    Raises TargetUnavailable with CORRUPT_ARCHIVE or UNSAFE_ARCHIVE.
    """
    sha256 = archive_sha256(archive)
    root = store.path("sources", sha256)
    kept = store.read_as(
        lambda raw: UnpackedSource(root, raw["digest"], tuple(raw["notes"])),
        "sources",
        f"{sha256}.json",
    )
    if kept is not None and root.is_dir():
        return kept
    with store.staging() as folder:
        staged = folder / "tree"
        (staged / SOURCE).mkdir(parents=True)
        unpacked = unpack(archive, staged / SOURCE, rename=strip_top_folder)
        if not unpacked.files:
            # Made without a top folder.
            unpacked = unpack(archive, staged / SOURCE)
        digest = tree_digest(staged)
        store.publish(staged, root)
        store.write_json({"digest": digest, "notes": unpacked.notes}, "sources", f"{sha256}.json")
    return UnpackedSource(root, digest, unpacked.notes)


def sdist_unit(store: Store, archive: Path, project: str, interpreter: Interpreter) -> Unit:
    """Return the unit of a source distribution for a Python, laid out once.

    Raises TargetUnavailable with CORRUPT_ARCHIVE, UNSAFE_ARCHIVE or NOTHING_IMPORTABLE.
    """
    sha256 = archive_sha256(archive)
    python = interpreter.python
    place = ("units", "sdist", f"{sha256}-{python.major}.{python.minor}")
    if (kept := kept_unit(store, *place)) is not None:
        return kept
    source = source_tree(store, archive)
    with store.staging() as folder:
        staged = folder / "unit"
        staged.mkdir()
        built = _Sdist(source.root / SOURCE, staged, project, interpreter)
        unit = built.lay_out(sha256, list(source.notes))
        return keep(store, staged, unit, *place)


@dataclass(slots=True)
class _Sdist:
    tree: Path
    staged: Path
    project: str
    interpreter: Interpreter

    def lay_out(self, sha256: str, notes: list[str]) -> Unit:
        python = self.interpreter.python
        layout = read_layout(self.tree, (python.major, python.minor, python.micro))
        files = self.place(layout)
        importable = self.importable(files)
        if not importable:
            message = f"the source of {self.project} has no Python package or module to import"
            raise TargetUnavailable(Reason.NOTHING_IMPORTABLE, message)
        if layout.uses_2to3:
            notes.append(self.convert(files))
        if layout.compiles:
            named = f" ({', '.join(layout.extensions[:5])})" if layout.extensions else ""
            notes.append(f"its extension modules{named} were not built: only Python files here")
        metadata = self.write_metadata()
        return Unit(
            folder=self.staged,
            sha256=sha256,
            files=(*files, *metadata),
            importable=importable,
            requires=(*_requirements(self.tree, layout), *undeclared(self.staged, files)),
            extensions=tuple(layout.extensions),
            notes=tuple(notes),
        )

    def place(self, layout: Layout) -> list[str]:
        files: dict[str, None] = {}
        for source, into in placements(self.tree, layout, self.project).items():
            start = self.tree / source
            target = self.staged / SITE / into
            if start.is_file():
                link_tree(start.parent, target.parent, {target.name: start.name})
                files[f"{SITE}/{into}"] = None
                continue
            inner = [str(path.relative_to(start)) for path in start.rglob("*") if path.is_file()]
            link_tree(start, target, {name: name for name in sorted(inner)})
            files.update(dict.fromkeys(f"{SITE}/{into}/{name}" for name in sorted(inner)))
        return list(files)

    def importable(self, files: list[str]) -> tuple[str, ...]:
        present = importable_names(files)
        named: set[str] = set()
        for listed in egg_info_files(self.tree, "top_level.txt"):
            named.update(read_small(listed).decode(errors="replace").split())
        return tuple(name for name in present if name in named) or present

    def convert(self, files: list[str]) -> str:
        own = [self.staged / name for name in files if name.endswith(".py")]
        changed = convert_to_python_3(own, self.interpreter)
        if changed is None:
            return "it wants to be converted by 2to3, which could not be done by this Python"
        for path in changed:
            path.chmod(0o444)
        return f"converted by 2to3 as its setup.py says ({len(changed)} files changed)"

    def write_metadata(self) -> list[str]:
        """Give it a ``dist-info``, so that ``importlib.metadata`` finds its version."""
        described = self.tree / "PKG-INFO"
        if not described.is_file():
            return []
        fields = declared(read_small(described))
        name = re.sub(r"[^\w.]+", "_", str(fields.get("name") or self.project))
        version = re.sub(r"[^\w.+!]+", "_", str(fields.get("version") or "0"))
        folder = f"{SITE}/{name}-{version}.dist-info"
        sources = {"METADATA": described}
        for wanted in ("top_level.txt", "entry_points.txt"):
            if found := egg_info_files(self.tree, wanted):
                sources[wanted] = found[0]
        (self.staged / folder).mkdir(parents=True, exist_ok=True)
        for file, path in sources.items():
            (self.staged / folder / file).hardlink_to(path)
        return [f"{folder}/{file}" for file in sources]


def _requirements(tree: Path, layout: Layout) -> tuple[str, ...]:
    """Return the declared dependencies from the most dependable place that has them."""
    described = tree / "PKG-INFO"
    fields = declared(read_small(described))
    stated = tuple(fields.get("requires_dist", ()))
    dynamic = {str(one).lower() for one in fields.get("dynamic", ())}
    try:
        reliable = Version(str(fields.get("metadata_version", "1.0"))) >= _RELIABLE
    except ValueError:
        reliable = False
    if stated or (reliable and "requires-dist" not in dynamic):
        return stated
    listed = egg_info_files(tree, "requires.txt")
    if listed:
        return tuple(requires_txt(read_small(listed[0]).decode(errors="replace")))
    if egg_info_files(tree, "PKG-INFO"):
        return ()
    return tuple(layout.requires or ())


def requires_txt(text: str) -> list[str]:
    """Read an egg-info's ``requires.txt`` as PEP 508 requirements."""
    found: list[str] = []
    condition = ""
    for line in (raw.strip() for raw in text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            extra, _, marker = line[1:-1].partition(":")
            parts = ([f"({marker})"] if marker else []) + ([f'extra == "{extra}"'] if extra else [])
            condition = f" ; {' and '.join(parts)}" if parts else ""
        elif line and not line.startswith("#"):
            found.append(f"{line}{condition}")
    return found
