"""Releases from a JavaScript registry, as the user's npm is configured to find them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from clearhouse.proof.target import downloads
from clearhouse.proof.target.model import Artifact, Reason, Release, TargetNotFound
from clearhouse.proof.target.npm_settings import NpmSettings
from clearhouse.proof.target.store import Store, key_of
from clearhouse.proof.target.web import NotThere, Web, unreachable
from clearhouse.versions import OutsideGrammar
from clearhouse.versions import npm as versions

_BACKWARDS = 0.1
"""The share of neighbouring patch releases that may be dated backwards before none of a package's
dates is believed; a mirror that dates releases by when it first saw them has about a half."""
_FEWEST_PAIRS = 4
"""Pairs needed to judge by that share."""
_FIELDS = ("dependencies", "optionalDependencies", "peerDependencies")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a release says of its dependencies."""

    dependencies: tuple[tuple[str, str], ...]
    """Name and range of each, optional ones left out."""
    peers: tuple[tuple[str, str], ...] = ()
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    """The manifests of all releases of a package, and its tags."""

    tags: Mapping[str, str]
    """Distribution tags (``latest`` and others) and their versions."""
    manifests: Mapping[str, Manifest]


class NpmRegistry:
    """A registry of JavaScript packages."""

    def __init__(self, settings: NpmSettings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._web = Web(settings.access)

    @property
    def identity(self) -> str:
        """A short digest of the registry addresses."""
        return self._settings.identity

    def releases(
        self, name: str, *, known: str | None = None, until: datetime | None = None
    ) -> tuple[Release, ...]:
        """Return every release of ``name`` in SemVer order; see ``Registry``.

        Raises TargetNotFound when the registry does not have the name.
        """
        return downloads.listing(
            self._store,
            ("listings", "npm", self.identity, f"{key_of(name)}.json"),
            lambda: self._read(name),
            known=known,
            until=until,
        )

    def fetch(self, artifact: Artifact) -> Path:
        """Return the file; see ``downloads.fetch``."""
        return downloads.fetch(self._store, self._web, artifact)

    def description(self, name: str) -> Description:
        """Return what each release says of itself, as old as the last listing."""
        path = self._store.path(*self._manifest_place(name))
        try:
            return _description(self._store, path, path.stat().st_mtime_ns)
        except FileNotFoundError:
            return Description({}, {})

    def _manifest_place(self, name: str) -> tuple[str, ...]:
        return ("listings", "npm", self.identity, f"{key_of(name, 'manifests')}.json")

    def _read(self, name: str) -> tuple[Release, ...]:
        url = self._settings.registry_for(name) + quote(name, safe="@")
        try:
            document = self._web.get(url, accept="application/json").json()
        except NotThere as error:
            message = f"the configured registry has no JavaScript package named {name}"
            raise TargetNotFound(Reason.NO_SUCH_PACKAGE, message) from error
        except ValueError as error:
            raise unreachable(url, error) from error
        raw = _table(document, "versions")
        self._store.write_json(
            {
                "tags": {tag: str(one) for tag, one in _table(document, "dist-tags").items()},
                "versions": {version: _manifest(_table(raw, version)) for version in raw},
            },
            *self._manifest_place(name),
        )
        dates = _dates(_table(document, "time"), list(raw))
        releases = [_release(name, version, _table(raw, version), dates) for version in raw]
        releases.sort(key=lambda release: versions.sort_key(release.version))
        ordered = [release for release in releases if release.ordered]
        return downloads.insert_unordered(ordered, [one for one in releases if not one.ordered])


@lru_cache(maxsize=downloads.KEPT_IN_MEMORY)
def _description(store: Store, path: Path, _modified: int) -> Description:
    place = path.relative_to(store.root).parts
    return store.read_as(_read_description, *place) or Description({}, {})


def _read_description(kept: dict[str, Any]) -> Description:
    manifests = {
        version: Manifest(
            tuple((name, wanted) for name, wanted in entry["dependencies"]),
            tuple((name, wanted) for name, wanted in entry["peers"]),
            entry["deprecated"],
        )
        for version, entry in kept["versions"].items()
    }
    return Description(kept["tags"], manifests)


def _release(
    name: str, version: str, manifest: Mapping[str, Any], dates: Mapping[str, datetime]
) -> Release:
    dist = _table(manifest, "dist")
    url = dist.get("tarball")
    shasum, integrity = dist.get("shasum"), dist.get("integrity")
    if not integrity and isinstance(shasum, str):
        integrity = downloads.sri("sha1", shasum)
    artifact = Artifact(
        filename=urlsplit(str(url)).path.rpartition("/")[2] or f"{name}.tgz",
        url=str(url),
        kind="npm",
        integrity=integrity if isinstance(integrity, str) else None,
        uploaded=dates.get(version),
    )
    return Release(
        version=version,
        uploaded=dates.get(version),
        yanked=False,
        artifacts=(artifact,) if isinstance(url, str) else (),
        ordered=not isinstance(versions.parse(version), OutsideGrammar),
    )


def _manifest(manifest: Mapping[str, Any]) -> dict[str, Any]:
    dependencies, optional, peers = (_ranges(manifest, field) for field in _FIELDS)
    bundled = manifest.get("bundleDependencies") or manifest.get("bundledDependencies") or []
    if bundled is True:
        bundled = list(dependencies)
    left_out = {*optional, *(bundled if isinstance(bundled, list) else [])}
    may_lack = {
        peer
        for peer, meta in _table(manifest, "peerDependenciesMeta").items()
        if isinstance(meta, dict) and meta.get("optional")
    }
    return {
        "dependencies": sorted(pair for pair in dependencies.items() if pair[0] not in left_out),
        "peers": sorted(pair for pair in peers.items() if pair[0] not in may_lack),
        "deprecated": bool(manifest.get("deprecated")),
    }


def _ranges(manifest: Mapping[str, Any], field: str) -> dict[str, str]:
    return {
        name: wanted for name, wanted in _table(manifest, field).items() if isinstance(wanted, str)
    }


def _dates(raw: Mapping[str, Any], known: list[str]) -> dict[str, datetime]:
    """Return publication times, or none at all where they cannot be publication times."""
    dates: dict[str, datetime] = {}
    for version in known:
        try:
            dates[version] = datetime.fromisoformat(str(raw[version]))
        except (KeyError, ValueError):
            continue
    return dates if "created" in raw and _go_forward(dates) else {}


def _go_forward(dates: Mapping[str, datetime]) -> bool:
    """Whether, within each line of patch releases, later versions have later dates."""
    keys = [
        (key, dates[version])
        for version in dates
        if not isinstance(key := versions.parse(version), OutsideGrammar) and not key.prerelease
    ]
    keys.sort(key=lambda pair: pair[0])
    pairs = [
        (first[1], second[1])
        for first, second in pairwise(keys)
        if first[0].numbers[:2] == second[0].numbers[:2]
    ]
    backwards = sum(first > second for first, second in pairs)
    return len(pairs) < _FEWEST_PAIRS or backwards <= _BACKWARDS * len(pairs)


def _table(holder: object, key: str) -> dict[str, Any]:
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, dict) else {}
