"""From rows to the values that the rules judge."""

from __future__ import annotations

from datetime import timedelta

from clearhouse.office.reviews.models import LentThing, Review, ThirdParty
from clearhouse.protocol.entitlement import Facts
from clearhouse.protocol.partners import Choice, ChoiceState, Part
from clearhouse.protocol.returning import Loan, LoanState
from clearhouse.protocol.review import SIDES, ReviewState, Side
from clearhouse.protocol.terms import Subject, Terms, Text, is_bound
from clearhouse.protocol.window import Window, WindowState


def window_of(review: Review) -> Window:
    """The window of a review."""
    return Window(
        state=WindowState(review.window),
        length=timedelta(days=review.days),
        agreed_by=frozenset(Side(one) for one in review.agreed_by),
        paused_by=frozenset(Side(one) for one in review.paused_by),
        starts_at=review.starts_at,
        ends_at=review.ends_at,
    )


def terms_of(review: Review) -> Terms:
    """The terms as they are: the last version of each text."""
    last: dict[Subject, Text] = {}
    for row in review.texts.order_by("version"):
        last[Subject(row.subject)] = Text(Subject(row.subject), row.version, row.text)
    return Terms.of(last.values())


def agreements_of(review: Review) -> dict[str, str]:
    """What each party agreed to last, by party."""
    rows = review.agreements.order_by("pk").values_list("party", "digest")
    return dict(rows)


def choice_of(party: ThirdParty) -> Choice:
    """The choice of a third party."""
    return Choice(
        part=Part(party.part),
        proposed_by=Side(party.proposed_by),
        state=ChoiceState(party.state),
        agreed_by=frozenset(Side(one) for one in party.agreed_by),
        conflicts=tuple(party.conflicts),
        joined_at=party.joined_at,
    )


def loan_of(thing: LentThing) -> Loan:
    """A loan."""
    return Loan(
        LoanState(thing.state), thing.returned_at, thing.attested_at, thing.statement
    )  # fmt: skip


class Bonds:
    """Who is bound by the terms of a review as they are: its terms and agreements, read once."""

    def __init__(self, review: Review) -> None:
        self._review = review
        self.terms = terms_of(review)
        self._agreements = agreements_of(review)

    def binds(self, party: str) -> bool:
        """Whether a party has agreed to the terms as they are."""
        return is_bound(party, self.terms, self._agreements)

    def facts(self, party: ThirdParty | None = None) -> Facts:
        """What the access of a party follows from; None is the government.

        It takes both sides' agreement to the terms, and the third party's own.
        """
        bound = [*sorted(one.value for one in SIDES), *([party.name] if party else [])]
        return Facts(
            state=ReviewState(self._review.state),
            window=window_of(self._review),
            is_bound=all(self.binds(one) for one in bound),
            choice=choice_of(party) if party is not None else None,
        )


def access_facts(review: Review, party: ThirdParty | None) -> Facts:
    """What the access of a party follows from; None is the government.

    Who asks whether there is access, asks
    :func:`clearhouse.protocol.entitlement.has_access` of these.
    """
    return Bonds(review).facts(party)
