"""Reading many records without Python's collector looking at each again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collecting() -> Iterator[None]:
    """Leave the search for cyclic garbage until the end of the block, where it was on.

    Records are trees and have no cycles, and the search walks all that were read so far: over some
    ten thousand advisories it takes a fifth of the time.  What is no cycle is freed as ever.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
