"""An assessment as a state machine: measured, told to the developer, determined.

The developer reads what was found and may answer before a determination is issued (Executive Order,
section 3(b)).  Its answer is never waited for beyond :data:`REPLY_PERIOD`, and an assessment that
was handed in cannot be dropped: what was measured stands.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from clearhouse.protocol.machine import Machine

#: How long the developer has to answer before a determination is issued without one.
REPLY_PERIOD: Final = timedelta(days=5)


class AssessmentState(StrEnum):
    """Where an assessment stands."""

    RUNNING = "running"  # attempts are made
    ASSESSED = "assessed"  # the evidence is handed in and was computed again; the developer has it
    DETERMINED = "determined"
    ABANDONED = "abandoned"  # it could not be carried through

    @property
    def is_over(self) -> bool:
        """Whether nothing more is measured or decided."""
        return self in (AssessmentState.DETERMINED, AssessmentState.ABANDONED)

    @property
    def stands(self) -> bool:
        """Whether it was handed in: it makes the determination, and no other is begun beside it."""
        return self in (AssessmentState.ASSESSED, AssessmentState.DETERMINED)


class AssessmentEvent(StrEnum):
    """What happens to an assessment."""

    HAND_IN = "hand-in"
    DETERMINE = "determine"
    ABANDON = "abandon"


_S, _E = AssessmentState, AssessmentEvent
ASSESSMENT: Final[Machine[AssessmentState, AssessmentEvent]] = Machine(
    "the assessment",
    _S.RUNNING,
    {
        (_S.RUNNING, _E.HAND_IN): _S.ASSESSED,
        (_S.RUNNING, _E.ABANDON): _S.ABANDONED,
        (_S.ASSESSED, _E.DETERMINE): _S.DETERMINED,
    },
)


def issued_from(assessed_at: datetime, answered_at: datetime | None) -> datetime:
    """From when a determination may be issued: the developer's answer, or the period's end."""
    end = assessed_at + REPLY_PERIOD
    return end if answered_at is None else min(answered_at, end)
