"""The page of a checked patch: each level apart, and nothing unknown taken for a pass."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.proof.diff import read_patch, unified
from clearhouse.proof.manifest import parse_bundle
from clearhouse.proof.new_effects import NewEffect
from clearhouse.proof.own_tests import OwnTests
from clearhouse.proof.patch_verdict import (
    AsFixed,
    Behaviour,
    PatchVerdict,
    Seen,
    StillTriggering,
    Variants,
    decide,
)
from clearhouse.proof.placing import PatchResult, apply_patch
from clearhouse.proof.report import patch_page
from clearhouse.proof.variants import Variant
from tests.proof.making import FILES
from tests.proof.pages import complaints, read

SOURCE = b"def parse(data):\n    return data[0]\n"
MENDED = b"def parse(data):\n    return data[:1]\n"
BUNDLE = parse_bundle(FILES, where="bundle")
ENVIRONMENT = {
    "python": "3.12.9",
    "packages": [{"purl": "pkg:pypi/sqlparse@0.4.4", "digest": "sha256:" + "ef" * 32}],
}
PASSED = OwnTests(ran=True, passed=40, failed_before=1, failed_after=1)


def applied(before: bytes = SOURCE) -> PatchResult:
    """The patch laid over a tree that holds ``before``."""
    diff = unified("pkg/core.py", SOURCE, MENDED)
    tree = {"pkg/core.py": before}
    return apply_patch(read_patch(diff, where="x.patch"), tree, tree.__getitem__)


def document(result: PatchResult | None = None, **changes: Any) -> dict[str, Any]:
    """A patch that passes everything, but for the changes."""
    good: dict[str, Any] = {
        "effect_looked_at": True,
        "variants": Variants(tried=24, made=90),
        "behaviour": Behaviour(tried=32),
        "tests": PASSED,
        "as_fixed": AsFixed("1.1", compared=12, same=12),
    }
    seen = Seen(result or applied(), **(good | changes))
    return PatchVerdict(BUNDLE, "cd" * 32, seen, decide(seen), ENVIRONMENT, 2.5).as_json()


def still(number: int) -> StillTriggering:
    variant = Variant(b"x" * number, (f"bytes 3 to {number} removed",))
    return StillTriggering(f"variant-{number}", variant, "exception IndexError")


def states(one: dict[str, Any]) -> list[object]:
    ladder = read(patch_page([one])).one("ol", class_="levels")
    return [level.attributes["class"] for level in ladder.all("li")]


def test_an_accepted_patch_passes_every_level() -> None:
    root = read(patch_page([document()]))
    assert complaints(root) == []
    assert root.one("h1").text == "CVE-2024-4340: the patch is accepted"
    assert states(document()) == ["passed"] * 4
    article = root.one("article")
    assert article.one(class_="badge").text == "✓ accepted"
    for text in (
        "1 file of the distribution",
        "none of 24 variants showed it",
        "controls behave as before",
        "none of 32 harmless inputs answered otherwise",
        "answers as 1.1 does on 12 of 12 inputs",
        "40 own tests passed, 1 failed before, 1 after",
        "pkg:pypi/sqlparse@0.4.4",
        BUNDLE.digest,
        BUNDLE.title,
        "sha256:" + "cd" * 32,
        "sha256:" + "ef" * 32,
        "3.12.9",
        str(document()["digest"]),
    ):
        assert text in article.text, text
    assert [row.text for row in article.one("table").one("tbody").all("tr")] == [
        "pkg/core.pymodified"
    ]


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({"code_changed": False}, 0),
        ({"effect": "the effect still shows"}, 1),
        ({"silenced": "the fault is caught at pkg/core.py line 2"}, 1),
        ({"variants": Variants(tried=24, still=(still(5),))}, 2),
        ({"controls": "control:a raises ValueError"}, 3),
        ({"behaviour": Behaviour(tried=32, altered=("a",) * 20)}, 3),
        ({"new_effects": (NewEffect("exception", "control:a", "TypeError"),)}, 3),
        ({"tests": OwnTests(ran=True, passed=39, failed_after=1, newly_failing=("test_a",))}, 3),
    ],
)
def test_a_level_that_fails_is_shown_as_that_one(changes: dict[str, Any], level: int) -> None:
    one = document(**changes)
    assert states(one) == ["failed" if n == level else "passed" for n in range(4)]
    article = read(patch_page([one])).one("article")
    assert article.one(class_="badge").text == "✕ refused"
    assert one["reasons"]
    for reason in one["reasons"]:
        assert reason in article.text


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        ({"effect_looked_at": False, "variants": None}, [1, 2, 3]),
        ({"variants": Variants(tried=0, made=50)}, [2]),
    ],
)
def test_what_was_not_tried_is_unknown_and_no_pass(
    changes: dict[str, Any], unknown: list[int]
) -> None:
    found = states(document(**changes))
    assert [n for n, state in enumerate(found) if state == "unknown"] == unknown


def test_a_diff_that_does_not_fit_names_the_file_and_why() -> None:
    one = document(applied(b"something else\n"), effect_looked_at=False)
    assert states(one)[0] == "failed"
    text = read(patch_page([one])).one("article").text
    assert "pkg/core.pyfailed" in text
    assert one["patch"]["files"][0]["why"] in text


def test_what_speaks_against_a_patch_is_named() -> None:
    one = document(
        variants=Variants(tried=60, still=tuple(still(n) for n in range(50))),
        behaviour=Behaviour(tried=32, altered=("“a” gives 1, not 2",)),
        new_effects=(NewEffect("hang", "control:a", "takes 12 s"),),
        tests=OwnTests(ran=True, passed=1, newly_failing=("test_sign", "test_verify")),
    )
    root = read(patch_page([one]))
    assert complaints(root) == []
    text = root.one("article").text
    for name in (
        "bytes 3 to 0 removed",
        "bytes 3 to 39 removed",
        "And 10 more.",
        "“a” gives 1, not 2",
        "takes 12 s, on control:a",
        "test_sign",
        "test_verify",
    ):
        assert name in text, name
    assert "bytes 3 to 40 removed" not in text


def test_several_patches_are_counted() -> None:
    root = read(patch_page([document(), document(effect="the effect still shows")]))
    assert complaints(root) == []
    assert root.one("h1").text == "1 of 2 patches accepted"


@settings(max_examples=40)
@given(text=st.text(st.characters(), min_size=1, max_size=30))
def test_no_text_changes_the_shape_of_the_page(text: str) -> None:
    shapes = []
    for said in ("x", text):
        one = document(
            effect=said,
            variants=Variants(tried=1, still=(StillTriggering(said, Variant(b"", (said,)), said),)),
            new_effects=(NewEffect(said, said, said),),
            tests=OwnTests(ran=True, newly_failing=(said,)),
            notes=(said,),
        )
        one["target"] = one["title"] = one["bundle"]["id"] = said
        one["patch"]["files"][0] |= {"file": said, "why": said}
        shapes.append([e.name for e in read(patch_page([one])).all()])
    assert shapes[0] == shapes[1]
