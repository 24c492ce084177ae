"""A stretch of time that never was: many examples of one test, each on the same database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def rolled_back() -> Iterator[None]:
    """A stretch of time that never was."""
    held = transaction.atomic()
    held._from_testcase = True  # type: ignore[attr-defined] # as Django's TestCase marks its own
    with held:
        yield
        transaction.set_rollback(True)
