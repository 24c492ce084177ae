"""Claims on packages in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import AwareDatetime, Field

from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.scans import actions, queries
from clearhouse.office.scans.models import ScanClaim

router = Router(tags=["scans"])
Name: TypeAlias = Annotated[str, Field(max_length=20, pattern=r"^[A-Z0-9-]*$")]


class ClaimIn(Schema):
    """A package that you look at, until when; 30 days at most."""

    package: str = Field(max_length=300, pattern=r"^[\x21-\x7e]*$", examples=["pkg:pypi/ecdsa"])
    until: AwareDatetime


class ClaimOut(Schema):
    """A claim."""

    name: str = Field(examples=["SC-7KQ2M9XD4T"])
    organisation: str
    package: str
    since: datetime
    until: datetime
    released_at: datetime | None

    @classmethod
    def of(cls, one: ScanClaim) -> ClaimOut:
        """A claim that its viewer may see."""
        return cls(
            name=one.name,
            organisation=one.organisation.slug,
            package=one.package,
            since=one.since,
            until=one.until,
            released_at=one.released_at,
        )


@router.post("", response=ClaimOut)
def claim(request: HttpRequest, demand: ClaimIn) -> ClaimOut:
    """Say that you look at a package.  Again moves the day."""
    made = actions.claim(viewer_in(request), demand.package, demand.until, now=timezone.now())
    return ClaimOut.of(made)


@router.get("", response=list[ClaimOut])
def claims(request: HttpRequest) -> list[ClaimOut]:
    """The claims of your organisation that stand; for the office, everybody's."""
    found = queries.claims_of(viewer_in(request), now=timezone.now())
    return [ClaimOut.of(one) for one in found]


@router.post("/{name}/release", response=ClaimOut)
def release(request: HttpRequest, name: Name) -> ClaimOut:
    """Let a claim go."""
    return ClaimOut.of(actions.release(viewer_in(request), name, now=timezone.now()))
