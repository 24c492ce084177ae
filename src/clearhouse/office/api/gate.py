"""Each request of the API passes here: who asks, how often, and whether it was asked before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja.errors import AuthenticationError
from ninja.operation import Operation
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from clearhouse.errors import Invalid, Refused
from clearhouse.office.api import answers
from clearhouse.office.api.answers import HEADER
from clearhouse.office.api.limits import Counter, TooMany, headers_of, who_asks
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.orgs.queries import viewer_of_key
from clearhouse.office.viewer import PUBLIC, Viewer

Run = Callable[..., HttpResponseBase]

_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_SCHEME: Final = "bearer"
#: An operation that says so of itself is safe to send again without a key.
BY_CONTENT: Final = "x-idempotent-by-content"
#: One that says so has a secret in what it is sent or answers: nothing of that is kept.
KEEPS_NOTHING: Final = "x-keeps-no-answer"

_counter: Final = Counter()


class KeyAuth(HttpBearer):
    """``Authorization: Bearer chk_...``; the gate has looked the key up already."""

    def authenticate(self, request: HttpRequest, token: str) -> Viewer | None:  # noqa: ARG002 - ninja's
        """The machine."""
        viewer = viewer_in(request)
        return viewer if viewer.key is not None else None


class SessionAuth(APIKeyCookie):
    """A person who has signed in; what changes something needs the CSRF token in a header."""

    param_name = "sessionid"

    def __call__(self, request: HttpRequest) -> Viewer | None:
        """The person."""
        viewer = viewer_in(request)
        return viewer if viewer.person is not None else None

    def authenticate(self, request: HttpRequest, key: str | None) -> Viewer | None:  # noqa: ARG002 - ninja's
        """The same: the cookie was read by the session."""
        return self(request)


def gate(run: Run) -> Run:
    """Wrap an operation.

    1. The viewer is set, once: of a key, else of the session, else the public.  2. A session's
    writing request shows that it comes from the office's own pages.  3. It is counted.  4. With an
    Idempotency-Key it is done once; where a secret is in it, the key is refused.
    """
    operation = getattr(run, "__self__", None)
    assert isinstance(operation, Operation), "the gate is the only decorator of its kind"
    by_content = BY_CONTENT in (operation.openapi_extra or {})
    keeps_nothing = KEEPS_NOTHING in (operation.openapi_extra or {})

    @wraps(run)
    def gated(request: HttpRequest, **values: Any) -> HttpResponseBase:  # noqa: ANN401 - path values
        now = timezone.now()
        try:
            viewer = _identified(request, now=now)  # 1, 2
            left = _counter.take(*who_asks(viewer, request), now=now)  # 3
            key = None if request.method in _SAFE or by_content else answers.key_in(request)
            if keeps_nothing:
                _refuse(key)
            if key is None or viewer.is_public:
                response = run(request, **values)
            else:  # 4
                response = answers.once(
                    viewer, key, request, lambda: _whole(run(request, **values)), now=now
                )
        except TooMany as error:
            response = operation.api.on_exception(request, error)
            for name, value in headers_of(error.policy, 0, wait=error.wait).items():
                response.headers[name] = value
            return response
        except Exception as error:  # noqa: BLE001 - the request's edge: problems.of_framework logs it
            return operation.api.on_exception(request, error)
        for name, value in left.headers().items():
            response.headers[name] = value
        return response

    return gated


def _identified(request: HttpRequest, *, now: datetime) -> Viewer:
    """Who asks; guesses at keys are counted by address."""
    try:
        return identify(request)
    except AuthenticationError:
        _counter.take(*who_asks(PUBLIC, request), now=now)
        raise


def _refuse(key: str | None) -> None:
    if key is not None:
        raise Invalid("a secret is in this, and nothing of it is kept: send it without", key=HEADER)


def _whole(response: HttpResponseBase) -> HttpResponse:
    assert isinstance(response, HttpResponse), "only whole answers are kept"
    return response


def identify(request: HttpRequest) -> Viewer:
    """Who asks; set beside the request for the rooms.  Raises AuthenticationError and Refused."""
    header = request.headers.get("Authorization")
    if header is None:
        viewer = viewer_in(request)
        is_person = viewer.person is not None
        if is_person and request.method not in _SAFE and check_csrf(request) is not None:
            raise Refused("send the CSRF token of your session in the header X-CSRFToken")
        return viewer
    scheme, _, text = header.partition(" ")
    if scheme.lower() != _SCHEME:
        raise AuthenticationError(message="Expected Authorization: Bearer chk_...")
    try:
        viewer = viewer_of_key(text.strip(), timezone.now())
    except Refused as error:
        raise AuthenticationError(
            message=f"{error.message[:1].upper()}{error.message[1:]}."
        ) from None
    request.viewer = viewer  # type: ignore[attr-defined]
    return viewer
