"""Every address of the office, read from its own lists, and who may there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from clearhouse.office.authorisation import Deed
from clearhouse.protocol.roles import Role, Scope
from tests.office.security import (
    assessment_routes,
    directive_routes,
    exposure_routes,
    notice_routes,
    review_routes,
)
from tests.office.security.filling import FILLED
from tests.office.security.rules import (
    Allowed,
    anybody,
    does,
    files,
    handed_on,
    is_asked,
    its_finder,
    its_own,
    its_task,
    looks_closely,
    member,
    nobody,
    office,
    office_person,
    only_finder,
    person,
    runs_it,
    sees,
    sees_report,
    stands,
)
from tests.office.story import IN_A_YEAR


@dataclass(frozen=True)
class Route:
    """An address and a method, who may, and what is sent.

    ``place`` is a pattern as the office's lists have it; ``verb`` fills its last open part.
    ``scopes`` are those that a machine needs.  ``of_case`` is whether the case's state matters.
    """

    method: str
    place: str
    rule: Allowed
    scopes: tuple[Scope, ...] = ()
    body: Any = None
    kind: str = ""
    verb: str = ""
    query: str = ""

    @property
    def is_api(self) -> bool:
        return self.place.startswith("api/")

    @property
    def id(self) -> str:
        return f"{self.method} /{self.place}" + (f" {self.verb}" if self.verb else "")

    @property
    def of_case(self) -> bool:
        return self.place.startswith(("cases/<", "api/cases/{", "findings/^(", "api/findings/{"))

    @property
    def of_review(self) -> bool:
        beginnings = (
            "reviews/<", "api/reviews/{", "assessments/<", "assessments/of/",
            "api/assessments/{", "api/assessments/of/",
        )  # fmt: skip
        return self.place.startswith(beginnings) or self.id == "POST /api/assessments"

    @property
    def of_systems(self) -> bool:
        return self.place.startswith(("exposure/", "api/systems", "api/exposures"))

    @property
    def of_grants(self) -> bool:
        return "/grants/" in self.place or "/endpoints" in self.place

    @property
    def of_directives(self) -> bool:
        return self.place.startswith(("directives/", "api/directives", "api/obligations"))

    @property
    def of_notices(self) -> bool:
        return self.place.startswith(("notices/", "api/notices"))

    def path(self, names: dict[str, str]) -> str:
        """The address with names in it."""
        if self.place.startswith("account/"):
            return "/" + re.sub(r"[\^$]|\(\?P<\w+>.*?\)(?=[/-]|$)", "1", self.place)
        text = self.place
        for pattern, key in FILLED:
            text = re.sub(pattern, names[key].replace("\\", ""), text)
        for opened in ("<slug:verb>", "<slug:what>", "<str:kind>", "{kind}", "<path:path>"):
            text = text.replace(opened, self.verb or "csaf")
        if "<int:pk>" in text:
            text = text.replace("<int:pk>", names[_PRESSED.get(self.verb, "package")])
        return "/" + text.replace("^", "").replace("$", "") + self.query


_PRESSED: Final = {
    "withdraw-invitation": "invitation", "make-manager": "person", "end-manager": "person",
    "remove-member": "person", "revoke-key": "key",
}  # fmt: skip
_R, _W = Scope.FINDINGS_READ, Scope.FINDINGS_WRITE
_CR, _CW = Scope.CASES_READ, Scope.CASES_WRITE
_AW, _OR = Scope.ADVISORIES_WRITE, Scope.ORGANISATION_READ
_BOTH = (_CW, _CR)
_RR, _RW = Scope.REVIEWS_READ, Scope.REVIEWS_WRITE
_JSON: Final = "application/json"
_REASON: Final = {"reason": "because"}
_VECTOR: Final = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N"
_REPORT: Final = {"title": "A title", "target": "pkg:generic/example@1.2.3"}
_DIFF: Final = b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n"


def _get(place: str, rule: Allowed, *scopes: Scope, query: str = "", verb: str = "") -> Route:
    return Route("GET", place, rule, scopes, query=query, verb=verb)


def _form(place: str, rule: Allowed, body: dict[str, Any] | None = None, verb: str = "") -> Route:
    return Route("POST", place, rule, (), body or {}, verb=verb)


def _json(
    method: str, place: str, rule: Allowed, body: Any, *scopes: Scope, kind: str = _JSON
) -> Route:
    return Route(method, place, rule, scopes, body, kind)


_CASE: Final = "cases/<str:name>/"
_FINDING: Final = r"findings/^(?P<name>F-[0-9A-Z]{10})/"
_ORG: Final = "organisation/<slug:slug>/"
_PAGES: Final = (
    *(
        _get(one, anybody)
        for one in (
            "",
            "accessibility/",
            "contact/",
            "contact",
            "robots.txt",
            "favicon.ico",
            ".well-known/security.txt",
            "ledger/",
            "ledger/key",
            "advisories/",
            "oversight/",
            "osv/all.zip",
            "osv/modified_id.csv",
        )
    ),
    _get("start/", nobody),
    _form("start/", nobody, {"name": "E", "email": "e@example.org"}),
    _get("join/", nobody),
    _form("join/", nobody),
    _get("join/<str:token>/", anybody),
    _get("organisation/", person),
    _get("organisation/all/", office_person),
    _form("organisation/all/", office_person, {"name": "New", "roles": ["finder"]}),
    _form("organisation/switch/", nobody, {"organisation": "nowhere"}),
    _get("organisation/profile/", person),
    _form("organisation/profile/", person, {"name": "Another"}),
    _get(_ORG, its_own),
    _get("ledger/checkpoint", nobody),
    _get("ledger/tile/<path:path>", nobody, verb="0/000.p/1"),
    _get("ledger/proof/inclusion", nobody, query="?index=0&size=1"),
    _get("ledger/proof/consistency", nobody, query="?old=1&new=2"),
    *(
        _get(f"findings/{one}", person)
        for one in (
            "",
            "report/",
            "report/bundles/",
            "report/form/",
            "report/bulk/",
            "commitments/",
            "known/",
        )
    ),
    _form("findings/report/bundles/", person),
    _form("findings/report/form/", person),
    _form("findings/report/bulk/", person),
    _form("findings/commitments/", person, {"value": "cd" * 32}),
    _form("findings/known/", person, {"package": "pkg:pypi/ecdsa"}),
    _get(r"findings/^commitments/(?P<name>C-[0-9A-Z]{10})/receipt/$", its_finder),
    _get(f"{_FINDING}$", sees_report),
    _get(f"{_FINDING}progress/$", sees_report),
    _get(f"{_FINDING}content/$", sees_report),
    _get(f"{_FINDING}verdict/$", sees_report),
    _get(f"{_FINDING}receipt/$", sees_report),
    _form(f"{_FINDING}withdraw/$", only_finder),
    _form(f"{_FINDING}run-again/$", office_person),
    _get("scans/", person),
    _form("scans/", person, {"package": "pkg:pypi/x", "days": "3"}),
    _form(r"scans/^(?P<name>SC-[0-9A-Z]{10})/release/$", only_finder),
    _get("advisories/<str:name>/", office),
    _get("advisories/<str:name>/edit/", office),
    _form("advisories/<str:name>/edit/", office, {"title": "T", "summary": "S"}),
    _form("advisories/<str:name>/publish/", office),
    _get("advisories/<str:name>/<str:kind>.json", nobody, verb="csaf"),
    _get(".well-known/csaf/<path:path>", nobody, verb="white/2026/none.json"),
    _get("osv/<str:name>.json", nobody),
    _get("oversight/figures.json", nobody),
    _get("queue/", office),
    _form("queue/suggestions/<str:suggestion>/", office, {"verdict": "reject"}),
    _form("queue/findings/<str:finding>/", office),
    _get("cases/", member),
    _get(_CASE, sees()),
    _get(f"{_CASE}findings/<str:finding>", sees_report),
    _get(f"{_CASE}findings/<str:finding>/verdict", sees_report),
    _get(f"{_CASE}patches/<str:patch>", handed_on),
    _get(f"{_CASE}patches/<str:patch>/verdict", handed_on),
    _get(f"{_CASE}patches/<str:patch>/note", nobody),
    _get(f"{_CASE}files/<str:file>", files),
)

_ASKED: Final = is_asked
_RUN: Final = does(Deed.RUN)
#: Every verb of a case's page, who may, and what is sent; ``item`` names a thing in the case.
_VERBS: Final[dict[str, tuple[Allowed, dict[str, Any]]]] = {
    "answer": (_ASKED, {"verdict": "accept"}),
    "report-state": (stands(Role.SUPPLIER, Role.DEPLOYER), {"event": "defer", "reason": "no"}),
    "fix-progress": (stands(Role.SUPPLIER), {"event": "F"}),
    "supplier-progress": (_RUN, {"event": "F", "item": "ecdsa-team"}),
    "fix-date": (stands(Role.SUPPLIER), {"fix_at": "2030-01-01T00:00"}),
    "supplier-date": (_RUN, {"fix_at": "2030-01-01T00:00"}),
    "invite": (_RUN, {"organisation": "outside-observer", "role": "observer"}),
    "tell": (_RUN, {"item": "outside-supplier"}),
    "propose-end": (does(Deed.EMBARGO), {"ends_at": IN_A_YEAR, "reason": "more"}),
    "decide-end": (_RUN, {"item": "proposal", "verdict": "rejected", "reason": "no"}),
    "terminate": (_RUN, _REASON),
    "world": (_RUN, {"event": "A", "reason": "seen"}),
    "collide": (_RUN, {"turn": "leaked", "reason": "seen"}),
    "declare": (does(Deed.ASSESS), {"introduced": "0.9", "fixed": "0.13.3"}),
    "assess": (does(Deed.ASSESS), {"vector": _VECTOR}),
    "propose-patch": (does(Deed.PATCH), {"text": _DIFF.decode()}),
    "choose-patch": (does(Deed.PATCH, Role.SUPPLIER), {"item": "patch"}),
    "write": (does(Deed.WRITE), {"text": "hello", "tlp": "TLP:AMBER"}),
    "add-file": (does(Deed.WRITE), {"tlp": "TLP:AMBER", "file": "upload"}),
    "finish-task": (its_task, {"item": "task"}),
    "add-task": (_RUN, {"title": "Look"}),
    "ssvc": (_RUN, {}),
    "distribute": (_RUN, {"item": "patch", "tlp": "TLP:AMBER"}),
    "describe": (_RUN, {"title": "T"}),
    "cve": (_RUN, {"cve": "CVE-2026-54321"}),
    "lead": (_RUN, {"person": "1"}),
    "decide-suggestion": (_RUN, {"item": "suggestion", "verdict": "reject"}),
    "close": (_RUN, _REASON),
}
#: Every form and every button of an organisation's page.
_FORMS: Final[dict[str, tuple[Allowed, dict[str, Any]]]] = {
    "details": (runs_it, {"name": "Another"}),
    "roles": (office_person, {"roles": ["finder"]}),
    "policy": (runs_it, {"route": "here", "scale": "cvss4"}),
    "package": (runs_it, {"purl": "pkg:npm/other"}),
    "invitation": (runs_it, {"email": "n@example.org"}),
    "key": (runs_it, {"name": "K", "scopes": ["cases:read"], "days": "30"}),
}
_BUTTONS: Final[dict[str, Allowed]] = {
    "confirm-package": office_person,
    "remove-package": runs_it,
    "withdraw-invitation": runs_it,
    "make-manager": runs_it,
    "end-manager": runs_it,
    "remove-member": runs_it,
    "revoke-key": runs_it,
}

_C: Final = "api/cases/{name}"
_O: Final = "api/organisations/{slug}"
_F: Final = "api/findings/{name}"
_UPLOAD: Final = "multipart/form-data"
_API: Final = (
    _json("POST", "api/findings", member, b"no archive", _W, kind="application/gzip"),
    _get("api/findings", member, _R),
    _json("POST", "api/findings/report", member, _REPORT, _W),
    _json("POST", "api/findings/sarif", member, {}, _W),
    _json("POST", "api/findings/aixcc", member, {}, _W),
    _json("POST", "api/findings/bulk", member, json.dumps(_REPORT).encode() + b"\n", _W,
          kind="application/x-ndjson"),
    _get("api/findings/counts", member, _R),
    _json("POST", f"{_F}/withdraw", only_finder, {}, _W, _R),
    _json("POST", f"{_F}/rerun", office, {}, _CW, _R),
    _get(_F, sees_report, _R),
    _get(f"{_F}/verdict", sees_report, _R),
    _get(f"{_F}/content", sees_report, _R),
    _get(f"{_F}/receipt", its_finder, _R),
    _get(f"{_F}/job", its_finder, _R),
    _json("POST", "api/commitments", member, {"value": "ef" * 32}, _W),
    _get("api/commitments", member, _R),
    _get("api/commitments/{name}", its_finder, _R),
    _get("api/commitments/{name}/receipt", its_finder, _R),
    _get("api/known/key", member, _R),
    _json("POST", "api/known", member, {"package": "0" * 64}, _R),
    _json("POST", "api/scans", member, {"package": "pkg:pypi/x", "until": "soon"}, _W),
    _get("api/scans", member, _R),
    _json("POST", "api/scans/{name}/release", only_finder, {}, _W),
    _get("api/cases", member, _CR),
    _json("POST", "api/cases", office, {"finding": "loose"}, _CW, _CR),
    _get(_C, sees(), _CR),
    _get(f"{_C}/receipt/{{entry}}", office, _CR),
    _json("POST", f"{_C}/answer", _ASKED, {"verdict": "accept"}, *_BOTH),
    _json("POST", f"{_C}/invite", _RUN,
          {"organisation": "outside-observer", "role": "observer"}, *_BOTH),
    _json("POST", f"{_C}/tell", _RUN, {"organisation": "outside-supplier"}, *_BOTH),
    _json("POST", f"{_C}/report-state", stands(Role.SUPPLIER, Role.DEPLOYER),
          {"event": "defer", "reason": "no"}, *_BOTH),
    _json("POST", f"{_C}/fix", does(Deed.REPORT_STATE, Role.SUPPLIER),
          {"event": "F", "supplier": "ecdsa-team"}, *_BOTH),
    _json("POST", f"{_C}/fix-date", does(Deed.REPORT_STATE, Role.SUPPLIER), _REASON, *_BOTH),
    _json("POST", f"{_C}/world", _RUN, {"event": "A", **_REASON}, *_BOTH),
    _json("POST", f"{_C}/collision", _RUN, {"turn": "leaked", **_REASON}, *_BOTH),
    _json("POST", f"{_C}/embargo/proposals", does(Deed.EMBARGO),
          {"ends_at": f"{IN_A_YEAR}:00Z", **_REASON}, *_BOTH),
    _json("POST", f"{_C}/embargo/proposals/{{proposal}}", _RUN, {"verdict": "rejected"}, *_BOTH),
    _json("POST", f"{_C}/embargo/terminate", _RUN, _REASON, *_BOTH),
    _json("POST", f"{_C}/assessments", does(Deed.ASSESS), {"vector": _VECTOR}, *_BOTH),
    _json("POST", f"{_C}/ssvc", _RUN, {"inputs": {}}, *_BOTH),
    _json("POST", f"{_C}/describe", _RUN, {"title": "Another", "summary": "text"}, *_BOTH),
    _json("POST", f"{_C}/cve", _RUN, {"cve": "CVE-2026-12345"}, *_BOTH),
    _json("POST", f"{_C}/lead", _RUN, {"person": 1}, *_BOTH),
    _json("POST", f"{_C}/versions", does(Deed.ASSESS), {"introduced": "0.9"}, *_BOTH),
    _json("POST", f"{_C}/close", _RUN, _REASON, *_BOTH),
    _json("POST", f"{_C}/messages", does(Deed.WRITE), {"text": "hello"}, *_BOTH),
    Route("POST", f"{_C}/files", does(Deed.WRITE), _BOTH, {"file": "upload"}),
    _get(f"{_C}/files/{{file}}", files, _CR),
    _json("POST", f"{_C}/tasks", _RUN, {"title": "Look"}, *_BOTH),
    _json("POST", f"{_C}/tasks/{{task}}/done", its_task, {}, *_BOTH),
    _json("POST", f"{_C}/patches", does(Deed.PATCH), _DIFF, *_BOTH, kind="text/x-diff"),
    _get(f"{_C}/patches/{{patch}}", handed_on, _CR),
    _get(f"{_C}/patches/{{patch}}/diff", handed_on, _CR),
    _get(f"{_C}/patches/{{patch}}/verdict", handed_on, _CR),
    _get(f"{_C}/patches/{{patch}}/job", handed_on, _CR),
    _json("POST", f"{_C}/patches/{{patch}}/choose", does(Deed.PATCH, Role.SUPPLIER), {}, *_BOTH),
    _json("POST", f"{_C}/patches/{{patch}}/distribute", _RUN, {}, *_BOTH),
    _get("api/queue", office, _CR),
    _get("api/queue/tasks", member, _CR),
    _get("api/queue/suggestions", office, _CR),
    _json("POST", "api/queue/suggestions/{name}", office, {"verdict": "reject"}, *_BOTH),
    _get("api/queue/untriaged", office, _R),
    _get("api/queue/jobs", office, _CR),
    _get("api/advisories", anybody),
    _get("api/advisories/{name}", office),
    _json("PUT", "api/advisories/{name}", office, {"title": "T", "summary": "S"}, _AW, *_BOTH),
    _json("DELETE", "api/advisories/{name}", office, {}, _AW, *_BOTH),
    _get("api/advisories/{name}/documents/{kind}", nobody),
    _json("POST", "api/advisories/{name}/publish", office, {}, _AW, *_BOTH),
    _get("api/oversight/figures", nobody),
    _get("api/organisations", member, _OR),
    _json("POST", "api/organisations", office_person, {"name": "N", "roles": ["finder"]}, _OR),
    _get(_O, its_own, _OR),
    _json("PUT", _O, runs_it, {"name": "Another"}, _OR),
    _json("PUT", f"{_O}/roles", office_person, {"roles": ["supplier"]}, _OR),
    _get(f"{_O}/members", its_own, _OR),
    _json("PUT", f"{_O}/members/{{person}}", runs_it, {"is_manager": True}, _OR),
    _json("DELETE", f"{_O}/members/{{person}}", runs_it, {}, _OR),
    _get(f"{_O}/invitations", looks_closely, _OR),
    _json("POST", f"{_O}/invitations", runs_it, {"email": "n@example.org"}, _OR),
    _json("DELETE", f"{_O}/invitations/{{invitation}}", runs_it, {}, _OR),
    _get(f"{_O}/keys", looks_closely, _OR),
    _json("POST", f"{_O}/keys", runs_it, {"name": "K", "scopes": ["cases:read"],
          "expires_at": "soon"}, _OR),
    _json("DELETE", f"{_O}/keys/{{key}}", runs_it, {}, _OR),
    _get(f"{_O}/policy", its_own, _OR),
    _json("PUT", f"{_O}/policy", runs_it, {}, _OR),
    _get(f"{_O}/packages", its_own, _OR),
    _json("POST", f"{_O}/packages", runs_it, {"purl": "pkg:npm/other"}, _OR),
    _json("POST", f"{_O}/packages/{{package}}/confirm", office_person, {}, _OR),
    _json("DELETE", f"{_O}/packages/{{package}}", runs_it, {}, _OR),
    _get("api/ledger/checkpoint", nobody),
    _get("api/ledger/proof/inclusion", nobody, query="?index=0&size=1"),
    _get("api/ledger/proof/consistency", nobody, query="?old=1&new=2"),
    _get("api/ledger/entries", anybody, query="?subject=nothing"),
    _get("api/openapi.json", anybody),
    _get("api/docs", anybody),
)  # fmt: skip

_OF_EVERYBODY: Final = review_routes.OF_EVERYBODY | assessment_routes.OF_EVERYBODY
ROUTES: Final = (
    *_PAGES,
    *(_form(f"{_CASE}<slug:verb>/", rule, body, verb) for verb, (rule, body) in _VERBS.items()),
    *(_form(f"{_ORG}<slug:what>/", rule, body, verb) for verb, (rule, body) in _FORMS.items()),
    *(_form(f"{_ORG}<slug:what>/<int:pk>/", rule, verb=one) for one, rule in _BUTTONS.items()),
    *_API,
    *(
        Route(method, place, rule, (), body or None)
        for method, place, rule, body in (
            *review_routes.PAGES,
            *assessment_routes.PAGES,
            *exposure_routes.PAGES,
            *directive_routes.PAGES,
            *notice_routes.PAGES,
        )
    ),
    *(
        _form("reviews/<str:name>/<slug:verb>/", rule, body, verb)
        for verb, (rule, body) in review_routes.VERBS.items()
    ),
    *(
        _form("assessments/<str:name>/<slug:verb>/", rule, body, verb)
        for verb, (rule, body) in assessment_routes.VERBS.items()
    ),
    *(
        _get(place, rule, *(() if place in _OF_EVERYBODY else (_RR,)))
        if method == "GET"
        else _json(method, place, rule, body, _RR, _RW)
        for method, place, rule, body in (*review_routes.OPERATIONS, *assessment_routes.OPERATIONS)
    ),
    *(
        _get(place, rule, *scopes)
        if method == "GET"
        else _json(
            method,
            place,
            rule,
            body,
            *scopes,
            kind="application/octet-stream" if isinstance(body, bytes) else _JSON,
        )
        for method, place, rule, body, scopes in (
            *exposure_routes.OPERATIONS,
            *directive_routes.OPERATIONS,
            *notice_routes.OPERATIONS,
        )
    ),
)


def sent(route: Route, names: dict[str, str]) -> dict[str, Any]:
    """What is sent with a request of that route."""
    body = route.body
    if isinstance(body, dict):
        body = {key: _filled(value, names) for key, value in body.items()}
    return {"body": body, "kind": route.kind}


def _filled(value: Any, names: dict[str, str]) -> Any:
    if value == "upload":
        return SimpleUploadedFile("a.txt", b"bytes")
    if value == "soon":
        return (timezone.now() + timedelta(days=3)).isoformat()
    return names.get(value, value) if isinstance(value, str) else value
