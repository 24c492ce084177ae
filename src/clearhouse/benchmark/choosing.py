"""Which item comes next: a pure function of the plan, the submission's seed and the outcomes.

An interrupted item first.  Then families that have not reached their minimum, the one furthest
from it first; then any family.  Within that, one of the ``among`` items that tell the region's
edges apart best (randomesque exposure control, Kingsbury and Zara 1989), drawn by HMAC-SHA256 of
how many items have been over under the seed.

The choice depends on which items are over, never on how they ended: at a fixed threshold the most
informative items are the same for every system (Eggen 1999), and the order gives nothing away.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from itertools import islice

from clearhouse.benchmark.deciding import Verdict, decide
from clearhouse.benchmark.outcomes import Outcome, Standing
from clearhouse.benchmark.plan import Plan


def next_item(plan: Plan, seed: bytes, outcomes: Sequence[Outcome]) -> str | None:
    """The item to run next; None once the test is over.

    Raises :class:`Invalid` for outcomes that the plan does not know.
    """
    if decide(plan, outcomes).verdict is not Verdict.UNDECIDED:
        return None
    return pick(Standing.after(plan, outcomes), seed)


def pick(standing: Standing, seed: bytes) -> str | None:
    """The item to run next from where a test stands, whether or not it has decided."""
    waiting = standing.to_rerun
    if waiting is not None:
        return waiting
    plan = standing.plan
    family = standing.short_family
    ranked = (name for name in plan.ranked[family] if not standing.is_over(name))
    best = list(islice(ranked, plan.terms.among))
    if not best:
        return None
    over = len(standing.done) + len(standing.set_aside)
    drawn = hmac.digest(seed, f"clearhouse-choice/1 {over}".encode(), "sha256")
    return best[int.from_bytes(drawn, "big") % len(best)]
