"""A target as it is distributed, and copies of it with a patch applied.  The I/O of patches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from packageurl import PackageURL

from clearhouse.errors import Invalid, Unavailable
from clearhouse.proof.build.sources import Tree, bundled_tree, registry_tree
from clearhouse.proof.bundle import Bundle, Language
from clearhouse.proof.code_change import is_code
from clearhouse.proof.diff import FilePatch, unified
from clearhouse.proof.placing import PatchResult, apply_patch
from clearhouse.proof.target import Installed, install
from clearhouse.proof.target.store import Store, link_tree


@dataclass(frozen=True, slots=True)
class Distribution:
    """The files of one version of a target.

    ``base`` is the folder of the tree that repositories do not know of, ``names`` are the target's
    own files, without those of its dependencies.
    """

    tree: Installed | Tree
    version: str
    base: str
    names: tuple[str, ...]

    @property
    def shown_below(self) -> str:
        """What stacks leave out of the names of files: ``site/``, ``node_modules/`` or nothing."""
        return f"{self.base.split('/', 1)[0]}/" if self.base else ""

    def read(self, name: str) -> bytes:
        """The content of one file."""
        return (self.tree.root / name).read_bytes()

    def apply(self, patch: Sequence[FilePatch]) -> PatchResult:
        """The patch applied in memory.

        Raises :class:`Unavailable` where the patched file is not what would run.
        """
        result = apply_patch(patch, self.names, self.read, base=self.base)
        for one in result.touched:
            assert one.path is not None
            self._must_run(one.path)
        return result

    def _must_run(self, path: str) -> None:
        if not path.endswith(".py"):
            return
        stem = path.removesuffix(".py")
        built = [n for n in self.names if n.startswith(f"{stem}.") and n.endswith((".so", ".pyd"))]
        if built:
            name = PurePosixPath(built[0]).name
            raise Unavailable(
                f"{path.removeprefix(self.base)} is compiled in this distribution ({name}), so a"
                " change of its source would not run; a version without compiled modules is needed"
            )


def distribution_of(bundle: Bundle, version: str | None = None) -> Distribution:
    """The target of a bundle as it is distributed; ``version`` is the attacked one by default.

    Raises :class:`NotFound` and :class:`Unavailable` as installing does.
    """
    purl = bundle.target.purl
    if bundle.target.source is not None and version is None:
        return _of_source(bundled_tree(bundle), "source")
    if purl is None:
        raise Unavailable(f"{bundle.target} has no other version here")
    purl = purl._replace(version=version or purl.version)
    if bundle.harness.language.is_native:
        return _of_source(registry_tree(str(purl)), str(purl.version))
    if bundle.harness.language not in (Language.PYTHON, Language.JAVASCRIPT):
        raise Unavailable(f"patches of {bundle.harness.language.value} cannot be checked here yet")
    installed = install(str(purl), requires=[str(p) for p in bundle.target.requires])
    return _of_installed(installed, purl)


def _of_installed(installed: Installed, purl: PackageURL) -> Distribution:
    base = "site/"
    if purl.type == "npm":
        name = f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name
        base = f"node_modules/{name}/"
    names = []
    for name in files_of(installed.root):
        owner = installed.owner(name)
        if owner is not None and owner.is_target and name.startswith(base):
            names.append(name)
    return Distribution(installed, str(purl.version), base, tuple(names))


def _of_source(tree: Tree, version: str) -> Distribution:
    return Distribution(tree, version, "", tree.files)


def files_of(folder: Path) -> list[str]:
    """All regular files below a folder, by their relative names."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@contextmanager
def patched_copy(
    distribution: Distribution, changes: Mapping[str, bytes | None], store: Store, note: str
) -> Iterator[Distribution]:
    """A copy of the target with some of its files changed, gone when the context ends.

    ``changes`` are new contents by path of the tree, None for a file that goes. Unchanged files
    are linked, not copied; a copy that a killed process leaves behind goes with the next start.
    """
    tree = distribution.tree
    with store.staging() as folder:
        root = folder / "tree"
        root.mkdir(mode=0o755)  # read by the sandbox's user
        for name in tree.root.iterdir():
            if name.is_dir():
                (root / name.name).mkdir()  # some are wanted even when nothing is in them
        names = {name: name for name in files_of(tree.root) if name not in changes}
        link_tree(tree.root, root, names)
        for path, content in changes.items():
            if content is not None:
                target = _inside(root, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        digest = _digest(tree.digest, changes)
        copy = replace(tree, root=root, digest=digest, notes=(*tree.notes, note))
        if isinstance(copy, Tree):
            copy = replace(copy, files=tuple(files_of(root)))
        kept = [n for n in distribution.names if changes.get(n, b"") is not None]
        added = [n for n, content in changes.items() if content is not None and n not in kept]
        yield replace(
            distribution, tree=copy, version=f"{distribution.version}+{note}",
            names=(*kept, *added),
        )  # fmt: skip


def _digest(base: str, changes: Mapping[str, bytes | None]) -> str:
    """The same for the same change of the same tree."""
    total = hashlib.sha256(base.encode())
    for path in sorted(changes):
        content = changes[path]
        told = "gone" if content is None else hashlib.sha256(content).hexdigest()
        total.update(f"\0{told} {path}".encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def _inside(root: Path, path: str) -> Path:
    """A path of the tree; what leads elsewhere was refused when the patch was read."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise Invalid(f"'{path}' leads out of the tree")
    return root / pure


def difference(before: Distribution, after: Distribution, *, context: int = 3) -> bytes:
    """The unified diff between two versions of a target, its code files only.

    This is what ``check-patch`` can be given as the upstream fix where the fix was released: the
    difference of the distributions, which may hold more than the fix.
    """
    old = {name.removeprefix(before.base): name for name in before.names if is_code(name)}
    new = {name.removeprefix(after.base): name for name in after.names if is_code(name)}
    parts = []
    for name in sorted(old.keys() | new.keys()):
        mine = before.read(old[name]) if name in old else None
        theirs = after.read(new[name]) if name in new else None
        parts.append(unified(name, mine, theirs, context=context))
    return b"".join(parts)
