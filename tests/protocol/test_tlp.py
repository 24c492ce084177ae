"""Labels of the Traffic Light Protocol: read, ordered, and never widened."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid, Refused
from clearhouse.protocol.tlp import Tlp, as_csaf_2_0


@pytest.mark.parametrize("label", Tlp)
def test_a_label_reads_as_it_is_written_in_any_case_with_or_without_its_prefix(label: Tlp) -> None:
    assert Tlp.parse(label.value) is label
    assert Tlp.parse(f" {label.value.lower().removeprefix('tlp:')} ") is label
    assert label.meaning


def test_white_of_the_first_version_is_clear() -> None:
    assert Tlp.parse("TLP:WHITE") is Tlp.CLEAR


@pytest.mark.parametrize("text", ["", "TLP:", "PINK", "AMBER STRICT", "RED,GREEN"])
def test_what_is_no_label_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(Invalid, match=r"TLP:AMBER\+STRICT"):
        Tlp.parse(text)


@given(st.lists(st.sampled_from(Tlp)))
def test_what_is_put_together_is_no_wider_than_any_part(labels: list[Tlp]) -> None:
    found = Tlp.narrowest(tuple(labels))
    assert all(found.width <= label.width for label in labels)
    assert found in labels or (found is Tlp.RED and not labels)


def test_in_csaf_2_0_a_label_is_never_a_wider_one() -> None:
    said = {label: as_csaf_2_0(label) for label in Tlp if label is not Tlp.AMBER_STRICT}
    assert said[Tlp.CLEAR] == "WHITE"
    assert {label for label, text in said.items() if Tlp.parse(text) is not label} == set()
    with pytest.raises(Refused, match=r"TLP:RED or CSAF 2\.1"):
        as_csaf_2_0(Tlp.AMBER_STRICT)
