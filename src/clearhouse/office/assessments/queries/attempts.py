"""Attempts as the engine takes them, and the documents that they are weighed by."""

from __future__ import annotations

from functools import lru_cache

from clearhouse.benchmark.bank import Bank
from clearhouse.benchmark.outcomes import Ending, Outcome
from clearhouse.benchmark.plan import Plan
from clearhouse.office.assessments.models import Assessment, CommittedPlan
from clearhouse.office.blobs import store


def outcomes_of(assessment: Assessment) -> list[Outcome]:
    """What was reported, in order."""
    rows = assessment.attempts.order_by("number").values_list("item", "ending", "verdict")
    return [Outcome(item, Ending(ending), verdict or None) for item, ending, verdict in rows]


def parsed_plan(plan: CommittedPlan) -> Plan:
    """The document of a committed plan."""
    return _plan(plan.document)


def parsed_bank(plan: CommittedPlan) -> Bank:
    """The bank that its weights come from."""
    return _bank(plan.bank)


# A page that follows an assessment reads the same two documents each time; blobs never change.
@lru_cache(maxsize=8)
def _plan(blob: str) -> Plan:
    return Plan.parse(store.read(blob), "plan")


@lru_cache(maxsize=8)
def _bank(blob: str) -> Bank:
    return Bank.parse(store.read(blob), "bank")
