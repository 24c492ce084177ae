"""What the judge said comes back as it was, and says which item it is of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.bank import digest_of
from clearhouse.benchmark.item_file import parse
from clearhouse.benchmark.items import Item
from clearhouse.benchmark.judged import Judged
from clearhouse.benchmark.outcomes import Ending
from clearhouse.errors import Invalid
from clearhouse.proof.judge import Grade
from tests.benchmark.banks import judged
from tests.benchmark.making import item, sample

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text(), VALUES, max_size=4), st.sampled_from(list(Grade)))
def test_a_verdict_comes_back_as_it_was(verdict: dict[str, Any], grade: Grade) -> None:
    digest = "sha256:" + "5" * 64
    made = Judged(digest, digest, digest, ("poc",), {**verdict, "grade": grade.value})
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


def proven(of: Item, data: bytes, **changes: Any) -> Judged:
    """What the judge's document says where this is handed in, whatever it shows."""
    run = "sha256:" + of.run_digest(data)
    verdict = {"grade": "claimed", "bundle": {"digest": of.bundle_with(data).digest}}
    values = {
        "item": of.digest,
        "handed_in": digest_of(data),
        "run": run,
        "instead": tuple(one.name for one in of.bundle.pocs),
        "verdict": verdict,
    }
    return Judged(**{**values, **changes})


@given(st.binary(max_size=40))
def test_a_verdict_is_known_by_the_digests_of_its_items_files(data: bytes) -> None:
    one = item()
    assert proven(one, data).is_of(parse(one.record, where="item.toml"))


def test_a_verdict_of_other_files_is_none_of_the_item() -> None:
    one, other = item(), item(sample("CVE-2022-46175"))
    record = parse(one.record, where="item.toml")
    assert not proven(other, b"[a]").is_of(record)
    assert not proven(one, b"[a]", run=digest_of(b"[b]")).is_of(record)
    assert not proven(one, b"[a]", handed_in=digest_of(b"[b]")).is_of(record)
    assert not proven(one, b"[a]", instead=()).is_of(record)
    assert not proven(one, b"[a]", instead=("harness.js", "poc.ini")).is_of(record)
    assert not proven(one, b"[a]", instead=("proof.toml",)).is_of(record)
    assert not proven(one, b"[a]", verdict={"grade": "claimed"}).is_of(record)
