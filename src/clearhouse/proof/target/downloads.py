"""Released files and listings in the cache, shared by all registries."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from clearhouse.proof.target.model import Artifact, Reason, Release, TargetUnavailable
from clearhouse.proof.target.store import Store, archive_sha256, key_of
from clearhouse.proof.target.web import NotThere, Web, local_path

LISTING_LIFE = timedelta(hours=1)
KEPT_IN_MEMORY = 24
"""Listings; one with thousands of files takes some megabytes."""


def fetch(store: Store, web: Web, artifact: Artifact) -> Path:
    """Return ``artifact`` as a file whose digest was just checked, from the cache if it is there.

    Raises TargetUnavailable with NO_FILES, UNREACHABLE or DIGEST_MISMATCH.
    """
    here = local_path(artifact.url)
    if here is not None:
        if not here.is_file():
            message = f"{artifact.filename} is listed but is no longer at its place"
            raise TargetUnavailable(Reason.NO_FILES, message)
        _require_digest(here, artifact)
        return here
    key = key_of(artifact.sha256 or artifact.integrity or artifact.url)
    kept = store.path("files", key[:2], key, _plain(artifact.filename))
    if kept.is_file() and _matches(kept, artifact):
        return kept
    with store.staging() as folder:
        staged = folder / "download"
        try:
            web.download(artifact.url, staged)
        except NotThere as error:
            message = f"{artifact.filename} is listed but the registry no longer has it"
            raise TargetUnavailable(Reason.NO_FILES, message) from error
        _require_digest(staged, artifact)
        staged.chmod(0o444)
        return store.publish(staged, kept)


def listing(
    store: Store,
    place: tuple[str, ...],
    read: Callable[[], tuple[Release, ...]],
    *,
    known: str | None,
    until: datetime | None,
) -> tuple[Release, ...]:
    """Return the releases kept at ``place``, or ``read()`` anew where those are too old.

    When the registry cannot be reached, what is kept serves however old it is.
    """
    kept = _kept(store, place)
    if kept is not None:
        made, releases = kept
        fresh = datetime.now(UTC) - made < LISTING_LIFE
        named = known is not None and any(release.version == known for release in releases)
        if fresh or named or (until is not None and until < made):
            return releases
    try:
        anew = read()
    except TargetUnavailable as error:
        if error.reason is not Reason.UNREACHABLE or kept is None:
            raise
        return kept[1]
    value = {
        "made": datetime.now(UTC).isoformat(),
        "releases": [_plain_release(release) for release in anew],
    }
    store.write_json(value, *place)
    return anew


def _kept(store: Store, place: tuple[str, ...]) -> tuple[datetime, tuple[Release, ...]] | None:
    try:
        return _parsed(store, place, store.path(*place).stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=KEPT_IN_MEMORY)
def _parsed(
    store: Store, place: tuple[str, ...], _modified: int
) -> tuple[datetime, tuple[Release, ...]] | None:
    return store.read_as(_listing, *place)


def _listing(raw: dict[str, Any]) -> tuple[datetime, tuple[Release, ...]]:
    made = datetime.fromisoformat(raw["made"])
    return made, tuple(_release(entry) for entry in raw["releases"])


def insert_unordered(ordered: list[Release], unordered: list[Release]) -> tuple[Release, ...]:
    """Place releases outside the grammar by their date among the ordered ones.

    Each goes before the first release that was published after it; without a date, to the start.
    """
    result = list(ordered)
    for release in unordered:
        place = 0
        if release.uploaded is not None:
            place = next(
                (
                    index
                    for index, other in enumerate(result)
                    if other.uploaded is not None and other.uploaded > release.uploaded
                ),
                len(result),
            )
        result.insert(place, release)
    return tuple(result)


def sri(algorithm: str, digest: str) -> str:
    """Return a hexadecimal digest as subresource integrity."""
    return f"{algorithm}-{base64.b64encode(bytes.fromhex(digest)).decode()}"


def _matches(path: Path, artifact: Artifact) -> bool:
    if artifact.sha256:
        return archive_sha256(path) == artifact.sha256.lower()
    if not artifact.integrity:
        return True
    stated = [one.partition("-") for one in artifact.integrity.split()]
    known = [one for one in stated if one[0] in hashlib.algorithms_available]
    if not known:
        return False
    # The strongest one counts (SRI section 3.3.4).
    algorithm, _, expected = max(known, key=lambda one: hashlib.new(one[0]).digest_size)
    with path.open("rb") as stream:
        actual = hashlib.file_digest(stream, algorithm).digest()
    return base64.b64encode(actual).decode() == expected.partition("?")[0]


def _require_digest(path: Path, artifact: Artifact) -> None:
    if not _matches(path, artifact):
        message = f"{artifact.filename} is not the file that the registry lists: digests differ"
        raise TargetUnavailable(Reason.DIGEST_MISMATCH, message)


def _plain(filename: str) -> str:
    name = filename.rpartition("/")[2]
    return "artifact" if name in {"", ".", ".."} or len(name) > 240 else name


def _plain_release(release: Release) -> dict[str, Any]:
    entry = asdict(release)
    entry["uploaded"] = release.uploaded and release.uploaded.isoformat()
    for artifact in entry["artifacts"]:
        artifact["uploaded"] = artifact["uploaded"] and artifact["uploaded"].isoformat()
    return entry


def _release(entry: dict[str, Any]) -> Release:
    artifacts = tuple(
        Artifact(**{**artifact, "uploaded": _time(artifact["uploaded"])})
        for artifact in entry["artifacts"]
    )
    return Release(**{**entry, "uploaded": _time(entry["uploaded"]), "artifacts": artifacts})


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
