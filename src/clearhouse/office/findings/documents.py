"""Findings as JSON documents: what the API takes and answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, TypeAlias

from ninja import Schema
from pydantic import AfterValidator, Field

from clearhouse.office.findings.actions import Accepted
from clearhouse.office.findings.intake import Left
from clearhouse.office.findings.models import Commitment
from clearhouse.office.findings.queries import Finding
from clearhouse.office.queue.queries import JobStatus


def _storable(text: str) -> str:
    """Text that any of the databases can keep: PostgreSQL has no NUL, UTF-8 no half pairs."""
    if "\x00" in text or any("\ud800" <= one <= "\udfff" for one in text):
        message = "expected text without NUL and without halves of surrogate pairs"
        raise ValueError(message)
    return text


Text: TypeAlias = Annotated[str, AfterValidator(_storable)]
Name: TypeAlias = Annotated[str, Field(max_length=20, pattern=r"^[A-Z0-9-]*$")]
Cursor: TypeAlias = Annotated[
    str, Field(max_length=20, pattern=r"^[A-Z0-9-]*$", description="`next` of the page before.")
]


class AcceptedOut(Schema):
    """A finding that is kept and will be looked at."""

    name: str = Field(examples=["F-7KQ2M9XD4T"])
    content: str = Field(description="Digest of what was handed in.")
    is_new: bool = Field(description="False where the same content was here already.")
    entry: int = Field(description="Index of the ledger entry that says when it came.")

    @classmethod
    def of(cls, found: Accepted) -> AcceptedOut:
        """As the actions answer."""
        return cls(name=found.name, content=found.content, is_new=found.is_new, entry=found.entry)


class LeftOut(Schema):
    """Something in the file that did not become a finding, or could not be taken along."""

    where: str
    reason: str


class BatchOut(Schema):
    """What became of a file with several findings."""

    accepted: list[AcceptedOut]
    left: list[LeftOut]

    @classmethod
    def of(cls, accepted: Sequence[Accepted], left: Sequence[Left]) -> BatchOut:
        """As the actions answer."""
        return cls(
            accepted=[AcceptedOut.of(one) for one in accepted],
            left=[LeftOut(where=one.where, reason=one.reason) for one in left],
        )


class FindingOut(Schema):
    """A finding, for who may see it."""

    name: str = Field(examples=["F-7KQ2M9XD4T"])
    finder: str = Field(description="Short name of the organisation that handed it in.")
    filed_by: str
    kind: str = Field(examples=["bundle"])
    state: str = Field(examples=["proven"])
    reason: str = Field(description="Why it stands there, in a sentence.")
    received_at: datetime
    credit_at: datetime = Field(description="When its finder committed to it, else when it came.")
    decided_at: datetime | None
    content: str
    title: str
    target: str = Field(description="Package URL as the finder names it.")
    package: str = Field(description="The same without version.")
    weaknesses: list[int] = Field(description="CWE numbers.")
    locations: list[dict[str, Any]]
    found_by: str
    origin_id: str
    effect: str
    tlp: str
    grade: str = Field(description="How strong the proof is; empty before it was run.")
    signature: str = Field(description="Equal for findings of the same flaw.")
    verdict_digest: str
    grounding: dict[str, Any] | None = Field(
        description="Of what a report names, what exists and what does not."
    )
    case: str
    commitment: str
    entry: int

    @classmethod
    def of(cls, found: Finding) -> FindingOut:
        """A finding that its viewer may see."""
        return cls(
            name=found.name,
            finder=found.organisation.slug,
            filed_by=found.filed_by,
            kind=found.kind,
            state=found.state,
            reason=found.reason,
            received_at=found.received_at,
            credit_at=found.credit_at,
            decided_at=found.decided_at,
            content=found.content,
            title=found.title,
            target=found.purl,
            package=found.package,
            weaknesses=found.weaknesses,
            locations=found.locations,
            found_by=found.found_by,
            origin_id=found.origin_id,
            effect=found.effect,
            tlp=found.tlp,
            grade=found.grade,
            signature=found.signature,
            verdict_digest=found.verdict_digest,
            grounding=found.grounding,
            case=found.case,
            commitment=found.commitment.name if found.commitment else "",
            entry=found.entry,
        )


class FindingPage(Schema):
    """A page of findings, newest first."""

    items: list[FindingOut]
    next: str | None = Field(description="Give it as `cursor` for the next page; null at the end.")


class CommitIn(Schema):
    """A commitment to a finding that is handed in later."""

    value: str = Field(
        max_length=200,
        description="HMAC-SHA256 of the finding's digest under a key of yours, in hexadecimal.",
        examples=["9f2c0d3b8e4a5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8"],
    )


class CommitmentOut(Schema):
    """A commitment, and the finding that opened it."""

    name: str = Field(examples=["C-7KQ2M9XD4T"])
    value: str
    at: datetime
    entry: int
    finding: str | None

    @classmethod
    def of(cls, made: Commitment) -> CommitmentOut:
        """A commitment of the viewer's own."""
        opened = Finding.objects.filter(commitment=made).values_list("name", flat=True).first()
        return cls(name=made.name, value=made.value, at=made.at, entry=made.entry, finding=opened)


class QuestionIn(Schema):
    """What is asked blind: fingerprints made with the asking key, never the facts themselves."""

    signature: str | None = Field(None, max_length=200, description="Of a signature.")
    package: str | None = Field(None, max_length=200, description="Of a purl without version.")


class KnownOut(Schema):
    """All that is said."""

    answer: str = Field(examples=["known", "being-scanned", "not-known"])


class AskingKeyOut(Schema):
    """The key under which your organisation makes its fingerprints; keep it as your API key."""

    key: str = Field(description="In hexadecimal.")


class JobOut(Schema):
    """Where the work on something stands."""

    kind: str
    state: str = Field(examples=["waiting", "running", "done", "failed", "cancelled"])
    progress: str
    reason: str
    attempts: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    before: int | None = Field(description="About how many go before it, while it waits.")

    @classmethod
    def of(cls, status: JobStatus, before: int | None) -> JobOut:
        """As the queue tells it."""
        return cls(
            kind=status.kind,
            state=status.state.value,
            progress=status.progress,
            reason=status.reason,
            attempts=status.attempts,
            created_at=status.created_at,
            started_at=status.started_at,
            ended_at=status.ended_at,
            before=before,
        )
