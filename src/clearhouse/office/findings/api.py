"""Findings in the API: handed in one by one or in bulk, listed, taken back, run again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Any, Final, TypeAlias

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Status
from ninja.errors import HttpError
from packageurl import PackageURL
from pydantic import Field

from clearhouse.errors import Invalid
from clearhouse.formats.report import read_report
from clearhouse.formats.report_schema import RECORD_BYTES
from clearhouse.formats.report_schema import SCHEMA as REPORT_SCHEMA
from clearhouse.formats.sarif import LOG_BYTES
from clearhouse.office.findings import actions, queries
from clearhouse.office.findings.arrivals import (
    LINE_BYTES,
    Line,
    lines,
    submissions_in,
)
from clearhouse.office.findings.documents import (
    AcceptedOut,
    BatchOut,
    Cursor,
    FindingOut,
    FindingPage,
    Name,
    Text,
)
from clearhouse.office.findings.intake import (
    Item,
    Promise,
    of_aixcc,
    of_bundle,
    of_report,
    of_sarif,
    parse_purl,
)
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.uploads import (
    BULK_BYTES,
    BUNDLE_BYTES,
    body_lines,
    form_file,
    is_form,
    whole_body,
)
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope
from clearhouse.protocol.tlp import Tlp

router = Router(tags=["findings"])

BATCH: Final = 200
#: Lines of one bulk request; what is more goes into another.
MOST_LINES: Final = 100_000
_ARCHIVES: Final = (
    "application/zip",
    "application/gzip",
    "application/x-tar",
    "application/x-gtar",
    "application/octet-stream",
)
_NDJSON: Final = "application/x-ndjson"
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_FORM: Final = {
    "schema": {
        "type": "object",
        "required": ["bundle"],
        "properties": {
            "bundle": {"type": "string", "format": "binary"},
            "commitment": {"type": "string"},
            "commitment_key": {"type": "string", "description": "In hexadecimal."},
        },
    }
}
_COMMITMENT: Final = [
    {
        "in": "header",
        "name": "Commitment",
        "required": False,
        "description": "Name of the commitment that this opens.",
        "schema": {"type": "string"},
    },
    {
        "in": "header",
        "name": "Commitment-Key",
        "required": False,
        "description": "The key that it was made with, in hexadecimal.",
        "schema": {"type": "string"},
    },
]
Label: TypeAlias = Annotated[Text, Field(description="TLP 2.0 label, such as TLP:AMBER+STRICT.")]
Target: TypeAlias = Annotated[
    Text | None, Field(description="Package URL with version, for what names none itself.")
]
_STRICT: Final = Tlp.AMBER_STRICT.value


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": content}, "parameters": _COMMITMENT}


@router.post(
    "",
    response={201: AcceptedOut, 200: AcceptedOut},
    openapi_extra=_body({"multipart/form-data": _FORM, **dict.fromkeys(_ARCHIVES, _BINARY)}),
)
def submit_bundle(
    request: HttpRequest, response: HttpResponse, tlp: Label = _STRICT
) -> Status[AcceptedOut]:
    """Hand in a proof bundle: its archive as the body, or as the file `bundle` of a form.

    201 for a new finding, 200 for the one that your organisation handed in before.
    """
    viewer = _finder(request)
    if is_form(request):
        data, name = form_file(request, ("bundle", "file"), BUNDLE_BYTES)
    else:
        _must_be(request, *_ARCHIVES)
        data, name = whole_body(request, BUNDLE_BYTES), "the bundle"
    item = of_bundle(data, where=name[:100])
    return _one(viewer, item, request, response, tlp)


@router.post(
    "/report",
    response={201: AcceptedOut, 200: AcceptedOut},
    openapi_extra=_body({"application/json": {"schema": REPORT_SCHEMA}}),
)
def submit_report(
    request: HttpRequest, response: HttpResponse, tlp: Label = _STRICT
) -> Status[AcceptedOut]:
    """Hand in a report without a proof, as JSON.  What it names is looked for in the package."""
    viewer = _finder(request)
    _must_be(request, "application/json")
    report = read_report(whole_body(request, RECORD_BYTES), "the report")
    return _one(viewer, of_report(report, where="the report"), request, response, tlp)


@router.post(
    "/sarif",
    response=BatchOut,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/sarif+json": {"schema": {"type": "object"}},
                "application/json": {"schema": {"type": "object"}},
            },
        }
    },
)
def submit_sarif(request: HttpRequest, target: Target = None, tlp: Label = _STRICT) -> BatchOut:
    """Hand in a scanner's results (SARIF 2.1.0): each becomes a report."""
    viewer = _finder(request)
    _must_be(request, "application/sarif+json", "application/json")
    raw = whole_body(request, LOG_BYTES)
    items, left = of_sarif(raw, target=_purl(target), where="the log")
    return BatchOut.of(_all(viewer, items, tlp), left)


@router.post(
    "/aixcc",
    response=BatchOut,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"type": "object"}},
                **dict.fromkeys(_ARCHIVES, _BINARY),
            },
        }
    },
)
def submit_aixcc(request: HttpRequest, target: Target = None, tlp: Label = _STRICT) -> BatchOut:
    """Hand in submissions of the AI Cyber Challenge: one in JSON, or an archive of them."""
    viewer = _finder(request)
    _must_be(request, "application/json", *_ARCHIVES)
    raw = whole_body(request, BUNDLE_BYTES)
    files = submissions_in(raw, where="the submissions")
    items, left = of_aixcc(files, target=_purl(target), where="the submissions")
    return BatchOut.of(_all(viewer, items, tlp), left)


@router.post(
    "/bulk",
    openapi_extra={
        "x-idempotent-by-content": True,
        "requestBody": {"required": True, "content": {_NDJSON: {"schema": {"type": "string"}}}},
        "responses": {
            200: {
                "description": "A line of JSON for each line, in order: `line`, `status`"
                " (accepted, repeated or refused), `name` or `reason`.",
                "content": {_NDJSON: {"schema": {"type": "string"}}},
            }
        },
    },
)
def submit_bulk(request: HttpRequest, tlp: Label = _STRICT) -> HttpResponse:
    """Hand in many at once: a report a line, or `{"bundle": "<base64 of the archive>"}`.

    Lines are kept 200 at a time; after a broken connection send all of it again: what is here is
    answered as repeated.
    """
    viewer = _finder(request)
    _must_be(request, _NDJSON, "application/jsonl", "application/x-jsonlines")
    label = Tlp.parse(tlp).value
    arriving = lines(body_lines(request, most=BULK_BYTES, longest=LINE_BYTES), where="bulk")
    answers: list[str] = []
    while batch := list(islice(arriving, BATCH)):
        answers += [json.dumps(one) for one in _batch(viewer, batch, label)]
        if batch[-1].number >= MOST_LINES:
            why = f"at most {MOST_LINES} lines at a time; send those from here on again"
            answers.append(
                json.dumps({"line": batch[-1].number + 1, "status": "refused", "reason": why})
            )
            break
    return HttpResponse("".join(f"{one}\n" for one in answers), content_type=_NDJSON)


def _batch(viewer: Viewer, batch: list[Line], label: str) -> Iterator[dict[str, Any]]:
    items = [line.item for line in batch if line.item is not None]
    accepted = iter(actions.submit(viewer, items, now=timezone.now(), label=label))
    seen: set[str] = set()
    for line in batch:
        if line.item is None:
            yield {"line": line.number, "status": "refused", "reason": str(line.wrong)}
            continue
        found = next(accepted)
        is_new = found.is_new and found.name not in seen
        seen.add(found.name)
        status = "accepted" if is_new else "repeated"
        yield {"line": line.number, "status": status, "name": found.name}


@router.get("", response=FindingPage)
def listed(
    request: HttpRequest, cursor: Cursor = "", state: Text = "", q: Text = ""
) -> FindingPage:
    """What your organisation handed in, newest first; for the office, everything.

    `q` is the beginning of a package, a name, or a part of a title.
    """
    viewer = viewer_in(request)
    mine = queries.findings_of(viewer)
    before: int | None = None
    if cursor:
        before = mine.filter(name=cursor).values_list("pk", flat=True).first()
        if before is None:
            raise Invalid("expected the 'next' of an earlier page", key="cursor")
    found, more = queries.page_of(mine, before=before, state=state, text=q.strip())
    return FindingPage(
        items=[FindingOut.of(one) for one in found],
        next=found[-1].name if more is not None else None,
    )


@router.get("/counts", response=dict[str, int])
def counts(request: HttpRequest) -> dict[str, int]:
    """How many of the findings that you see in the list stand where."""
    return queries.counts(viewer_in(request))


@router.post("/{name}/withdraw", response=FindingOut)
def withdraw(request: HttpRequest, name: Name) -> FindingOut:
    """Take a finding back, as long as it has joined no case."""
    viewer = viewer_in(request)
    viewer.needs(Scope.FINDINGS_READ)
    return FindingOut.of(actions.withdraw(viewer, name, now=timezone.now()))


@router.post("/{name}/rerun", response=FindingOut)
def rerun(request: HttpRequest, name: Name) -> FindingOut:
    """Have a finding run again that could not be run, or was not shown.  For the office."""
    viewer = viewer_in(request)
    viewer.must_coordinate()
    viewer.needs(Scope.CASES_WRITE)
    viewer.needs(Scope.FINDINGS_READ)
    return FindingOut.of(actions.run_again(viewer, name, now=timezone.now()))


def _finder(request: HttpRequest) -> Viewer:
    """Who hands something in; asked before a large body is read."""
    viewer = viewer_in(request)
    viewer.needs(Scope.FINDINGS_WRITE)
    return viewer


def _must_be(request: HttpRequest, *types: str) -> None:
    if (request.content_type or "").lower() not in types:
        raise HttpError(415, f"Expected a body of type {', '.join(types)}.")


def _purl(text: str | None) -> PackageURL | None:
    return parse_purl(text, key="target") if text else None


def _promise(request: HttpRequest) -> Promise | None:
    """The commitment that is opened: fields of a form, else headers, which no log keeps."""
    if is_form(request):
        name, key = request.POST.get("commitment"), request.POST.get("commitment_key")
    else:
        name, key = request.headers.get("Commitment"), request.headers.get("Commitment-Key")
    if not name and not key:
        return None
    if not name or not key:
        raise Invalid("expected its name and its key", key="commitment")
    try:
        return Promise(name, bytes.fromhex(key))
    except ValueError:
        raise Invalid("expected hexadecimal digits", key="commitment_key") from None


def _one(
    viewer: Viewer, item: Item, request: HttpRequest, response: HttpResponse, label: str
) -> Status[AcceptedOut]:
    promised = item.promised(_promise(request))
    [found] = _all(viewer, [promised], label)
    response["Location"] = f"/api/findings/{found.name}"
    return Status(201 if found.is_new else 200, AcceptedOut.of(found))


def _all(viewer: Viewer, items: Sequence[Item], label: str) -> list[actions.Accepted]:
    return actions.submit(viewer, items, now=timezone.now(), label=Tlp.parse(label).value)
