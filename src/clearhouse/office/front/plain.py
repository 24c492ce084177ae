"""What programs ask every site for: robots.txt, security.txt, an icon."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils import timezone
from django.views.decorators.http import require_safe

from clearhouse.office.front.contact import as_address

#: What is there for everybody; all else needs an account, and is nothing to be found.
_PUBLIC: Final = (
    "/$",
    "/advisories/",
    "/osv/",
    "/oversight/",
    "/ledger/",
    "/contact/",
    "/accessibility/",
    "/.well-known/",
    "/static/",
)
#: RFC 9116, section 2.5.5: less than a year ahead.
_EXPIRES: Final = timedelta(days=300)
_CACHED: Final = {"Cache-Control": "public, max-age=3600"}
_TEXT: Final = "text/plain; charset=utf-8"


@require_safe
def robots(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's
    """Which addresses crawlers may ask for (RFC 9309)."""
    lines = ["User-agent: *", *(f"Allow: {one}" for one in _PUBLIC), "Disallow: /", ""]
    return HttpResponse("\n".join(lines), content_type=_TEXT, headers=_CACHED)


@require_safe
def security(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's
    """How flaws of this office itself are reported (RFC 9116).

    It expires at the end of a day, so that it does not differ with each asking.
    """
    config = settings.CONFIG
    expires = (timezone.now() + _EXPIRES).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: {as_address(config.contact)}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {config.url}/.well-known/security.txt",
        f"Policy: {config.url}/contact/",
        "",
    ]
    return HttpResponse("\n".join(lines), content_type=_TEXT, headers=_CACHED)


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's
    """Where browsers look for an icon that no page has named to them."""
    return HttpResponse(status=302, headers={"Location": static("look/icon.svg"), **_CACHED})
