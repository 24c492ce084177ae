"""What the use of a model costs: a price list, and the most that a request can come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.protocol.grants import MOST, Amounts

_A_MILLION: Final = 1_000_000
#: Writing to a provider's cache costs more than reading; twice is the highest list price known.
_CACHE_WRITE: Final = 2


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that an answer says it used.  ``cached`` were written to the provider's cache."""

    read: int = 0
    written: int = 0
    cached: int = 0

    @property
    def tokens(self) -> int:
        """All of them."""
        return self.read + self.written + self.cached


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in millionths for a million tokens, and its longest answer in tokens.

    Raises :class:`Invalid` for what is no count.
    """

    read: int
    written: int
    longest: int

    def __post_init__(self) -> None:
        for key in ("read", "written", "longest"):
            if not 0 <= getattr(self, key) <= MOST:
                raise Invalid(f"expected a count from 0 to {MOST}", key=key)

    def of(self, usage: Usage) -> Amounts:
        """What one request has used up, rounded up."""
        cost = (usage.read + _CACHE_WRITE * usage.cached) * self.read + usage.written * self.written
        return Amounts(1, usage.tokens, -(-cost // _A_MILLION))

    def most(self, *, body_bytes: int, answer_tokens: int | None, answers: int) -> Amounts:
        """The most that a request can use up.

        A text has no more tokens than bytes; the answer is as long as was asked for, else as long
        as the model can make it.
        """
        each = self.longest if answer_tokens is None else max(0, answer_tokens)
        return self.of(Usage(body_bytes, min(each * max(1, answers), MOST), 0))
