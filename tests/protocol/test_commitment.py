"""Commitments open with their key and content, and with no other."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.protocol.commitment import commit, opens

KEYS = st.binary(min_size=16, max_size=64)
DIGESTS = st.binary(min_size=32, max_size=32)


def test_a_commitment_is_what_any_implementation_computes() -> None:
    key, digest = bytes(range(16)), hashlib.sha256(b"").digest()
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + digest).digest()
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).digest()
    assert commit(key, digest) == outer  # RFC 2104, section 2, written out


@given(KEYS, DIGESTS)
def test_it_opens_with_its_key_and_content(key: bytes, digest: bytes) -> None:
    assert opens(commit(key, digest), key, digest)


@given(KEYS, DIGESTS, KEYS, DIGESTS)
def test_it_opens_with_nothing_else(
    key: bytes, digest: bytes, other_key: bytes, other_digest: bytes
) -> None:
    # A key is padded with zeros (RFC 2104, section 2): those that differ in them only are one key.
    assume((key.rstrip(b"\0"), digest) != (other_key.rstrip(b"\0"), other_digest))
    assert not opens(commit(key, digest), other_key, other_digest)


@pytest.mark.parametrize(
    ("key_bytes", "digest_bytes"), [(0, 32), (15, 32), (65, 32), (16, 31), (16, 33)]
)
def test_a_key_that_can_be_guessed_and_what_is_no_digest_are_refused(
    key_bytes: int, digest_bytes: int
) -> None:
    with pytest.raises(Invalid):
        commit(bytes(key_bytes), bytes(digest_bytes))
