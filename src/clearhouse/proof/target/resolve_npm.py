"""Dependencies of a JavaScript target, chosen by reading manifests: npm itself never installs.

npm would run ``git`` and follow addresses and local paths that a hostile package names; here only
the registry is asked. Each dependency gets the version npm would take of those published by the
date asked for, at the top of ``node_modules`` where that place is free or fits, else inside the
package that needs it: every package finds what it asked for by Node's own rules.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from clearhouse.proof.target.model import Release, TargetNotFound
from clearhouse.proof.target.npm import Manifest, NpmRegistry
from clearhouse.versions import OutsideGrammar
from clearhouse.versions import npm as versions

MOST_PACKAGES = 1500
"""A target that drags in more is not installed whole; create-react-app has about 1,300."""

FOLDER = "node_modules"
_NAME = re.compile(r"(?:@[\w~-][\w.~-]*/)?[\w~-][\w.~-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Placed:
    """A package at its place in the tree."""

    path: str
    """``node_modules/a/node_modules/b``."""
    name: str
    release: Release


@dataclass(slots=True)
class _Wish:
    parent: str
    """Path of the package that asks; empty for the root."""
    name: str
    wanted: str
    is_peer: bool = False


@dataclass(slots=True)
class NpmDependencies:
    """Builds one tree."""

    registry: NpmRegistry
    until: datetime | None
    placed: dict[str, Placed] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def resolve(self, roots: list[tuple[str, Release]]) -> tuple[Placed, ...]:
        """Return ``roots`` at the top, the target first, and everything they need around them.

        Raises TargetUnavailable when the registry cannot be reached.
        """
        wishes: deque[_Wish] = deque()
        for name, release in roots:
            wishes.extend(self._place(f"{FOLDER}/{name}", name, release))
        while wishes:
            if len(self.placed) >= MOST_PACKAGES:
                self.notes.append(f"more than {MOST_PACKAGES} packages: the rest was left out")
                break
            wish = wishes.popleft()
            wishes.extend(self._fulfil(wish))
        return tuple(self.placed.values())

    def _place(self, path: str, name: str, release: Release) -> list[_Wish]:
        self.placed[path] = Placed(path, name, release)
        described = self.registry.description(name).manifests
        manifest = described.get(release.version, Manifest(()))
        return [
            *(_Wish(path, dependency, wanted) for dependency, wanted in manifest.dependencies),
            *(_Wish(_above(path), peer, wanted, is_peer=True) for peer, wanted in manifest.peers),
        ]

    def _fulfil(self, wish: _Wish) -> list[_Wish]:
        name, wanted = _alias(wish.name, wish.wanted)
        if not (is_package_name(name) and is_package_name(wish.name)):
            self._note_absent(wish)
            return []
        found = self._visible(wish.parent, wish.name)
        if found is not None:
            same = found.name == name and self._fits(found.release.version, wanted, name)
            if same:
                return []
            if wish.is_peer:
                self.notes.append(
                    f"{wish.name} {found.release.version} is not what a package beside it"
                    f" asks for ({wish.wanted})"
                )
                return []
        release = self._choose(name, wanted)
        if release is None:
            self._note_absent(wish)
            return []
        parent = f"{wish.parent}/" if found is not None and wish.parent else ""
        path = f"{parent}{FOLDER}/{wish.name}"
        return [] if path in self.placed else self._place(path, name, release)

    def _visible(self, parent: str, name: str) -> Placed | None:
        """Return what ``require(name)`` finds from ``parent``, by Node's rules."""
        folder = parent
        while True:
            path = f"{folder}/{FOLDER}/{name}" if folder else f"{FOLDER}/{name}"
            if path in self.placed:
                return self.placed[path]
            if not folder:
                return None
            folder = _above(folder)

    def _fits(self, version: str, wanted: str, name: str) -> bool:
        if isinstance(versions.parse_range(wanted), OutsideGrammar):
            return self.registry.description(name).tags.get(wanted) == version
        return versions.satisfies(version, wanted)

    def _choose(self, name: str, wanted: str) -> Release | None:
        """Return the release npm takes: the tag's, else the highest not deprecated that fits.

        As npm does, the one tagged ``latest`` is preferred where it fits.
        """
        try:
            every = self.registry.releases(name, until=self.until)
        except TargetNotFound:
            return None
        usable = [release for release in every if release.artifacts and release.ordered]
        tags = self.registry.description(name).tags
        if isinstance(versions.parse_range(wanted), OutsideGrammar):
            return next((one for one in usable if one.version == tags.get(wanted)), None)
        fitting = [one for one in usable if versions.satisfies(one.version, wanted)]
        early = [one for one in fitting if self._early(one)]
        if early:
            latest = next((one for one in early if one.version == tags.get("latest")), None)
            return latest or self._best(name, early)
        if fitting:
            self.notes.append(f"{name} {fitting[0].version} is later than the date asked for")
            return fitting[0]
        return None

    def _early(self, release: Release) -> bool:
        return self.until is None or release.uploaded is None or release.uploaded <= self.until

    def _best(self, name: str, fitting: list[Release]) -> Release:
        described = self.registry.description(name).manifests
        deprecated = {version for version, manifest in described.items() if manifest.deprecated}
        current = [one for one in fitting if one.version not in deprecated]
        return (current or fitting)[-1]

    def _note_absent(self, wish: _Wish) -> None:
        by = wish.parent.rpartition(f"{FOLDER}/")[2] or "the target"
        self.notes.append(f"the dependency {wish.name} {wish.wanted} of {by} cannot be had")


def is_package_name(name: str) -> bool:
    """Whether a package can be called so, and its folder then lies where it should."""
    return _NAME.fullmatch(name) is not None and FOLDER not in name.split("/")


def _alias(name: str, wanted: str) -> tuple[str, str]:
    """Read ``npm:other@range``, by which a package is installed under another name."""
    if not wanted.startswith("npm:"):
        return name, wanted
    real, _, within = wanted.removeprefix("npm:").rpartition("@")
    return (real, within) if real else (within, "*")


def _above(path: str) -> str:
    """Return the package that holds ``path``; empty for the root."""
    return path.rpartition(f"/{FOLDER}/")[0]
