"""The two-person rule: what is sealed is opened by two, of named work roles, close in time.

Work roles are those of the NICE Workforce Framework for Cybersecurity (NIST SP 800-181 revision 1;
NICE Framework Components 1.0.0, 2024); those here are the ones that a review needs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from clearhouse.errors import Refused


class WorkRole(StrEnum):
    """A NICE work role by its identifier."""

    LEGAL_ADVICE = "OG-WRL-006"
    PRIVACY_COMPLIANCE = "OG-WRL-008"
    PROGRAM_MANAGEMENT = "OG-WRL-010"
    SECURITY_CONTROL_ASSESSMENT = "OG-WRL-012"
    SYSTEMS_SECURITY_MANAGEMENT = "OG-WRL-014"
    SOFTWARE_SECURITY_ASSESSMENT = "DD-WRL-005"
    SYSTEMS_TESTING_AND_EVALUATION = "DD-WRL-007"
    TECHNOLOGY_RESEARCH = "DD-WRL-008"
    DATA_ANALYSIS = "IO-WRL-001"
    SYSTEMS_SECURITY_ANALYSIS = "IO-WRL-006"
    INSIDER_THREAT_ANALYSIS = "PD-WRL-005"
    THREAT_ANALYSIS = "PD-WRL-006"
    VULNERABILITY_ANALYSIS = "PD-WRL-007"

    @property
    def label(self) -> str:
        """The role's name in the framework."""
        return _TITLES[self]


_TITLES: Final = {
    WorkRole.LEGAL_ADVICE: "Cybersecurity Legal Advice",
    WorkRole.PRIVACY_COMPLIANCE: "Privacy Compliance",
    WorkRole.PROGRAM_MANAGEMENT: "Program Management",
    WorkRole.SECURITY_CONTROL_ASSESSMENT: "Security Control Assessment",
    WorkRole.SYSTEMS_SECURITY_MANAGEMENT: "Systems Security Management",
    WorkRole.SOFTWARE_SECURITY_ASSESSMENT: "Software Security Assessment",
    WorkRole.SYSTEMS_TESTING_AND_EVALUATION: "Systems Testing and Evaluation",
    WorkRole.TECHNOLOGY_RESEARCH: "Technology Research and Development",
    WorkRole.DATA_ANALYSIS: "Data Analysis",
    WorkRole.SYSTEMS_SECURITY_ANALYSIS: "Systems Security Analysis",
    WorkRole.INSIDER_THREAT_ANALYSIS: "Insider Threat Analysis",
    WorkRole.THREAT_ANALYSIS: "Threat Analysis",
    WorkRole.VULNERABILITY_ANALYSIS: "Vulnerability Analysis",
}

#: Who may open what is sealed, unless an office names others.
OPENERS: Final = frozenset(
    {
        WorkRole.SECURITY_CONTROL_ASSESSMENT,
        WorkRole.SYSTEMS_SECURITY_MANAGEMENT,
        WorkRole.SOFTWARE_SECURITY_ASSESSMENT,
        WorkRole.SYSTEMS_TESTING_AND_EVALUATION,
        WorkRole.VULNERABILITY_ANALYSIS,
    }
)
#: How far the two may be apart, and how long their approval holds.
WITHIN: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's approval; ``conflicts`` is what that person has declared, empty for none."""

    person: int
    role: WorkRole
    conflicts: str
    at: datetime


def must_be_two(
    approvals: Collection[Approval],
    *,
    now: datetime,
    roles: Collection[WorkRole] = OPENERS,
    within: timedelta = WITHIN,
) -> None:
    """Raise :class:`Refused` unless a sealed thing may be opened now.

    1. Each approval counts only within the time.  2. Only of a named work role; no role named is
    nobody.  3. Not of somebody with a conflict of interest.  4. Two different people are left.
    """
    fresh = [one for one in approvals if timedelta(0) <= now - one.at <= within]  # 1
    named = [one for one in fresh if one.role in roles]  # 2
    free = [one for one in named if not one.conflicts.strip()]  # 3
    if len({one.person for one in free}) < 2:  # 4
        minutes = within // timedelta(minutes=1)
        raise Refused(
            "two people of named work roles, neither with a conflict of interest, approve within"
            f" {minutes} minutes; {len({one.person for one in free})} have"
        )
