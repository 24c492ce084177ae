"""The terms: changed by either side, agreed to by both, and by third parties when they join."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from clearhouse.errors import Refused
from clearhouse.office.authorisation import ReviewDeed
from clearhouse.office.reviews.actions.journal import locked_by_side, move, note
from clearhouse.office.reviews.models import Agreement, Review, TermsText
from clearhouse.office.reviews.queries.values import Bonds, terms_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.review import SIDES, ReviewEvent, ReviewState, Side
from clearhouse.protocol.terms import Subject


def change_text(viewer: Viewer, name: str, subject: Subject, text: str, *, now: datetime) -> Review:
    """Change one text; whoever changes agrees, and the other side is asked anew.

    Raises :class:`Refused` once the window is open: the terms stand while it runs.
    """
    with transaction.atomic():
        review, side = locked_by_side(viewer, name, ReviewDeed.AGREE)
        before = terms_of(review)
        after = before.changed(subject, text.replace("\r\n", "\n").strip())
        if after == before:
            raise Refused("that is the text as it is")
        is_draft = ReviewState(review.state) is ReviewState.DRAFTED
        if not is_draft:
            move(review, ReviewEvent.CHANGE_TERMS, by=side)
            review.save(update_fields=["state"])
        made = after.about(subject)
        TermsText.objects.create(
            review=review, subject=subject.value, version=made.version, text=made.text,
            by=viewer.name, at=now,
        )  # fmt: skip
        if not is_draft:
            note(
                review, "terms-changed",
                f"The text on {subject.value.replace('-', ' ')} was changed: version"
                f" {made.version}.", by=viewer.name, now=now,
                facts={"subject": subject.value, "version": made.version, "digest": made.digest},
            )  # fmt: skip
            agree_as(review, side, by=viewer.name, now=now)
        return review


def agree_to_terms(viewer: Viewer, name: str, digest: str, *, now: datetime) -> Review:
    """Agree to the terms with that digest, which has to be that of the terms as they are.

    Raises :class:`Refused` where they have changed since they were read.
    """
    with transaction.atomic():
        review, side = locked_by_side(viewer, name, ReviewDeed.AGREE)
        must_be_current(review, digest)
        if ReviewState(review.state) is not ReviewState.SUBMITTED:
            raise Refused(f"the review is {review.state}: there is nothing to agree to")
        agree_as(review, side, by=viewer.name, now=now)
        return review


def must_be_current(review: Review, digest: str) -> None:
    """Raise :class:`Refused` unless that is the digest of the terms as they are."""
    if digest.strip() != terms_of(review).digest:
        raise Refused("the terms have changed since you read them: read them again")


def agree_as(review: Review, side: Side, *, by: str, now: datetime) -> None:
    """A side agrees to the terms as they are; when both have, the review moves.

    In the caller's transaction, with the review held.
    """
    digest = terms_of(review).digest
    put_agreement(review, side.value, digest, by=by, now=now)
    note(
        review, "terms-agreed", f"The {side.value} agrees to the terms.", by=by, now=now,
        facts={"party": side.value, "digest": digest},
    )  # fmt: skip
    bonds = Bonds(review)
    if all(bonds.binds(one.value) for one in SIDES):
        move(review, ReviewEvent.AGREE, by=side)
        review.save(update_fields=["state"])


def put_agreement(review: Review, party: str, digest: str, *, by: str, now: datetime) -> None:
    """Keep that a party agreed; once is enough for one digest."""
    Agreement.objects.get_or_create(
        review=review, party=party, digest=digest, defaults={"by": by, "at": now}
    )
