"""The addresses of reviews and of what the gateway needs, and who may there."""

from __future__ import annotations

from typing import Any, Final

from clearhouse.office.authorisation import ReviewDeed
from tests.office.security.rules import (
    Allowed,
    anybody,
    by_hand,
    developer,
    developer_person,
    does_in_review,
    gives,
    has_endpoint,
    holds_it,
    in_review,
    manages,
    member,
    office,
    office_person,
    sees_grant,
    sees_uses,
)

_OWN: Final = does_in_review(ReviewDeed.OWN)
_AGREE: Final = does_in_review(ReviewDeed.AGREE)
_RUN: Final = does_in_review(ReviewDeed.RUN)
_JOIN: Final = does_in_review(ReviewDeed.JOIN)
_TAKE_PART: Final = does_in_review(ReviewDeed.TAKE_PART)
_SUBMISSION: Final = {
    "model": "M", "purpose": "access", "contacts": "c", "size": "small", "about": "",
}  # fmt: skip
_WHY: Final = {"reason": "because"}
_PARTY: Final = _WHY | {
    "organisation": "outside-trusted-partner", "part": "trusted-partner", "size": "small",
    "conflicts": "",
}  # fmt: skip
_REVIEWER: Final = {"person": 1, "role": "DD-WRL-007"}
_CONFLICT: Final = _WHY | {"organisation": "lab"}
_LOAN: Final = {"kind": "data", "what": "x"}
_ITEM: Final = {"item": "grant"}
_ENDPOINT: Final = {"address": "http://127.0.0.1:9", "keyed": "bearer", "credential": "sk-1"}
_LISTED: Final = _ENDPOINT | {"prices": "m, 1, 2, 1000"}
_PRICED: Final = _ENDPOINT | {"prices": {"m": {"read": 1, "written": 2, "longest": 3}}}
_GRANT: Final = {"to": "clinic-net", "endpoint": "endpoint", "networks": ["127.0.0.0/8"]}
_SOON: Final = "2026-01-01T00:00:00Z"

#: Pages: method, place, who may, what is sent.
PAGES: Final[tuple[tuple[str, str, Allowed, dict[str, Any]], ...]] = (
    ("GET", "reviews/", anybody, {}),
    ("GET", "reviews/new/", developer_person, {}),
    ("POST", "reviews/new/", developer_person, _SUBMISSION),
    ("GET", "reviews/criteria/", anybody, {}),
    ("POST", "reviews/criteria/", office_person, {"text": "Others."}),
    ("GET", "reviews/roster/", office_person, {}),
    ("POST", "reviews/roster/", office_person, _REVIEWER),
    ("POST", "reviews/roster/conflicts/", office_person, _CONFLICT),
    ("GET", "reviews/<str:name>/", in_review(), {}),
    ("GET", "reviews/<str:name>/grants/<str:grant>/", sees_grant, {}),
    (
        "GET",
        "reviews/<str:name>/grants/<str:grant>/contents/<str:use>",
        by_hand(has_endpoint),
        {},
    ),
    ("GET", "reviews/endpoints/", developer_person, {}),
    ("POST", "reviews/endpoints/", manages(developer), _LISTED),
    ("GET", "reviews/endpoints/<str:endpoint>/", by_hand(has_endpoint), {}),
    ("POST", "reviews/endpoints/<str:endpoint>/", manages(has_endpoint), _LISTED),
    ("POST", "reviews/endpoints/<str:endpoint>/close/", by_hand(has_endpoint), {}),
)

#: Every verb of a review's page, who may, and what is sent.
VERBS: Final[dict[str, tuple[Allowed, dict[str, Any]]]] = {
    "edit": (_OWN, _SUBMISSION),
    "submit": (_OWN, {}),
    "withdraw": (_OWN, {}),
    "start": (_OWN, {}),
    "lend": (_OWN, _LOAN),
    "change-text": (_AGREE, {"item": "data-retention", "text": "At once."}),
    "agree-terms": (_AGREE, {"digest": "digest"}),
    "propose-window": (_AGREE, {"days": "10"}),
    "agree-window": (_AGREE, {}),
    "pause": (_AGREE, {}),
    "resume": (_AGREE, {}),
    "shorten": (_AGREE, {"ends_at": "2026-01-01T00:00"}),
    "end": (_AGREE, {}),
    "finish": (_AGREE, {}),
    "propose-party": (_AGREE, _PARTY),
    "agree-party": (_AGREE, _WHY | {"item": "party"}),
    "refuse-party": (_AGREE, _WHY | {"item": "party"}),
    "revoke-party": (_AGREE, {"item": "party"}),
    "decline": (_RUN, _WHY),
    "ask-open": (_RUN, _WHY | {"what": "x"}),
    "approve-open": (_RUN, {"item": "opening"}),
    "join": (_JOIN, {"digest": "digest"}),
    "declare": (_TAKE_PART, {"conflicts": "one"}),
    "leave": (_TAKE_PART, {}),
    "give-grant": (gives, {"to": "clinic-net", "networks": "127.0.0.0/8"}),
    "pause-grant": (_AGREE, _ITEM),
    "resume-grant": (gives, _ITEM),
    "shorten-grant": (_AGREE, _ITEM | {"ends_at": "2026-01-01T00:00"}),
    "revoke-grant": (_AGREE, _ITEM),
    "return": (holds_it, {"item": "loan"}),
    "attest": (holds_it, {"item": "loan", "statement": "gone"}),
}

_R: Final = "api/reviews/{name}"
_G: Final = f"{_R}/grants/{{grant}}"
_E: Final = "api/reviews/endpoints"
#: Operations: method, place, who may, what is sent; None for those that take nothing.
OPERATIONS: Final[tuple[tuple[str, str, Allowed, Any], ...]] = (
    ("GET", "api/reviews", member, None),
    ("POST", "api/reviews", developer, _SUBMISSION),
    ("GET", "api/reviews/figures", anybody, None),
    ("GET", "api/reviews/criteria", anybody, None),
    ("POST", "api/reviews/criteria", office, {"text": "Others."}),
    ("GET", "api/reviews/roster", office, None),
    ("POST", "api/reviews/roster", office, _REVIEWER),
    ("POST", "api/reviews/roster/conflicts", office, _CONFLICT),
    ("GET", _R, in_review(), None),
    ("PUT", _R, _OWN, _SUBMISSION),
    ("POST", f"{_R}/submit", _OWN, {}),
    ("POST", f"{_R}/withdraw", _OWN, {}),
    ("POST", f"{_R}/decline", _RUN, _WHY),
    ("PUT", f"{_R}/terms", _AGREE, {"subject": "insider-risk", "text": "None."}),
    ("POST", f"{_R}/terms/agree", _AGREE, {"digest": "digest"}),
    ("POST", f"{_R}/window/propose", _AGREE, {"days": 10}),
    ("POST", f"{_R}/window/agree", _AGREE, {}),
    ("POST", f"{_R}/window/start", _OWN, {}),
    ("POST", f"{_R}/window/pause", _AGREE, {}),
    ("POST", f"{_R}/window/resume", _AGREE, {}),
    ("POST", f"{_R}/window/shorten", _AGREE, {"ends_at": "2026-01-01T00:00:00Z"}),
    ("POST", f"{_R}/window/end", _AGREE, {}),
    ("POST", f"{_R}/finish", _AGREE, {}),
    ("POST", f"{_R}/parties", _AGREE, _PARTY),
    ("POST", f"{_R}/parties/{{party}}", _AGREE, _WHY | {"answer": "agree"}),
    ("DELETE", f"{_R}/parties/{{party}}", _AGREE, {}),
    ("POST", f"{_R}/join", _JOIN, {"digest": "digest"}),
    ("POST", f"{_R}/conflicts", _TAKE_PART, {"conflicts": "one"}),
    ("POST", f"{_R}/leave", _TAKE_PART, {}),
    ("POST", f"{_R}/loans", _OWN, _LOAN),
    ("POST", f"{_R}/loans/{{loan}}/return", holds_it, {}),
    ("POST", f"{_R}/loans/{{loan}}/attest", holds_it, {"statement": "gone"}),
    ("GET", _E, developer, None),
    ("POST", _E, manages(developer), _PRICED),
    ("GET", f"{_E}/{{endpoint}}", has_endpoint, None),
    ("PATCH", f"{_E}/{{endpoint}}", manages(has_endpoint), {"credential": "sk-2"}),
    ("POST", f"{_E}/{{endpoint}}/close", by_hand(has_endpoint), {}),
    ("GET", f"{_R}/grants", in_review(), None),
    ("POST", f"{_R}/grants", gives, _GRANT),
    ("GET", _G, sees_grant, None),
    ("GET", f"{_G}/uses", sees_uses, None),
    ("GET", f"{_G}/uses/{{use}}/contents", has_endpoint, None),
    ("POST", f"{_G}/pause", by_hand(_AGREE), {}),
    ("POST", f"{_G}/resume", gives, {}),
    ("POST", f"{_G}/shorten", by_hand(_AGREE), {"ends_at": _SOON}),
    ("POST", f"{_G}/revoke", by_hand(_AGREE), {}),
    ("POST", f"{_R}/openings", _RUN, _WHY | {"what": "x"}),
    ("POST", f"{_R}/openings/{{opening}}", _RUN, {}),
)
#: Those that take no key at all.
OF_EVERYBODY: Final = frozenset({"api/reviews/figures", "api/reviews/criteria"})
