"""What the API is asked to do in a case, as JSON documents."""

from __future__ import annotations

from typing import Literal

from ninja import Schema
from pydantic import AwareDatetime, Field

from clearhouse.office.findings.documents import Text
from clearhouse.protocol.roles import Role

_REASON = "A sentence; it stands in the timeline."


class AnswerIn(Schema):
    """An answer to an invitation."""

    verdict: Literal["accept", "decline"]


class InviteIn(Schema):
    """Whom to invite as what; a supplier is told."""

    organisation: Text = Field(max_length=60, description="Short name.")
    role: Literal["supplier", "deployer", "observer", "authority", "finder"] = Field(
        examples=[Role.DEPLOYER.value]
    )


class TellIn(Schema):
    """An organisation."""

    organisation: Text = Field(max_length=60, description="Short name.")


class ReportStateIn(Schema):
    """Where your organisation stands with the report now."""

    event: Literal["validate", "invalidate", "accept", "defer", "close"]
    reason: Text = Field("", max_length=1000, description="Needed to invalidate and to defer.")


class FixIn(Schema):
    """A fix is ready, or released."""

    event: Literal["F", "D"] = Field(description="F: ready. D: released.")
    supplier: Text = Field("", max_length=60, description="For the office: whose.")


class ReasonIn(Schema):
    """A reason."""

    reason: Text = Field(max_length=1000, description=_REASON)


class WorldIn(Schema):
    """Something has happened in the world."""

    event: Literal["P", "X", "A"] = Field(description="P: public. X: exploit public. A: attacks.")
    reason: Text = Field(max_length=1000, description="How it is known.")


class CollisionIn(Schema):
    """Somebody else has it too."""

    turn: Literal["rediscovered", "leaked", "fix-public"]
    reason: Text = Field(max_length=1000, description="How it is known.")


class EndIn(Schema):
    """Another end of the embargo."""

    ends_at: AwareDatetime = Field(examples=["2026-12-01T12:00:00Z"])
    reason: Text = Field(max_length=1000)


class VerdictIn(Schema):
    """A decision on a proposed end."""

    verdict: Literal["accepted", "rejected"]
    reason: Text = Field("", max_length=1000)


class MessageIn(Schema):
    """Something to say."""

    text: Text = Field(max_length=50_000)
    tlp: Text = Field("TLP:AMBER", max_length=40)
    addressed: list[Text] = Field([], max_length=100, description="Short names; empty: to all.")


class TaskIn(Schema):
    """Something to do."""

    title: Text = Field(max_length=300)
    assignee: Text = Field("", max_length=60, description="Short name; empty for the office.")
    due_at: AwareDatetime | None = None


class AssessmentIn(Schema):
    """How severe it is."""

    vector: Text = Field(max_length=300, examples=["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N"])
    reason: Text = Field("", max_length=1000)


class DescribeIn(Schema):
    """What a case is called, and a text for those who see what it is about."""

    title: Text = Field(min_length=1, max_length=300)
    summary: Text = Field("", max_length=20_000)


class CveIn(Schema):
    """The CVE id; an empty one takes back what was noted."""

    cve: Text = Field("", max_length=30, examples=["CVE-2026-12345"])


class LeadIn(Schema):
    """Who of the office looks after it, by the number that its members have in the API."""

    person: int = Field(ge=1, le=2**31 - 1)


class SsvcIn(Schema):
    """What the office knows for SSVC (CISA Coordinator 2.0.3); what is left out stays unknown."""

    inputs: dict[Text, Text] = Field(max_length=20)


class VersionsIn(Schema):
    """Which versions are affected."""

    introduced: Text = Field("0", max_length=200, description="The first; 0 for the very first.")
    fixed: Text = Field("", max_length=200, description="The first that is not; empty for none.")


class DistributeIn(Schema):
    """Under which label the patch is handed on."""

    tlp: Text = Field("TLP:AMBER", max_length=40)


class DecisionIn(Schema):
    """A coordinator's decision on a suggestion."""

    verdict: Literal["accept", "reject"]


class FindingIn(Schema):
    """A finding."""

    finding: Text = Field(max_length=20)
