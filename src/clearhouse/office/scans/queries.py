"""Who scans what: their own claims for scanners, all of them for the office."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from clearhouse.office.scans.models import ScanClaim
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope


def claims_of(viewer: Viewer, *, now: datetime) -> Sequence[ScanClaim]:
    """The claims of the viewer's organisation that stand; for the office, everybody's."""
    viewer.needs(Scope.FINDINGS_READ)
    standing = ScanClaim.objects.filter(until__gt=now, released_at=None)
    if not viewer.coordinates:
        standing = standing.filter(organisation=viewer.acting_for())
    return list(standing.select_related("organisation").order_by("until", "id"))


def packages_scanned(*, now: datetime, besides: int) -> list[str]:
    """Packages that others than ``besides`` scan at the moment; for blind comparison only."""
    others = ScanClaim.objects.filter(until__gt=now, released_at=None).exclude(organisation=besides)
    return list(others.values_list("package", flat=True).distinct())
