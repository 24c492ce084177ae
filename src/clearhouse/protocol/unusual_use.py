"""Unusual use of a grant: what is noticed, and what follows.

Rules look at what the gateway counts: requests by the hour, the hour of the day, refusals, texts
that were planted to be noticed.  A rule that says nothing of an endpoint's choice tells both sides;
it cuts only where the developer has said so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from statistics import median
from typing import Final


class Rule(StrEnum):
    """What is noticed."""

    VOLUME = "volume"  # far more in an hour than in its own past
    HOURS = "hours"  # outside of the hours that were agreed
    PATTERN = "pattern"  # one refusal after the other: somebody tries what is not allowed
    CANARY = "canary"  # a planted text passes
    CREDENTIAL = "credential"  # the developer's own secret would leave


class Consequence(StrEnum):
    """What follows."""

    ALERT = "alert"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Unusual:
    """Something that was noticed; ``says`` is a sentence for both sides, without contents."""

    rule: Rule
    says: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """When use counts as unusual.

    An hour is unusual with more than ``times`` the median of past hours that saw use, once there
    are ``least_hours`` of them, and never below ``least_requests``.  ``hours`` are those of the day
    in UTC that were agreed, all where none is named.  ``refusals`` are those of one minute.
    """

    times: int = 10
    least_hours: int = 3
    least_requests: int = 100
    hours: frozenset[int] = frozenset()
    refusals: int = 30


USUAL: Final = Bounds()


def consequence(chosen: Mapping[Rule, Consequence], rule: Rule) -> Consequence:
    """What follows from a rule.  A secret that would leave always cuts."""
    if rule is Rule.CREDENTIAL:
        return Consequence.CUT
    return chosen.get(rule, Consequence.ALERT)


def volume(past: Sequence[int], this_hour: int, bounds: Bounds = USUAL) -> Unusual | None:
    """Whether an hour's requests stand out of those of past hours."""
    used = [one for one in past if one > 0]
    if len(used) < bounds.least_hours or this_hour < bounds.least_requests:
        return None
    usual = median(used)
    if this_hour <= bounds.times * usual:
        return None
    return Unusual(
        Rule.VOLUME,
        f"{this_hour} requests in an hour; half of the past hours had {usual:g} at most",
    )


def hours(at: datetime, bounds: Bounds = USUAL) -> Unusual | None:
    """Whether a use lies outside of the hours that were agreed."""
    hour = at.astimezone(UTC).hour
    if not bounds.hours or hour in bounds.hours:
        return None
    return Unusual(Rule.HOURS, f"used at {hour:02}:00 UTC, outside of the agreed hours")


def pattern(refused: int, bounds: Bounds = USUAL) -> Unusual | None:
    """Whether so many refusals in a minute look like trying what is not allowed."""
    if refused <= bounds.refusals:
        return None
    return Unusual(Rule.PATTERN, f"{refused} requests were refused within a minute")


class Finder:
    """Looks for planted texts in bytes that come in pieces, also across their borders."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = tuple(one.encode() for one in texts if one)
        self._keep = max((len(one) for one in self._texts), default=1) - 1
        self._tail = b""

    def found_in(self, piece: bytes) -> bool:
        """Whether one of them ends in this piece."""
        if not self._texts:
            return False
        seen = self._tail + piece
        self._tail = seen[-self._keep :] if self._keep else b""
        return any(one in seen for one in self._texts)
