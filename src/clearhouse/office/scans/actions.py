"""Claiming a package for a scan, and letting it go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from packageurl import PackageURL

from clearhouse.errors import Invalid, NotFound, Refused
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.names import new_name
from clearhouse.office.orgs.queries import hold
from clearhouse.office.scans.models import ScanClaim
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope

LONGEST: Final = timedelta(days=30)
#: Claims of one organisation at a time: a claim on everything would tell nobody anything.
MOST: Final = 100


def claim(viewer: Viewer, purl: str, until: datetime, *, now: datetime) -> ScanClaim:
    """Say that one looks at a package until a day, 30 days ahead at most."""
    viewer.needs(Scope.FINDINGS_WRITE)
    try:
        named = PackageURL.from_string(purl.strip())
    except ValueError:
        raise Invalid("expected a package URL such as pkg:pypi/ecdsa", key="package") from None
    package = str(PackageURL(type=named.type, namespace=named.namespace, name=named.name))
    if until.tzinfo is None or not now < until <= now + LONGEST:
        raise Invalid(f"expected a time within {LONGEST.days} days, with its zone", key="until")
    with transaction.atomic():
        hold(viewer.acting_for())  # two at once are counted, and found, one after the other
        mine = ScanClaim.objects.filter(
            organisation=viewer.acting_for(), until__gt=now, released_at=None
        )
        there = mine.select_for_update().filter(package=package).first()
        if there is None and mine.count() >= MOST:
            raise Refused(f"at most {MOST} claims at a time; let some go")
        made = there or ScanClaim(
            name=new_name("SC"), organisation_id=viewer.acting_for(), package=package, since=now
        )
        made.until = until
        made.save()
        record("scan.claimed", made.name, {"until": until.isoformat()}, now=now)
        return made


def release(viewer: Viewer, name: str, *, now: datetime) -> ScanClaim:
    """Let a claim go."""
    viewer.needs(Scope.FINDINGS_WRITE)
    with transaction.atomic():
        found = (
            ScanClaim.objects.select_for_update()
            .filter(name=name, organisation=viewer.acting_for())
            .first()
        )
        if found is None:
            raise NotFound("there is no such claim here")
        if found.released_at is None:
            found.released_at = now
            found.save(update_fields=["released_at"])
            record("scan.released", found.name, {}, now=now)
        return found
