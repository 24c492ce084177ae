"""What stands on the first page of somebody who has signed in: what to do, by role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from clearhouse.office.cases import queries as cases
from clearhouse.office.findings import queries as findings
from clearhouse.office.findings.standing import STATES
from clearhouse.office.inventories import queries as inventories
from clearhouse.office.inventories.shown import FIRST, Step, step_of
from clearhouse.office.look.words import Tag
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role

_SHOWN: Final = 5
#: What cases are to a participant of that role, in the order in which they stand on the page.
_HEADINGS: Final[Mapping[Role, str]] = {
    Role.SUPPLIER: "In your software",
    Role.DEPLOYER: "Handed to you",
    Role.AUTHORITY: "Cases that you were told of",
    Role.OBSERVER: "Cases that you look on",
    Role.FINDER: "Cases of your findings",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Cases in which the viewer has the same part."""

    heading: str
    cases: Sequence[cases.Listed]


@dataclass(frozen=True, slots=True)
class Home:
    """The parts of the page; one that is None does not concern the viewer."""

    exposure: Sequence[Step] | None
    """What to do first on its systems, for who runs some or is a deployer."""
    queue: Sequence[cases.Queued] | None
    findings: Sequence[tuple[findings.Finding, Tag]] | None
    groups: Sequence[Group]
    tasks: Sequence[Any]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show but that nothing is there."""
        return (
            self.exposure is None
            and self.queue is None
            and self.findings is None
            and not self.groups
            and not self.tasks
        )


def home_of(viewer: Viewer, *, now: datetime) -> Home:
    """The first page of a viewer that acts for an organisation."""
    listed = [] if viewer.coordinates else cases.page_of(viewer)[0]
    return Home(
        exposure=_exposure(viewer, now),
        queue=cases.queue(viewer, now=now, most=_SHOWN) if viewer.coordinates else None,
        findings=_findings(viewer) if viewer.has(Role.FINDER) else None,
        groups=_groups(listed),
        tasks=cases.tasks_of(viewer, most=_SHOWN),
    )


def _exposure(viewer: Viewer, now: datetime) -> list[Step] | None:
    systems = inventories.systems_of(viewer)
    if not systems and not viewer.has(Role.DEPLOYER):
        return None
    titles = {one.system.name: one.system.title for one in systems}
    first, _ = inventories.remedies_of(viewer, most=FIRST)
    return [step_of(one, titles, now) for one in first]


def _findings(viewer: Viewer) -> list[tuple[findings.Finding, Tag]]:
    mine = findings.findings_of(viewer).filter(organisation=viewer.acting_for())
    return [(one, STATES[one.state]) for one in mine.order_by("-pk")[:_SHOWN]]


def _groups(listed: Sequence[cases.Listed]) -> list[Group]:
    found = []
    for role, heading in _HEADINGS.items():
        of_role = [one for one in listed if one.standing and one.standing.role is role]
        if of_role:
            found.append(Group(heading, of_role[:_SHOWN]))
    return found
