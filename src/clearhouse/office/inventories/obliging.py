"""Rooms above that know by when something has to be done, beside what a judgement says itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from clearhouse.exposure.judging.facts import Fact

Obliging = Callable[[Collection[int]], Mapping[int, Fact[datetime]]]
"""Of exposures, by their keys, the earliest date that is set for each, and who sets it."""

_OBLIGING: list[Obliging] = []


def obliges(ask: Obliging) -> Obliging:
    """Register what a room knows; a decorator."""
    if ask not in _OBLIGING:
        _OBLIGING.append(ask)
    return ask


def obliged_dates(exposures: Collection[int]) -> dict[int, Fact[datetime]]:
    """The earliest date that anything sets for each of these exposures, if any does."""
    found: dict[int, Fact[datetime]] = {}
    for ask in _OBLIGING:
        for key, fact in ask(exposures).items():
            found[key] = min(found.get(key, fact), fact, key=lambda one: one.value)
    return found
