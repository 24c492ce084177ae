"""Who has access to a model under review at a moment: the one question, from stored facts alone.

Asked at each use and within a running one.  Nothing has to be done for access to end: what is
stored stays as it is, and the answer changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clearhouse.protocol.partners import Choice, Part
from clearhouse.protocol.partners import has_access as is_chosen
from clearhouse.protocol.review import ReviewState
from clearhouse.protocol.window import LONGEST, Window, is_open


@dataclass(frozen=True, slots=True)
class Facts:
    """What an access follows from.

    ``choice`` is the third party's, None for the government itself.  ``is_bound`` is whether the
    party has agreed to the terms as they are.
    """

    state: ReviewState
    window: Window
    is_bound: bool
    choice: Choice | None = None


def has_access(facts: Facts, now: datetime) -> bool:
    """Whether a party has access.

    1. The review is open: a withdrawal alone ends all access.  2. The party is bound by the terms.
    3. The window is open.  4. A third party was chosen by both sides, joined, and is not the first.
    """
    if facts.state is not ReviewState.OPEN or not facts.is_bound:  # 1, 2
        return False
    if facts.choice is None:
        return is_open(facts.window, now)  # 3
    return is_chosen(facts.choice, facts.window, now)  # 3, 4


def latest_end(window: Window) -> datetime | None:
    """When access ends at the latest, whatever else happens; None before a window has started."""
    if window.starts_at is None or window.ends_at is None:
        return None
    return min(window.ends_at, window.starts_at + LONGEST)


def part_of(choice: Choice | None) -> str:
    """What a party is called to others: the government, a trusted partner, an assessor."""
    if choice is None:
        return "the government"
    return "trusted partner" if choice.part is Part.PARTNER else "third-party assessor"
