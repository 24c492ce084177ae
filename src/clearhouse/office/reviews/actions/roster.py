"""The office's reviewers: work roles, availability, conflicts; and the two-person rule."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.authorisation import ReviewDeed
from clearhouse.office.names import new_name
from clearhouse.office.orgs.queries import colleagues_of, organisation_with
from clearhouse.office.reviews.actions.journal import locked_by_side, note
from clearhouse.office.reviews.models import (
    OpeningApproval,
    Review,
    Reviewer,
    ReviewerConflict,
    SealedOpening,
)
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.review import ReviewState
from clearhouse.protocol.roles import Role, Scope
from clearhouse.protocol.two_person import Approval, WorkRole, must_be_two


def put_on_roster(
    viewer: Viewer,
    person: int,
    role: WorkRole,
    *,
    available_from: date | None,
    available_until: date | None,
    now: datetime,
) -> Reviewer:
    """Name somebody of the office a reviewer, or change what is noted."""
    viewer.must_coordinate()
    viewer.needs(Scope.REVIEWS_WRITE)
    if person not in {one.pk for one in colleagues_of(viewer)}:
        raise Invalid("expected somebody of this office", key="person")
    if available_from and available_until and available_until < available_from:
        raise Invalid("that is before the first day", key="available_until")
    made, _ = Reviewer.objects.update_or_create(
        person_id=person,
        defaults={
            "role": role.value,
            "available_from": available_from,
            "available_until": available_until,
            "noted_at": now,
        },
    )
    return made


def declare_own_conflict(
    viewer: Viewer, slug: str, reason: str, *, now: datetime
) -> ReviewerConflict:
    """A reviewer declares a conflict of interest with a developer."""
    viewer.must_coordinate()
    viewer.needs(Scope.REVIEWS_WRITE)
    me = Reviewer.objects.filter(person=viewer.person).first() if viewer.person else None
    if me is None:
        raise Refused("you are not on the roster")
    there = organisation_with(slug, Role.DEVELOPER)
    if there is None:
        raise Invalid("expected a developer", key="organisation")
    if not reason.strip():
        raise Invalid("say what the conflict is", key="reason")
    made, _ = ReviewerConflict.objects.update_or_create(
        reviewer=me, organisation=there,
        defaults={"reason": reason.strip()[:1000], "declared_at": now},
    )  # fmt: skip
    return made


def ask_to_open(
    viewer: Viewer, name: str, what: str, reason: str, *, now: datetime
) -> SealedOpening:
    """Ask to open something sealed: a person of the office; a second one has to approve."""
    if not what.strip() or len(what) > 300:
        raise Invalid("say what, in at most 300 characters", key="what")
    if not reason.strip():
        raise Invalid("say why", key="reason")
    with transaction.atomic():
        review, _ = locked_by_side(viewer, name, ReviewDeed.RUN)
        _must_be_going_on(review)
        approval = _approval(viewer, review, now)
        made = SealedOpening.objects.create(
            review=review, name=new_name("SO"), what=what.strip(), reason=reason.strip()[:1000],
            asked_at=now,
        )  # fmt: skip
        _approve(made, approval)
        note(
            review, "opening-asked", f"Asked to open: {made.what}. {reason.strip()}",
            by=viewer.name, now=now, facts={"opening": made.name, "role": approval.role.value},
        )  # fmt: skip
        return made


def approve_opening(viewer: Viewer, name: str, opening: str, *, now: datetime) -> SealedOpening:
    """The second person approves; what is sealed may be opened from then on, for a short time.

    Raises :class:`Refused` unless they are two, of named work roles, without conflicts, in time.
    """
    with transaction.atomic():
        review, _ = locked_by_side(viewer, name, ReviewDeed.RUN)
        _must_be_going_on(review)
        rows = review.openings.select_for_update()
        made = rows.filter(name=opening).first()
        if made is None:
            raise NotFound("nothing of that name is to be opened")
        if made.opened_at is not None:
            raise Conflict("two people have approved it already")
        approval = _approval(viewer, review, now)
        before = [
            Approval(one.person_id, WorkRole(one.role), one.conflicts, one.at)
            for one in made.approvals.all()
        ]
        must_be_two([*before, approval], now=now)
        _approve(made, approval)
        made.opened_at = now
        made.save()
        note(
            review, "opening-approved", f"Two people opened: {made.what}.", by=viewer.name,
            now=now, facts={"opening": made.name, "role": approval.role.value},
        )  # fmt: skip
        return made


def _must_be_going_on(review: Review) -> None:
    if ReviewState(review.state).is_over:
        raise Refused(f"the review is {review.state}: nothing is opened any more")


def _approval(viewer: Viewer, review: Review, now: datetime) -> Approval:
    """The viewer's own approval, by the roster as it is."""
    me = Reviewer.objects.filter(person=viewer.person).first() if viewer.person else None
    if me is None:
        raise Refused("only people on the roster of reviewers open what is sealed")
    today = now.date()
    if (me.available_from and today < me.available_from) or (
        me.available_until and today > me.available_until
    ):
        raise Refused("the roster says that you are not available today")
    mine = me.conflicts.filter(organisation=review.organisation_id)
    conflicts = mine.values_list("reason", flat=True).first() or ""
    return Approval(me.person_id, WorkRole(me.role), conflicts, now)


def _approve(opening: SealedOpening, approval: Approval) -> None:
    OpeningApproval.objects.update_or_create(
        opening=opening, person_id=approval.person,
        defaults={"role": approval.role.value, "conflicts": approval.conflicts,
                  "at": approval.at},
    )  # fmt: skip
