"""Rooms above that have to look when something has changed for a system."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Follower = Callable[[int, datetime], None]
"""Notes that a system, by its key, was matched or judged again, or retired.

It is called within the transaction of that, while the system is held, and has to be short.
"""

_FOLLOWERS: list[Follower] = []


def follows(act: Follower) -> Follower:
    """Register what a room does; a decorator."""
    if act not in _FOLLOWERS:
        _FOLLOWERS.append(act)
    return act


def tell_followers(system: int, now: datetime) -> None:
    """Say that something may have changed for a system."""
    for act in _FOLLOWERS:
        act(system, now)
