"""Plans and assessments held against the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from clearhouse.ledger.entry import Entry
from clearhouse.office.assessments.kinds import COMMITTED, COUNTED, SET_OPENED
from clearhouse.office.assessments.models import Assessment, CommittedPlan, SetOpening
from clearhouse.office.assessments.queries.attempts import parsed_plan
from clearhouse.office.ledgerbook.cross_checks import Contradiction, cross_check
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.assessment import AssessmentState

_BEGUN: Final = "review.assessment-begun"
_HANDED_IN: Final = "review.assessment-handed-in"
_DETERMINED: Final = "review.determined"


@cross_check
def committed_plans() -> Iterator[Contradiction]:
    """Each plan is the document that was committed to; each opening of its set has its entry."""
    said = {one.index: one for one in entries_of(SYSTEM, (COMMITTED,))}
    for plan in CommittedPlan.objects.order_by("pk"):
        entry = said.get(plan.entry)
        if entry is None or entry.subject != plan.name:
            yield Contradiction(plan.name, None, "the plan was committed without an entry")
        elif not plan.digest == entry.facts.get("plan") == parsed_plan(plan).digest:
            yield Contradiction(plan.name, entry.index, "the entry commits to another plan")
    noted = {one.index: one for one in entries_of(SYSTEM, (SET_OPENED,))}
    for one in SetOpening.objects.select_related("plan").order_by("pk"):
        entry = noted.pop(one.entry, None)
        if entry is None or entry.facts.get("line") != one.line:
            yield Contradiction(one.plan.name, one.entry, "an opening stands there without entry")
    for entry in noted.values():
        yield Contradiction(entry.subject, entry.index, "the opening of this entry is gone")


@cross_check
def assessments() -> Iterator[Contradiction]:
    """Each assessment began after its plan was committed, and came to what its entries say."""
    said: dict[tuple[str, str], Entry] = {}
    for entry in entries_of(SYSTEM, (_BEGUN, _HANDED_IN, _DETERMINED)):
        said[entry.kind, str(entry.facts.get("assessment"))] = entry
    for one in entries_of(SYSTEM, (COUNTED,)):
        said[one.kind, one.subject] = one
    for row in Assessment.objects.select_related("plan").order_by("pk"):
        yield from _against(row, said)


def _against(row: Assessment, said: dict[tuple[str, str], Entry]) -> Iterator[Contradiction]:
    begun = said.get((_BEGUN, row.name))
    if begun is None or begun.facts.get("plan") != row.plan.digest:
        yield Contradiction(row.name, None, "it began without an entry of its plan")
    elif begun.index <= row.plan.entry:
        yield Contradiction(row.name, begun.index, "it began before its plan was committed")
    for kind, is_so in (
        (_HANDED_IN, bool(row.determination)),
        (_DETERMINED, row.state == AssessmentState.DETERMINED),
    ):
        entry = said.get((kind, row.name))
        if is_so != (entry is not None):
            index = entry.index if entry is not None else None
            yield Contradiction(row.name, index, f"{kind} is not as the row says")
        elif entry is not None and (row.determination, row.verdict) != (
            entry.facts.get("determination"), entry.facts.get("verdict"),
        ):  # fmt: skip
            yield Contradiction(row.name, entry.index, "the entry tells of another determination")
    counted = said.get((COUNTED, row.name))
    if counted is not None and counted.facts.get("verdict") != row.verdict:
        yield Contradiction(row.name, counted.index, "another verdict was counted")
