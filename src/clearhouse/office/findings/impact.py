"""How bad a finding probably is, for the order in which proofs are run.  Pure.

It decides who waits, never who is right: the run does.
"""

from __future__ import annotations

from typing import Final

from clearhouse.proof.effects import Effect

#: What an attacker gets by each effect, from nothing to everything.
_BY_EFFECT: Final = {
    Effect.EXECUTE: 90,
    Effect.WRITE_OUTSIDE: 80,
    Effect.BYPASS: 70,
    Effect.READ_OUTSIDE: 60,
    Effect.CONNECT: 60,
    Effect.CRASH: 50,
    Effect.MEMORY: 40,
    Effect.HANG: 40,
    Effect.EXCEPTION: 30,
}
#: A flaw that no release has fixed is worth more than one that anyone can update away.
_UNFIXED: Final = 9


def impact_of(effect: Effect, *, fixed: str | None) -> int:
    """The likely impact, from 0 to 99."""
    base = _BY_EFFECT[effect]
    return base if fixed else base + _UNFIXED
