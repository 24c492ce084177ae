"""What the states of the field are called on a page, and which colour stands beside the word.

A tag always has its text; the colour says nothing that the text does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.proof.report.words import GRADES as GRADE_MEANINGS
from clearhouse.protocol.case_state import CaseEvent, CaseState
from clearhouse.protocol.embargo import EmbargoState
from clearhouse.protocol.report_management import ReportState
from clearhouse.protocol.tlp import Tlp


@dataclass(frozen=True, slots=True)
class Tag:
    """A word in a coloured box; ``style`` is the second half of its CSS class."""

    text: str
    style: str
    meaning: str = ""


GRADES: Final[Mapping[str, Tag]] = {
    grade: Tag(grade.capitalize(), f"grade-{grade}", meaning)
    for grade, meaning in GRADE_MEANINGS.items()
}
TLP: Final[Mapping[str, Tag]] = {
    label.value: Tag(
        label.value,
        f"tlp-{label.name.lower().replace('_', '-')}",
        f"May be passed on {label.meaning}.",
    )
    for label in Tlp
}
REPORT_STATES: Final[Mapping[str, Tag]] = {
    ReportState.START: Tag("Not received", "quiet", "The report has not arrived."),
    ReportState.RECEIVED: Tag("Received", "open", "Nobody has checked it yet."),
    ReportState.INVALID: Tag("Invalid", "no", "It was checked and does not hold."),
    ReportState.VALID: Tag("Valid", "open", "It was checked and holds."),
    ReportState.DEFERRED: Tag("Deferred", "wait", "It holds, and waits."),
    ReportState.ACCEPTED: Tag("Accepted", "yes", "It is being worked on."),
    ReportState.CLOSED: Tag("Closed", "quiet", "Nothing more is done about it."),
}
EMBARGO_STATES: Final[Mapping[str, Tag]] = {
    EmbargoState.NONE: Tag("No embargo", "quiet", "Nobody is bound."),
    EmbargoState.PROPOSED: Tag("Embargo proposed", "open", "Nobody is bound until it is accepted."),
    EmbargoState.ACTIVE: Tag("Embargo in force", "wait", "Its participants are bound."),
    EmbargoState.REVISE: Tag(
        "Embargo in force, change proposed", "wait", "Its participants are bound as before."
    ),
    EmbargoState.EXITED: Tag("Embargo ended", "quiet", "Nobody is bound any more."),
}
CASE_EVENTS: Final = {
    CaseEvent.VENDOR_AWARE: "Vendor aware",
    CaseEvent.FIX_READY: "Fix ready",
    CaseEvent.FIX_DEPLOYED: "Fix deployed",
    CaseEvent.PUBLIC: "Public",
    CaseEvent.EXPLOIT_PUBLIC: "Exploit public",
    CaseEvent.ATTACKS: "Attacks seen",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One of the six things of a case's state."""

    letter: str
    text: str
    happened: bool


def tag(table: Mapping[str, Tag], value: str) -> Tag:
    """The tag of a value.  Raises :class:`Invalid` for one that the table does not know."""
    found = table.get(value)
    if found is None:
        raise Invalid(f"{value[:40]!r} is none of {', '.join(table)}")
    return found


def tlp_tag(label: Tlp | str) -> Tag:
    """The tag of a label of TLP 2.0, with or without ``TLP:``."""
    return TLP[(label if isinstance(label, Tlp) else Tlp.parse(label)).value]


def case_steps(state: CaseState | str) -> tuple[Step, ...]:
    """The six things, in the model's order, each with whether it has happened."""
    known = state if isinstance(state, CaseState) else CaseState.parse(state)
    return tuple(Step(e.value, text, e in known.happened) for e, text in CASE_EVENTS.items())
