"""What proofs show on chosen versions, out of the document that is kept of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.proof.absence import (
    Answer,
    OnVersion,
    OnVersions,
    Outcome,
    concluded,
    document_of,
    outcome_of,
    together,
)
from clearhouse.proof.standing import Status
from clearhouse.proof.verdict import digest_of

WHAT = [("PyPI", "demo", "1.0"), ("PyPI", "demo", "1.1")]


def proof(**outcomes: Outcome) -> OnVersions:
    found = tuple(OnVersion(key[1:].replace("_", "."), one) for key, one in outcomes.items())
    return OnVersions("sha256:00", "pkg:pypi/demo", "1.1", "attributed", found, {})


def made(*proofs: OnVersions) -> dict[str, Any]:
    return document_of(["CH-1"], WHAT, proofs, salt="salt")


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (Status.AFFECTED, Answer.SHOWS),
        (Status.CLEAN, Answer.ABSENT),
        (Status.REFUSED, Answer.ABSENT),
        (Status.UNRUNNABLE, Answer.UNTOLD),
        (Status.INCONCLUSIVE, Answer.UNTOLD),
    ],
)
def test_a_status_says(status: Status, answer: Answer) -> None:
    assert outcome_of(status).answer is answer


@given(st.lists(st.sampled_from(Outcome), max_size=6))
def test_one_proof_that_shows_it_is_enough_and_it_is_absent_only_by_all(
    outcomes: list[Outcome],
) -> None:
    answer = together(outcomes).answer
    assert (answer is Answer.SHOWS) is (Outcome.SHOWS in outcomes)
    assert (answer is Answer.ABSENT) is (bool(outcomes) and set(outcomes) == {Outcome.ABSENT})
    assert together(outcomes[::-1]).answer is answer


def test_each_version_is_concluded_over_all_proofs() -> None:
    document = made(
        proof(v1_0=Outcome.ABSENT, v1_1=Outcome.ABSENT),
        proof(v1_0=Outcome.ABSENT, v1_1=Outcome.SHOWS),
    )
    found = concluded(json.loads(json.dumps(document)))
    assert found == {WHAT[0]: Outcome.ABSENT, WHAT[1]: Outcome.SHOWS}


def test_a_version_that_a_proof_was_not_run_on_is_open() -> None:
    document = made(proof(v1_0=Outcome.ABSENT, v1_1=Outcome.ABSENT), proof(v1_0=Outcome.ABSENT))
    assert concluded(document)[WHAT[1]].answer is Answer.UNTOLD
    assert {one.answer for one in concluded(made()).values()} == {Answer.UNTOLD}


@pytest.mark.parametrize(
    "change",
    [
        {"format": "clearhouse-on-installed/2"}, {"salt": "other"}, {"digest": None},
        {"installed": []}, {"proofs": [{"versions": []}]},
    ],
)  # fmt: skip
def test_what_was_altered_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        concluded(made(proof(v1_0=Outcome.ABSENT, v1_1=Outcome.ABSENT)) | change)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["installed", "proofs", "versions", "version", "outcome", "package"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_whatever_is_handed_in_it_is_read_or_refused(value: object) -> None:
    if isinstance(value, dict):
        value = value | {"format": "clearhouse-on-installed/1"}
        value["digest"] = digest_of(value)
    try:
        concluded(value)
    except Invalid:
        return
    assert isinstance(value, dict)
