"""A bank's commitment: one item can be shown to be in it, and none can be guessed."""

from __future__ import annotations

import hashlib
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.public_bank import Bank, Commitment, Revealed, was_in
from clearhouse.errors import Invalid

DIGESTS = st.sets(
    st.integers(0, 10_000).map(lambda n: f"sha256:{hashlib.sha256(bytes(n)).hexdigest()}"),
    min_size=1,
    max_size=20,
)


@given(DIGESTS)
def test_every_item_of_a_bank_can_be_shown_to_be_in_it(digests: set[str]) -> None:
    bank = Bank.of(digests, secrets.token_bytes)
    commitment = Commitment.parse(bank.commitment.as_json())
    assert commitment.items == len(digests)
    for digest in digests:
        revealed = Revealed.parse(bank.reveal(digest).as_json())
        assert revealed.digest == digest
        assert was_in(commitment, revealed)
    assert Bank.parse(bank.as_bytes()).commitment == commitment


@given(DIGESTS, st.data())
def test_what_is_altered_shows_no_item(digests: set[str], data: st.DataObject) -> None:
    bank = Bank.of(digests, secrets.token_bytes)
    digest = data.draw(st.sampled_from(sorted(digests)))
    document = bank.reveal(digest).as_json()
    key = data.draw(st.sampled_from(["digest", "salt", "index"]))
    altered: dict[str, object] = {
        "digest": "sha256:" + "0" * 64,
        "salt": "0" * 64,
        "index": document["index"] + 1,
    }
    try:
        assert not was_in(bank.commitment, Revealed.parse({**document, key: altered[key]}))
    except Invalid:
        assert key == "index"  # a place at which no path of that length leads to the root


def test_the_same_items_are_committed_to_differently_each_time_so_that_none_can_be_guessed() -> (
    None
):
    digests = ["sha256:" + "1" * 64, "sha256:" + "2" * 64]
    first, second = (Bank.of(digests, secrets.token_bytes).commitment for _ in range(2))
    assert first.root != second.root
    assert Bank.of(digests, bytes).commitment == Bank.of(digests[::-1], bytes).commitment


def test_an_item_that_is_not_in_the_bank_cannot_be_revealed() -> None:
    with pytest.raises(Invalid, match="no such item"):
        Bank.of(["sha256:1"], bytes).reveal("sha256:2")
    with pytest.raises(Invalid, match="without items"):
        Bank({})


@pytest.mark.parametrize(
    "raw",
    [None, [], {}, {"format": 2}, {"format": 1, "items": 0, "root": "0" * 64},
     {"format": 1, "items": True, "root": "0" * 64}, {"format": 1, "items": 1, "root": "0" * 63},
     {"format": 1, "items": 1, "root": 0}],
)  # fmt: skip
def test_what_is_no_commitment_is_refused(raw: object) -> None:
    with pytest.raises(Invalid):
        Commitment.parse(raw)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"format":1,"salts":{}}',
                                 b'{"format":1,"salts":{"a":"1"}}', b"[" * 9999])  # fmt: skip
def test_what_is_no_bank_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        Bank.parse(raw)
