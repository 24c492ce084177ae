"""Sectors have stable keys and the memorandum's names."""

from __future__ import annotations

import pytest

from clearhouse.errors import Invalid
from clearhouse.protocol.sectors import NAMES, Sector


def test_there_are_sixteen_sectors_and_other() -> None:
    assert len(Sector) == 17
    assert set(NAMES) == set(Sector)
    assert len(set(NAMES.values())) == 17


@pytest.mark.parametrize("sector", Sector)
def test_a_sector_reads_back_from_its_key_and_from_its_name(sector: Sector) -> None:
    assert Sector.parse(sector.value) is sector
    assert Sector.parse(f"  {sector.label.upper()} ") is sector


@pytest.mark.parametrize("text", ["", "hospital", "health\x00care", "x" * 10_000])
def test_anything_else_is_invalid_and_says_what_is_expected(text: str) -> None:
    with pytest.raises(Invalid, match="sector: expected a sector, one of chemical, "):
        Sector.parse(text, key="sector")
