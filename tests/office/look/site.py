"""The gallery with its static files, under the policy that the office sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler

#: As the office's pages are sent: nothing inline, nothing foreign.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        return start_response(status, [*headers, ("Content-Security-Policy", POLICY)], *more)

    return _handler(environ, start)


_handler = StaticFilesHandler(WSGIHandler())
