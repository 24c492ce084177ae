"""Receipts: hold by themselves, and fail at the step where they were altered."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.ledger.checkpoint import Checkpoint
from clearhouse.ledger.entry import Entry
from clearhouse.ledger.note import Note, sign
from clearhouse.ledger.receipt import Check, Outcome, Receipt, check_receipt
from clearhouse.ledger.tree import prove_inclusion
from tests.ledger.test_tree import Log
from tests.ledger.test_verify import KEY, STRANGER, whole

SIZE = 40


def log_of(size: int) -> Log:
    log = Log()
    for row in whole(size).rows:
        log.add(row.leaf)
    return log


LOG = log_of(SIZE)
SIGNED = Checkpoint(KEY.verifier.name, SIZE, LOG.root(SIZE))


def receipt(index: int) -> bytes:
    entry = Entry.parse(whole(SIZE).rows[index].leaf, index=index)
    path = prove_inclusion(index, SIZE, LOG.read)
    return bytes(Receipt.of(entry, path, sign(str(SIGNED), KEY), KEY.verifier))


def outcomes(found: list[Check]) -> list[str]:
    return [one.outcome for one in found]


def checked(raw: bytes) -> list[Check]:
    return check_receipt(raw, trusted_key=KEY.verifier, checkpoint=SIGNED)


def changed(**changes: Any) -> bytes:
    return json.dumps(json.loads(receipt(7)) | changes).encode()


@settings(max_examples=20)
@given(st.integers(0, SIZE - 1))
def test_a_receipt_holds_in_every_step(index: int) -> None:
    assert outcomes(checked(receipt(index))) == ["holds"] * 5
    assert bytes(Receipt.parse(receipt(index))) == receipt(index)


def test_without_a_key_it_says_what_the_key_named_inside_is_worth() -> None:
    found = check_receipt(receipt(7), trusted_key=None, checkpoint=None)
    assert outcomes(found) == ["holds", "not checked", "holds", "holds"]
    assert "anybody can make a key" in found[1].why


def test_a_receipt_of_a_stranger_who_uses_the_name_does_not_hold() -> None:
    forged = changed(
        key=str(STRANGER.verifier), checkpoint=bytes(sign(str(SIGNED), STRANGER)).decode()
    )
    assert outcomes(check_receipt(forged, trusted_key=None, checkpoint=None))[2] == "holds"
    assert outcomes(checked(forged))[1:3] == ["fails", "fails"]


def test_a_readable_part_that_says_something_else_fails_the_first_step() -> None:
    entry = json.loads(receipt(7))["entry"]
    others: tuple[Any, ...] = (entry | {"subject": "F-8"}, entry | {"facts": {"number": 7.0}},
                    entry | {"more": 1}, None, {})  # fmt: skip
    for altered in others:
        assert outcomes(checked(changed(entry=altered)))[0] == "fails"


def test_another_entry_place_or_path_fails_the_fourth_step() -> None:
    other = json.loads(receipt(8))
    hashes = json.loads(receipt(7))["inclusion"]
    for altered in (
        changed(leaf=other["leaf"], entry=other["entry"]),
        changed(index=8),
        changed(index=SIZE),
        changed(inclusion=hashes[:-1]),
        changed(inclusion=hashes[::-1]),
    ):
        assert outcomes(checked(altered))[3] == "fails"


def test_what_was_hashed_and_is_no_entry_fails_the_first_step() -> None:
    assert outcomes(checked(changed(leaf=base64.b64encode(b"{}").decode())))[0] == "fails"


def test_a_note_of_the_key_that_is_no_checkpoint_of_it_fails() -> None:
    for text in ("no checkpoint\n", str(Checkpoint("other.example/ledger", SIZE, SIGNED.root))):
        note = bytes(sign(text, KEY)).decode()
        assert outcomes(checked(changed(checkpoint=note)))[2] == "fails"


def test_checkpoints_of_one_size_and_two_roots_are_said_to_be_two_histories() -> None:
    def last_of(other: Checkpoint) -> Check:
        return check_receipt(receipt(7), trusted_key=KEY.verifier, checkpoint=other)[4]

    assert "different histories" in last_of(Checkpoint(SIGNED.origin, SIZE, bytes(32))).why
    assert last_of(Checkpoint("other.example/a", SIZE, SIGNED.root)).outcome == Outcome.FAILS
    larger = last_of(Checkpoint(SIGNED.origin, SIZE + 1, bytes(32)))
    assert larger.outcome == Outcome.NOT_CHECKED
    assert "proof/consistency?old=40&new=41" in larger.why


@settings(max_examples=60)
@given(st.data())
def test_no_altered_byte_of_a_receipt_is_believed(data: st.DataObject) -> None:
    raw = bytearray(receipt(7))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = checked(bytes(raw))
    except Invalid:
        return
    if outcomes(found) == ["holds"] * 5:  # white space, or the sentence: nothing that proves
        one, other = json.loads(raw), json.loads(receipt(7))
        assert {**one, "proves": ""} == {**other, "proves": ""}


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"\xff", b"[" * 50_000, b"{}", changed(format="other"), changed(more=1),
     changed(key=1), changed(key="a"), changed(index=True), changed(index=-1), changed(index=1.0),
     changed(leaf=1), changed(leaf="!"), changed(inclusion={}), changed(inclusion=["AAAA"]),
     changed(inclusion=[None]), changed(inclusion=[""] * 65), changed(checkpoint="a"),
     changed(checkpoint="\ud800"), b" " * 1_000_001],
)  # fmt: skip
def test_what_is_no_receipt_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        checked(raw)


def test_the_note_of_a_receipt_is_a_note_that_any_verifier_reads() -> None:
    note = Note.parse(json.loads(receipt(7))["checkpoint"].encode())
    assert note.signed_by([KEY.verifier]) == (KEY.verifier,)
    assert Checkpoint.parse(note.text) == SIGNED
