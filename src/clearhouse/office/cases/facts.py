"""Cases as the rules of what comes next see them: one case whole, or hundreds in a few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.db.models import Count, Q

from clearhouse.office.cases import next_steps as steps
from clearhouse.office.cases.models import (
    Assessment,
    Case,
    Participant,
    Patch,
    Proposal,
    Suggestion,
)
from clearhouse.protocol.embargo import Consent, EmbargoState
from clearhouse.protocol.report_management import ReportState
from clearhouse.protocol.roles import Role


@dataclass(frozen=True, slots=True)
class Tally:
    """How much of what there is in a case."""

    assessments: int = 0
    patches_accepted: int = 0
    patches_chosen: int = 0
    patches_distributed: int = 0
    open_proposals: int = 0
    open_suggestions: int = 0


def tally_of(case: Case, patches: Sequence[Patch], assessments: Sequence[Assessment]) -> Tally:
    """Of one case whose patches and assessments are at hand."""
    return Tally(
        assessments=len(assessments),
        patches_accepted=sum(one.state == Patch.State.ACCEPTED for one in patches),
        patches_chosen=sum(one.chosen_at is not None for one in patches),
        patches_distributed=sum(one.distributed_at is not None for one in patches),
        open_proposals=case.proposals.filter(state=Proposal.State.OPEN).count(),
        open_suggestions=case.suggestions.filter(state=Suggestion.State.OPEN).count(),
    )


#: What is counted of the rows of each table, by the field of the tally.
_COUNTED: Final = (
    (Assessment.objects, {"assessments": Count("pk")}),
    (
        Patch.objects,
        {
            "patches_accepted": Count("pk", filter=Q(state=Patch.State.ACCEPTED)),
            "patches_chosen": Count("chosen_at"),
            "patches_distributed": Count("distributed_at"),
        },
    ),
    (Proposal.objects, {"open_proposals": Count("pk", filter=Q(state=Proposal.State.OPEN))}),
    (Suggestion.objects, {"open_suggestions": Count("pk", filter=Q(state=Suggestion.State.OPEN))}),
)


def tallies_of(cases: Collection[int]) -> Mapping[int, Tally]:
    """Of many cases, by their keys: a query for each table, and no row is read whole."""
    found: dict[int, Tally] = defaultdict(Tally)
    for rows_of, counted in _COUNTED:
        rows = rows_of.filter(case__in=cases).order_by().values("case_id")
        for row in rows.annotate(**counted).values_list("case_id", *counted):
            counts = dict(zip(counted, row[1:], strict=True))
            found[row[0]] = replace(found[row[0]], **counts)
    return found


def participants_of(cases: Collection[int]) -> Mapping[int, Sequence[Participant]]:
    """Of many cases, by their keys, in the order in which they came in."""
    found: dict[int, list[Participant]] = defaultdict(list)
    rows = Participant.objects.filter(case__in=cases).select_related("organisation").only(
        "case_id", "role", "consent", "report", "silent_since", "fix_ready_at",
        "fix_deployed_at", "organisation__name",
    )  # fmt: skip
    for one in rows.order_by("pk"):
        found[one.case_id].append(one)
    return found


def facts_of(case: Case, participants: Sequence[Participant], tally: Tally) -> steps.Facts:
    """One case as the rules see it."""
    return steps.Facts(
        case=case.name,
        is_open=case.state == Case.State.OPEN,
        is_proven=case.signature is not None,
        embargo=EmbargoState(case.embargo),
        ends_at=case.embargo_ends_at,
        parts=tuple(
            steps.Part(
                name=one.organisation.name,
                role=Role(one.role),
                consent=Consent(one.consent),
                report=ReportState(one.report),
                silent=one.silent_since is not None,
                fix_ready=one.fix_ready_at is not None,
                fix_deployed=one.fix_deployed_at is not None,
            )
            for one in participants
        ),
        has_severity=bool(tally.assessments),
        patches_accepted=tally.patches_accepted,
        patch_chosen=bool(tally.patches_chosen),
        patch_distributed=bool(tally.patches_distributed),
        open_proposals=tally.open_proposals,
        open_suggestions=tally.open_suggestions,
        is_public=case.public_at is not None,
        is_attacked=case.attacks_at is not None,
    )
