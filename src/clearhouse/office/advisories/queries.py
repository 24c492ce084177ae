"""Advisories: published ones for everybody, drafts for the office."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db.models import F, Q, QuerySet

from clearhouse.errors import Invalid, NotFound
from clearhouse.office.advisories.models import Advisory, Revision, ServedFile
from clearhouse.office.viewer import Viewer

PAGE: Final = 50
_MISSING: Final = "there is no such advisory"


def advisories_for(viewer: Viewer) -> QuerySet[Advisory]:
    """The advisories that exist for the viewer."""
    found = Advisory.objects.select_related("case")
    return found if viewer.coordinates else found.exclude(published_at=None)


def advisory(viewer: Viewer, name: str) -> Advisory:
    """One advisory.  Raises :class:`NotFound`, the same for a draft as for none."""
    found = advisories_for(viewer).filter(name=name).first()
    if found is None:
        raise NotFound(_MISSING)
    return found


def page_of(
    viewer: Viewer, *, before: str = "", text: str = ""
) -> tuple[list[Advisory], str | None]:
    """A page of advisories, newest first, and the name after which the next begins.

    Names and not numbers: a number would tell how many drafts there are.  Raises
    :class:`Invalid` for a name that the viewer does not see.
    """
    visible = advisories_for(viewer)
    found = visible
    if text:
        found = found.filter(
            Q(title__icontains=text) | Q(name=text) | Q(case__package__icontains=text)
            | Q(case__cve=text)
        )  # fmt: skip
    if before:
        last = visible.filter(name=before).values_list("published_at", "pk").first()
        if last is None:
            raise Invalid("expected the name of an advisory on an earlier page", key="before")
        found = _after(found, *last)
    rows = list(found.order_by(F("published_at").desc(nulls_first=True), "-pk")[: PAGE + 1])
    return rows[:PAGE], (rows[PAGE - 1].name if len(rows) > PAGE else None)


def _after(found: QuerySet[Advisory], published_at: datetime | None, pk: int) -> QuerySet[Advisory]:
    """What comes after a place in the order: drafts first, then the newest."""
    if published_at is None:
        return found.filter(Q(published_at=None, pk__lt=pk) | Q(published_at__isnull=False))
    return found.filter(Q(published_at__lt=published_at) | Q(published_at=published_at, pk__lt=pk))


def latest(one: Advisory) -> Revision | None:
    """The revision that is served."""
    return one.revisions.order_by("-number").first()


def document(viewer: Viewer, name: str, kind: str) -> dict[str, Any]:
    """A document of an advisory as it was published: ``csaf``, ``vex``, ``osv`` or ``cve``.

    Raises :class:`NotFound`, with the reason where the format could not say it.
    """
    found = latest(advisory(viewer, name))
    if found is None or kind not in ("csaf", "vex", "osv", "cve"):
        raise NotFound("there is no such document")
    document_ = getattr(found, kind)
    if document_ is None:
        raise NotFound(f"there is no {kind.upper()} document: {found.missing.get(kind, 'none')}")
    assert isinstance(document_, dict)
    return document_


def draft_of(viewer: Viewer, case: str) -> Advisory | None:
    """The advisory of a case, draft or published, for the office."""
    viewer.must_coordinate()
    return advisories_for(viewer).filter(name=case).first()


def published_documents() -> Iterator[dict[str, Any]]:
    """The latest CSAF and VEX documents of every published advisory, oldest first."""
    for one in Advisory.objects.exclude(published_at=None).order_by("pk").iterator():
        last = latest(one)
        if last is not None:
            yield from (doc for doc in (last.csaf, last.vex) if doc is not None)


def osv_records(*, since: datetime | None = None) -> Iterator[dict[str, Any]]:
    """The latest OSV record of every published advisory."""
    published = Advisory.objects.exclude(published_at=None).order_by("pk")
    if since is not None:
        published = published.filter(changed_at__gte=since)
    for one in published.iterator():
        last = latest(one)
        if last is not None and last.osv is not None:
            yield last.osv


def served(path: str) -> ServedFile:
    """A public file of the CSAF provider.  Raises :class:`NotFound`."""
    found = ServedFile.objects.filter(path=path, is_public=True).first()
    if found is None:
        raise NotFound("there is no such file")
    return found
