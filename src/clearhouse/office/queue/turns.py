"""Whose turn it is, as arithmetic: start-time fair queueing (Goyal, Vin and Cheng 1996)."""

from __future__ import annotations


def turn(passed: float, clock: float, weight: float) -> tuple[float, float]:
    """Where a lane's turn starts in virtual time, and where the lane stands after it.

    A lane that fell behind the clock was idle or held back, and starts from the clock: it goes
    before those that were served meanwhile, once, and then takes turns with them.
    """
    start = max(passed, clock)
    return start, start + 1 / weight


def ahead_in_other_lane(
    waiting: int, passed: float, weight: float, *, until: float, clock: float
) -> int:
    """How many of another lane's waiting jobs go before a turn that starts at ``until``."""
    turns = (until - max(passed, clock)) * weight
    return min(waiting, max(0, round(turns)))
