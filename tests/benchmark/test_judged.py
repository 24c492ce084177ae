"""What the judge said comes back as it was, and says which item it is of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.judged import Judged
from clearhouse.benchmark.outcomes import Ending
from clearhouse.errors import Invalid
from clearhouse.proof.judge import Grade
from tests.benchmark.banks import judged

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text(), VALUES, max_size=4), st.sampled_from(list(Grade)))
def test_a_verdict_comes_back_as_it_was(verdict: dict[str, Any], grade: Grade) -> None:
    digest = "sha256:" + "5" * 64
    made = Judged(digest, digest, digest, {**verdict, "grade": grade.value})
    read = Judged.parse(bytes(made), "verdict.json")
    assert bytes(read) == bytes(made)
    assert (read.item, read.grade) == (digest, grade)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda one: one.update(item="sha256:0"), "a digest is sha256"),
        (lambda one: one.pop("run"), "run: has to be there"),
        (lambda one: one["verdict"].update(grade="splendid"), "none of the proof engine's grades"),
        (lambda one: one.update(verdict=[]), "verdict: expected an object"),
        (lambda one: one.update(more=1), "unknown key"),
        (lambda one: one.update(format="other"), "expected the format"),
    ],
)
def test_what_is_no_verdict_is_refused_with_its_place(edit: Any, message: str) -> None:
    document = json.loads(bytes(judged("item-001", Ending.SOLVED)))
    edit(document)
    raw = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(Invalid) as refused:
        Judged.parse(raw, "verdict.json")
    assert str(refused.value).startswith("verdict.json: ")
    assert message in str(refused.value)


def test_another_spelling_is_refused() -> None:
    with pytest.raises(Invalid, match="not in canonical form"):
        Judged.parse(bytes(judged("item-001", Ending.FAILED)) + b"\n", "verdict.json")
