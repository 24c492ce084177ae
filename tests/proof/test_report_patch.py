"""The page of a checked patch: each level apart, and nothing unknown taken for a pass."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.proof.report import patch_page
from tests.proof.pages import complaints, read

PASSED = {"ran": True, "passed": 40, "failed_before": 1, "failed_after": 1, "newly_failing": []}
ACCEPTED: dict[str, Any] = {
    "bundle": {"id": "CVE-2019-14853", "digest": "sha256:" + "ab" * 32},
    "target": "pkg:pypi/ecdsa@0.13.2",
    "applies": True,
    "effect_gone": True,
    "controls_same": True,
    "variants": {"tried": 120, "still_triggering": []},
    "tests": PASSED,
    "accepted": True,
    "reasons": ["the effect is gone from the proof and from 120 variants"],
}


def states(document: dict[str, Any]) -> list[object]:
    ladder = read(patch_page([document])).one("ol", class_="levels")
    return [level.attributes["class"] for level in ladder.all("li")]


def test_an_accepted_patch_passes_every_level() -> None:
    root = read(patch_page([ACCEPTED]))
    assert complaints(root) == []
    assert root.one("h1").text == "CVE-2019-14853: the patch is accepted"
    assert states(ACCEPTED) == ["passed"] * 5
    for text in (*ACCEPTED["reasons"], "none of 120 variants showed it", "40 tests passed"):
        assert text in root.one("article").text


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({"applies": False}, 0),
        ({"effect_gone": False}, 1),
        ({"variants": {"tried": 9, "still_triggering": ["bytes 3 to 5 removed"]}}, 2),
        ({"controls_same": False}, 3),
        ({"tests": PASSED | {"failed_after": 2}}, 4),
        ({"tests": PASSED | {"newly_failing": ["test_a"]}}, 4),
    ],
)
def test_a_level_that_fails_is_shown_as_that_one(changes: dict[str, Any], level: int) -> None:
    document = ACCEPTED | {"accepted": False} | changes
    assert states(document) == ["failed" if n == level else "passed" for n in range(5)]
    badge = read(patch_page([document])).one("article").one(class_="badge")
    assert badge.text == "✕ refused"


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({"effect_gone": None}, 1),
        ({"variants": {"tried": 0, "still_triggering": []}}, 2),
        ({"controls_same": None}, 3),
        ({"tests": PASSED | {"ran": False, "reason": "it carries none"}}, 4),
    ],
)
def test_what_was_not_tried_is_unknown_and_no_pass(changes: dict[str, Any], level: int) -> None:
    assert states(ACCEPTED | changes)[level] == "unknown"


def test_variants_and_tests_that_speak_against_it_are_named() -> None:
    many = [f"variant {n}" for n in range(50)]
    document = ACCEPTED | {
        "variants": {"tried": 60, "still_triggering": many},
        "tests": PASSED | {"newly_failing": ["test_sign", "test_verify"]},
    }
    text = read(patch_page([document])).one("article").text
    for name in ("variant 0", "variant 39", "and 10 more", "test_sign", "test_verify"):
        assert name in text


def test_several_patches_are_counted() -> None:
    root = read(patch_page([ACCEPTED, ACCEPTED | {"accepted": False}]))
    assert complaints(root) == []
    assert root.one("h1").text == "1 of 2 patches accepted"


@settings(max_examples=40)
@given(text=st.text(st.characters(), min_size=1, max_size=30))
def test_no_text_changes_the_shape_of_the_page(text: str) -> None:
    shapes = []
    for said in ("x", text):
        document = ACCEPTED | {
            "title": said,
            "reasons": [said],
            "variants": {"tried": 1, "still_triggering": [said]},
            "tests": PASSED | {"newly_failing": [said]},
        }
        shapes.append([e.name for e in read(patch_page([document])).all()])
    assert shapes[0] == shapes[1]
