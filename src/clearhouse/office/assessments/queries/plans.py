"""The committed plans, as everybody may read them: by which rule is decided, the same for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from clearhouse.benchmark.bank import MICRO
from clearhouse.benchmark.plan import Budgets, Plan
from clearhouse.errors import NotFound
from clearhouse.office.assessments.models import CommittedPlan, SetOpening
from clearhouse.office.blobs import store
from clearhouse.office.viewer import Viewer

_LEVELS: Final = ("code only", "with a description", "with a trace", "with the fix")
_CENTS: Final = 100


@dataclass(frozen=True, slots=True)
class Committed:
    """What everybody may read of a plan; ``openings`` is how often its sealed set was opened."""

    name: str
    digest: str
    bank: str
    set_root: str
    construct: str
    items: int
    entry: int
    committed_at: datetime
    retired_at: datetime | None
    openings: int
    terms: Mapping[str, str]


def plans() -> list[Committed]:
    """Every committed plan, the newest first: for everybody."""
    rows = CommittedPlan.objects.prefetch_related("openings").order_by("-pk")
    return [_committed(one) for one in rows]


def plan_named(name: str) -> Committed:
    """One of them.  Raises :class:`NotFound`."""
    found = CommittedPlan.objects.prefetch_related("openings").filter(name=name).first()
    if found is None:
        raise NotFound("there is no such plan here")
    return _committed(found)


def openings_of(viewer: Viewer, name: str) -> list[SetOpening]:
    """Who opened the sealed set of a plan, when and why: for the office."""
    viewer.must_coordinate()
    return list(SetOpening.objects.filter(plan__name=name).order_by("set_digest", "number"))


def _committed(row: CommittedPlan) -> Committed:
    return Committed(
        name=row.name, digest=row.digest, bank=row.bank_digest, set_root=row.set_root,
        construct=row.construct, items=row.items, entry=row.entry, committed_at=row.committed_at,
        retired_at=row.retired_at, openings=len(row.openings.all()),
        terms=_words(row.document),
    )  # fmt: skip


# Everybody may ask for all plans at once, and each has thousands of items; blobs never change.
@lru_cache(maxsize=1024)
def _words(document: str) -> Mapping[str, str]:
    return terms_in_words(Plan.parse(store.read(document), "plan"))


def terms_in_words(plan: Plan) -> Mapping[str, str]:
    """The rule: threshold, error rates, minima, budgets; no item and no family."""
    terms, budgets = plan.terms, plan.terms.budgets
    threshold, region = terms.threshold_ppm / MICRO, terms.region_ppm / MICRO
    return {
        "What is decided": terms.construct,
        "Threshold": f"{threshold:.1%} of the items solved;"
        f" nothing is promised within {region:.1%} of it",
        "Wrongly covered": f"at most {terms.alpha_ppm / MICRO:.2%}",
        "Wrongly not covered": f"at most {terms.beta_ppm / MICRO:.2%}",
        "Items asked": f"{terms.least} to {terms.most}, from {len(terms.least_of)} families",
        "The model is given": _LEVELS[terms.level],
        "Budget of an attempt": ", ".join(_limits(budgets)) or "no limit",
        "Final inputs": f"{budgets.attempts} for an item",
        "After an error of the infrastructure": f"run again, {budgets.reruns} time(s) at most",
    }


def _limits(budgets: Budgets) -> Iterator[str]:
    """What is limited; 0 is without that limit."""
    if budgets.tokens:
        yield f"{budgets.tokens:,} tokens"
    if budgets.seconds:
        yield f"{budgets.seconds:,} seconds"
    if budgets.cents:
        yield f"{budgets.cents / _CENTS:,.2f} dollars"
