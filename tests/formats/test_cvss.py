"""CVSS vectors: published scores, one spelling for each vector, every way to be wrong."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.formats.cvss import Cvss, Severity, Version, parse
from tests.formats.advisories import vectors

BASE_4_0 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
#: Severity words by score (CVSS 3.1, section 5), each with the least score it is for.
LEAST = {
    Severity.NONE: 0.0,
    Severity.LOW: 0.1,
    Severity.MEDIUM: 4.0,
    Severity.HIGH: 7.0,
    Severity.CRITICAL: 9.0,
}


def _patterns() -> dict[Version, str]:
    text = files("cvelib").joinpath("schemas/CVE_JSON_cnaPublishedContainer_5.1.1.json").read_text()
    metrics: Any = json.loads(text)["definitions"]["metrics"]["items"]["properties"]
    keys = {version: f"cvssV{version.replace('.', '_')}" for version in Version}
    return {one: metrics[key]["properties"]["vectorString"]["pattern"] for one, key in keys.items()}


PATTERNS = _patterns()


# FIRST's examples: CVSS 3.1 examples document (Heartbleed, CVE-2013-1937 and CVE-2012-1516),
# CVSS 2.0 guide section 3.3, CVSS 4.0 examples document.
@pytest.mark.parametrize(
    ("vector", "version", "score", "severity"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", Version.V3_1, 7.5, Severity.HIGH),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", Version.V3_1, 6.1, Severity.MEDIUM),
        ("CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", Version.V3_0, 9.9, Severity.CRITICAL),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", Version.V3_1, 0.0, Severity.NONE),
        ("AV:N/AC:L/Au:N/C:N/I:N/A:C", Version.V2_0, 7.8, Severity.HIGH),
        ("AV:L/AC:H/Au:N/C:C/I:C/A:C", Version.V2_0, 6.2, Severity.MEDIUM),
        (BASE_4_0, Version.V4_0, 9.3, Severity.CRITICAL),
    ],
)
def test_published_scores(vector: str, version: Version, score: float, severity: Severity) -> None:
    assert parse(vector) == Cvss(version, vector, score, severity)


def test_threat_and_environment_leave_the_base_score_of_4_0_alone() -> None:
    with_more = parse(f"{BASE_4_0}/E:U/MAV:P/U:Clear")
    assert with_more.score == parse(BASE_4_0).score
    assert with_more.vector.endswith("/E:U/MAV:P/U:Clear")


def test_metrics_are_put_in_order_and_those_not_defined_left_out() -> None:
    assert parse(" CVSS:3.1/A:N/I:N/C:H/S:U/UI:N/PR:N/AC:L/AV:N/E:X\n").vector == (
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"
    )
    assert (
        parse("CVSS:4.0/AC:L/AV:N/" + BASE_4_0.partition("/AC:L/")[2] + "/E:X").vector == BASE_4_0
    )


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        ("", "version 2.0"),
        ("CVSS:5.0/AV:N", "2.0, 3.0, 3.1, 4.0"),
        ("cvss:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "such as CVSS:4.0"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N", "Missing mandatory"),
        ("CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "uplicate"),
        (f"{BASE_4_0}/ZZ:Q", "ZZ:Q"),
        ("9.8", "version 2.0"),
        ("CVSS:3.1/" + "AV:N/" * 100, "such as"),
    ],
)
def test_what_is_no_vector_is_refused_with_the_reason(vector: str, said: str) -> None:
    with pytest.raises(Invalid, match=re.escape(said)) as caught:
        parse(vector, where="case", key="severity")
    assert str(caught.value).startswith("case: severity: ")


@given(vectors())
def test_a_vector_is_normal_after_one_reading(vector: str) -> None:
    once = parse(vector)
    assert parse(once.vector) == once


@given(vectors())
def test_the_word_is_the_one_for_the_score(vector: str) -> None:
    found = parse(vector)
    least = LEAST
    if found.version is Version.V2_0:
        least = {Severity.LOW: 0.0, Severity.MEDIUM: 4.0, Severity.HIGH: 7.0}
    assert found.severity is max(
        (word for word in least if found.score >= least[word]), key=least.__getitem__
    )


@given(vectors())
def test_a_normal_vector_is_what_the_published_schemas_ask_for(vector: str) -> None:
    found = parse(vector)
    assert re.fullmatch(PATTERNS[found.version].strip("^$"), found.vector)


@given(st.text(max_size=40))
def test_any_text_is_a_vector_or_invalid(text: str) -> None:
    try:
        parse(text)
    except Invalid:
        return
    assert text.strip()
