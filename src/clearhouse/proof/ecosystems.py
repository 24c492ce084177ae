"""What dating has to know of a package ecosystem: order of versions, branches, names."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from packaging.utils import canonicalize_name

from clearhouse.errors import Unavailable
from clearhouse.versions import OutsideGrammar, npm, pypi


@dataclass(frozen=True, slots=True)
class Ecosystem:
    """One registry's world; ``kind`` is the type of its package URLs."""

    kind: str
    key: Callable[[str], Any]
    """Sorts versions; equal for two spellings of one."""
    branch: Callable[[str], Hashable]
    """The branch of development that a version is on, as its number has it."""
    same_name: Callable[[str], str]
    """A package's name in its normal form."""


def _python_branch(version: str) -> Hashable:
    key = pypi.parse(version)
    return None if isinstance(key, OutsideGrammar) else key.release[:2]


def _javascript_branch(version: str) -> Hashable:
    """What a caret range keeps to: the leftmost number that is not zero."""
    key = npm.parse(version)
    if isinstance(key, OutsideGrammar):
        return None
    return (key.major,) if key.major else (0, key.minor)


ECOSYSTEMS: Final[Mapping[str, Ecosystem]] = {
    "pypi": Ecosystem("pypi", pypi.sort_key, _python_branch, canonicalize_name),
    "npm": Ecosystem("npm", npm.sort_key, _javascript_branch, str),
}


def ecosystem_of(kind: str) -> Ecosystem:
    """Return the ecosystem of a purl type; raises Unavailable where its registry is not known."""
    found = ECOSYSTEMS.get(kind)
    if found is None:
        known = " and ".join(ECOSYSTEMS)
        raise Unavailable(f"releases of pkg:{kind} packages cannot be listed here, only of {known}")
    return found
