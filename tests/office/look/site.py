"""The gallery with its static files, as the office serves its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Made anew for each request: the middleware is the test's own."""
    return StaticFilesHandler(WSGIHandler())(environ, start_response)
