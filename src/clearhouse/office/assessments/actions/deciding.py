"""The developer answers; the office issues the determination; the developer may make it public."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final

from django.db import transaction

from clearhouse.errors import Invalid, Refused
from clearhouse.ledger.entry import JSON
from clearhouse.office.assessments.actions.measuring import held_assessment
from clearhouse.office.assessments.kinds import COUNTED
from clearhouse.office.assessments.models import Assessment
from clearhouse.office.authorisation import ReviewDeed
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.reviews.actions.journal import note
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.assessment import (
    ASSESSMENT,
    AssessmentEvent,
    AssessmentState,
    issued_from,
)
from clearhouse.protocol.review import ReviewState, is_seen_by_others

LONGEST_REPLY: Final = 20_000
_TOLD: Final = (AssessmentState.ASSESSED, AssessmentState.DETERMINED)


def reply(viewer: Viewer, name: str, text: str, *, now: datetime) -> Assessment:
    """Answer what was found; the answer stands beside it.  For the developer, once.

    An empty text says that there is nothing to add.  Raises :class:`Refused` where nothing was
    handed in yet, and where it was answered.
    """
    if len(text) > LONGEST_REPLY or "\x00" in text:
        raise Invalid(f"expected a text of at most {LONGEST_REPLY} characters", key="text")
    with transaction.atomic():
        found = held_assessment(viewer, name, ReviewDeed.OWN)
        if found.state not in _TOLD:
            raise Refused("there is nothing to answer yet")
        if found.replied_at is not None:
            raise Refused("it was answered already: an answer is not changed after")
        found.reply, found.replied_at, found.replied_by = text.strip(), now, viewer.name
        found.save()
        said = "has nothing to add to" if not found.reply else "answered"
        digest = hashlib.sha256(found.reply.encode()).hexdigest()
        note(
            found.review, "assessment-answered", f"The developer {said} assessment {found.name}.",
            by=viewer.name, now=now,
            facts={"assessment": found.name, "reply": f"sha256:{digest}"},
        )  # fmt: skip
        return found


def determine(viewer: Viewer, name: str, *, now: datetime) -> Assessment:
    """Issue the determination that the evidence makes.  For the office; nothing is chosen here.

    Raises :class:`Refused` before the developer has answered or its time to do so is over.
    """
    with transaction.atomic():
        found = held_assessment(viewer, name, ReviewDeed.RUN)
        following = ASSESSMENT.after(AssessmentState(found.state), AssessmentEvent.DETERMINE)
        assert found.assessed_at is not None, "what can be determined was assessed"
        if now < (since := issued_from(found.assessed_at, found.replied_at)):
            raise Refused(f"the developer may answer until {since:%Y-%m-%d %H:%M} UTC")
        found.state, found.determined_at = following.value, now
        found.determined_by = viewer.name
        found.save()
        note(
            found.review, "determined",
            f"Determination: {found.verdict.replace('-', ' ')}.", by=viewer.name, now=now,
            facts={
                "assessment": found.name, "determination": found.determination,
                "verdict": found.verdict, "plan": found.plan.digest,
            },
        )  # fmt: skip
        return found


def publish(viewer: Viewer, name: str, *, now: datetime) -> Assessment:
    """Let everybody read the determination, with the model's name and the answer.

    For the developer alone, who may also take it back.  Again changes nothing.  Raises
    :class:`Refused` before it is issued, and once the review is withdrawn.
    """
    return _shown(viewer, name, at=now, now=now)


def unpublish(viewer: Viewer, name: str, *, now: datetime) -> Assessment:
    """Take it from the public page."""
    return _shown(viewer, name, at=None, now=now)


def _shown(viewer: Viewer, name: str, *, at: datetime | None, now: datetime) -> Assessment:
    with transaction.atomic():
        found = held_assessment(viewer, name, ReviewDeed.OWN)
        if found.state != AssessmentState.DETERMINED:
            raise Refused("there is no determination yet")
        if at is not None and not is_seen_by_others(ReviewState(found.review.state)):
            raise Refused("the review is withdrawn: nothing of it is shown to anybody else")
        if (found.published_at is None) != (at is None):
            found.published_at = at
            found.save()
            kind, did = ("published", "made it public") if at else ("unpublished", "took it back")
            note(
                found.review, f"determination-{kind}", f"The developer {did}.", by=viewer.name,
                now=now, facts={"assessment": found.name},
            )  # fmt: skip
        return found


def count_those_over(now: datetime) -> int:
    """Write determinations of reviews that are finished into what the figures are made of.

    In the caller's transaction.  Of a review that is withdrawn before its end none is counted.
    Returns how many.
    """
    rows = Assessment.objects.select_for_update(of=("self",)).select_related("plan", "review")
    over = rows.filter(
        state=AssessmentState.DETERMINED, counted_at=None, review__state=ReviewState.FINISHED
    ).order_by("pk")
    count = 0
    for found in over:
        assert found.determined_at is not None, "it is determined"
        hours = int((found.determined_at - found.begun_at).total_seconds() // 3600)
        facts: dict[str, JSON] = {
            "plan": found.plan.digest,
            "verdict": found.verdict,
            "hours": hours,
        }
        record(COUNTED, found.name, facts, now=now)
        found.counted_at = now
        found.save(update_fields=["counted_at"])
        count += 1
    return count
