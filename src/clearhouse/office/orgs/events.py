"""What happened in this room, told to the rooms above it, which this one cannot know.

A listener is called in the transaction of the action: what it writes stands or falls with it, and
an error it raises undoes both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol


class Listener(Protocol):
    """Somebody who writes down what happened."""

    def __call__(
        self, kind: str, subject: str, facts: Mapping[str, Any], *, now: datetime
    ) -> object:
        """Take note.  ``facts`` are plain values for JSON."""
        ...


_LISTENERS: Final[list[Listener]] = []


def subscribe(listener: Listener) -> Callable[[], None]:
    """Tell ``listener`` from now on, once however often it asks; returns how to stop that."""
    if listener not in _LISTENERS:
        _LISTENERS.append(listener)

    def stop() -> None:
        if listener in _LISTENERS:
            _LISTENERS.remove(listener)

    return stop


def announce(kind: str, subject: str, facts: Mapping[str, Any], now: datetime) -> None:
    """Tell all listeners, in the order in which they came.

    People appear in ``facts`` by number only: what listens may keep it for ever, and a person may
    ask to be forgotten.
    """
    for listener in tuple(_LISTENERS):
        listener(kind, subject, facts, now=now)
