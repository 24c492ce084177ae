"""Assessments in the API: plans, what is measured, and what was decided."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from clearhouse.benchmark.evidence import MOST_BYTES
from clearhouse.benchmark.outcomes import Ending, Outcome
from clearhouse.benchmark.public_bank import Commitment
from clearhouse.office.assessments import queries
from clearhouse.office.assessments.actions import deciding, measuring
from clearhouse.office.assessments.actions import plans as actions
from clearhouse.office.assessments.documents import (
    AssessmentListedOut,
    DecidedOut,
    ModelAssessmentOut,
    PlanOut,
    PublishedOut,
    SetOpeningOut,
)
from clearhouse.office.headers import page_of_its_own
from clearhouse.office.ledgerbook.actions import receipt_for
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.uploads import whole_body
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope

router = Router(tags=["assessments"])
#: No NUL: PostgreSQL takes none.
_TEXT: str = r"^[^\x00]*$"
_MOST_RECORD: int = 1 << 20
#: An answer names sealed items, and is nobody's but the developer's after a withdrawal.
_KEPT_NOWHERE: dict[str, bool] = {"x-keeps-no-answer": True}
Name: TypeAlias = Annotated[str, Field(max_length=20, pattern=r"^[A-Z0-9-]*$")]
Amount: TypeAlias = Annotated[int, Field(default=0, ge=0, le=2**40)]


class SetIn(Schema):
    """The public commitment to the items' contents, as ``clearhouse bench seal`` writes it."""

    format: int
    items: int = Field(ge=1, le=2**31)
    root: str = Field(pattern=r"^[0-9a-f]{64}$")


class PlanIn(Schema):
    """A plan and its bank, each the text of its document, byte for byte."""

    plan: str = Field(max_length=16 << 20)
    bank: str = Field(max_length=16 << 20)
    set: SetIn | None = None


class BeginIn(Schema):
    """By which plan, and what is measured: the model and its scaffold."""

    review: Name
    plan: Name
    system: str = Field(min_length=1, max_length=300, pattern=_TEXT)


class AttemptIn(Schema):
    """A finished attempt: its place from 1, its ending; millionths of a dollar, whole seconds."""

    number: int = Field(ge=1, le=2**31 - 1)
    item: str = Field(min_length=1, max_length=200, pattern=_TEXT)
    ending: Ending
    verdict: str | None = Field(default=None, pattern=r"^sha256:[0-9a-f]{64}$")
    tokens: Amount
    micros: Amount
    seconds: Amount

    def value(self) -> measuring.Report:
        """The value that the action takes."""
        outcome = Outcome(self.item, self.ending, self.verdict)
        return measuring.Report(self.number, outcome, self.tokens, self.micros, self.seconds)


class AttemptsIn(Schema):
    """Attempts in their order; those that were reported before may be among them."""

    attempts: list[AttemptIn] = Field(max_length=measuring.MOST_AT_ONCE)


class AbandonIn(Schema):
    """Why."""

    reason: str = Field(min_length=1, max_length=1000, pattern=_TEXT)


class ReplyIn(Schema):
    """Your answer; empty says that there is nothing to add."""

    text: str = Field(default="", max_length=deciding.LONGEST_REPLY, pattern=_TEXT)


def _writer(request: HttpRequest) -> tuple[Viewer, datetime]:
    viewer = viewer_in(request)
    viewer.needs(Scope.REVIEWS_WRITE)
    viewer.needs(Scope.REVIEWS_READ)
    return viewer, timezone.now()


def _shown(viewer: Viewer, name: str) -> ModelAssessmentOut:
    return ModelAssessmentOut.of(queries.view(viewer, name))


@router.get("/plans", response=list[PlanOut], auth=None)
def plans(request: HttpRequest) -> list[PlanOut]:  # noqa: ARG001 - ninja's
    """The committed plans, the newest first.  For everybody."""
    return [PlanOut.of(one) for one in queries.plans()]


@router.post("/plans", response=PlanOut)
def commit_plan(request: HttpRequest, demand: PlanIn) -> PlanOut:
    """Commit to a plan: its digest goes into the ledger.  For the office."""
    viewer, now = _writer(request)
    of_set = Commitment.parse(demand.set.dict()) if demand.set is not None else None
    made = actions.commit_plan(
        viewer, demand.plan.encode(), demand.bank.encode(), of_set, now=now
    )  # fmt: skip
    return PlanOut.of(queries.plan_named(made.name))


@router.get("/plans/{name}", response=PlanOut, auth=None)
def plan(request: HttpRequest, name: Name) -> PlanOut:  # noqa: ARG001 - ninja's
    """One committed plan.  For everybody."""
    return PlanOut.of(queries.plan_named(name))


@router.get("/plans/{name}/receipt", auth=None)
def receipt(request: HttpRequest, name: Name) -> HttpResponse:
    """The ledger's receipt of a plan's commitment: anybody checks it without asking this office."""
    found = receipt_for(viewer_in(request), queries.plan_named(name).entry, now=timezone.now())
    return HttpResponse(bytes(found), content_type="application/json")


@router.post("/plans/{name}/retire", response=PlanOut)
def retire_plan(request: HttpRequest, name: Name) -> PlanOut:
    """Begin nothing more by a plan.  For the office."""
    viewer, now = _writer(request)
    actions.retire_plan(viewer, name, now=now)
    return PlanOut.of(queries.plan_named(name))


@router.get("/plans/{name}/openings", response=list[SetOpeningOut])
def openings(request: HttpRequest, name: Name) -> list[SetOpeningOut]:
    """Who opened the sealed set of a plan, when and why.  For the office."""
    viewer = viewer_in(request)
    viewer.needs(Scope.REVIEWS_READ)
    return [SetOpeningOut.of(one) for one in queries.openings_of(viewer, name)]


@router.put("/plans/{name}/openings", response=list[SetOpeningOut])
def note_openings(request: HttpRequest, name: Name) -> list[SetOpeningOut]:
    """Hand over the keepers' record of openings, the whole file.  For the office."""
    viewer, now = _writer(request)
    actions.note_openings(viewer, name, whole_body(request, _MOST_RECORD), now=now)
    return [SetOpeningOut.of(one) for one in queries.openings_of(viewer, name)]


@router.get("/figures", response=list[DecidedOut], auth=None)
def figures(request: HttpRequest) -> list[DecidedOut]:  # noqa: ARG001 - ninja's
    """What was decided by which committed plan, where it points at nobody.  For everybody."""
    return [DecidedOut.of(one) for one in queries.decided_by_plan(now=timezone.now())]


@router.get("/published", response=list[PublishedOut], auth=None)
def published(request: HttpRequest) -> list[PublishedOut]:  # noqa: ARG001 - ninja's
    """The determinations that their developers made public.  For everybody."""
    return [PublishedOut.of(one) for one in queries.published_determinations()]


@router.get("/of/{review}", response=list[AssessmentListedOut])
def of_review(request: HttpRequest, review: Name) -> list[AssessmentListedOut]:
    """The assessments of a review, the newest first."""
    return [
        AssessmentListedOut.of(one)
        for one in queries.assessments_of(viewer_in(request), review).rows
    ]


@router.post("", response=ModelAssessmentOut, openapi_extra=_KEPT_NOWHERE)
def begin(request: HttpRequest, demand: BeginIn) -> ModelAssessmentOut:
    """Begin to measure the model of a review.  For the office and an assessor that has access."""
    viewer, now = _writer(request)
    made = measuring.begin(viewer, demand.review, demand.plan, demand.system, now=now)
    return _shown(viewer, made.name)


@router.get("/{name}", response=ModelAssessmentOut)
def assessment(request: HttpRequest, name: Name) -> ModelAssessmentOut:
    """An assessment as you see it."""
    return _shown(viewer_in(request), name)


@router.post("/{name}/attempts", response=ModelAssessmentOut, openapi_extra=_KEPT_NOWHERE)
def report_attempts(request: HttpRequest, name: Name, demand: AttemptsIn) -> ModelAssessmentOut:
    """Report finished attempts.  What was reported already changes nothing."""
    viewer, now = _writer(request)
    reports = [one.value() for one in demand.attempts]
    measuring.report_attempts(viewer, name, reports, now=now)
    return _shown(viewer, name)


@router.put("/{name}/evidence", response=ModelAssessmentOut, openapi_extra=_KEPT_NOWHERE)
def hand_in(request: HttpRequest, name: Name) -> ModelAssessmentOut:
    """Hand in the evidence, a zip; it is computed again before it is taken."""
    viewer, now = _writer(request)
    measuring.hand_in(viewer, name, whole_body(request, MOST_BYTES), now=now)
    return _shown(viewer, name)


@router.get("/{name}/evidence")
def evidence(request: HttpRequest, name: Name) -> HttpResponse:
    """The evidence, for who may know the items."""
    raw = queries.evidence_for(viewer_in(request), name)
    return HttpResponse(raw, content_type="application/zip")


@router.get("/{name}/report")
def report(request: HttpRequest, name: Name) -> HttpResponse:
    """The report, one HTML page: with items for who may know them, and without."""
    return page_of_its_own(queries.page_for(viewer_in(request), name))


@router.post("/{name}/abandon", response=ModelAssessmentOut, openapi_extra=_KEPT_NOWHERE)
def abandon(request: HttpRequest, name: Name, demand: AbandonIn) -> ModelAssessmentOut:
    """Give an assessment up that cannot be carried through."""
    viewer, now = _writer(request)
    measuring.abandon(viewer, name, demand.reason, now=now)
    return _shown(viewer, name)


@router.post("/{name}/reply", response=ModelAssessmentOut, openapi_extra=_KEPT_NOWHERE)
def reply(request: HttpRequest, name: Name, demand: ReplyIn) -> ModelAssessmentOut:
    """Answer what was found, once.  For the developer."""
    viewer, now = _writer(request)
    deciding.reply(viewer, name, demand.text, now=now)
    return _shown(viewer, name)


@router.post("/{name}/determine", response=ModelAssessmentOut, openapi_extra=_KEPT_NOWHERE)
def determine(request: HttpRequest, name: Name) -> ModelAssessmentOut:
    """Issue the determination that the evidence makes.  For the office."""
    viewer, now = _writer(request)
    deciding.determine(viewer, name, now=now)
    return _shown(viewer, name)


@router.post("/{name}/publish", response=ModelAssessmentOut, openapi_extra=_KEPT_NOWHERE)
def publish(request: HttpRequest, name: Name) -> ModelAssessmentOut:
    """Let everybody read the determination.  For the developer."""
    viewer, now = _writer(request)
    deciding.publish(viewer, name, now=now)
    return _shown(viewer, name)


@router.post("/{name}/unpublish", response=ModelAssessmentOut, openapi_extra=_KEPT_NOWHERE)
def unpublish(request: HttpRequest, name: Name) -> ModelAssessmentOut:
    """Take it from the public page.  For the developer."""
    viewer, now = _writer(request)
    deciding.unpublish(viewer, name, now=now)
    return _shown(viewer, name)
