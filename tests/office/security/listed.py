"""What there is at the office, from its own lists: pages, operations, verbs."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from clearhouse.office.api.root import api
from clearhouse.office.assessments.forms import VERBS as ASSESSMENT_VERBS
from clearhouse.office.cases.forms import VERBS
from clearhouse.office.orgs import organisation_page
from clearhouse.office.reviews.forms import VERBS as REVIEW_VERBS


def pages_there_are() -> set[str]:
    """The patterns of all pages, from Django's own list."""
    return {one for one in _walk(get_resolver(), "") if not one.startswith("api/")}


def _walk(resolver: URLResolver, before: str) -> Iterator[str]:
    for one in resolver.url_patterns:
        text = before + str(one.pattern)
        if isinstance(one, URLPattern):
            yield text
        else:
            yield from _walk(one, text)


def operations_there_are() -> set[str]:
    """Methods and paths of all operations, from ninja's own lists."""
    found = set()
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            place = f"api/{prefix.strip('/')}/{path.strip('/')}".replace("//", "/").strip("/")
            found |= {f"{method} /{place}" for one in view.operations for method in one.methods}
    return found


def verbs_there_are() -> set[str]:
    """What is done in a case, and to an organisation, by the office's own tables."""
    return {
        *VERBS, *REVIEW_VERBS, *ASSESSMENT_VERBS, *organisation_page._DEEDS,
        *organisation_page._BUTTONS,
    }  # fmt: skip
