"""An assessment begins, its attempts come in, and it ends with evidence or is given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from clearhouse.benchmark.deciding import Progress, Verdict, decide
from clearhouse.benchmark.determination import verify
from clearhouse.benchmark.evidence import (
    OUTCOMES,
    RUN,
    Attempts,
    Evidence,
    parse_evidence,
    verdict_name,
)
from clearhouse.benchmark.outcomes import Outcome
from clearhouse.benchmark.run_record import RunRecord
from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.ledger.receipt import Outcome as Holds
from clearhouse.office.assessments.actions.plans import held_plan
from clearhouse.office.assessments.models import Assessment, Attempt
from clearhouse.office.assessments.queries.attempts import outcomes_of, parsed_plan
from clearhouse.office.assessments.queries.sight import assessment_for
from clearhouse.office.authorisation import ReviewDeed
from clearhouse.office.blobs import store
from clearhouse.office.names import new_name
from clearhouse.office.reviews.actions import news
from clearhouse.office.reviews.actions.journal import NOTHING, locked_review, note
from clearhouse.office.reviews.queries import access_facts, party_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.assessment import ASSESSMENT, AssessmentEvent, AssessmentState
from clearhouse.protocol.entitlement import has_access
from clearhouse.protocol.review import Purpose
from clearhouse.protocol.roles import Scope

MOST_AT_ONCE: Final = 1000
#: A trillion tokens, a million dollars: what is more is no use but a slip, and sums stay integers.
_LONGEST: Final = 2**40


@dataclass(frozen=True, slots=True)
class Report:
    """A finished attempt: its place, from 1; tokens, millionths of a dollar, seconds used."""

    number: int
    outcome: Outcome
    tokens: int = 0
    micros: int = 0
    seconds: int = 0

    def __post_init__(self) -> None:
        amounts = (self.tokens, self.micros, self.seconds)
        if self.number < 1 or min(amounts) < 0 or max(*amounts, self.number) > _LONGEST:
            raise Invalid("an attempt has a number from 1, and uses nothing negative", key="number")


def begin(viewer: Viewer, review: str, plan: str, system: str, *, now: datetime) -> Assessment:
    """Begin to measure a review's model by a committed plan.

    For the office and an assessor that has joined, while it has access.  Raises :class:`Refused`
    where it has none, where the developer asked for no determination, where one runs already or was
    handed in (a test that is repeated until it is liked decides nothing), and where the plan is
    retired or used up.
    """
    if not system.strip() or len(system) > 300:
        raise Invalid("say what is measured, model and scaffold, in 300 characters", key="system")
    with transaction.atomic():
        held, _ = locked_review(viewer, review, ReviewDeed.ASSESS)
        if Purpose(held.purpose) is not Purpose.DETERMINATION:
            raise Refused("the developer offers access, and asked for no determination")
        party = None if viewer.coordinates else party_of(viewer, held)
        if not has_access(access_facts(held, party), now):
            raise Refused("there is no access to the model now")
        by = held_plan(plan)
        if by.retired_at is not None:
            raise Refused("this plan is retired: nothing new is begun by it")
        for name, state in Assessment.objects.filter(review=held.pk).values_list("name", "state"):
            if state == AssessmentState.RUNNING:
                raise Refused("an assessment of this model runs already: carry it through first")
            if AssessmentState(state).stands:
                raise Refused(
                    f"this model was measured: {name} was handed in, and what was measured stands"
                )
        slot = by.assessments.count()
        if slot >= parsed_plan(by).terms.slots:
            raise Refused("all slots of this plan are used: commit another plan")
        made = Assessment.objects.create(
            name=new_name("A"), review=held, plan=by, slot=slot, system=system.strip(),
            by=viewer.name, begun_at=now,
        )  # fmt: skip
        note(
            held, "assessment-begun",
            f"Assessment {made.name} began, by the plan that was committed as entry {by.entry}.",
            by=viewer.name, now=now,
            facts={"assessment": made.name, "plan": by.digest, "slot": slot},
        )  # fmt: skip
        return made


def report_attempts(
    viewer: Viewer, name: str, reports: Sequence[Report], *, now: datetime
) -> Assessment:
    """Take down finished attempts, in their order; those that are there already change nothing.

    Raises :class:`Conflict` where one differs from what was reported under its number or leaves a
    gap, :class:`Invalid` for an item that the plan lacks or that is over, and :class:`Refused` once
    the rule has stopped.
    """
    if len(reports) > MOST_AT_ONCE:
        raise Invalid(f"report at most {MOST_AT_ONCE} attempts at once", key="attempts")
    with transaction.atomic():
        found = _running(viewer, name)
        there = outcomes_of(found)
        progress = Progress.at_start(parsed_plan(found.plan))
        for told in there:
            progress.take(told)
        new: list[Attempt] = []
        for one in sorted(reports, key=lambda report: report.number):
            if one.number <= len(there):
                if there[one.number - 1] != one.outcome:
                    raise Conflict(f"attempt {one.number} was reported with another outcome")
                continue
            if one.number != len(there) + 1:
                raise Conflict(f"attempt {len(there) + 1} has to be reported before this one")
            if progress.stopped:
                raise Refused("the rule has stopped: there is no further attempt")
            progress.take(one.outcome)
            there.append(one.outcome)
            new.append(_row(found, one, now))
        Attempt.objects.bulk_create(new)
        return found


def hand_in(viewer: Viewer, name: str, raw: bytes, *, now: datetime) -> Assessment:
    """Hand in the evidence; it is computed again here, and the developer is told what it says.

    Raises :class:`Invalid` for what is no evidence, :class:`Refused` where it does not hold, is of
    another submission, plan or slot, or tells of other attempts than were reported.
    """
    seen = assessment_for(viewer, name)
    viewer.needs(Scope.REVIEWS_WRITE)
    if ReviewDeed.ASSESS not in seen.deeds:
        raise NotFound(NOTHING)
    _must_run(seen.row)
    # Before anything is held: it takes a while, and a withdrawal waits for nobody.
    evidence = parse_evidence(raw, "evidence")
    verdict, attempts = _checked(seen.row, evidence)
    decision = decide(parsed_plan(seen.row.plan), attempts.outcomes)
    reports = reports_in(evidence, attempts)
    with transaction.atomic():
        found = _running(viewer, name)
        there = outcomes_of(found)
        if list(attempts.outcomes[: len(there)]) != there:
            raise Refused("the evidence tells of other attempts than were reported")
        Attempt.objects.bulk_create(_row(found, one, now) for one in reports[len(there) :])
        _move(found, AssessmentEvent.HAND_IN)
        found.verdict, found.determination = verdict.value, evidence.digest
        found.is_lower_bound = decision.is_lower_bound
        found.evidence, found.assessed_at = store.put(raw), now
        found.save()
        note(
            found.review, "assessment-handed-in",
            f"Assessment {found.name} is complete: {verdict.value.replace('-', ' ')}."
            " The developer may answer.",
            by=viewer.name, now=now,
            facts={
                "assessment": found.name, "determination": evidence.digest,
                "verdict": verdict.value,
            },
        )  # fmt: skip
        news.tell(found.review, found.review.organisation_id, news.Notice.ASSESSED, now=now)
        return found


def abandon(viewer: Viewer, name: str, reason: str, *, now: datetime) -> Assessment:
    """Give an assessment up that cannot be carried through; that, and why, stays visible."""
    if not reason.strip() or len(reason) > 1000:
        raise Invalid("say why, in at most 1000 characters", key="reason")
    with transaction.atomic():
        found = _running(viewer, name)
        _move(found, AssessmentEvent.ABANDON)
        found.abandoned_at, found.abandoned_because = now, reason.strip()
        found.save()
        note(
            found.review, "assessment-abandoned",
            f"Assessment {found.name} was given up: {found.abandoned_because}",
            by=viewer.name, now=now,
            facts={"assessment": found.name, "attempts": found.attempts.count()},
        )  # fmt: skip
        return found


def _running(viewer: Viewer, name: str) -> Assessment:
    """An assessment that runs, held with its review, for who measures."""
    held = held_assessment(viewer, name, ReviewDeed.ASSESS)
    _must_run(held)
    return held


def _must_run(found: Assessment) -> None:
    if found.state != AssessmentState.RUNNING:
        raise Refused(f"the assessment is {found.state}: it takes nothing more")


def held_assessment(viewer: Viewer, name: str, deed: ReviewDeed) -> Assessment:
    """An assessment, locked with its review for this transaction.  Raises :class:`NotFound`."""
    seen = assessment_for(viewer, name).row
    review, _ = locked_review(viewer, seen.review.name, deed)
    rows = Assessment.objects.select_related("plan").select_for_update(no_key=True, of=("self",))
    held = rows.get(pk=seen.pk)
    held.review = review
    return held


def _move(found: Assessment, event: AssessmentEvent) -> None:
    found.state = ASSESSMENT.after(AssessmentState(found.state), event).value


def _row(found: Assessment, one: Report, now: datetime) -> Attempt:
    return Attempt(
        assessment=found, number=one.number, item=one.outcome.item,
        ending=one.outcome.ending.value, verdict=one.outcome.verdict or "", tokens=one.tokens,
        micros=one.micros, seconds=one.seconds, at=now,
    )  # fmt: skip


def _checked(found: Assessment, evidence: Evidence) -> tuple[Verdict, Attempts]:
    """The verdict of evidence that holds and belongs to this assessment."""
    again = verify(evidence, found.plan.digest)
    for one in again.checks:
        if one.outcome is Holds.FAILS:
            raise Refused(f"the evidence does not hold: {one.subject}: {one.why}")
    attempts = Attempts.parse(evidence.members[OUTCOMES], OUTCOMES)
    if attempts.submission != found.name:
        raise Refused(f"the evidence is of another submission than {found.name}")
    if attempts.opening.slot != found.slot:
        raise Refused(f"the evidence is of slot {attempts.opening.slot}, not of {found.slot}")
    if again.verdict is None or again.verdict is Verdict.UNDECIDED:
        raise Refused("the test has not ended: nothing is decided yet")
    for number, told in enumerate(attempts.outcomes, 1):
        if told.verdict is not None and verdict_name(told.verdict) not in evidence.members:
            raise Refused(f"the evidence lacks the judge's verdict of attempt {number}")
    return again.verdict, attempts


def reports_in(evidence: Evidence, attempts: Attempts) -> list[Report]:
    """The attempts of evidence that holds, with what they took where the run is recorded."""
    numbered = enumerate(attempts.outcomes, 1)
    if RUN not in evidence.members:
        return [Report(number, one) for number, one in numbered]
    took = RunRecord.parse(evidence.members[RUN], RUN).attempts
    return [
        Report(number, one, used.tokens, used.usd_micro or 0, used.wall_ms // 1000)
        for (number, one), used in zip(numbered, took, strict=True)
    ]
