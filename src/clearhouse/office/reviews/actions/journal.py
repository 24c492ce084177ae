"""What every deed begins and ends with: the review, held; its line and its entry in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from clearhouse.errors import NotFound
from clearhouse.ledger.entry import JSON
from clearhouse.office.authorisation import ReviewDeed, may_in_review
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.reviews.models import Review, ReviewLine
from clearhouse.office.reviews.queries.sight import find_review, standing_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.review import ReviewEvent, ReviewState, Side, after
from clearhouse.protocol.roles import Role, Scope
from clearhouse.protocol.window import Window

_TEXT: Final = 1000
_SIDES: Final = {Role.DEVELOPER: Side.DEVELOPER, Role.COORDINATOR: Side.OFFICE}
CLOCK: Final = "clearhouse"
#: What is said to who sees it and may not do this, and to who does not see it.
NOTHING: Final = "there is nothing of the kind to do here"


def locked_review(viewer: Viewer, name: str, deed: ReviewDeed) -> tuple[Review, Side | None]:
    """The review, held for this transaction, and the side that the viewer is.

    Raises :class:`NotFound` where it does not exist for the viewer, and where the deed does not.
    """
    found, _ = find_review(viewer, name)
    viewer.needs(Scope.REVIEWS_WRITE)
    review = held(found.pk)
    # Judged once it is held: it may have been withdrawn meanwhile.
    standing = standing_of(viewer, review)
    if standing is None or not may_in_review(deed, standing):
        raise NotFound(NOTHING)
    return review, _SIDES.get(standing.role)


def locked_by_side(viewer: Viewer, name: str, deed: ReviewDeed) -> tuple[Review, Side]:
    """The same for what only the two sides do."""
    review, side = locked_review(viewer, name, deed)
    if side is None:
        raise NotFound(NOTHING)
    return review, side


def held(review: int) -> Review:
    """A review, locked for this transaction."""
    rows = Review.objects.select_related("organisation")
    return rows.select_for_update(no_key=True, of=("self",)).get(pk=review)


def note(
    review: Review,
    kind: str,
    text: str,
    *,
    by: str,
    now: datetime,
    facts: Mapping[str, JSON] | None = None,
) -> ReviewLine:
    """Write a decision down: a line for the review's parties, an entry in the ledger.

    ``facts`` are states, numbers and digests: no name of a model, an organisation or a person.
    """
    entry = record(f"review.{kind}", review.name, facts or {}, now=now)
    return ReviewLine.objects.create(
        review=review, at=now, kind=kind, text=text[:_TEXT], by=by, entry=entry.index
    )


def move(review: Review, event: ReviewEvent, *, by: Side) -> None:
    """Let the review move by its table; the caller saves it.  Raises :class:`Refused`."""
    review.state = after(ReviewState(review.state), event, by=by).value


def put_window(review: Review, window: Window) -> None:
    """Write a window into its review; the caller saves it."""
    review.window = window.state.value
    review.days = window.length.days
    review.agreed_by = sorted(one.value for one in window.agreed_by)
    review.paused_by = sorted(one.value for one in window.paused_by)
    review.starts_at, review.ends_at = window.starts_at, window.ends_at
