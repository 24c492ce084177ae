"""Headers of every answer: nothing inline runs, nothing foreign is loaded, nothing is framed."""

from __future__ import annotations

import base64
import hashlib
import re
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
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def page_of_its_own(page: str) -> HttpResponse:
    """An HTML document that brings its own style sheet and loads nothing.

    The style sheet is allowed by its digest (CSP Level 3, section 2.3.1); nothing else is, and the
    document is in a sandbox: it is nobody's origin.
    """
    digests = [hashlib.sha256(one.encode()).digest() for one in _STYLE.findall(page)]
    styles = " ".join(f"'sha256-{base64.b64encode(one).decode()}'" for one in digests)
    policy = f"default-src 'none'; style-src {styles}; frame-ancestors 'none'; sandbox"
    return HttpResponse(page, headers={"Content-Security-Policy": policy})


def handed_out(data: bytes, name: str, kind: str = "application/octet-stream") -> HttpResponse:
    """An answer that a browser saves and does not open.

    RFC 6266, section 4.1; ``nosniff`` keeps it from being taken for something else (Fetch, 3.6).
    """
    safe = _UNSAFE.sub("-", name).strip(".-") or "file"
    headers = {
        "Content-Disposition": f'attachment; filename="{safe}"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(data, content_type=kind, headers=headers)


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
