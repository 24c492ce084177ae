"""How bad it is: CVSS by whoever assesses it, SSVC by the office."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import transaction

from clearhouse.errors import Invalid
from clearhouse.formats import cvss
from clearhouse.office.authorisation import Deed, Part
from clearhouse.office.cases.actions.journal import locked_case, note
from clearhouse.office.cases.models import Assessment, Case
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role
from clearhouse.protocol.ssvc.table import decide
from clearhouse.protocol.ssvc.tables import CISA_COORDINATOR

_VERSIONS: Final = (cvss.Version.V4_0, cvss.Version.V3_1)


def assess(
    viewer: Viewer, name: str, vector: str, reason: str = "", *, now: datetime
) -> Assessment:
    """Say how severe it is, as a CVSS 4.0 or 3.1 vector.

    The supplier's own assessment counts; the others stay beside it.
    """
    parsed = cvss.parse(vector)
    if parsed.version not in _VERSIONS:
        raise Invalid("expected a vector of CVSS 4.0 or 3.1", key="vector")
    with transaction.atomic():
        case, standing = locked_case(viewer, name, Deed.ASSESS)
        role = standing.role if standing is not None else Role.COORDINATOR
        made = Assessment.objects.create(
            case=case, organisation_id=viewer.organisation, by=viewer.name, role=role.value,
            vector=parsed.vector, score=parsed.score, severity=parsed.severity.value,
            reason=reason.strip()[:1000], at=now,
        )  # fmt: skip
        note(
            case, "assessed", f"It was assessed as {parsed.severity} ({parsed.score}).",
            by=viewer.name, now=now, part=Part.SEVERITY,
            facts={"vector": parsed.vector, "role": role.value},
        )  # fmt: skip
        return made


def choose_ssvc(viewer: Viewer, name: str, inputs: Mapping[str, str], *, now: datetime) -> Case:
    """Note what the office knows for SSVC; what it leaves out stays unknown."""
    given = {key: value for key, value in inputs.items() if value}
    possible = CISA_COORDINATOR.outcome.in_order(decide(CISA_COORDINATOR, given))
    names = [CISA_COORDINATOR.outcome.name_of(one) for one in possible]
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.RUN)
        case.ssvc = {"inputs": given, "outcomes": list(possible), "names": names}
        case.save(update_fields=["ssvc"])
        note(
            case, "ssvc", f"SSVC: {' or '.join(names)}.", by=viewer.name, now=now,
            part=Part.SEVERITY, facts={"inputs": dict(given)},
        )  # fmt: skip
        return case
