"""EPSS: the lines of its table."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.formats import epss


@pytest.mark.parametrize(
    "line",
    [
        "#model_version:v2025.03.14,score_date:2025-08-25T12:55:00Z",
        "#model_version:v2025.03.14,score_date:2025-08-25T12:55:00+0000\n",
    ],
)
def test_the_comment_tells_the_model_and_the_day(line: str) -> None:
    assert epss.is_epss_head(line)
    scored = datetime(2025, 8, 25, 12, 55, tzinfo=UTC)
    assert epss.edition(line) == epss.Edition("v2025.03.14", scored)


@pytest.mark.parametrize("line", ["", "#", "#model_version:x", "#model_version:v1,score_date:now"])
def test_another_comment_tells_nothing(line: str) -> None:
    assert epss.edition(line) is None


def test_a_line_has_a_probability_and_a_percentile() -> None:
    found = epss.read("CVE-2021-44228,0.94358,0.99962\n", "v4")
    assert found == epss.Score("CVE-2021-44228", 0.94358, 0.99962, "v4")
    assert epss.read("CVE-2021-44228,4.3e-05,0", "v4").probability == 4.3e-05
    assert epss.read("CVE-2021-44228,.5,1.0", "v4").probability == 0.5


@pytest.mark.parametrize(
    "line",
    [
        "CVE-2021-44228,nan,0.1",
        "CVE-2021-44228,inf,0.1",
        "CVE-2021-44228,1.5,0.1",
        "CVE-2021-44228,-0.5,0.1",
        "CVE-2021-44228,1_0,0.1",
        "CVE-2021-44228,0.1",
        "CVE-2021-44228,0.1,0.1,0.1",
        "GHSA-1,0.1,0.1",
        "CVE-2021-44228,\u0660.\u0661,0.1",
    ],
)
def test_what_is_no_score_is_refused(line: str) -> None:
    with pytest.raises(Invalid):
        epss.read(line, "v4")


@given(st.text(max_size=40))
def test_any_line_is_read_or_refused(line: str) -> None:
    epss.edition(line)
    for one in (line, f"CVE-2021-44228,{line}", f"CVE-2021-44228,{line},0.1"):
        try:
            found = epss.read(one, "v4")
        except Invalid:
            continue
        assert 0 <= found.probability <= 1
