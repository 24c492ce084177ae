"""An assessment of the review in which everything is there."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from clearhouse.office.assessments.actions import deciding, measuring
from clearhouse.office.assessments.models import Assessment
from tests.office.assessments import made
from tests.office.reviews.made import cast


def build(review: str) -> dict[str, str]:
    """An assessment of the review whose evidence was handed in, with its plan."""
    who, now = cast(), timezone.now()
    plan = made.committed(who.office, now=now)
    found = measuring.begin(who.office, review, plan.name, "Model with tools", now=now)
    some = made.reports(made.outcomes(found.slot))
    measuring.report_attempts(who.office, found.name, some, now=now)
    raw = made.evidence(found.name, found.slot).as_zip()
    measuring.hand_in(who.office, found.name, raw, now=now)
    deciding.reply(who.developer, found.name, "Nothing.", now=now)
    return {"assessment": found.name, "plan": plan.name}


def mark(put: Any) -> None:
    """Put a mark of its own into what not everybody may read."""
    put(Assessment.objects.all(), system="assessment system", reply="assessment reply")
