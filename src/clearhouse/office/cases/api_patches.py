"""Patches in the API: proposed, shown with what running them showed, chosen, handed on."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router
from ninja.errors import HttpError
from pydantic import Field

from clearhouse.errors import NotFound
from clearhouse.office.blobs import store
from clearhouse.office.cases import queries
from clearhouse.office.cases.actions import patches
from clearhouse.office.cases.api_exchange import attachment
from clearhouse.office.cases.demands import DistributeIn
from clearhouse.office.cases.documents import PatchOut
from clearhouse.office.findings.documents import JobOut, Name, Text
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.queue.queries import jobs_before, status_of
from clearhouse.office.uploads import form_file, is_form, whole_body
from clearhouse.proof.diff import PATCH_BYTES
from clearhouse.protocol.roles import Scope
from clearhouse.protocol.tlp import Tlp

router = Router(tags=["patches"])

_TYPES = ("text/x-diff", "text/x-patch", "text/plain", "application/octet-stream")
_DIFF: dict[str, Any] = {"schema": {"type": "string"}}
_FORM: dict[str, Any] = {
    "schema": {
        "type": "object",
        "required": ["patch"],
        "properties": {"patch": {"type": "string", "format": "binary"}},
    }
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {**dict.fromkeys(_TYPES, _DIFF), "multipart/form-data": _FORM},
    }
}
Note: TypeAlias = Annotated[Text, Field(max_length=1000, description="What it does.")]
MadeBy: TypeAlias = Annotated[Text, Field(max_length=200, description="AI system that wrote it.")]


@router.post("/{name}/patches", response=PatchOut, openapi_extra=_BODY)
def propose_patch(
    request: HttpRequest, name: Name, note: Note = "", made_by: MadeBy = ""
) -> PatchOut:
    """Propose a unified diff as the fix; it is run before anybody relies on it."""
    viewer = viewer_in(request)
    viewer.needs(Scope.CASES_WRITE)
    if is_form(request):
        data, _ = form_file(request, ("patch",), PATCH_BYTES)
    elif (request.content_type or "") in _TYPES:
        data = whole_body(request, PATCH_BYTES)
    else:
        raise HttpError(415, f"Expected a body of type {', '.join(_TYPES)}.")
    made = patches.propose_patch(viewer, name, data, note, made_by, now=timezone.now())
    return PatchOut.of(made)


@router.get("/{name}/patches/{patch}", response=PatchOut)
def one(request: HttpRequest, name: Name, patch: Name) -> PatchOut:
    """A patch."""
    return PatchOut.of(queries.patch_for(viewer_in(request), name, patch))


@router.get("/{name}/patches/{patch}/diff")
def diff(request: HttpRequest, name: Name, patch: Name) -> HttpResponse:
    """The patch itself."""
    found = queries.patch_for(viewer_in(request), name, patch)
    return attachment(store.read(found.blob), f"{found.name}.patch", "text/x-diff")


@router.get("/{name}/patches/{patch}/verdict", response=dict[str, Any])
def verdict(request: HttpRequest, name: Name, patch: Name) -> dict[str, Any]:
    """What running the patch showed."""
    found = queries.patch_verdict(queries.patch_for(viewer_in(request), name, patch))
    if found is None:
        raise NotFound("the patch has not been run to its end")
    return found


@router.get("/{name}/patches/{patch}/job", response=JobOut)
def job(request: HttpRequest, name: Name, patch: Name) -> JobOut:
    """Where the run of the patch stands."""
    found = queries.patch_for(viewer_in(request), name, patch)
    key = f"{patches.CHECK_PATCH}:{found.name}"
    return JobOut.of(status_of(key), jobs_before(key))


@router.post("/{name}/patches/{patch}/choose", response=PatchOut)
def choose(request: HttpRequest, name: Name, patch: Name) -> PatchOut:
    """Choose the patch that will be handed on: the supplier, or the office in its place."""
    made = patches.choose_patch(viewer_in(request), name, patch, now=timezone.now())
    return PatchOut.of(made)


@router.post("/{name}/patches/{patch}/distribute", response=PatchOut)
def distribute(request: HttpRequest, name: Name, patch: Name, demand: DistributeIn) -> PatchOut:
    """Hand the chosen patch on to everybody in the case, signed.  For the office."""
    made = patches.distribute(
        viewer_in(request), name, patch, Tlp.parse(demand.tlp), now=timezone.now()
    )
    return PatchOut.of(made)
