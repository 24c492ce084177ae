"""Advisories: published ones for everybody, drafts for the office."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.fields.json import KT

from clearhouse.errors import Invalid, NotFound
from clearhouse.office.advisories.models import Advisory, Revision, ServedFile
from clearhouse.office.viewer import Viewer

PAGE: Final = 50
_MISSING: Final = "there is no such advisory"
_DOCUMENTS: Final = ("csaf", "vex", "osv", "cve")
#: Documents of one advisory can be large: so many are read at a time.
_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Listed:
    """An advisory in the words that were published last; a draft, for the office, in its own.

    What is written for the next revision is in none of it.
    """

    name: str
    package: str
    published_at: datetime | None
    title: str
    summary: str
    cve: str
    revision: int
    shown: dict[str, Any] | None
    missing: dict[str, str]


def newest() -> QuerySet[Revision]:
    """The revision that is served, of each published advisory."""
    newer = Revision.objects.filter(advisory=OuterRef("advisory"), number__gt=OuterRef("number"))
    return Revision.objects.filter(~Exists(newer))


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


def page_of(viewer: Viewer, *, before: str = "", text: str = "") -> tuple[list[Listed], str | None]:
    """A page of advisories, newest first, and the name after which the next begins.

    What is searched is what was published; the office searches its drafts' titles too.  The next
    page begins at a name and not at a number, which would tell how many drafts there are.  Raises
    :class:`Invalid` for a name that the viewer does not see.
    """
    visible = advisories_for(viewer)
    found = visible
    if text:
        said = newest().filter(Q(shown__title__icontains=text) | Q(shown__cve=text))
        named = Q(name=text) | Q(case__package__icontains=text) | Q(pk__in=said.values("advisory"))
        if viewer.coordinates:
            named |= Q(title__icontains=text) | Q(case__cve=text)
        found = found.filter(named)
    if before:
        last = visible.filter(name=before).values_list("published_at", "pk").first()
        if last is None:
            raise Invalid("expected the name of an advisory on an earlier page", key="before")
        found = _after(found, *last)
    rows = list(found.order_by(F("published_at").desc(nulls_first=True), "-pk")[: PAGE + 1])
    return listed(rows[:PAGE]), (rows[PAGE - 1].name if len(rows) > PAGE else None)


def listed(rows: Sequence[Advisory]) -> list[Listed]:
    """What is shown of advisories that their viewer may see, without their documents."""
    served = newest().filter(advisory__in=rows).defer(*_DOCUMENTS)
    last = {one.advisory_id: one for one in served}
    return [_listed(one, last.get(one.pk)) for one in rows]


def _listed(one: Advisory, last: Revision | None) -> Listed:
    draft = {"title": one.title, "summary": one.summary, "cve": one.case.cve}
    words = last.shown if last is not None else draft
    return Listed(
        name=one.name,
        package=one.case.package,
        published_at=one.published_at,
        title=words["title"],
        summary=words["summary"],
        cve=words["cve"],
        revision=last.number if last is not None else 0,
        shown=last.shown if last is not None else None,
        missing=last.missing if last is not None else {},
    )


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
    if found is None or kind not in _DOCUMENTS:
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


def published_under(names: Collection[str]) -> list[str]:
    """The published advisories that go by one of these identifiers, oldest first; their numbers.

    An advisory goes by its own number and by the CVE id that its latest revision has.  What was
    never published has no revision, so that nothing of it is looked at; and what is being written
    for the next one is in none of it.
    """
    wanted = sorted(names)
    if not wanted:
        return []
    named = Q(advisory__name__in=wanted) | Q(shown__cve__in=wanted)
    rows = newest().filter(named).exclude(advisory__published_at=None)
    return list(rows.order_by("advisory").values_list("advisory__name", flat=True))


def published_documents() -> Iterator[dict[str, Any]]:
    """The latest CSAF and VEX documents of every published advisory, oldest first."""
    rows = newest().order_by("advisory").values_list("csaf", "vex")
    for both in rows.iterator(_AT_ONCE):
        yield from (one for one in both if one is not None)


def osv_records() -> Iterator[dict[str, Any]]:
    """The latest OSV record of every published advisory that has one, oldest first."""
    rows = _with_osv().order_by("advisory").values_list("osv", flat=True)
    for one in rows.iterator(_AT_ONCE):
        assert isinstance(one, dict)
        yield one


def osv_changes() -> list[tuple[str, str]]:
    """When each of these records was changed, and its identifier; newest first."""
    rows = _with_osv().values_list(KT("osv__modified"), KT("osv__id"))
    return sorted(rows, reverse=True)


def _with_osv() -> QuerySet[Revision]:
    return newest().filter(osv__isnull=False)


def served(path: str) -> ServedFile:
    """A public file of the CSAF provider.  Raises :class:`NotFound`."""
    found = ServedFile.objects.filter(path=path, is_public=True).first()
    if found is None:
        raise NotFound("there is no such file")
    return found
