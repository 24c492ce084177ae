"""Identifiers that name one flaw: joined whatever the order, and never two CVEs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clearhouse.exposure.aliases import Aliases

name = st.sampled_from(["CVE-1", "CVE-2", "GHSA-1", "GHSA-2", "PYSEC-1", "PYSEC-2", "GO-1"])
records = st.lists(st.tuples(name, st.lists(name, max_size=3)), max_size=6)


def test_a_third_name_joins_two_records() -> None:
    known = Aliases()
    known.join("PYSEC-1", ["GHSA-1"])
    known.join("GO-1", ["GHSA-1", "CVE-1"])
    assert known.names("PYSEC-1") == ("CVE-1", "GHSA-1", "GO-1", "PYSEC-1")
    assert known.flaw("PYSEC-1") == known.flaw("CVE-1")


@given(records)
def test_each_name_has_one_flaw_and_no_flaw_two_cves(said: list[tuple[str, list[str]]]) -> None:
    known = Aliases()
    for identifier, aliases in said:
        known.join(identifier, aliases)
    every = {one for identifier, aliases in said for one in (identifier, *aliases)}
    for one in every:
        names = known.names(one)
        assert one in names
        assert all(known.names(other) == names for other in names)
        assert sum(other.startswith("CVE-") for other in names) <= 1
