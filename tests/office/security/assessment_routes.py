"""The addresses of assessments, and who may there."""

from __future__ import annotations

from typing import Any, Final

from clearhouse.office.authorisation import ReviewDeed, ReviewPart
from tests.office.security.rules import (
    Allowed,
    anybody,
    does_in_review,
    in_review,
    office,
    office_person,
)

_PROGRESS: Final = in_review(ReviewPart.PROGRESS)
_ATTEMPTS: Final = in_review(ReviewPart.ATTEMPTS)
_ASSESS: Final = does_in_review(ReviewDeed.ASSESS)
_OWN: Final = does_in_review(ReviewDeed.OWN)
_RUN: Final = does_in_review(ReviewDeed.RUN)

_A: Final = "assessments/<str:name>"
_P: Final = "assessments/plans/<str:name>"
PAGES: Final[tuple[tuple[str, str, Allowed, dict[str, Any]], ...]] = (
    ("GET", "assessments/", anybody, {}),
    ("GET", "assessments/plans/new/", office_person, {}),
    ("POST", "assessments/plans/new/", office_person, {"plan": "upload", "bank": "upload"}),
    ("GET", f"{_P}/", anybody, {}),
    ("POST", f"{_P}/", office_person, {"record": "upload"}),
    ("GET", f"{_P}/receipt/", anybody, {}),
    ("POST", f"{_P}/retire/", office_person, {}),
    ("GET", "assessments/of/<str:review>/", _PROGRESS, {}),
    ("POST", "assessments/of/<str:review>/", _ASSESS, {"plan": "plan", "system": "x"}),
    ("GET", f"{_A}/", _PROGRESS, {}),
    ("GET", f"{_A}/live/", _PROGRESS, {}),
    ("GET", f"{_A}/report/", _PROGRESS, {}),
    ("GET", f"{_A}/evidence/", _ATTEMPTS, {}),
)
VERBS: Final[dict[str, tuple[Allowed, dict[str, Any]]]] = {
    "hand-in": (_ASSESS, {"evidence": "upload"}),
    "abandon": (_ASSESS, {"reason": "because"}),
    "reply": (_OWN, {"text": "x"}),
    "determine": (_RUN, {}),
    "publish": (_OWN, {}),
    "unpublish": (_OWN, {}),
}
_API: Final = "api/assessments"
_ONE: Final = f"{_API}/{{name}}"
_PLAN: Final = f"{_API}/plans/{{name}}"
OPERATIONS: Final[tuple[tuple[str, str, Allowed, Any], ...]] = (
    ("GET", f"{_API}/plans", anybody, None),
    ("POST", f"{_API}/plans", office, {"plan": "{}", "bank": "{}"}),
    ("GET", _PLAN, anybody, None),
    ("GET", f"{_PLAN}/receipt", anybody, None),
    ("POST", f"{_PLAN}/retire", office, {}),
    ("GET", f"{_PLAN}/openings", office, None),
    ("PUT", f"{_PLAN}/openings", office, {}),
    ("GET", f"{_API}/figures", anybody, None),
    ("GET", f"{_API}/published", anybody, None),
    ("GET", f"{_API}/of/{{review}}", _PROGRESS, None),
    ("POST", _API, _ASSESS, {"review": "review", "plan": "plan", "system": "x"}),
    ("GET", _ONE, _PROGRESS, None),
    ("POST", f"{_ONE}/attempts", _ASSESS, {"attempts": []}),
    ("PUT", f"{_ONE}/evidence", _ASSESS, {}),
    ("GET", f"{_ONE}/evidence", _ATTEMPTS, None),
    ("GET", f"{_ONE}/report", _PROGRESS, None),
    ("POST", f"{_ONE}/abandon", _ASSESS, {"reason": "because"}),
    ("POST", f"{_ONE}/reply", _OWN, {"text": "x"}),
    ("POST", f"{_ONE}/determine", _RUN, {}),
    ("POST", f"{_ONE}/publish", _OWN, {}),
    ("POST", f"{_ONE}/unpublish", _OWN, {}),
)
OF_EVERYBODY: Final = frozenset(
    {f"{_API}/plans", _PLAN, f"{_PLAN}/receipt", f"{_API}/figures", f"{_API}/published"}
)
