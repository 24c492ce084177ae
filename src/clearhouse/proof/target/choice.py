"""Which file of a release fits a Python, or why none does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from clearhouse.proof.target.interpreter import Interpreter
from clearhouse.proof.target.model import Artifact, Reason, Release

_SDIST_PREFERENCE = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")


@dataclass(frozen=True, slots=True)
class NoneFits:
    """No file of the release can be used."""

    reason: Reason
    why: str


def best_artifact(release: Release, interpreter: Interpreter) -> Artifact | NoneFits:
    """Choose the file pip would: the wheel whose tag ranks best, else the source.

    Files whose Requires-Python leaves the interpreter out are not considered.
    """
    if not release.artifacts:
        return NoneFits(Reason.NO_FILES, "the index has no files for it")
    taken = [one for one in release.artifacts if interpreter.takes(one.requires_python)]
    ranks = _ranks(interpreter.tags)
    wheels = [
        (rank, artifact)
        for artifact in taken
        if artifact.kind == "wheel" and (rank := _rank(artifact.filename, ranks)) is not None
    ]
    if wheels:
        return min(wheels, key=lambda pair: (pair[0], pair[1].filename))[1]
    return _source(taken) or _why_none(release, taken, interpreter)


def source_artifact(release: Release) -> Artifact | None:
    """Choose the source archive of a release, whatever Python it is for."""
    return _source(release.artifacts)


def _source(artifacts: Iterable[Artifact]) -> Artifact | None:
    usable = [
        artifact
        for artifact in artifacts
        if artifact.kind == "sdist" and artifact.filename.endswith(_SDIST_PREFERENCE)
    ]
    return min(usable, key=_source_preference, default=None)


def _why_none(release: Release, taken: list[Artifact], interpreter: Interpreter) -> NoneFits:
    python = f"{interpreter.python.major}.{interpreter.python.minor}"
    if not taken:
        wanted = release.artifacts[0].requires_python
        return NoneFits(Reason.NEEDS_PYTHON, f"it needs Python {wanted}, this is {python}")
    wheels = [artifact.filename for artifact in taken if artifact.kind == "wheel"]
    if not wheels:
        return NoneFits(Reason.OLD_FORMAT, "it has only eggs, installers or other old formats")
    if all(_is_python_2(name) for name in wheels):
        return NoneFits(Reason.PYTHON_2, "its wheels are for Python 2 and it has no source")
    return NoneFits(Reason.WRONG_PLATFORM, f"no wheel fits Python {python} here, and no source")


@lru_cache(maxsize=16)
def _ranks(tags: tuple[str, ...]) -> dict[str, int]:
    return {tag: rank for rank, tag in reversed(list(enumerate(tags)))}


def _rank(filename: str, ranks: dict[str, int]) -> int | None:
    try:
        _, _, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return None
    return min((ranks[str(tag)] for tag in tags if str(tag) in ranks), default=None)


def _is_python_2(filename: str) -> bool:
    try:
        _, _, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return False
    return all(tag.interpreter[2:3] == "2" for tag in tags)


def _source_preference(artifact: Artifact) -> int:
    return next(
        rank for rank, end in enumerate(_SDIST_PREFERENCE) if artifact.filename.endswith(end)
    )
