"""What there is of plans, assessments and determinations, for a viewer."""

from clearhouse.office.assessments.queries.figures import Decided, decided_by_plan
from clearhouse.office.assessments.queries.plans import (
    Committed,
    openings_of,
    plan_named,
    plans,
)
from clearhouse.office.assessments.queries.published import Published, published_determinations
from clearhouse.office.assessments.queries.sight import OfReview, assessment_for, assessments_of
from clearhouse.office.assessments.queries.view import (
    AssessmentView,
    evidence_for,
    page_for,
    view,
)

__all__ = [
    "AssessmentView", "Committed", "Decided", "OfReview", "Published", "assessment_for",
    "assessments_of", "decided_by_plan", "evidence_for", "openings_of", "page_for", "plan_named",
    "plans", "published_determinations", "view",
]  # fmt: skip
