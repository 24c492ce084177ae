"""Ordered version keys, one module for each package ecosystem.

Every module has the same three functions: ``parse`` (an ordered key, or ``OutsideGrammar`` saying
why there is none), ``sort_key`` (a total order over any strings, for sorting) and ``compare``.
Pure: no files, no network, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutsideGrammar:
    """A version string that the ecosystem's grammar does not know, and so does not order."""

    text: str
    expected: str
    """The grammar, by name, for a message to a person."""
