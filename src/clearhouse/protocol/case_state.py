"""Case state: which of six things have happened to a vulnerability, and which can happen next.

Householder and Spring, "A State-Based Model for Multi-Party Coordinated Vulnerability Disclosure"
(CMU/SEI-2021-SR-021).  Three of the things are each vendor's own, three are the world's:

1. things happen one at a time, and never unhappen;
2. a fix is ready only with a vendor that is aware, and deployed only when it is ready;
3. what is public makes the vendor aware before anything else happens;
4. an exploit that is public makes the vulnerability public before anything else happens;
5. attacks may go on unknown to the public.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

from clearhouse.errors import Invalid, Refused


class CaseEvent(StrEnum):
    """Something that happens to a vulnerability, by its letter in the model."""

    VENDOR_AWARE = "V"
    FIX_READY = "F"
    FIX_DEPLOYED = "D"
    PUBLIC = "P"
    EXPLOIT_PUBLIC = "X"
    ATTACKS = "A"


_ORDER: Final = tuple(CaseEvent)
_NEEDS: Final = {
    CaseEvent.FIX_READY: CaseEvent.VENDOR_AWARE,
    CaseEvent.FIX_DEPLOYED: CaseEvent.FIX_READY,
}
_PLAIN: Final = {
    CaseEvent.VENDOR_AWARE: "the vendor is aware",
    CaseEvent.FIX_READY: "a fix is ready",
    CaseEvent.FIX_DEPLOYED: "the fix is deployed",
    CaseEvent.PUBLIC: "the vulnerability is public",
    CaseEvent.EXPLOIT_PUBLIC: "an exploit is public",
    CaseEvent.ATTACKS: "attacks have been seen",
}


@dataclass(frozen=True, slots=True)
class CaseState:
    """What has happened so far, for one vendor.  Only states of the model can be made.

    Raises :class:`Invalid` for a combination that no order of events leads to.
    """

    happened: frozenset[CaseEvent] = frozenset()

    def __post_init__(self) -> None:
        for event, before in _NEEDS.items():
            if event in self.happened and before not in self.happened:
                raise Invalid(f"{_PLAIN[event]}, but not that {_PLAIN[before]}")

    @classmethod
    def parse(cls, letters: str) -> CaseState:
        """Read the model's notation: ``VFdpxa`` is a fix that is ready and not yet deployed.

        Raises :class:`Invalid` for anything else.
        """
        if [letter.upper() for letter in letters] != [event.value for event in _ORDER]:
            raise Invalid(f"{letters!r} is no case state: six letters like VFdpxa are expected")
        return cls(frozenset(e for e, letter in zip(_ORDER, letters, strict=True) if letter == e))

    def __str__(self) -> str:
        """The model's notation."""
        return "".join(e.value if e in self.happened else e.value.lower() for e in _ORDER)

    @property
    def possible(self) -> tuple[CaseEvent, ...]:
        """What can happen next; a single one where the model lets nothing else come first."""
        if CaseEvent.EXPLOIT_PUBLIC in self.happened and CaseEvent.PUBLIC not in self.happened:
            return (CaseEvent.PUBLIC,)  # 4
        if CaseEvent.PUBLIC in self.happened and CaseEvent.VENDOR_AWARE not in self.happened:
            return (CaseEvent.VENDOR_AWARE,)  # 3
        return tuple(
            event
            for event in _ORDER
            if event not in self.happened  # 1
            and (event not in _NEEDS or _NEEDS[event] in self.happened)  # 2
        )

    def after(self, event: CaseEvent) -> CaseState:
        """The state once ``event`` has happened.  Raises :class:`Refused` where it cannot."""
        if event in self.happened:
            raise Refused(f"that {_PLAIN[event]} is recorded already")
        if event not in self.possible:
            first = " or ".join(f"that {_PLAIN[one]}" for one in self.possible) or "nothing"
            raise Refused(f"before {_PLAIN[event]}, record {first}")
        return CaseState(self.happened | {event})

    @property
    def may_begin_embargo(self) -> bool:
        """Whether an embargo can begin: not once the world knows anything (rule of section 4)."""
        world = {CaseEvent.PUBLIC, CaseEvent.EXPLOIT_PUBLIC, CaseEvent.ATTACKS}
        return not self.happened & (world | {CaseEvent.FIX_DEPLOYED})


def all_states() -> Iterator[CaseState]:
    """The 32 states of the model."""
    for count, world in product(range(4), product((False, True), repeat=3)):
        events = (event for event, is_so in zip(_ORDER[3:], world, strict=True) if is_so)
        yield CaseState(frozenset((*_ORDER[:count], *events)))


def histories() -> Iterator[tuple[str, float]]:
    """The 70 complete histories and how likely chance alone makes each.

    Chance means that each of the events possible at a time is as likely as the others.
    """

    def walk(state: CaseState, so_far: str, chance: float) -> Iterator[tuple[str, float]]:
        possible = state.possible
        if not possible:
            yield so_far, chance
        for event in possible:
            yield from walk(state.after(event), so_far + event.value, chance / len(possible))

    yield from walk(CaseState(), "", 1.0)
