"""Findings as their viewers see them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Q, QuerySet

from clearhouse.errors import NotFound
from clearhouse.office.authorisation import Standing, sees_finding
from clearhouse.office.blobs import store
from clearhouse.office.findings import models
from clearhouse.office.findings.models import Commitment, KnownQuestion
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope

#: What queries return, by a name that rooms above may use.
Finding = models.Finding

PAGE: Final = 50
_MISSING: Final = "there is no such finding here"


def findings_of(viewer: Viewer) -> QuerySet[Finding]:
    """The findings that the viewer handed in; all of them for who runs the office.

    Those that a participant sees through its case are asked for by case.
    """
    viewer.needs(Scope.FINDINGS_READ)
    found = Finding.objects.select_related("organisation", "commitment")
    if viewer.coordinates:
        return found
    return found.filter(organisation=viewer.acting_for())


def finding(viewer: Viewer, name: str, standing: Standing | None = None) -> Finding:
    """One finding.  ``standing`` is the viewer's in the finding's case, where it has one.

    Raises :class:`NotFound`, in the same words whether it is hidden or not there.
    """
    found = Finding.objects.select_related("organisation", "commitment").filter(name=name).first()
    if found is None:
        raise NotFound(_MISSING)
    if not sees_finding(viewer, finder=found.organisation_id, standing=standing):
        raise NotFound(_MISSING)
    viewer.needs(Scope.FINDINGS_READ)
    return found


def case_of(name: str) -> str:
    """The name of the case that a finding belongs to, empty where it has none."""
    return Finding.objects.filter(name=name).values_list("case", flat=True).first() or ""


def in_case(case: str) -> list[Finding]:
    """The findings of a case in order of credit, for the room that has checked its viewer."""
    return list(
        Finding.objects.select_related("organisation", "commitment")
        .filter(case=case)
        .order_by("credit_at", "id")
    )


def proofs_in(case: str) -> list[Finding]:
    """Those of them whose proof was run and holds, in the same order."""
    return [
        one
        for one in in_case(case)
        if one.kind == Finding.Kind.BUNDLE and one.state == Finding.State.PROVEN
    ]


def unplaced(package: str) -> list[Finding]:
    """Findings without proof on a package that belong to no case, for the room of cases."""
    waiting = Finding.objects.filter(package=package, state=Finding.State.UNPROVEN, case="")
    return list(waiting.order_by("pk"))


def page_of(
    found: QuerySet[Finding], *, before: int | None, state: str = "", text: str = ""
) -> tuple[list[Finding], int | None]:
    """A page of findings, newest first, and where the next begins."""
    if state:
        found = found.filter(state=state)
    if text:
        found = found.filter(Q(package__startswith=text) | Q(name=text) | Q(title__icontains=text))
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.order_by("-pk")[: PAGE + 1])
    return rows[:PAGE], (rows[PAGE - 1].pk if len(rows) > PAGE else None)


def counts(viewer: Viewer) -> dict[str, int]:
    """How many findings of the viewer stand where."""
    return dict(
        findings_of(viewer)
        .order_by()
        .values_list("state")
        .annotate(number=Count("pk"))
        .values_list("state", "number")
    )


def verdict_bytes(found: Finding) -> bytes | None:
    """The verdict of a finding that its viewer may see, as it is kept; None before it was run."""
    return store.read(found.verdict) if found.verdict else None


def verdict_of(found: Finding) -> dict[str, Any] | None:
    """The verdict of a finding that its viewer may see; None before it was run."""
    raw = verdict_bytes(found)
    if raw is None:
        return None
    document = json.loads(raw)
    assert isinstance(document, dict)
    return document


def content_of(found: Finding) -> bytes:
    """What was handed in, for somebody who may see it."""
    return store.read(found.blob)


def commitment(viewer: Viewer, name: str) -> Commitment:
    """A commitment of the viewer's own.  Raises :class:`NotFound`."""
    viewer.needs(Scope.FINDINGS_READ)
    mine = Commitment.objects.filter(name=name)
    if not viewer.coordinates:
        mine = mine.filter(organisation=viewer.acting_for())
    found = mine.first()
    if found is None:
        raise NotFound("there is no such commitment here")
    return found


def commitments_of(viewer: Viewer) -> Sequence[Commitment]:
    """The commitments of the viewer's organisation, newest first."""
    viewer.needs(Scope.FINDINGS_READ)
    mine = Commitment.objects.filter(organisation=viewer.acting_for()).select_related("finding")
    return list(mine.order_by("-pk")[:PAGE])


def questions_since(organisation: int, now: datetime, period: timedelta) -> int:
    """How often an organisation has asked whether something is known."""
    asked = KnownQuestion.objects.filter(organisation=organisation, at__gt=now - period)
    return asked.count()


def known_signatures() -> Iterable[str]:
    """Every signature that was proven here; for blind comparison only."""
    return (
        Finding.objects.exclude(signature="")
        .values_list("signature", flat=True)
        .distinct()
        .iterator()
    )
