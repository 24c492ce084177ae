"""From what a viewer sees of a review to what its page shows; nothing is looked up here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.urls import reverse

from clearhouse.office.authorisation import ReviewPart
from clearhouse.office.look.table import Column, Table
from clearhouse.office.reviews.forms import Book
from clearhouse.office.reviews.forms.base import ReviewForm
from clearhouse.office.reviews.models import LentThing, SealedOpening
from clearhouse.office.reviews.queries import ReviewView
from clearhouse.office.reviews.queries.figures import Exact
from clearhouse.office.reviews.queries.view import SeenParty
from clearhouse.protocol.evenness import Block, Row
from clearhouse.protocol.partners import ChoiceState
from clearhouse.protocol.returning import LoanState
from clearhouse.protocol.review import Purpose, ReviewState
from clearhouse.protocol.terms import Text
from clearhouse.protocol.two_person import WorkRole
from clearhouse.protocol.window import WindowState

_STATES: Final = {
    ReviewState.DRAFTED: "A draft: nobody else sees it",
    ReviewState.SUBMITTED: "Handed in: the terms are being agreed on",
    ReviewState.AGREED: "The terms are agreed on",
    ReviewState.OPEN: "The window is open",
    ReviewState.RETURNING: "The window has ended: what was lent goes back",
    ReviewState.FINISHED: "Finished",
    ReviewState.DECLINED: "Declined by the office",
    ReviewState.WITHDRAWN: "Withdrawn: nobody else sees that it was there",
}
_WINDOWS: Final = {
    WindowState.NONE: "No window is proposed yet.",
    WindowState.PROPOSED: "A window is proposed; the other side has not agreed yet.",
    WindowState.AGREED: "Both sides agreed on the window. The developer opens it.",
    WindowState.RUNNING: "The window is open.",
    WindowState.PAUSED: "The window is paused: nobody has access.",
    WindowState.ENDED: "The window is over.",
}
_CHOICES: Final = {
    ChoiceState.PROPOSED: "proposed; both sides have to agree",
    ChoiceState.AGREED: "agreed on by both sides; asked to join",
    ChoiceState.JOINED: "joined under the terms",
    ChoiceState.REFUSED: "refused",
    ChoiceState.REVOKED: "takes part no more",
}
_STEPS: Final = ("Handed in", "Terms agreed", "Window open", "Given back", "Finished")
_AT: Final = {
    ReviewState.DRAFTED: 1,
    ReviewState.SUBMITTED: 2,
    ReviewState.AGREED: 3,
    ReviewState.OPEN: 3,
    ReviewState.RETURNING: 4,
    ReviewState.FINISHED: 6,
}
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Item:
    """A thing of a list with the forms that are about it."""

    item: Any
    forms: Sequence[ReviewForm] = ()
    text: str = ""


class _Forms:
    """The forms of the page by name: ``forms.propose_window``."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def __getitem__(self, name: str) -> ReviewForm | None:
        return self._book.form(name.replace("_", "-"))


def context_of(view: ReviewView, book: Book, *, now: datetime) -> dict[str, Any]:
    """What the template of a review is given."""
    review, clock = view.review, view.clock
    state = ReviewState(review.state)
    sees_summary = ReviewPart.SUMMARY in view.parts
    return {
        "title": view.title,
        "view": view,
        "review": review,
        "now": now,
        "breadcrumb": [("Reviews", reverse("reviews:front")), (review.name, "")],
        "forms": _Forms(book),
        "sees_summary": sees_summary,
        "state_text": _STATES[state] if sees_summary else "",
        "purpose": Purpose(review.purpose).meaning if sees_summary else "",
        "steps": _STEPS,
        "step": _AT.get(state, 0) if sees_summary else 0,
        "clock": clock,
        "window_text": _WINDOWS[clock.state] if clock else "",
        "left": _in_words(clock.remaining) if clock else "",
        "texts": [
            Item(one, book.of(one.subject.value, "change-text"), _name_of(one))
            for one in (view.bound.terms.texts if view.bound else ())
        ],
        "parties": [_party(one, view, book) for one in view.parties or ()],
        "loans": [_loan(one, view, book) for one in view.loans],
        "openings": [_opening(one, book) for one in view.openings or ()],
        "shows_loans": bool(view.loans) or ReviewPart.LOANS in view.parts,
    }


def block_tables(block: Block) -> dict[str, Any]:
    """One block of the public figures."""
    span = block.first if block.first == block.last else f"{block.first} to {block.last}"
    return {
        "span": span,
        "block": block,
        "sectors": _rows(f"{span}, by sector", "Sector", block.sectors),
        "sizes": _rows(f"{span}, by size", "Size", block.sizes),
    }


def exact_tables(exact: Exact) -> tuple[Table, ...]:
    """The exact tables, for the office."""
    return (
        _rows("Reviews that are over, by the developer's sector", "Sector", exact.review_sectors),
        _rows("Reviews that are over, by the developer's size", "Size", exact.review_sizes),
        _rows("Third parties in them, by sector", "Sector", exact.party_sectors),
    )


def _rows(caption: str, group: str, rows: Iterable[Row]) -> Table:
    columns = (Column(group), Column("Asked", number=True), Column("Got access", number=True))
    return Table(caption, columns, tuple((one.group, one.asked, one.got) for one in rows))


def _party(seen: SeenParty, view: ReviewView, book: Book) -> Item:
    row = seen.row
    state = ChoiceState(row.state)
    verbs: tuple[str, ...] = ()
    # Who has agreed takes it back; who has not, agrees or refuses.
    agreed = view.side is not None and view.side.value in row.agreed_by
    left_out = ("agree-party", "refuse-party") if agreed else ("revoke-party",)
    if state is ChoiceState.PROPOSED:
        verbs = ("agree-party", "refuse-party", "revoke-party")
    elif state in (ChoiceState.AGREED, ChoiceState.JOINED):
        verbs = ("revoke-party",)
    forms = [one for one in book.of(row.name, *verbs) if one.verb not in left_out]
    return Item(seen, forms, _CHOICES[state])


def _opening(one: SealedOpening, book: Book) -> Item:
    approvals = list(one.approvals.all())
    names = ", ".join(f"{each.person.name} ({WorkRole(each.role).label})" for each in approvals)
    asked = {each.person_id for each in approvals}
    is_second = one.opened_at is None and book.person not in asked
    return Item(one, book.of(one.name, "approve-open") if is_second else (), names)


def _loan(row: LentThing, view: ReviewView, book: Book) -> Item:
    own = view.own.organisation_id if view.own is not None else None
    is_mine = row.holder_id == own and not view.is_developer
    state = LoanState(row.state)
    forms: list[ReviewForm] = []
    if is_mine and state is LoanState.LENT:
        forms = book.of(row.name, "return")
    elif is_mine and state is LoanState.RETURNED:
        forms = book.of(row.name, "attest")
    return Item(row, forms, row.holder.name if row.holder is not None else "the office")


def _name_of(text: Text) -> str:
    return text.subject.value.replace("-", " ").capitalize()


def _in_words(span: timedelta) -> str:
    days, rest = divmod(span, timedelta(days=1))
    hours = rest // _HOUR
    if days:
        return f"{days} {'day' if days == 1 else 'days'} and {hours} h"
    minutes = (rest % _HOUR) // timedelta(minutes=1)
    return f"{hours} h and {minutes} min"
