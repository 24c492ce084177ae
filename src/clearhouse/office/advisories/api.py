"""Advisories in the API: published ones for everybody, drafts for the office."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeAlias

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field

from clearhouse.errors import Invalid
from clearhouse.formats.advisory import Reference
from clearhouse.formats.osv_record import REFERENCE_TYPES
from clearhouse.office.advisories import actions, queries
from clearhouse.office.advisories.models import Advisory
from clearhouse.office.findings.documents import Cursor, Name, Text
from clearhouse.office.orgs.middleware import viewer_in

router = Router(tags=["advisories"])
Kind: TypeAlias = Annotated[str, Field(pattern=r"^(csaf|vex|osv|cve)$")]


class ReferenceIn(Schema):
    """A web address and what is there; ``kind`` is one of OSV's reference types."""

    url: str = Field(max_length=2000, pattern=r"^https://[\x21-\x7e]+$")
    summary: Text = Field("", max_length=200)
    kind: str = "WEB"


class DraftIn(Schema):
    """The words of an advisory.  Packages, versions, scores and credits come from the case."""

    title: Text = Field(min_length=1, max_length=300)
    summary: Text = Field(min_length=1, max_length=1000)
    details: Text = Field("", max_length=20_000)
    remedy: Text = Field("", max_length=20_000)
    references: list[ReferenceIn] = Field(default_factory=list, max_length=40)


class PublishIn(Schema):
    """What is new in this revision."""

    summary: Text = Field("", max_length=300)


class AdvisoryOut(Schema):
    """An advisory: as it was published, or, for the office, as a draft without ``shown``."""

    name: str = Field(examples=["CH-2026-7KQ2M9XD4T"])
    title: str
    summary: str
    published_at: datetime | None
    revision: int
    shown: dict[str, Any] | None
    missing: dict[str, str]

    @classmethod
    def of(cls, one: queries.Listed) -> AdvisoryOut:
        """An advisory that its viewer may see."""
        return cls(
            name=one.name, title=one.title, summary=one.summary, published_at=one.published_at,
            revision=one.revision, shown=one.shown, missing=one.missing,
        )  # fmt: skip


class AdvisoriesOut(Schema):
    """A page of advisories, newest first; ``next`` asks for the one after it."""

    items: list[AdvisoryOut]
    next: str | None


@router.get("", response=AdvisoriesOut, auth=None)
def advisories(request: HttpRequest, cursor: Cursor = "", q: Text = "") -> AdvisoriesOut:
    """The published advisories, newest first; the office sees its drafts among them."""
    rows, following = queries.page_of(viewer_in(request), before=cursor, text=q.strip()[:100])
    return AdvisoriesOut(items=[AdvisoryOut.of(one) for one in rows], next=following)


@router.get("/{name}", response=AdvisoryOut, auth=None)
def advisory(request: HttpRequest, name: Name) -> AdvisoryOut:
    """One advisory."""
    return _answer(queries.advisory(viewer_in(request), name))


@router.get("/{name}/documents/{kind}", response=dict[str, Any], auth=None)
def document(request: HttpRequest, name: Name, kind: Kind) -> dict[str, Any]:
    """A document of an advisory as it was published: csaf, vex, osv or cve."""
    return queries.document(viewer_in(request), name, kind)


@router.put("/{name}", response=AdvisoryOut)
def draft(request: HttpRequest, name: Name, demand: DraftIn) -> AdvisoryOut:
    """Write the words of a case's advisory.  Nothing is public by it.  For the office."""
    for one in demand.references:
        if one.kind not in REFERENCE_TYPES:
            raise Invalid(f"expected one of {', '.join(sorted(REFERENCE_TYPES))}", key="kind")
    made = actions.draft(
        viewer_in(request),
        name,
        title=demand.title,
        summary=demand.summary,
        details=demand.details,
        remedy=demand.remedy,
        references=[
            Reference(one.url, one.summary or one.url, one.kind) for one in demand.references
        ],
        now=timezone.now(),
    )
    return _answer(made)


@router.post("/{name}/publish", response=AdvisoryOut)
def publish(request: HttpRequest, name: Name, demand: PublishIn) -> AdvisoryOut:
    """Publish it, or a revision: the embargo is over for everybody at that instant."""
    viewer = viewer_in(request)
    actions.publish(viewer, name, demand.summary, now=timezone.now())
    return _answer(queries.advisory(viewer, name))


@router.delete("/{name}", response={204: None})
def withdraw(request: HttpRequest, name: Name) -> Status[None]:
    """Throw a draft away; what was published stays."""
    actions.withdraw_draft(viewer_in(request), name, now=timezone.now())
    return Status(204, None)


def _answer(one: Advisory) -> AdvisoryOut:
    return AdvisoryOut.of(queries.listed([one])[0])
