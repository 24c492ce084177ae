"""The addresses of the room, its pages and its API, with keys taken as the office takes them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.utils import timezone
from ninja import NinjaAPI

from clearhouse.errors import ClearhouseError
from clearhouse.office.edge import status_of
from clearhouse.office.orgs.api import router
from clearhouse.office.orgs.queries import viewer_of_key

api = NinjaAPI(urls_namespace="tests-of-orgs", docs_url=None)
api.add_router("", router)


@api.exception_handler(ClearhouseError)
def _problem(request: HttpRequest, error: ClearhouseError) -> HttpResponse:
    status, title = status_of(error)
    return JsonResponse({"title": title, "detail": str(error)}, status=status)


class Keys:
    """Sets the viewer from the key that a request sends."""

    def __init__(self, get_response: Any) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent = request.headers.get("Authorization", "")
        if sent:
            try:
                viewer = viewer_of_key(sent.removeprefix("Bearer "), timezone.now())
            except ClearhouseError:
                return JsonResponse({"title": "Not known"}, status=401)
            request.viewer = viewer  # type: ignore[attr-defined]
        answer: HttpResponse = self._next(request)
        return answer


#: The office's, without the one for files that were built, and with the one for keys.
MIDDLEWARE = [
    *(one for one in settings.MIDDLEWARE if "whitenoise" not in one),
    "tests.office.orgs.site.Keys",
]

urlpatterns = [
    path("", include("clearhouse.office.orgs.urls")),
    path("account/", include("allauth.urls")),
    path("api/", api.urls),
]
handler404 = "clearhouse.office.edge.not_found"
