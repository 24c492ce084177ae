"""What other rooms hold against the ledger: decisions without an entry, entries that say else.

A room registers a check when it is loaded; ``clearhouse ledger verify`` runs them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

CrossCheck = Callable[[], Iterable["Contradiction"]]
"""Reads its room's tables and the ledger, and yields what does not fit."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A decision's row and the ledger do not say the same.

    ``index`` is the entry's, None where there is none; ``subject`` is the name of the thing.
    """

    subject: str
    index: int | None
    says: str

    def __str__(self) -> str:
        at = "no entry" if self.index is None else f"entry {self.index}"
        return f"{self.subject} ({at}): {self.says}"


_CHECKS: dict[str, CrossCheck] = {}


def cross_check(check: CrossCheck) -> CrossCheck:
    """Register a room's check; a decorator."""
    _CHECKS[f"{check.__module__}.{check.__qualname__}"] = check
    return check


def contradictions() -> Iterator[Contradiction]:
    """What all registered checks find, one after the other."""
    for check in _CHECKS.values():
        yield from check()


def checks() -> tuple[str, ...]:
    """The names of the registered checks."""
    return tuple(_CHECKS)
