"""Of several scores one counts, and it says why."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.exposure.judging.facts import Fact, Scored
from clearhouse.exposure.judging.rating import rating
from clearhouse.protocol.severity import Severity
from tests.exposure.judging.cases import TOTAL, scored
from tests.formats.advisories import vectors

OLD = "AV:N/AC:L/Au:N/C:C/I:C/A:C"
NEW = "CVSS:4.0/AV:L/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"
LOW = "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"


@pytest.mark.parametrize(
    ("given_ones", "leading", "why"),
    [
        ([scored(TOTAL)], TOTAL, "the only score"),
        ([scored(TOTAL), scored(LOW, "the project", is_suppliers=True)], LOW, "supplier's own"),
        ([scored(OLD), scored(TOTAL), scored(NEW)], NEW, "CVSS 4.0 is the newest"),
        ([scored(LOW), scored(TOTAL, "CNA")], TOTAL, "the highest score in CVSS 3.1"),
    ],
)
def test_the_suppliers_goes_first_then_the_newest_then_the_highest(
    given_ones: list[Fact[Scored]], leading: str, why: str
) -> None:
    found = rating(given_ones)
    assert found is not None
    assert found.leading.value.cvss.vector == leading
    assert why in found.because
    assert len(found.others) == len(given_ones) - 1


def test_without_scores_there_is_no_severity() -> None:
    assert rating([]) is None
    found = rating([scored(TOTAL)])
    assert found is not None
    assert (found.score, found.severity, found.metrics["AV"]) == (9.8, Severity.CRITICAL, "N")


@given(st.lists(st.tuples(vectors(), st.booleans()), min_size=1, max_size=5), st.randoms())
def test_the_one_that_counts_does_not_depend_on_the_order(
    given_ones: list[tuple[str, bool]], random: Random
) -> None:
    scores = [scored(vector, is_suppliers=own) for vector, own in given_ones]
    shuffled = list(scores)
    random.shuffle(shuffled)
    assert rating(scores) == rating(shuffled)
