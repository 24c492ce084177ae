"""Many values in parts: a statement to the database has room for so many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

_One = TypeVar("_One")

#: SQLite took 999 parameters in a statement for long, and a query has a few of its own.
AT_ONCE: Final = 500


def batches(values: Iterable[_One], size: int = AT_ONCE) -> Iterator[list[_One]]:
    """The values in their order, in lists of ``size``, the last one with what is left.

    >>> list(batches("abc", 2))
    [['a', 'b'], ['c']]
    """
    coming = iter(values)
    while some := list(islice(coming, size)):
        yield some
