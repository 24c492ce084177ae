"""The access window: proposed, agreed, started by the developer, paused, shortened, ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from clearhouse.errors import Refused
from clearhouse.office.authorisation import ReviewDeed
from clearhouse.office.reviews.actions.access import (
    end_all_access,
    follow_window,
    open_access,
)
from clearhouse.office.reviews.actions.journal import (
    CLOCK,
    held,
    locked_by_side,
    move,
    note,
    put_window,
)
from clearhouse.office.reviews.models import Review
from clearhouse.office.reviews.queries.values import window_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol import window as rules
from clearhouse.protocol.partners import ChoiceState
from clearhouse.protocol.review import ReviewEvent, ReviewState, Side
from clearhouse.protocol.window import Window, WindowState


def propose_window(viewer: Viewer, name: str, days: int, *, now: datetime) -> Review:
    """Propose how many days it is to be, 30 at most."""
    text = f"A window of {days} days is proposed."
    return _change(
        viewer, name, "window-proposed", text, lambda window, side: rules.propose(
            window, timedelta(days=days), by=side
        ), now=now,
    )  # fmt: skip


def agree_window(viewer: Viewer, name: str, *, now: datetime) -> Review:
    """Agree to what the other side proposed."""
    return _change(
        viewer, name, "window-agreed", "The window is agreed on by both sides.",
        lambda window, side: rules.agree(window, by=side), now=now,
    )  # fmt: skip


def start_window(viewer: Viewer, name: str, *, now: datetime) -> Review:
    """Give access now: the developer's own decision, after both agreed on terms and window."""
    with transaction.atomic():
        review, side = locked_by_side(viewer, name, ReviewDeed.OWN)
        move(review, ReviewEvent.OPEN, by=side)
        begun = rules.start(window_of(review), now=now, first_started_at=_first_start(review))
        put_window(review, begun)
        review.save()
        assert begun.ends_at is not None
        note(
            review, "opened", f"The window is open until {begun.ends_at:%Y-%m-%d %H:%M} UTC.",
            by=viewer.name, now=now, facts={"ends_at": begun.ends_at.isoformat()},
        )  # fmt: skip
        open_access(review, None, by=viewer.name, now=now)
        joined = review.parties.filter(state=ChoiceState.JOINED).select_related("organisation")
        for party in joined:
            open_access(review, party, by=viewer.name, now=now)
        return review


def pause_window(viewer: Viewer, name: str, *, now: datetime) -> Review:
    """No access until it is resumed; the end stays."""
    return _change(
        viewer, name, "paused", "The window is paused; its end stays where it is.",
        lambda window, side: rules.pause(window, by=side, now=now), now=now,
    )  # fmt: skip


def resume_window(viewer: Viewer, name: str, *, now: datetime) -> Review:
    """Take one's own pause back."""
    return _change(
        viewer, name, "resumed", "A pause was taken back.",
        lambda window, side: rules.resume(window, by=side, now=now), now=now,
    )  # fmt: skip


def shorten_window(viewer: Viewer, name: str, ends_at: datetime, *, now: datetime) -> Review:
    """Bring its end forward."""
    return _change(
        viewer, name, "shortened", f"The window ends earlier: {ends_at:%Y-%m-%d %H:%M %Z}.",
        lambda window, side: rules.shorten(window, ends_at, by=side, now=now), now=now,
    )  # fmt: skip


def end_window(viewer: Viewer, name: str, *, now: datetime) -> Review:
    """End it now; either side may, alone."""
    with transaction.atomic():
        review, side = locked_by_side(viewer, name, ReviewDeed.AGREE)
        _end(review, side, by=viewer.name, now=now)
        return review


@transaction.atomic
def tick(now: datetime) -> None:
    """Write down what time has ended; whoever calls it twice has done it once.

    Nobody has had access since the end: this notes it, and asks for what was lent.
    """
    due = Review.objects.filter(
        state=ReviewState.OPEN,
        window__in=[WindowState.RUNNING, WindowState.PAUSED],
        ends_at__lte=now,
    )
    # All are held before the first entry is written, in one order: who holds one of them and waits
    # to write waits for nobody who waits for it.
    for review in [held(pk) for pk in sorted(due.values_list("pk", flat=True))]:
        is_open = ReviewState(review.state) is ReviewState.OPEN
        if is_open and rules.is_over(window_of(review), now):
            _end(review, Side.CLOCK, by=CLOCK, now=now)


def _end(review: Review, side: Side, *, by: str, now: datetime) -> None:
    window = window_of(review)
    if ReviewState(review.state) is not ReviewState.OPEN:
        raise Refused(f"the review is {review.state}: no window runs")
    ended = rules.end(window, now=now)
    move(review, ReviewEvent.END, by=side)
    put_window(review, ended)
    review.save()
    assert ended.ends_at is not None
    note(
        review, "window-ended", f"The window ended at {ended.ends_at:%Y-%m-%d %H:%M} UTC.",
        by=by, now=now, facts={"ended_at": ended.ends_at.isoformat(), "by": side.value},
    )  # fmt: skip
    end_all_access(review, by=by, now=now)


def _change(
    viewer: Viewer,
    name: str,
    kind: str,
    text: str,
    rule: Callable[[Window, Side], Window],
    *,
    now: datetime,
) -> Review:
    with transaction.atomic():
        review, side = locked_by_side(viewer, name, ReviewDeed.AGREE)
        state = ReviewState(review.state)
        if state.is_over or state is ReviewState.DRAFTED:
            raise Refused(f"the review is {review.state}")
        put_window(review, rule(window_of(review), side))
        review.save()
        note(
            review, kind, text, by=viewer.name, now=now,
            facts={"days": review.days, "window": review.window, "by": side.value},
        )  # fmt: skip
        follow_window(review, now=now)
        return review


def _first_start(review: Review) -> datetime | None:
    """When the first window of the same developer on a model of that name started, if one did."""
    same = Review.objects.filter(
        organisation=review.organisation_id, model__iexact=review.model, starts_at__isnull=False
    ).exclude(pk=review.pk)
    return same.order_by("starts_at").values_list("starts_at", flat=True).first()
