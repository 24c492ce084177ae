"""Errors as RFC 9457 problem documents: one form for all, and no details of bugs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import (
    BadRequest,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFilesSent,
)
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import Field

from clearhouse.errors import ClearhouseError, Invalid, Unavailable
from clearhouse.office.edge import (
    AWAY,
    AWAY_SECONDS,
    is_database_away,
    say_away,
    status_of,
)

log = logging.getLogger("clearhouse.office.api")

MEDIA_TYPE: Final = "application/problem+json"
#: Relative to the API's own address (RFC 9457, section 3.1.1 allows it).
_TYPE: Final = "/api/problems/{}"
_RETRY_SECONDS: Final = 30

#: Errors that the framework raises before a room is asked.
_OF_FRAMEWORK: Final[tuple[tuple[type[Exception], int, str], ...]] = (
    (RequestDataTooBig, 413, "The request is larger than this address takes."),
    (TooManyFilesSent, 413, "The request has more files than this address takes."),
    (MultiPartParserError, 400, "The multipart body cannot be read."),
    (UnreadablePostError, 400, "The request ended before all of it was here."),
    (SuspiciousOperation, 400, "The request cannot be read."),
    (BadRequest, 400, "The request cannot be read."),
    (Http404, 404, "There is nothing at this address."),
)


class Wrong(Schema):
    """One field that is wrong."""

    key: str = Field(description="Where: the part of the request, then the path inside it.")
    message: str


class Problem(Schema):
    """What went wrong (RFC 9457)."""

    type: str = Field(examples=["/api/problems/422"])
    title: str = Field(examples=["This cannot be used as it is"])
    status: int = Field(examples=[422])
    detail: str = Field(description="A sentence for the person who has to act.")
    where: str | None = Field(None, description="The file, or the member of an archive.")
    key: str | None = Field(None, description="The key inside it.")
    errors: list[Wrong] = Field([], description="Each field that is wrong, if it is about fields.")


def problem(
    status: int,
    detail: str,
    *,
    title: str = "",
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """A problem document as an answer."""
    document = {
        "type": _TYPE.format(status),
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **(more or {}),
    }
    content = json.dumps(document, ensure_ascii=False)
    return HttpResponse(
        content, status=status, content_type=MEDIA_TYPE, headers=dict(headers or {})
    )


def of_family(request: HttpRequest, error: Exception) -> HttpResponse:  # noqa: ARG001 - ninja's
    """The answer to an error of the family."""
    assert isinstance(error, ClearhouseError)
    status, title = status_of(error)
    more: dict[str, Any] = {}
    if isinstance(error, Invalid):
        more = {name: one for name in ("where", "key") if (one := getattr(error, name))}
    headers = {"Retry-After": str(_RETRY_SECONDS)} if isinstance(error, Unavailable) else {}
    return problem(status, error.message, title=title, more=more, headers=headers)


def of_fields(request: HttpRequest, error: Exception) -> HttpResponse:  # noqa: ARG001 - ninja's
    """The answer to a request whose fields are wrong, each by its place."""
    assert isinstance(error, ValidationError)
    wrong = [
        {"key": ".".join(str(part) for part in one["loc"]), "message": str(one["msg"])}
        for one in error.errors
    ]
    first = wrong[0] if wrong else {"key": "body", "message": "cannot be read"}
    title = status_of(Invalid(""))[1]
    return problem(422, f"{first['key']}: {first['message']}", title=title, more={"errors": wrong})


def of_http(request: HttpRequest, error: Exception) -> HttpResponse:  # noqa: ARG001 - ninja's
    """The answer to what ninja, or the gate, refuses by a status code."""
    assert isinstance(error, HttpError)
    headers = {}
    detail = str(error)
    if isinstance(error, AuthenticationError):
        headers = {"WWW-Authenticate": 'Bearer realm="clearhouse"'}
        if detail == "Unauthorized":
            detail = "Send an API key (Authorization: Bearer chk_...), or sign in."
    return problem(error.status_code, detail, headers=headers)


def of_framework(request: HttpRequest, error: Exception) -> HttpResponse:
    """The answer to an error of the framework; anything else is a bug: logged, and not told."""
    for kind, status, sentence in _OF_FRAMEWORK:
        if isinstance(error, kind):
            return problem(status, sentence)
    if is_database_away(error):
        say_away(error)
        return problem(503, AWAY, headers={"Retry-After": str(AWAY_SECONDS)})
    # The request's edge: whatever a bug says is not for whoever asked.
    log.error("%s %s", request.method, request.path, exc_info=error)
    return problem(500, "The error was recorded. Nothing that was accepted before is lost.")


def register(api: NinjaAPI) -> None:
    """Let the API answer with problems only."""
    handlers: tuple[tuple[type[Exception], Callable[..., HttpResponse]], ...] = (
        (ClearhouseError, of_family),
        (ValidationError, of_fields),
        (HttpError, of_http),
        (Http404, of_framework),
        (Exception, of_framework),
    )
    for kind, answer in handlers:
        api.add_exception_handler(kind, answer)


class Problems:
    """Answers that no operation gave (no such address, no such method) as problems, below /api/."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on, and mend what is an error and no problem document."""
        response = self._next(request)
        if not request.path.startswith("/api/") or response.status_code < HTTPStatus.BAD_REQUEST:
            return response
        if response.headers.get("Content-Type", "").startswith(MEDIA_TYPE):
            return response
        return problem(
            response.status_code,
            _SENTENCES.get(response.status_code, "The request cannot be answered."),
            headers={"Allow": response.headers["Allow"]} if "Allow" in response.headers else {},
        )

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The problem for what escaped below /api/."""
        if not request.path.startswith("/api/"):
            return None
        if isinstance(error, ClearhouseError):
            return of_family(request, error)
        return of_framework(request, error)


_SENTENCES: Final = {
    400: "The request cannot be read.",
    403: "The request was refused before it was read.",
    404: "There is nothing at this address.",
    405: "This address does not take that method; the Allow header says which.",
}
