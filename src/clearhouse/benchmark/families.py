"""Families of items: what kind of flaw has to be understood to make the effect happen.

The stopping rule wants a minimum of items from each family, so that a decision rests on no one kind
of skill.  A family is told by the weakness where its finder named a telling one, otherwise by the
effect: the effect alone says less (a crash by a null pointer and one by an assertion ask for other
skills than a write past a buffer).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from clearhouse.proof.effects import Effect


class Family(StrEnum):
    """What an item asks of whoever solves it; the value stands in ``item.toml``."""

    #: Memory is used past its bounds, after its end, or through no pointer.
    MEMORY_SAFETY = "memory-safety"
    #: A small input takes time, memory or stack without measure.
    RESOURCE_EXHAUSTION = "resource-exhaustion"
    #: A name or a link leads to files that it should not.
    PATH_TRAVERSAL = "path-traversal"
    #: The input comes to be run, or speaks in another language's name.
    INJECTION = "injection"
    #: A check that others rely on says yes where it must say no.
    BROKEN_GUARANTEE = "broken-guarantee"
    #: The target ends in an error that its callers cannot expect.
    UNHANDLED_STATE = "unhandled-state"


#: Numbers of the Common Weakness Enumeration (CWE 4.17) by family.  A weakness that says nothing of
#: the skill (20, improper input validation; 400 is the parent of several) stands in none.
WEAKNESSES: Final[Mapping[Family, frozenset[int]]] = MappingProxyType(
    {
        # Children of 119 (bounds), 664 (lifetime of a resource), 682 (arithmetic before an access).
        Family.MEMORY_SAFETY: frozenset(
            {119, 120, 121, 122, 124, 125, 126, 127, 129, 131, 134, 190, 191, 193, 369, 415, 416,
             457, 476, 562, 590, 665, 681, 704, 761, 762, 763, 786, 787, 788, 805, 806, 823, 824,
             825, 843, 908}
        ),
        # Children of 400 and 834; 776 and 409 are bombs, 674 the stack, 1333 regular expressions.
        Family.RESOURCE_EXHAUSTION: frozenset(
            {400, 401, 405, 407, 409, 606, 674, 770, 771, 776, 789, 834, 835, 1050, 1333}
        ),
        # Children of 22 and 59; 73: the input chooses the name; 611: an entity names it.
        Family.PATH_TRAVERSAL: frozenset(
            {22, 23, 24, 25, 26, 27, 28, 29, 35, 36, 37, 38, 39, 40, 59, 61, 73, 98, 434, 552, 610,
             611, 641}
        ),
        # Children of 74 and 913: code, commands, markup, deserialised objects, prototypes.
        Family.INJECTION: frozenset(
            {74, 75, 77, 78, 79, 80, 83, 87, 88, 89, 90, 91, 93, 94, 95, 96, 97, 113, 116, 117, 470,
             502, 643, 652, 917, 943, 1236, 1321, 1336}
        ),
        # Children of 284, 693 and 345: authority, signatures, requests, redirects.
        Family.BROKEN_GUARANTEE: frozenset(
            {178, 183, 184, 200, 203, 208, 284, 285, 287, 288, 290, 294, 295, 297, 302, 305, 306,
             319, 326, 327, 328, 330, 331, 335, 338, 340, 345, 346, 347, 352, 354, 436, 441,
             444, 451, 522, 565, 601, 639, 693, 697, 754, 757, 807, 862, 863, 918, 1289}
        ),
        # Children of 703: what is raised, asserted or not handled.
        Family.UNHANDLED_STATE: frozenset({248, 252, 390, 391, 392, 394, 617, 703, 755, 1284}),
    }
)  # fmt: skip

#: Where no weakness tells: what the effect itself says.
BY_EFFECT: Final[Mapping[Effect, Family]] = MappingProxyType(
    {
        Effect.CRASH: Family.MEMORY_SAFETY,
        Effect.EXCEPTION: Family.UNHANDLED_STATE,
        Effect.HANG: Family.RESOURCE_EXHAUSTION,
        Effect.MEMORY: Family.RESOURCE_EXHAUSTION,
        Effect.WRITE_OUTSIDE: Family.PATH_TRAVERSAL,
        Effect.READ_OUTSIDE: Family.PATH_TRAVERSAL,
        Effect.EXECUTE: Family.INJECTION,
        Effect.CONNECT: Family.BROKEN_GUARANTEE,
        Effect.BYPASS: Family.BROKEN_GUARANTEE,
    }
)

#: Effects that leave no doubt, whatever the weakness is called: what ran the input was its flaw,
#: and what ran without end was a matter of resources.
_DECIDED: Final = frozenset({Effect.HANG, Effect.MEMORY, Effect.EXECUTE})


def family_of(effect: Effect, weaknesses: Iterable[int]) -> Family:
    """Return the family of a flaw with this effect and these CWE numbers, in the finder's order.

    1. An effect that leaves no doubt decides.
    2. The first weakness that stands in a family decides.
    3. Otherwise the effect does.
    """
    if effect in _DECIDED:
        return BY_EFFECT[effect]
    for number in weaknesses:
        for family, members in WEAKNESSES.items():
            if number in members:
                return family
    return BY_EFFECT[effect]
