"""One update that mends many flaws is one thing to do."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from clearhouse.exposure.remedies import Flawed, remedies

SOON = datetime(2026, 11, 25, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)


def flawed(flaw: str, fixed: str = "", due: datetime | None = SOON, **more: str) -> Flawed:
    known = {"system": "S", "ecosystem": "PyPI", "package": "jinja2", "version": "3.1.3"} | more
    return Flawed(**known, flaw=flaw, fixed=fixed, due=due, rank=more.get("rank", flaw))


def test_the_target_is_the_highest_fix_by_the_ecosystems_order() -> None:
    [one] = remedies([flawed("A", "3.1.10"), flawed("B", "3.1.9"), flawed("C", "3.1.4rc1")])
    assert (one.target, one.mended, one.left) == ("3.1.10", ("A", "B", "C"), ())


def test_what_has_no_fix_is_left_beside_what_has() -> None:
    [one] = remedies([flawed("A", "3.1.4"), flawed("B"), flawed("C", due=None)])
    assert (one.target, one.mended, one.left, one.count) == ("3.1.4", ("A",), ("B", "C"), 3)


def test_a_fix_without_a_place_in_the_order_counts_as_the_highest() -> None:
    [one] = remedies([flawed("A", "9!9"), flawed("B", "git-abc")])
    assert one.target == "git-abc"


def test_what_is_due_first_comes_first_and_without_date_last() -> None:
    found = remedies(
        [
            flawed("A", due=None, package="a"),
            flawed("B", due=LATER, package="b"),
            flawed("C", due=SOON, package="c"),
        ]
    )
    assert [one.package for one in found] == ["c", "b", "a"]


FLAWS = st.lists(
    st.builds(
        flawed,
        st.sampled_from("ABCDEF"),
        st.sampled_from(["", "1.0", "2.0", "10.0", "odd"]),
        st.sampled_from([None, SOON, LATER]),
        package=st.sampled_from(["a", "b"]),
        system=st.sampled_from(["S", "T"]),
    )
)


@given(FLAWS)
def test_no_flaw_is_lost_and_the_order_of_the_list_changes_nothing(flaws: list[Flawed]) -> None:
    found = remedies(flaws)
    assert found == remedies(reversed(flaws))
    told = {(one.system, one.package, flaw) for one in found for flaw in (*one.mended, *one.left)}
    assert told == {(one.system, one.package, one.flaw) for one in flaws}
    assert all(not set(one.mended) & set(one.left) for one in found)
