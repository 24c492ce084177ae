"""Reviews held against the ledger: each line of a timeline, and how each review stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from clearhouse.office.batches import batches
from clearhouse.office.ledgerbook.cross_checks import Contradiction, cross_check
from clearhouse.office.ledgerbook.queries import entries_at, entries_of
from clearhouse.office.reviews.models import Review, ReviewLine
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.review import ReviewState

_AT_ONCE: Final = 2000
#: The states that an entry tells of, by its kind.
_SAID: Final = {
    "review.submitted": ReviewState.SUBMITTED,
    "review.opened": ReviewState.OPEN,
    "review.finished": ReviewState.FINISHED,
    "review.declined": ReviewState.DECLINED,
    "review.withdrawn": ReviewState.WITHDRAWN,
}


@cross_check
def review_lines() -> Iterator[Contradiction]:
    """Each line of a timeline has an entry of its kind, about its review."""
    rows = ReviewLine.objects.order_by("pk").values_list("review__name", "kind", "entry")
    for some in batches(rows, _AT_ONCE):
        there = entries_at(SYSTEM, [index for _, _, index in some])
        for name, kind, index in some:
            entry = there.get(index)
            if entry is None:
                yield Contradiction(name, index, f"{kind} stands in its timeline without an entry")
            elif (entry.kind, entry.subject) != (f"review.{kind}", name):
                yield Contradiction(name, index, f"the entry is {entry.kind} of {entry.subject}")


@cross_check
def review_states() -> Iterator[Contradiction]:
    """A review is finished, declined or withdrawn exactly where an entry says so."""
    said: dict[tuple[str, str], int] = {}
    for entry in entries_of(SYSTEM, tuple(_SAID)):
        said[entry.subject, _SAID[entry.kind].value] = entry.index
    for name, state, submitted_at in Review.objects.order_by("pk").values_list(
        "name", "state", "submitted_at"
    ):
        if submitted_at is not None and (name, ReviewState.SUBMITTED.value) not in said:
            yield Contradiction(name, None, "it was submitted without an entry")
        if ReviewState(state).is_over and submitted_at is not None and (name, state) not in said:
            yield Contradiction(name, None, f"it is {state} without an entry")
        withdrawn = said.get((name, ReviewState.WITHDRAWN.value))
        if withdrawn is not None and state != ReviewState.WITHDRAWN:
            yield Contradiction(name, withdrawn, "the entry says that it was withdrawn")
