"""How a supplier is told: what its own policy makes of a case.  Pure: facts in, the move out.

The page shows the move before anything is sent, and the action makes it: the
project's own route wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clearhouse.protocol.embargo import opening

WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a supplier has said of how it wants to hear (``orgs.SupplierPolicy``)."""

    slug: str
    name: str
    route: str
    wants_public: bool
    embargo: timedelta | None
    pace: int | None
    proof_required: bool
    scale: str
    scope: str


@dataclass(frozen=True, slots=True)
class Telling:
    """What telling a supplier now would do.

    ``refusal`` says why it is not told, empty where it is.  ``agreed`` is an end that is in force
    because the supplier asks for less than the office's period; ``proposed`` the longer of both.
    """

    policy: Policy
    refusal: str = ""
    ends_embargo: bool = False
    agreed: datetime | None = None
    proposed: datetime | None = None
    ends_at: datetime | None = None


def telling(
    policy: Policy,
    *,
    has_proof: bool,
    told_lately: Sequence[datetime],
    ends_at: datetime | None,
    now: datetime,
) -> Telling:
    """What telling a supplier at ``now`` does.

    ``told_lately`` are the times of other cases that it was told of within a week, in order;
    ``ends_at`` is when the embargo would end by the office's clock, None where there is none.

    1. It takes proofs only, and there is none: not told.  2. It takes so many cases in a week, and
    has them: not told before the day that is named.  3. It wants everything public at once: there
    is no embargo from now on.  4. Else the shorter of both periods is in force, and the longer is
    proposed.
    """
    if policy.proof_required and not has_proof:  # 1
        return Telling(
            policy, refusal=f"{policy.name} takes reports with a proof only, and this has none"
        )
    if policy.pace is not None and len(told_lately) >= policy.pace:  # 2
        oldest = told_lately[len(told_lately) - policy.pace] if policy.pace else now
        return Telling(
            policy,
            refusal=f"{policy.name} takes {policy.pace} cases in a week and has them; the next from"
            f" {oldest + WEEK:%Y-%m-%d %H:%M} UTC on",
        )
    wanted = timedelta(0) if policy.wants_public else policy.embargo
    if wanted is not None and wanted <= timedelta(0):  # 3
        return Telling(policy, ends_embargo=True)
    if ends_at is None:
        return Telling(policy)
    terms = opening(ends_at - now, wanted)  # 4
    end = ends_at if terms.active is None else now + terms.active
    return Telling(
        policy,
        agreed=end if end < ends_at else None,
        proposed=None if terms.proposed is None else now + terms.proposed,
        ends_at=end,
    )
