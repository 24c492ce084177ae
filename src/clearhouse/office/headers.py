"""Headers of every answer: nothing inline runs, nothing foreign is loaded, nothing is framed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

_SOURCES: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_POLICY: Final = "; ".join(f"{what} {whence}" for what, whence in _SOURCES.items())


class SecurityHeaders:
    """Adds the headers; an answer that brought its own keeps them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and add what is missing."""
        response = self._next(request)
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        # For readers that do not know frame-ancestors (RFC 7034).
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=()"
        )
        if not request.path.startswith("/static/"):
            # Pages hold what only their reader may see: no cache between keeps them.
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response
