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


def ending_of_errand(close: Close, handed_in: int, good: int) -> Ending:
    """The ending of an attempt in which each of several things was judged when it was handed in.

    1. Something that holds is a solution, whatever ended the attempt.
    2. Otherwise it is a limit that ended it, a refusal, or that it had nothing;
    3. and a failure where it handed in what does not hold, and neither limit nor refusal came.
    """
    if good:
        return Ending.SOLVED
    failed = handed_in > 0 and close.limit is None and not close.refused
    way = Way.SUBMITTED if failed else None
    return ending_of(Close(way, close.limit, close.refused, close.gave_up), None)


def counted(endings: Iterable[Ending]) -> dict[str, int]:
    """How often each ending came, all of them named."""
    found = Counter(endings)
    return {ending.value: found[ending] for ending in Ending}
