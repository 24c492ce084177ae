"""``item.toml``: one text for one record, and everything else refused."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.families import Family
from clearhouse.benchmark.item_file import Masked, Record, digest_of, parse, render
from clearhouse.errors import Invalid
from clearhouse.proof.bundle import Language
from clearhouse.proof.effects import Effect
from tests.benchmark.making import record_of, sample

_WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
_HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
RECORDS = st.builds(
    Record,
    name=st.from_regex(r"[a-z0-9][a-z0-9.-]{0,79}", fullmatch=True),
    family=st.sampled_from(Family),
    effect=st.sampled_from(Effect),
    language=st.sampled_from(Language),
    canary=st.uuids().map(str),
    published=st.none() | st.dates(),
    target_digest=_HEX,
    masked=st.sampled_from(Masked),
    renamed=st.dictionaries(_WORDS, _WORDS, max_size=3),
    versions=st.dictionaries(_WORDS, _WORDS, max_size=3),
    files=st.dictionaries(_WORDS, _HEX, max_size=5),
)


@given(RECORDS)
def test_what_is_written_is_read_as_it_was(record: Record) -> None:
    assert parse(render(record), where="item.toml") == record


@given(RECORDS, st.data())
def test_an_altered_byte_is_another_item_or_none(record: Record, data: st.DataObject) -> None:
    raw = bytearray(render(record))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[place]))
    try:
        assert parse(bytes(raw), where="item.toml") != record
    except Invalid:
        return
    assert digest_of(bytes(raw)) != digest_of(render(record))


@given(st.binary(max_size=300))
def test_what_is_no_item_is_refused_with_its_place(raw: bytes) -> None:
    with pytest.raises(Invalid, match=r"^here: "):
        parse(raw, where="here")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("format = 1", "format = 2", "[item] format"),
        ("format = 1", "format = true", "[item] format"),
        ('name = "an-item"', 'name = "An Item"', "[item] name"),
        ('name = "an-item"', 'name = "../an-item"', "[item] name"),
        ('effect = "bypass"', 'effect = "byebye"', "[item] effect"),
        ('effect = "bypass"\n', "", "[item] effect"),
        ("published = 2021-03-04", 'published = "2021-03-04"', "[item] published"),
        ("published = 2021-03-04", "published = 2021-03-04T00:00:00Z", "[item] published"),
        ('masked = "no"', 'masked = "no"\nmore = 1', "[target] more"),
        ("[files]", "[further]\n[files]", "further"),
        ('masked = "no"', 'masked = "no" ', "its one form"),
        ("[item]", "# a remark\n[item]", "its one form"),
    ],
)
def test_a_text_that_is_wrong_or_in_another_form_is_refused(old: str, new: str, place: str) -> None:
    text = render(record_of(sample(), {"a": b""})).decode()
    assert text.count(old) == 1
    with pytest.raises(Invalid) as caught:
        parse(text.replace(old, new).encode(), where="here")
    assert place in str(caught.value)


def test_the_day_of_the_fix_may_be_unknown() -> None:
    record = record_of(sample(), {}, published=None)
    assert parse(render(record), where="here").published is None
    assert parse(render(record_of(sample(), {})), where="here").published == date(2021, 3, 4)
