"""What to do, package by package: one update often mends many flaws.

Twenty flaws of one library are one thing to do.  A list of flaws hides that, and whoever has little
time begins with the wrong one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from clearhouse.versions.ecosystems import key_of

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Flawed:
    """A flaw of a package on a system."""

    system: str
    ecosystem: str
    package: str
    version: str
    flaw: str
    fixed: str
    """The first later version that is fixed; empty where none is known."""
    due: datetime | None
    """By when it has to be mended; None is at the next upgrade."""
    rank: str
    """Where the flaw stands among others: what is smaller comes first."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing to do: bring a package of a system to a version, or look for another way."""

    system: str
    ecosystem: str
    package: str
    versions: tuple[str, ...]
    """Those that are installed."""
    target: str
    """The version from which on every flaw that has a fix is mended; empty where none has."""
    mended: tuple[str, ...]
    """Flaws that the target mends, the most urgent first."""
    left: tuple[str, ...]
    """Flaws for which no fixed version is known."""
    due: datetime | None
    rank: str

    @property
    def count(self) -> int:
        """How many flaws it is about."""
        return len(self.mended) + len(self.left)


def remedies(flaws: Iterable[Flawed]) -> list[Remedy]:
    """What to do, the most urgent first.

    By due date, then by the rank of the most urgent flaw, then by how much it mends.  The target is
    the highest of the fixed versions in the ecosystem's order; one without a place in that order
    counts as the highest, as nothing shows that less is enough.
    """
    grouped: dict[tuple[str, str, str], list[Flawed]] = defaultdict(list)
    for one in flaws:
        grouped[one.system, one.ecosystem, one.package].append(one)
    made = [_remedy(*key, group) for key, group in grouped.items()]
    return sorted(made, key=_place)


def _place(one: Remedy) -> tuple[datetime, str, int, str, str, str]:
    return (
        one.due or _NEVER, one.rank, -len(one.mended), one.system, one.ecosystem, one.package,
    )  # fmt: skip


def _remedy(system: str, ecosystem: str, package: str, group: list[Flawed]) -> Remedy:
    ordered = sorted(group, key=lambda one: (one.rank, one.flaw))
    fixes = {one.fixed for one in group if one.fixed}
    mended = dict.fromkeys(one.flaw for one in ordered if one.fixed)
    left = dict.fromkeys(one.flaw for one in ordered if not one.fixed)
    return Remedy(
        system=system,
        ecosystem=ecosystem,
        package=package,
        versions=tuple(sorted({one.version for one in group})),
        target=max(fixes, key=lambda version: _height(ecosystem, version), default=""),
        mended=tuple(one for one in mended if one not in left),
        left=tuple(left),
        due=min((one.due for one in group if one.due is not None), default=None),
        rank=ordered[0].rank,
    )


def _height(ecosystem: str, version: str) -> tuple[bool, bytes, str]:
    key = key_of(ecosystem, version)
    if isinstance(key, bytes):
        return False, key, version
    return True, b"", version
