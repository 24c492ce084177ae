"""One assessment as its viewer sees it: what is None is not the viewer's to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Sum

from clearhouse.benchmark.deciding import Decision, Verdict, decide
from clearhouse.benchmark.estimate import Estimate, estimate
from clearhouse.benchmark.evidence import parse_evidence
from clearhouse.benchmark.outcomes import Ending
from clearhouse.benchmark.plan import Plan
from clearhouse.benchmark.report import Reader, determination_page
from clearhouse.benchmark.report.plots import Path, Scale, path_of, scale_of
from clearhouse.errors import NotFound
from clearhouse.office.assessments.models import Assessment, Attempt
from clearhouse.office.assessments.queries.attempts import outcomes_of, parsed_bank, parsed_plan
from clearhouse.office.assessments.queries.plans import Committed, plan_named
from clearhouse.office.assessments.queries.sight import Seen, assessment_for
from clearhouse.office.blobs import store
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.assessment import AssessmentState, issued_from
from clearhouse.protocol.review import ReviewState, is_seen_by_others


@dataclass(frozen=True, slots=True)
class Cost:
    """What was used so far, and at most: tokens, dollars, seconds."""

    tokens: int
    dollars: float
    seconds: int
    most_tokens: int
    most_dollars: float
    most_seconds: int


@dataclass(frozen=True, slots=True)
class Live:
    """Where the test stands: for those who may know the items."""

    decision: Decision
    estimate: Estimate
    path: Path
    scale: Scale
    attempts: Sequence[Attempt]


@dataclass(frozen=True, slots=True)
class AssessmentView:
    """An assessment as its viewer sees it.

    ``endings`` is how many attempts ended how, ``before`` how many assessments of the same model
    were begun before this one.  ``may_issue_from`` is when a determination may be issued.
    """

    seen: Seen
    plan: Committed
    attempts: int
    most: int
    endings: Mapping[str, int]
    cost: Cost
    before: int
    live: Live | None
    may_issue_from: datetime | None

    @property
    def row(self) -> Assessment:
        """The assessment."""
        return self.seen.row

    @property
    def state(self) -> AssessmentState:
        """Where it stands."""
        return AssessmentState(self.row.state)

    @property
    def is_withdrawn(self) -> bool:
        """Whether the developer took the review back: then it alone sees this."""
        return not is_seen_by_others(ReviewState(self.row.review.state))


def view(viewer: Viewer, name: str) -> AssessmentView:
    """An assessment as the viewer sees it.  Raises :class:`NotFound`."""
    seen = assessment_for(viewer, name)
    row = seen.row
    plan = parsed_plan(row.plan)
    endings = dict.fromkeys((one.value for one in Ending), 0)
    counted = row.attempts.values_list("ending").annotate(number=Count("pk"))
    endings.update(dict(counted.order_by("ending")))
    attempts = sum(endings.values())
    return AssessmentView(
        seen=seen,
        plan=plan_named(row.plan.name),
        attempts=attempts,
        most=plan.terms.most,
        endings=endings,
        cost=_cost(row, plan, attempts),
        before=Assessment.objects.filter(review=row.review_id, pk__lt=row.pk).count(),
        live=_live(row, plan) if seen.sees_attempts else None,
        may_issue_from=(
            issued_from(row.assessed_at, row.replied_at) if row.assessed_at is not None else None
        ),
    )


def page_for(viewer: Viewer, name: str) -> str:
    """The report of an assessment that was handed in: with items for who may know them.

    Raises :class:`NotFound` where there is none for the viewer.
    """
    seen = assessment_for(viewer, name)
    evidence = parse_evidence(_evidence(seen), "evidence")
    reader = Reader.ASSESSOR if seen.sees_attempts else Reader.DEVELOPER
    return determination_page(evidence, reader=reader, committed=seen.row.plan.digest)


def evidence_for(viewer: Viewer, name: str) -> bytes:
    """The evidence: it names sealed items, and is for those who may know them."""
    seen = assessment_for(viewer, name)
    if not seen.sees_attempts:
        raise NotFound("there is nothing of the kind here")
    return _evidence(seen)


def _evidence(seen: Seen) -> bytes:
    if not seen.row.evidence:
        raise NotFound("nothing was handed in yet")
    return store.read(seen.row.evidence)


def _cost(row: Assessment, plan: Plan, attempts: int) -> Cost:
    used = row.attempts.aggregate(
        tokens=Sum("tokens", default=0), micros=Sum("micros", default=0),
        seconds=Sum("seconds", default=0),
    )  # fmt: skip
    budgets = plan.terms.budgets
    most = max(plan.terms.most, attempts)
    return Cost(
        used["tokens"], used["micros"] / 1_000_000, used["seconds"],
        budgets.tokens * most, budgets.cents * most / 100, budgets.seconds * most,
    )  # fmt: skip


def _live(row: Assessment, plan: Plan) -> Live:
    outcomes = outcomes_of(row)
    decision = decide(plan, outcomes)
    bank = parsed_bank(row.plan)
    read = outcomes[: decision.read]
    own = estimate(bank, read)
    weighed = [one.ending for one in read if one.ending is not Ending.ERROR]
    return Live(
        decision=decision,
        estimate=own,
        path=path_of(plan, decision, weighed),
        scale=scale_of(plan, bank.anchors, own),
        attempts=list(row.attempts.order_by("-number")),
    )


def verdict_in_words(verdict: str, *, is_lower_bound: bool) -> str:
    """A verdict as it is told."""
    return {
        Verdict.COVERED.value: "Covered: the evidence reached the bound for a covered model.",
        Verdict.NOT_COVERED.value: "Not covered: the evidence reached the lower bound."
        + (
            " It rests in part on refusals, give-ups or budgets: more may be there."
            if is_lower_bound
            else ""
        ),
        Verdict.INDETERMINATE.value: "Indeterminate: the test ended between its bounds.",
    }.get(verdict, "")
