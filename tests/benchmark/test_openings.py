"""Records of openings: lines are only added, and whatever else is done to them shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.openings import (
    Occasion,
    Opening,
    check_codes,
    next_opening,
    parse,
    record,
    set_in,
)
from clearhouse.errors import Invalid, Refused, Unavailable

SET, KEY = "5e" * 32, b"a key that only an opened set gives"
NOW = datetime(2026, 11, 22, 9, 30, 15, 123456, tzinfo=UTC)


def _occasion(why: str = "a review") -> Occasion:
    return Occasion("Ann", why, NOW)


def _chain(count: int) -> list[Opening]:
    found: list[Opening] = []
    for number in range(count):
        occasion = _occasion(f"review {number}")
        found.append(next_opening(occasion, ["b", "a"], of=SET, before=found, key=KEY))
    return found


def _text(openings: list[Opening]) -> bytes:
    return b"".join(one.line() for one in openings)


@given(st.integers(0, 5))
def test_what_is_recorded_is_read_as_it_was(count: int) -> None:
    chain = _chain(count)
    assert list(parse(_text(chain), of=SET, where="here")) == chain
    check_codes(chain, KEY, where="here")


@given(st.integers(1, 5), st.data())
def test_an_altered_byte_shows(count: int, data: st.DataObject) -> None:
    raw = bytearray(_text(_chain(count)))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[place]))
    with pytest.raises((Invalid, Refused)):
        check_codes(parse(bytes(raw), of=SET, where="here"), KEY, where="here")


@given(st.integers(2, 5), st.data())
def test_a_line_that_is_taken_away_or_put_elsewhere_shows(count: int, data: st.DataObject) -> None:
    chain = _chain(count)
    without = data.draw(st.integers(0, count - 2))
    for other in (chain[:without] + chain[without + 1 :], chain[::-1], [*chain, chain[-1]]):
        with pytest.raises(Invalid, match="does not follow"):
            parse(_text(other), of=SET, where="here")


def test_a_line_that_is_cut_off_shows() -> None:
    with pytest.raises(Invalid, match="cut off"):
        parse(_text(_chain(2))[:-1], of=SET, where="here")


def test_a_line_of_another_set_or_of_whoever_never_opened_it_shows() -> None:
    chain = _chain(1)
    with pytest.raises(Invalid, match="does not follow"):
        parse(_text(chain), of="00" * 32, where="here")
    forged = next_opening(_occasion(), ["a"], of=SET, before=chain, key=b"another key")
    read = parse(_text([*chain, forged]), of=SET, where="here")
    with pytest.raises(Refused, match="line 2: was not written by an opening"):
        check_codes(read, KEY, where="here")


@pytest.mark.parametrize("by", ["", "  ", "two\nlines", "x" * 401, "\x1b[2J"])
def test_who_and_why_are_said_in_one_plain_line(by: str) -> None:
    with pytest.raises(Invalid, match="--by"):
        Occasion(by, "a review", NOW)
    with pytest.raises(Invalid, match="--why"):
        Occasion("Ann", by, NOW)


def test_openings_are_added_to_the_file_and_not_to_one_that_is_not_sound(tmp_path: Path) -> None:
    path = tmp_path / "set.openings"
    first = record(path, _occasion(), ["a"], of=SET, key=KEY)
    second = record(path, _occasion(), ["b"], of=SET, key=KEY)
    assert (first.number, second.number) == (1, 2)
    assert first.when == NOW.replace(microsecond=0)
    assert path.read_bytes() == _text([first, second])
    path.write_bytes(second.line())
    with pytest.raises(Invalid, match="line 1: does not follow"):
        record(path, _occasion(), ["a"], of=SET, key=KEY)
    assert path.read_bytes() == second.line()
    with pytest.raises(Unavailable, match="cannot be written"):
        record(tmp_path / "no" / "folder", _occasion(), ["a"], of=SET, key=KEY)


@pytest.mark.parametrize(
    ("key", "value"),
    [("by", "\ud800"), ("by", "a\0b"), ("why", "x" * 401), ("when", "0001-01-01T00:00:00+14:00"),
     ("keepers", ["a"] * 256), ("keepers", ["\ud800"])],
)  # fmt: skip
def test_a_line_that_no_opening_writes_is_told_so(key: str, value: object) -> None:
    [first] = _chain(1)
    document = {**first.as_json(), key: value}
    for is_ascii in (True, False):
        text = json.dumps(
            document, sort_keys=True, separators=(",", ":"), ensure_ascii=is_ascii
        ).encode(errors="surrogatepass")
        with pytest.raises(Invalid):
            parse(text + b"\n", of=SET, where="here")
        with pytest.raises(Invalid):
            set_in(text + b"\n", where="here")
