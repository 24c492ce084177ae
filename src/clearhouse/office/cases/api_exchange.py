"""What participants say and give to each other in the API, and what they have to do."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router
from ninja.errors import HttpError

from clearhouse.office.blobs import store
from clearhouse.office.cases import queries
from clearhouse.office.cases.actions import discussion
from clearhouse.office.cases.demands import MessageIn, TaskIn
from clearhouse.office.cases.documents import FileOut, MessageOut, TaskOut
from clearhouse.office.findings.documents import Name
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.uploads import form_file, is_form
from clearhouse.protocol.roles import Scope
from clearhouse.protocol.tlp import Tlp

router = Router(tags=["cases"])

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "tlp": {"type": "string", "default": "TLP:AMBER"},
                        "addressed": {"type": "array", "items": {"type": "string"}},
                    },
                }
            }
        },
    }
}


@router.post("/{name}/messages", response=MessageOut)
def post_message(request: HttpRequest, name: Name, demand: MessageIn) -> MessageOut:
    """Say something, to all who take part or to some."""
    made = discussion.post_message(
        viewer_in(request), name, demand.text, Tlp.parse(demand.tlp), demand.addressed,
        now=timezone.now(),
    )  # fmt: skip
    return MessageOut.of(made, [one.name for one in made.addressed.all()])


@router.post("/{name}/files", response=FileOut, openapi_extra=_FORM)
def add_file(request: HttpRequest, name: Name) -> FileOut:
    """Give a file to those who take part, or to some."""
    viewer = viewer_in(request)
    viewer.needs(Scope.CASES_WRITE)
    if not is_form(request):
        raise HttpError(415, "Expected a body of type multipart/form-data.")
    data, filename = form_file(request, ("file",), discussion.MOST_FILE)
    label = Tlp.parse(str(request.POST.get("tlp") or Tlp.AMBER.value))
    made = discussion.add_file(
        viewer, name, filename, data, label, request.POST.getlist("addressed"),
        now=timezone.now(),
    )  # fmt: skip
    return FileOut.of(made, [one.name for one in made.addressed.all()])


@router.get("/{name}/files/{file}")
def read_file(request: HttpRequest, name: Name, file: Name) -> HttpResponse:
    """The content of a file."""
    found = queries.file_for(viewer_in(request), name, file)
    return attachment(store.read(found.blob), found.filename)


def attachment(data: bytes, filename: str, media_type: str = "") -> HttpResponse:
    """Bytes to save, never to show: whatever they are, no browser runs them."""
    response = HttpResponse(data, content_type=media_type or "application/octet-stream")
    name = discussion.safe_name(filename)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@router.post("/{name}/tasks", response=TaskOut)
def add_task(request: HttpRequest, name: Name, demand: TaskIn) -> TaskOut:
    """Give a participant, or the office, something to do.  For the office."""
    made = discussion.add_task(
        viewer_in(request), name, demand.title, demand.assignee, demand.due_at,
        now=timezone.now(),
    )  # fmt: skip
    return TaskOut.of(made)


@router.post("/{name}/tasks/{task}/done", response=TaskOut)
def finish_task(request: HttpRequest, name: Name, task: Name) -> TaskOut:
    """Say that a task is done."""
    found = discussion.finish_task(viewer_in(request), name, task, now=timezone.now())
    return TaskOut.of(found)
