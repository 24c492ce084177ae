"""What was lent for a review goes back, and who held it attests that no copy is left.

The duty outlives the review: it stands after a withdrawal as after an end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.protocol.machine import Machine


class Lent(StrEnum):
    """What can be lent."""

    CREDENTIAL = "credential"
    DOCUMENT = "document"
    DATA = "data"
    WEIGHTS = "weights"
    DEVICE = "device"
    OTHER = "other"


class LoanState(StrEnum):
    """Where a thing is."""

    LENT = "lent"
    RETURNED = "returned"
    ATTESTED = "attested"


class LoanEvent(StrEnum):
    """What its holder does."""

    RETURN = "return"
    ATTEST = "attest"


LOAN: Final = Machine(
    "the loan",
    LoanState.LENT,
    {
        (LoanState.LENT, LoanEvent.RETURN): LoanState.RETURNED,
        (LoanState.RETURNED, LoanEvent.ATTEST): LoanState.ATTESTED,
    },
)


@dataclass(frozen=True, slots=True)
class Loan:
    """A thing that was lent; times have a zone.  ``statement`` is the attestation's text."""

    state: LoanState = LoanState.LENT
    returned_at: datetime | None = None
    attested_at: datetime | None = None
    statement: str = ""


def give_back(loan: Loan, *, now: datetime) -> Loan:
    """It goes back to the developer."""
    return replace(loan, state=LOAN.after(loan.state, LoanEvent.RETURN), returned_at=now)


def attest(loan: Loan, statement: str, *, now: datetime) -> Loan:
    """Its holder states how every copy was deleted; only of what is back."""
    state = LOAN.after(loan.state, LoanEvent.ATTEST)
    if not statement.strip():
        raise Invalid("say what was deleted, where, and how", key="statement")
    return replace(loan, state=state, attested_at=now, statement=statement.strip())


def outstanding(loans: Iterable[Loan]) -> int:
    """How many are not yet back and attested; a review finishes when there are none."""
    return sum(one.state is not LoanState.ATTESTED for one in loans)
