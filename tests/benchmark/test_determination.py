"""A determination is computed again, and every alteration is found and named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.benchmark.bank import Bank
from clearhouse.benchmark.deciding import Verdict
from clearhouse.benchmark.determination import Verification, verify
from clearhouse.benchmark.evidence import (
    BANK,
    DECISION,
    DETERMINATION,
    OUTCOMES,
    PARTS,
    PLAN,
    RUN,
    Attempts,
    Evidence,
    make_evidence,
    read_evidence,
    transcript_name,
    verdict_name,
)
from clearhouse.benchmark.items import Item
from clearhouse.benchmark.outcomes import Ending
from clearhouse.benchmark.plan import Plan
from clearhouse.benchmark.transcripts import transcript_of
from clearhouse.errors import Invalid
from clearhouse.ledger.entry import canonical
from clearhouse.ledger.receipt import Outcome as Result
from tests.benchmark.banks import (
    SEEDS,
    bank,
    content_of,
    evidence,
    finished,
    judged,
    outcome,
    plan,
    run_of,
    verdicts_of,
)
from tests.benchmark.making import item, sample
from tests.benchmark.test_judged import proven

SOUND = evidence()
MEMBERS = (*PARTS, RUN, DETERMINATION)


def _fails(found: Verification) -> dict[int, str]:
    return {one.number: one.why for one in found.checks if one.outcome is Result.FAILS}


def _with(name: str, raw: bytes) -> Evidence:
    return Evidence({**SOUND.members, name: raw}, "altered")


def _edited(name: str, edit: Callable[[Any], object]) -> Evidence:
    document = json.loads(SOUND.members[name])
    edit(document)
    return _with(name, canonical(document))


def test_sound_evidence_holds_against_the_committed_plan() -> None:
    found = verify(SOUND, plan().digest)
    assert found.holds
    assert found.verdict is Verdict.COVERED
    assert [one.number for one in found.checks] == list(range(1, 11))
    not_checked = [one.number for one in found.checks if one.outcome is Result.NOT_CHECKED]
    assert not_checked == [9]  # nothing says what these items' files are
    assert found.checks[9].outcome is Result.HOLDS


def test_without_a_committed_digest_that_step_is_not_checked() -> None:
    found = verify(SOUND)
    assert found.holds
    assert found.checks[1].outcome is Result.NOT_CHECKED


def test_another_committed_plan_does_not_hold() -> None:
    assert set(_fails(verify(SOUND, "sha256:" + "0" * 64))) == {2}


def _places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every value in a document that is not made of others."""
    if isinstance(value, dict):
        return [one for key, part in value.items() for one in _places(part, (*path, key))]
    if isinstance(value, list):
        return [one for at, part in enumerate(value) for one in _places(part, (*path, at))]
    return [path]


FIELDS = [(name, place) for name in MEMBERS for place in _places(json.loads(SOUND.members[name]))]


def _set(document: Any, place: tuple[str | int, ...]) -> None:
    *way, last = place
    for step in way:
        document = document[step]
    old = document[last]
    if isinstance(old, bool):
        document[last] = not old
    elif isinstance(old, int):
        document[last] = old + 1
    elif isinstance(old, str):
        document[last] = old[:-1] + ("0" if old[-1:] != "0" else "1")
    else:
        document[last] = "something"


ALTERED = st.sampled_from(FIELDS)


@settings(max_examples=10)
@given(ALTERED)
def test_a_field_that_is_altered_is_found_in_its_document(
    field: tuple[str, tuple[str | int, ...]],
) -> None:
    _alter_field(*field)


@pytest.mark.slow
@settings(max_examples=300)
@given(ALTERED)
def test_every_field_that_is_altered_is_found_in_its_document(
    field: tuple[str, tuple[str | int, ...]],
) -> None:
    _alter_field(*field)


def _alter_field(name: str, place: tuple[str | int, ...]) -> None:
    found = verify(_edited(name, lambda document: _set(document, place)), plan().digest)
    assert not found.holds
    assert any(name in why for why in _fails(found).values())


BYTES = st.tuples(st.sampled_from(MEMBERS), st.integers(0, 1 << 20), st.integers(1, 255))


@settings(max_examples=10)
@given(BYTES)
def test_a_byte_that_is_altered_is_found_in_its_document(place: tuple[str, int, int]) -> None:
    _alter_byte(*place)


@pytest.mark.slow
@settings(max_examples=300)
@given(BYTES)
def test_every_byte_that_is_altered_is_found_in_its_document(place: tuple[str, int, int]) -> None:
    _alter_byte(*place)


def _alter_byte(name: str, at: int, change: int) -> None:
    found = verify(_with(name, _changed(SOUND.members[name], at, change)), plan().digest)
    assert not found.holds
    assert any(name in why for why in _fails(found).values())


def _changed(raw: bytes, at: int, change: int) -> bytes:
    altered = bytearray(raw)
    altered[at % len(raw)] ^= change
    return bytes(altered)


@settings(max_examples=60)
@given(at=st.integers(0, 1 << 20), change=st.integers(1, 255))
def test_no_altered_archive_is_read(
    tmp_path_factory: pytest.TempPathFactory, at: int, change: int
) -> None:
    path = tmp_path_factory.mktemp("evidence") / "evidence.zip"
    path.write_bytes(_changed(SOUND.as_zip(), at, change))
    with pytest.raises(Invalid):
        read_evidence(path)


def _made_again(edit: Callable[[Any], object]) -> Evidence:
    """Outcomes altered, and everything after them made anew by somebody who knows the rules."""
    document = json.loads(SOUND.members[OUTCOMES])
    edit(document)
    attempts = Attempts.parse(canonical(document), OUTCOMES)
    return make_evidence(plan(), bank(), attempts, verdicts_of(attempts.outcomes))


def test_a_test_that_was_cut_short_is_found() -> None:
    found = verify(_made_again(lambda one: one["outcomes"].pop()))
    assert set(_fails(found)) == {7}
    assert "ends before the rule stops" in _fails(found)[7]


def test_a_test_that_went_on_is_found() -> None:
    names = [one.name for one in bank().items]
    done = {one["item"] for one in json.loads(SOUND.members[OUTCOMES])["outcomes"]}
    more = next(name for name in names if name not in done)
    extra = {"item": more, "ending": "failed", "verdict": None}
    found = verify(_made_again(lambda one: one["outcomes"].append(extra)))
    assert 7 in _fails(found)
    assert "goes on for 1 outcomes" in _fails(found)[7]


def test_another_order_is_found() -> None:
    def exchange(document: Any) -> None:
        outcomes = document["outcomes"]
        outcomes[0], outcomes[1] = outcomes[1], outcomes[0]

    found = verify(_made_again(exchange))
    assert set(_fails(found)) == {5}
    assert "outcome 1 is of" in _fails(found)[5]


def test_another_slot_s_seed_is_found() -> None:
    attempts = Attempts.parse(SOUND.members[OUTCOMES], OUTCOMES)
    other = Attempts("submission-7", SEEDS.opening(1), attempts.outcomes)
    assert 5 in _fails(verify(make_evidence(plan(), bank(), other)))
    forged = json.loads(bytes(other)) | {"slot": 0}
    forged_attempts = Attempts.parse(canonical(forged), OUTCOMES)
    assert 4 in _fails(verify(make_evidence(plan(), bank(), forged_attempts)))


def test_weights_that_the_bank_does_not_give_are_found() -> None:
    document = json.loads(bytes(plan()))
    document["items"][3]["solved"] += 1
    forged = Plan.parse(canonical(document), PLAN)
    attempts = Attempts.parse(SOUND.members[OUTCOMES], OUTCOMES)
    found = verify(make_evidence(forged, bank(), attempts))
    assert set(_fails(found)) == {3}
    assert "item-003" in _fails(found)[3]
    document["items"].pop()
    short = Plan.parse(canonical(document | {"terms": document["terms"] | {"most": 39}}), PLAN)
    assert 3 in _fails(verify(make_evidence(short, bank(), attempts)))


def test_another_bank_is_found() -> None:
    attempts = Attempts.parse(SOUND.members[OUTCOMES], OUTCOMES)
    other = Bank(bank().items[::-1], bank().anchors)
    assert set(_fails(verify(make_evidence(plan(), other, attempts)))) == {3}


def test_a_verdict_that_no_outcome_names_is_found() -> None:
    nobodys = verify(_with(verdict_name("sha256:" + "0" * 64), b"{}"))
    assert set(_fails(nobodys)) == {8}
    assert "no outcome has the verdict" in _fails(nobodys)[8]
    without = {name: raw for name, raw in SOUND.members.items() if name in MEMBERS}
    assert verify(Evidence(without, "e")).checks[7].outcome is Result.NOT_CHECKED


def _with_verdict_of(item: str, ending: Ending) -> Evidence:
    """The first outcome names, and the evidence holds, what the judge said of another attempt."""
    other = judged(item, ending)
    document = json.loads(SOUND.members[OUTCOMES])
    document["outcomes"][0]["verdict"] = other.digest
    attempts = Attempts.parse(canonical(document), OUTCOMES)
    return make_evidence(plan(), bank(), attempts, [bytes(other)])


def test_a_verdict_of_another_item_is_found() -> None:
    first = json.loads(SOUND.members[OUTCOMES])["outcomes"][0]["item"]
    assert verify(_with_verdict_of(first, Ending.SOLVED)).holds
    found = verify(_with_verdict_of("item-000-altered", Ending.SOLVED))
    assert set(_fails(found)) == {8}
    assert f"is of the item {content_of('item-000-altered')}" in _fails(found)[8]
    assert content_of(first) in _fails(found)[8]


def test_a_verdict_that_says_something_else_than_its_outcome_is_found() -> None:
    first = json.loads(SOUND.members[OUTCOMES])["outcomes"][0]["item"]
    found = verify(_with_verdict_of(first, Ending.FAILED))
    assert set(_fails(found)) == {8}
    assert "says claimed, outcomes.json that it is solved" in _fails(found)[8]


def test_a_plan_of_other_items_is_found_through_their_verdicts() -> None:
    """The same names, weights and order: only the items' contents are others."""
    document = json.loads(SOUND.members[PLAN])
    for one in document["items"]:
        one["content"] = content_of(one["name"] + " of somebody else")
    other = Plan.parse(canonical(document), PLAN)
    attempts = Attempts.parse(SOUND.members[OUTCOMES], OUTCOMES)
    evidence = make_evidence(other, bank(), attempts, verdicts_of(attempts.outcomes))
    assert set(_fails(verify(evidence))) == {8}
    assert set(_fails(verify(evidence, plan().digest))) == {2, 8}


def _of_a_real_item(data: bytes, listed: Item | None = None) -> Evidence:
    """One attempt at an item with files, with what the item says it is."""
    one = item()
    document = json.loads(SOUND.members[PLAN])
    attempts = Attempts.parse(SOUND.members[OUTCOMES], OUTCOMES)
    first = attempts.outcomes[0].item
    for planned in document["items"]:
        if planned["name"] == first:
            planned["content"] = one.digest
    made = proven(
        one,
        b"[a]",
        verdict={"grade": "differential", "bundle": {"digest": one.bundle_with(data).digest}},
    )
    outcomes = (replace(attempts.outcomes[0], verdict=made.digest), *attempts.outcomes[1:])
    return make_evidence(
        Plan.parse(canonical(document), PLAN), bank(), replace(attempts, outcomes=outcomes),
        [bytes(made)], [(listed or one).record],
    )  # fmt: skip


def test_what_was_proven_is_held_against_the_items_own_list_of_files() -> None:
    found = verify(_of_a_real_item(b"[a]"))
    assert found.holds
    assert found.checks[8].outcome is Result.HOLDS
    assert set(_fails(verify(_of_a_real_item(b"[b]")))) == {9}
    other = item(sample("CVE-2022-46175"))
    assert "no item of the plan" in _fails(verify(_of_a_real_item(b"[a]", other)))[9]


def test_a_record_of_another_run_is_found() -> None:
    attempts = Attempts.parse(SOUND.members[OUTCOMES], OUTCOMES)
    fewer = run_of(attempts.outcomes[:-1])
    found = verify(make_evidence(plan(), bank(), attempts, run=fewer))
    assert set(_fails(found)) == {10}
    assert "run.json is not of the attempts" in _fails(found)[10]


def test_a_transcript_that_the_record_does_not_name_is_found() -> None:
    foreign = transcript_of([("user", "something else")])
    found = verify(_with(transcript_name(foreign.digest), bytes(foreign)))
    assert set(_fails(found)) == {10}
    name = next(one for one in SOUND.members if one.startswith("transcripts/"))
    found = verify(_with(name, SOUND.members[name].replace(b"look at it", b"look at me")))
    assert "is not under its digest" in _fails(found)[10]
    without = {key: raw for key, raw in SOUND.members.items() if key != name}
    assert verify(Evidence(without, "fewer transcripts")).holds


def test_a_record_cannot_be_taken_out_of_a_determination_or_put_into_one() -> None:
    without = {
        name: raw
        for name, raw in SOUND.members.items()
        if name != RUN and not name.startswith("transcripts/")
    }
    assert 1 in _fails(verify(Evidence(without, "without")))
    attempts = Attempts.parse(SOUND.members[OUTCOMES], OUTCOMES)
    bare = make_evidence(plan(), bank(), attempts)
    assert verify(bare).holds
    assert verify(bare).checks[9].outcome is Result.NOT_CHECKED
    put_in = Evidence({**bare.members, RUN: SOUND.members[RUN]}, "with")
    assert set(_fails(verify(put_in))) == {1}


def test_an_indeterminate_test_holds_as_well() -> None:
    outcomes = finished(lambda *_: Ending.ERROR)
    attempts = Attempts("s", SEEDS.opening(0), outcomes)
    found = verify(make_evidence(plan(), bank(), attempts))
    assert found.holds
    assert found.verdict is Verdict.INDETERMINATE


def test_outcomes_of_an_item_twice_or_of_none_are_named() -> None:
    def twice(document: Any) -> None:
        document["outcomes"].insert(1, document["outcomes"][0])

    found = verify(_edited(OUTCOMES, twice))
    assert {1, 5, 6} <= set(_fails(found))
    assert "was over before" in _fails(found)[6]


def test_evidence_is_read_from_a_folder_and_from_a_zip(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    for name, raw in SOUND.members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    (tmp_path / "evidence.zip").write_bytes(SOUND.as_zip())
    assert read_evidence(folder) == read_evidence(tmp_path / "evidence.zip") == SOUND
    (folder / "more.json").write_text("{}")
    with pytest.raises(Invalid, match=r"does not have: 'more\.json'"):
        read_evidence(folder)
    (folder / "more.json").unlink()
    (folder / DECISION).unlink()
    with pytest.raises(Invalid, match=r"has no decision\.json"):
        read_evidence(folder)
    (tmp_path / "text").write_text("hello")
    with pytest.raises(Invalid, match="expected a folder or a zip"):
        read_evidence(tmp_path / "text")
    with pytest.raises(Invalid, match="cannot be read"):
        read_evidence(tmp_path / "nothing")


def test_documents_come_back_as_they_were() -> None:
    assert Plan.parse(SOUND.members[PLAN], PLAN) == plan()
    assert Bank.parse(SOUND.members[BANK], BANK) == bank()
    with pytest.raises(Invalid, match=r"plan\.json: is not in canonical form"):
        Plan.parse(SOUND.members[PLAN] + b"\n", PLAN)
    solved = outcome("item-001", Ending.SOLVED)
    assert solved.verdict is not None


#: Written down on one machine: every other that runs this has to come to the same.
WRITTEN_DOWN = (
    "sha256:add1e5c8df045f9c0ddf7c92732f7da3fbc45d3143e452e21fd12aa39dd76d3c",
    "sha256:baa83124f8bd2303eadc60f3c21f310e9d2894666e5b85b3c082ea976eca0efb",
    "sha256:ff091f57029384ace05384255a9b0878cb66ea0f890018385b21783bac36ab4b",
)


def test_another_machine_comes_to_the_same_bank_plan_and_determination() -> None:
    assert (bank().digest, plan().digest, SOUND.digest) == WRITTEN_DOWN


_AGAIN = """
import sys, hashlib
from tests.benchmark.banks import evidence, plan
print(hashlib.sha256(evidence(3).as_zip()).hexdigest(), plan().digest)
"""


@pytest.mark.parametrize("hash_seed", ["1", "4242"])
def test_another_interpreter_makes_the_same_bytes(hash_seed: str) -> None:
    import hashlib

    root = Path(__file__).resolve().parents[2]
    told = subprocess.run(
        [sys.executable, "-c", _AGAIN],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{root / 'src'}:{root}"},
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert told == [hashlib.sha256(evidence(3).as_zip()).hexdigest(), plan().digest]


_PURE = """
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name in ("_decimal", "numpy") or name.startswith("numpy."):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Without())
import decimal
assert "_decimal" not in sys.modules
from tests.benchmark.banks import bank
from clearhouse.benchmark.weighing import weigh
print([(one.solved, one.failed, one.information) for one in
       (weigh(item, -321_000, 456_789) for item in bank().items[:4])])
"""


def test_another_implementation_of_decimal_weighs_the_same() -> None:
    from clearhouse.benchmark.weighing import weigh

    root = Path(__file__).resolve().parents[2]
    told = subprocess.run(
        [sys.executable, "-c", _PURE],
        env={**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}"},
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    here = [weigh(item, -321_000, 456_789) for item in bank().items[:4]]
    assert told.strip() == str([(one.solved, one.failed, one.information) for one in here])
