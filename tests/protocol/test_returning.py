"""What was lent goes back first, and is attested after."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from clearhouse.errors import Invalid, Refused
from clearhouse.protocol.returning import (
    LOAN,
    Loan,
    LoanEvent,
    LoanState,
    attest,
    give_back,
    outstanding,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BACK = give_back(Loan(), now=NOW)
DONE = attest(BACK, "deleted from both hosts and their backups", now=NOW)


@pytest.mark.parametrize(("state", "event"), list(product(LoanState, LoanEvent)))
def test_every_state_and_event_moves_as_the_table_says_or_is_refused(
    state: LoanState, event: LoanEvent
) -> None:
    expected = {
        (LoanState.LENT, LoanEvent.RETURN): LoanState.RETURNED,
        (LoanState.RETURNED, LoanEvent.ATTEST): LoanState.ATTESTED,
    }.get((state, event))
    if expected is None:
        with pytest.raises(Refused, match="is not possible"):
            LOAN.after(state, event)
    else:
        assert LOAN.after(state, event) is expected


def test_what_is_not_back_cannot_be_attested_and_a_statement_says_something() -> None:
    with pytest.raises(Refused):
        attest(Loan(), "deleted", now=NOW)
    with pytest.raises(Invalid, match="what was deleted"):
        attest(BACK, "  ", now=NOW)


def test_a_thing_is_outstanding_until_it_is_attested() -> None:
    assert outstanding([Loan(), BACK, DONE]) == 2
    assert outstanding([DONE]) == outstanding([]) == 0
