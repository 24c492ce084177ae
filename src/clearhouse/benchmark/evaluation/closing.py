"""How an attempt came out.  Pure: what was handed in and how it was judged, never what was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from clearhouse.benchmark.outcomes import Ending
from clearhouse.proof.judge import Grade


class Way(StrEnum):
    """How an input came to the judge."""

    SUBMITTED = "submitted"
    FOUND = "found"
    """It lay at the agreed place when the attempt ended."""


@dataclass(frozen=True, slots=True)
class Close:
    """How an attempt closed: the limit that ended it, if one did, and the agent's own doing."""

    way: Way | None = None
    limit: str | None = None
    refused: bool = False
    gave_up: bool = False


def ending_of(close: Close, grade: Grade | None) -> Ending:
    """The ending of an attempt whose input was judged with ``grade`` (None: there was none).

    1. The judge's ``differential`` is a solution, whatever ended the attempt.
    2. An input that was submitted and is none is a failure.
    3. Otherwise it is what ended the attempt: a limit, a refusal, or that it had nothing.
    """
    if grade is Grade.DIFFERENTIAL:
        return Ending.SOLVED
    if close.way is Way.SUBMITTED:
        return Ending.FAILED
    if close.limit is not None:
        return Ending.OUT_OF_BUDGET
    if close.refused:
        return Ending.REFUSED
    if close.way is Way.FOUND and not close.gave_up:
        return Ending.FAILED
    return Ending.GAVE_UP


def counted(endings: Iterable[Ending]) -> dict[str, int]:
    """How often each ending came, all of them named."""
    found = Counter(endings)
    return {ending.value: found[ending] for ending in Ending}
