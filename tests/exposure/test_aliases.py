"""Identifiers that name one flaw: joined whatever the order, and never two CVEs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clearhouse.exposure.aliases import Aliases
from clearhouse.exposure.columnar.rows import flaws

name = st.sampled_from(["CVE-1", "CVE-2", "GHSA-1", "GHSA-2", "PYSEC-1", "PYSEC-2", "GO-1"])
records = st.lists(st.tuples(name, st.lists(name, max_size=3)), max_size=6)


def joined(*said: tuple[str, list[str]]) -> Aliases:
    known = Aliases()
    for identifier, aliases in said:
        known.join(identifier, aliases)
    return known


def test_a_third_name_joins_two_records() -> None:
    known = joined(("PYSEC-1", ["GHSA-1"]), ("GO-1", ["GHSA-1", "CVE-1"]))
    assert known.names("PYSEC-1") == ("CVE-1", "GHSA-1", "GO-1", "PYSEC-1")
    assert known.flaw("PYSEC-1") == known.flaw("CVE-1")


def test_a_record_with_two_cves_is_one_flaw_that_has_both() -> None:
    known = joined(("GO-1", ["CVE-2", "CVE-1"]))
    assert known.names("GO-1") == ("CVE-1", "CVE-2", "GO-1")


def test_what_names_the_second_cve_alone_is_a_flaw_of_its_own() -> None:
    said = (("GO-1", ["CVE-1", "CVE-2"]), ("PYSEC-2", ["CVE-2"]))
    known = joined(*said)
    assert known.names("GO-1") == ("CVE-1", "CVE-2", "GO-1")
    assert known.names("PYSEC-2") == ("CVE-2", "PYSEC-2")


@given(records)
def test_a_flaw_has_every_name_that_its_records_have_and_leads_with_its_own(
    said: list[tuple[str, list[str]]],
) -> None:
    known = joined(*said)
    every = {one for identifier, aliases in said for one in (identifier, *aliases)}
    for identifier, aliases in said:
        assert {identifier, *aliases} <= set(known.names(identifier))
    for one in every:
        names = known.names(one)
        assert one in names
        assert len(names) == len(set(names))
        assert names[0] == known.leading(one)
        assert known.flaw(names[0]) == known.flaw(one)


@given(records)
def test_no_two_flaws_lead_with_one_name_and_no_two_cves_are_one_flaw(
    said: list[tuple[str, list[str]]],
) -> None:
    known = joined(*said)
    every = {one for identifier, aliases in said for one in (identifier, *aliases)}
    leading = {known.flaw(one): known.leading(one) for one in every}
    assert len(set(leading.values())) == len(leading)
    cves = {one for one in every if one.startswith("CVE-")}
    assert len({known.flaw(one) for one in cves}) == len(cves)
    assert cves <= set(leading.values())


@given(records)
def test_columns_name_flaws_as_they_are_named_here(said: list[tuple[str, list[str]]]) -> None:
    known = joined(*said)
    assert flaws(said) == {one: known.names(one)[0] for one, _ in said}
