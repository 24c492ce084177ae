"""Where attempts leave what they hand in: outside of the sandbox, for the judge alone.

Bytes lie here from the moment in which they are handed in until they are judged.  What the agent
does afterwards, to its files or in what it says, changes nothing of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from clearhouse.benchmark.evaluation.closing import Close, Way


@dataclass
class Attempt:
    """One attempt while it lasts."""

    way: Way | None = None
    data: bytes = b""
    limit: str | None = None
    refused: bool = False
    gave_up: bool = False
    finished: bool = False
    """Nothing more is wanted of it."""

    def hand_in(self, data: bytes, way: Way) -> bool:
        """Take the one input; false where there is one already, which stays."""
        if self.way is not None:
            return False
        self.way, self.data = way, data
        return True

    @property
    def over(self) -> bool:
        """Whether there is nothing left to be done."""
        return self.way is not None or self.gave_up or self.finished

    def ending(self) -> Close:
        """How it ended, as a value."""
        return Close(self.way, self.limit, self.refused, self.gave_up)


@dataclass
class Desk:
    """The attempts of one task, by the samples' own numbers."""

    _attempts: dict[str, Attempt] = field(default_factory=dict)

    def begin(self, key: str) -> Attempt:
        """A new attempt; one that was interrupted before is forgotten."""
        self._attempts[key] = Attempt()
        return self._attempts[key]

    def find(self, key: str) -> Attempt:
        """The attempt that goes on.  Raises ``KeyError`` where none does."""
        return self._attempts[key]

    def take(self, key: str) -> Attempt:
        """The attempt that has ended; it is gone from here afterwards."""
        return self._attempts.pop(key, None) or Attempt()
