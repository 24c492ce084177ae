"""Which flaws touch a system, and how that changes with what is installed and what is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from clearhouse.exposure.matching import Answer, Component, Decision, Match, Vulnerabilities

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class MayBe:
    """A package that a list may name, though nothing on the list says that it is this one."""

    component: Component
    """The package, without version, and the entry that may be it."""
    because: str


@dataclass(frozen=True, slots=True)
class Touch:
    """One flaw, and every component of a system that it touches."""

    flaw: str
    """The most common of its identifiers."""
    ids: tuple[str, ...]
    matches: tuple[Match, ...]
    """What is affected before what cannot be told."""
    may_be: tuple[Match, ...] = ()
    """Of packages that a list may name; each cannot be told."""

    @property
    def all(self) -> tuple[Match, ...]:
        """What is listed, and what may be."""
        return (*self.matches, *self.may_be)

    @property
    def answer(self) -> Answer:
        """Affected where any component is."""
        return self.leading.answer

    @property
    def leading(self) -> Match:
        """The match whose record tells of the flaw."""
        return self.all[0]


def touches(
    components: Iterable[Component], known: Vulnerabilities, may_be: Iterable[MayBe] = ()
) -> list[Touch]:
    """Every flaw of ``known`` that touches the components, or what may be, by its identifier.

    Of what may be there, a flaw cannot be told also where every version is affected.
    """
    found: dict[tuple[str, ...], list[Match]] = defaultdict(list)
    unsure: dict[tuple[str, ...], list[Match]] = defaultdict(list)
    for component in components:
        for match in known.matches(component):
            found[match.ids].append(match)
    for one in may_be:
        cannot_be_told = Decision(Answer.UNDECIDED, one.because)
        for match in known.matches(one.component):
            unsure[match.ids].append(replace(match, decision=cannot_be_told))
    return sorted(
        (
            Touch(
                ids[0], ids, tuple(sorted(found.get(ids, ()), key=_affected_first)),
                tuple(sorted(unsure.get(ids, ()), key=_affected_first)),
            )
            for ids in {**found, **unsure}
        ),
        key=lambda one: one.flaw,
    )  # fmt: skip


def _affected_first(match: Match) -> tuple[bool, str, str, str]:
    one = match.component
    return match.answer is Answer.UNDECIDED, one.name, one.version, one.place


@dataclass(frozen=True, slots=True)
class Change(Generic[Key]):
    """What has become of the flaws that touched a system, by the keys that the caller gave."""

    stayed: Mapping[Key, Touch]
    came: tuple[Touch, ...]
    gone: tuple[Key, ...]


def change(before: Mapping[Key, Sequence[str]], now: Iterable[Touch]) -> Change[Key]:
    """Which of the flaws before, given by their identifiers, are still there.

    A flaw is the same while its first identifier is, and else while one identifier is left: a
    flaw that gets its CVE stays the one that it was.  Each of before is at most one of now.  What
    may be there keeps a flaw, and never makes one come.
    """
    coming = list(now)
    by_first = {ids[0]: key for key, ids in before.items() if ids}
    stayed: dict[Key, Touch] = {}
    rest: list[Touch] = []
    for one in coming:
        key = by_first.get(one.flaw)
        if key is not None and key not in stayed:
            stayed[key] = one
        else:
            rest.append(one)
    by_name: dict[str, list[Key]] = defaultdict(list)
    for key, ids in before.items():
        for name in ids:
            by_name[name].append(key)
    came: list[Touch] = []
    for one in rest:
        keys = (key for name in one.ids for key in by_name[name] if key not in stayed)
        known = next(keys, None)
        if known is None and one.matches:
            came.append(replace(one, may_be=()))
        elif known is None:
            continue
        else:
            stayed[known] = one
    return Change(stayed, tuple(came), tuple(key for key in before if key not in stayed))
