"""Third parties: criteria published in advance, proposals, agreement of both sides, conflicts."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Max

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.authorisation import ReviewDeed
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.names import new_name
from clearhouse.office.orgs.queries import organisation_with
from clearhouse.office.reviews.actions import news
from clearhouse.office.reviews.actions.access import end_access, open_access
from clearhouse.office.reviews.actions.agreeing import must_be_current, put_agreement
from clearhouse.office.reviews.actions.journal import locked_by_side, locked_review, note
from clearhouse.office.reviews.models import PublishedCriteria, Review, ThirdParty
from clearhouse.office.reviews.queries.lists import criteria_values
from clearhouse.office.reviews.queries.sight import party_of
from clearhouse.office.reviews.queries.values import choice_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol import partners as rules
from clearhouse.protocol.evenness import Size
from clearhouse.protocol.partners import Choice, ChoiceState, Criteria, Part, criteria_for
from clearhouse.protocol.review import ReviewState, Side
from clearhouse.protocol.roles import Role, Scope

_MOST: Final = 20_000


def publish_criteria(viewer: Viewer, text: str, *, now: datetime) -> PublishedCriteria:
    """Publish by what third parties are chosen, for reviews that are submitted from then on."""
    viewer.must_coordinate()
    viewer.needs(Scope.REVIEWS_WRITE)
    if not text.strip() or len(text) > _MOST:
        raise Invalid(f"expected a text of at most {_MOST} characters", key="text")
    with transaction.atomic():
        last = PublishedCriteria.objects.aggregate(last=Max("version"))["last"] or 0
        made = Criteria(last + 1, text.replace("\r\n", "\n").strip(), now)
        row = PublishedCriteria.objects.create(
            version=made.version, text=made.text, digest=made.digest, published_at=now
        )
        record(
            "review.criteria-published", f"criteria-{made.version}", {"digest": made.digest},
            now=now,
        )  # fmt: skip
        return row


def propose_party(
    viewer: Viewer,
    name: str,
    slug: str,
    part: Part,
    *,
    size: Size,
    reason: str,
    conflicts: str,
    now: datetime,
) -> ThirdParty:
    """Propose a trusted partner or assessor; nobody tells it before both sides have agreed."""
    with transaction.atomic():
        review, side = _open_for_choices(viewer, name)
        there = organisation_with(slug, Role(part.value))
        if there is None:
            raise Invalid(f"expected the short name of a {part.value} here", key="organisation")
        if there.pk == review.organisation_id:
            raise Invalid("the developer itself is no third party", key="organisation")
        if review.parties.filter(organisation=there).exists():
            raise Conflict("that organisation was proposed already")
        if review.submitted_at is None:
            raise Refused("hand the review in first")
        known = criteria_for(criteria_values(), review.submitted_at)
        choice = rules.propose(part, by=side, reason=reason, conflicts=conflicts)
        made = ThirdParty(
            review=review, name=new_name("TP"), organisation=there, part=part.value,
            criteria=PublishedCriteria.objects.get(version=known.version), size=size.value,
            proposed_by=side.value, proposed_at=now,
        )  # fmt: skip
        _put(made, choice)
        _say_why(made, side, reason, now)
        made.save()
        note(
            review, "party-proposed", f"{there.name} is proposed as {_named(made)}: {reason}",
            by=viewer.name, now=now,
            facts={"party": made.name, "part": part.value, "by": side.value,
                   "criteria": known.digest},
        )  # fmt: skip
        return made


def agree_to_party(
    viewer: Viewer, name: str, party: str, reason: str, *, now: datetime
) -> ThirdParty:
    """Agree to a party that the other side proposed, or that declared a conflict."""
    with transaction.atomic():
        review, side = _open_for_choices(viewer, name)
        row = _party(review, party)
        _put(row, rules.agree(choice_of(row), by=side, reason=reason))
        _say_why(row, side, reason, now)
        row.save()
        both = "; both sides do" if row.state == ChoiceState.AGREED else ""
        note(
            review, "party-agreed", f"The {side.value} agrees to {row.organisation.name}{both}.",
            by=viewer.name, now=now, facts={"party": row.name, "by": side.value,
                                            "state": row.state},
        )  # fmt: skip
        if row.state == ChoiceState.AGREED:
            news.tell(review, row.organisation_id, news.Notice.ASKED, now=now)
        return row


def refuse_party(
    viewer: Viewer, name: str, party: str, reason: str, *, now: datetime
) -> ThirdParty:
    """Refuse a proposed party; it never learns of it."""
    if not reason.strip():
        raise Invalid("say why, by the published criteria", key="reason")
    with transaction.atomic():
        review, side = _open_for_choices(viewer, name)
        row = _party(review, party)
        _put(row, rules.refuse(choice_of(row)))
        _say_why(row, side, reason, now)
        row.save()
        note(
            review, "party-refused", f"The {side.value} refuses {row.organisation.name}: {reason}",
            by=viewer.name, now=now, facts={"party": row.name, "by": side.value},
        )  # fmt: skip
        return row


def revoke_party(viewer: Viewer, name: str, party: str, *, now: datetime) -> ThirdParty:
    """End the part of a third party, and its access, at once; either side may, alone."""
    with transaction.atomic():
        review, _ = _open_for_choices(viewer, name)
        row = _party(review, party)
        _leave(review, row, f"{row.organisation.name} takes part no more.", viewer, now)
        return row


def join(viewer: Viewer, name: str, digest: str, conflicts: str, *, now: datetime) -> ThirdParty:
    """Join: agree to the terms with that digest, and declare one's conflicts; none is empty.

    A conflict goes back to both sides, and the review is out of sight until they have agreed.
    """
    with transaction.atomic():
        review, _ = locked_review(viewer, name, ReviewDeed.JOIN)
        row = _own(viewer, review)
        must_be_current(review, digest)
        _put(row, rules.join(choice_of(row), conflicts=conflicts[:1000], now=now))
        row.save()
        put_agreement(review, row.name, digest.strip(), by=viewer.name, now=now)
        joined = row.state == ChoiceState.JOINED
        text = "joined under the terms" if joined else f"declared a conflict: {conflicts}"
        note(
            review, "party-joined" if joined else "party-conflict",
            f"{row.organisation.name} {text}.", by=viewer.name, now=now,
            facts={"party": row.name, "digest": digest.strip()},
        )  # fmt: skip
        if joined and ReviewState(review.state) is ReviewState.OPEN:
            open_access(review, row, by=viewer.name, now=now)
        return row


def declare_conflict(viewer: Viewer, name: str, conflicts: str, *, now: datetime) -> ThirdParty:
    """A party that has joined declares a conflict: its access waits for both sides."""
    with transaction.atomic():
        review, _ = locked_review(viewer, name, ReviewDeed.TAKE_PART)
        row = _own(viewer, review)
        had_access = row.joined_at is not None
        _put(row, rules.declare(choice_of(row), conflicts[:1000]))
        row.save()
        note(
            review, "party-conflict", f"{row.organisation.name} declared a conflict: {conflicts}",
            by=viewer.name, now=now, facts={"party": row.name},
        )  # fmt: skip
        if had_access and ReviewState(review.state) is ReviewState.OPEN:
            end_access(review, row, by=viewer.name, now=now)
        return row


def leave(viewer: Viewer, name: str, *, now: datetime) -> ThirdParty:
    """A party leaves; what was lent to it still goes back."""
    with transaction.atomic():
        review, _ = locked_review(viewer, name, ReviewDeed.TAKE_PART)
        row = _own(viewer, review)
        _leave(review, row, f"{row.organisation.name} has left.", viewer, now)
        return row


def _leave(review: Review, row: ThirdParty, text: str, viewer: Viewer, now: datetime) -> None:
    had_access = row.state == ChoiceState.JOINED
    _put(row, rules.revoke(choice_of(row)))
    row.save()
    note(review, "party-revoked", text, by=viewer.name, now=now, facts={"party": row.name})
    if had_access and ReviewState(review.state) is ReviewState.OPEN:
        end_access(review, row, by=viewer.name, now=now)


def _open_for_choices(viewer: Viewer, name: str) -> tuple[Review, Side]:
    review, side = locked_by_side(viewer, name, ReviewDeed.AGREE)
    state = ReviewState(review.state)
    if state.is_over or state in (ReviewState.DRAFTED, ReviewState.RETURNING):
        raise Refused(f"the review is {review.state}: no third party comes or goes")
    return review, side


def _party(review: Review, name: str) -> ThirdParty:
    rows = review.parties.select_related("organisation").select_for_update(of=("self",))
    found = rows.filter(name=name).first()
    if found is None:
        raise NotFound("there is no such party in this review")
    return found


def _own(viewer: Viewer, review: Review) -> ThirdParty:
    row = party_of(viewer, review)
    if row is None:
        raise NotFound("there is nothing of the kind to do here")
    return row


def _put(row: ThirdParty, choice: Choice) -> None:
    row.state = choice.state.value
    row.agreed_by = sorted(one.value for one in choice.agreed_by)
    row.conflicts = list(choice.conflicts)
    row.joined_at = choice.joined_at


def _say_why(row: ThirdParty, side: Side, reason: str, now: datetime) -> None:
    said = {"side": side.value, "text": reason.strip()[:1000], "at": now.isoformat()}
    row.reasons = [*row.reasons, said]


def _named(row: ThirdParty) -> str:
    return "trusted partner" if row.part == Part.PARTNER else "third-party assessor"
