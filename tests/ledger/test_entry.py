"""Entries: one spelling each, read as they were written, refused where they could mislead."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.ledger.entry import Entry

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SALT = bytes(range(16))
LEAF = (
    b'{"at":"2026-03-01T12:00:00.000000Z","facts":{"digest":"ab","list":[1,null,true]},'
    b'"kind":"finding.received","salt":"000102030405060708090a0b0c0d0e0f","subject":"F-1","v":1}'
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=10)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def entry(**changes: Any) -> Entry:
    given_values: dict[str, Any] = {
        "index": 0, "kind": "finding.received", "subject": "F-1", "at": NOW,
        "facts": {"list": [1, None, True], "digest": "ab"}, "salt": SALT,
    }  # fmt: skip
    return Entry(**(given_values | changes))


def test_a_leaf_is_spelt_as_rfc_8785_spells_json() -> None:
    assert entry().leaf == LEAF
    assert Entry.parse(LEAF, index=7) == entry(index=7)


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.datetimes(timezones=st.just(UTC)),
       st.binary(min_size=16, max_size=64))  # fmt: skip
def test_an_entry_reads_as_it_is_written(facts: dict[str, Any], at: datetime, salt: bytes) -> None:
    one = entry(facts=facts, at=at, salt=salt)
    again = Entry.parse(one.leaf, index=0)
    assert again == one
    assert again.leaf == one.leaf


@given(st.data())
def test_no_other_spelling_of_an_entry_is_read(data: st.DataObject) -> None:
    document = json.loads(LEAF)
    spelt = json.dumps(
        dict(data.draw(st.permutations(list(document.items())))),
        separators=data.draw(st.sampled_from([(",", ":"), (", ", ": ")])),
        ensure_ascii=data.draw(st.booleans()),
    ).encode()
    if spelt == LEAF:
        return
    with pytest.raises(Invalid, match="canonical"):
        Entry.parse(spelt, index=0)


def test_equal_content_with_another_salt_has_another_hash() -> None:
    assert entry().leaf_hash != entry(salt=bytes(16)).leaf_hash


@pytest.mark.parametrize(
    ("change", "key"),
    [({"index": -1}, "index"), ({"kind": ""}, "kind"), ({"kind": "Finding"}, "kind"),
     ({"kind": "a" * 61}, "kind"), ({"subject": ""}, "subject"), ({"subject": "a\nb"}, "subject"),
     ({"subject": "a" * 81}, "subject"), ({"at": NOW.replace(tzinfo=None)}, "at"),
     ({"at": NOW.astimezone(timezone(timedelta(hours=1)))}, "at"), ({"salt": bytes(15)}, "salt"),
     ({"facts": []}, "facts"), ({"facts": {"share": 0.5}}, "facts.share"),
     ({"facts": {"many": 2**53}}, "facts.many"), ({"facts": {"a": [{"b": b""}]}}, "facts.a[0].b"),
     ({"facts": {"\u00e9": 1}}, "facts"), ({"facts": {"": 1}}, "facts"),
     ({"facts": {1: 1}}, "facts"), ({"facts": {"a": "b" * 65_536}}, "facts")],
)  # fmt: skip
def test_what_an_entry_cannot_hold_is_refused_with_its_key(
    change: dict[str, Any], key: str
) -> None:
    with pytest.raises(Invalid) as caught:
        entry(**change)
    assert caught.value.key == key


def test_half_of_a_surrogate_pair_and_endless_nesting_are_refused() -> None:
    with pytest.raises(Invalid, match="surrogate"):
        entry(facts={"a": "\ud800"})
    deep: list[Any] = []
    deep.append(deep)
    with pytest.raises(Invalid, match="nested"):
        entry(facts={"a": deep})


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"\xff", b"[" * 60_000, b"{}", LEAF[:-1], LEAF + b" ",
     LEAF.replace(b'"v":1', b'"v":2'), LEAF.replace(b'"v":1', b'"v":true'),
     LEAF.replace(b'"v":1', b'"v":1,"w":1'), LEAF.replace(b'"subject":"F-1"', b'"subject":1'),
     LEAF.replace(b'"0001', b'"01'), LEAF.replace(b"0a0b0c", b"0A0B0C"),
     LEAF.replace(b".000000Z", b"Z"), LEAF.replace(b"-03-01T", b"-13-01T"),
     LEAF.replace(b"[1,", b"[1.0,"), LEAF.replace(b"[1,", b"[NaN,"),
     LEAF.replace(b'"digest"', b'"digest":"x","digest"'), b" " * 70_000],
)  # fmt: skip
def test_what_is_no_leaf_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        Entry.parse(raw, index=0)


@given(st.integers(0, len(LEAF) - 1), st.integers(0, 7))
def test_an_altered_byte_of_a_leaf_is_refused_or_read_as_something_else(at: int, bit: int) -> None:
    changed = bytearray(LEAF)
    changed[at] ^= 1 << bit
    try:
        found = Entry.parse(bytes(changed), index=0)
    except Invalid:
        return
    assert found != entry()
