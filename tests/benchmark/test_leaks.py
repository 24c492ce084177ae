"""Leaks: an input is found in whatever form it was written down; texts of items hold none."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import textwrap
import zlib
from collections.abc import Callable
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clearhouse.benchmark.item_file import CANARY_WORDS, canary_line
from clearhouse.benchmark.leaks import (
    PART_BYTES,
    Leak,
    Needle,
    leaks,
    leaks_of,
    names_of_flaws,
    sightings,
)
from clearhouse.benchmark.readings import readings
from tests.benchmark.making import CANARY, SAMPLES, item, sample

#: No text holds such an input by chance.
INPUTS = st.binary(min_size=24, max_size=200).filter(lambda data: len(set(data)) >= 16)

Form = Callable[[bytes], bytes]


def _pieces(data: bytes, size: int = 9) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


FORMS: dict[str, Form] = {
    "plain": lambda data: data,
    "hexadecimal": lambda data: data.hex().encode(),
    "hexadecimal behind a digit": lambda data: b"0" + data.hex().encode(),
    "capital hexadecimal": lambda data: data.hex().upper().encode(),
    "spaced hexadecimal": lambda data: data.hex(" ").encode(),
    "hexadecimal of C": lambda data: ", ".join(f"0x{byte:02x}" for byte in data).encode(),
    "hexadecimal lines": lambda data: "\n".join(textwrap.wrap(data.hex(), 32)).encode(),
    "numbers": lambda data: str(list(data)).encode(),
    "base64": base64.b64encode,
    "base64 behind letters": lambda data: b"x" + base64.b64encode(data),
    "base64 for addresses": base64.urlsafe_b64encode,
    "base64 lines": base64.encodebytes,
    "literal of Python": lambda data: repr(data).encode(),
    "escapes": lambda data: "".join(f"\\x{byte:02X}" for byte in data).encode(),
    "octal escapes": lambda data: "".join(f"\\{byte:03o}" for byte in data).encode(),
    "literal of JavaScript": lambda data: json.dumps(data.decode("latin-1")).encode(),
    "escapes of Unicode": lambda data: "".join(f"\\u{byte:04x}" for byte in data).encode(),
    "braced escapes": lambda data: "".join(f"\\u{{{byte:x}}}" for byte in data).encode(),
    "joined literals": lambda data: b" +\n ".join(repr(p).encode() for p in _pieces(data)),
    "percent escapes": lambda data: quote_from_bytes(data).encode(),
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "base64 of zlib": lambda data: base64.b64encode(zlib.compress(data)),
    "hexadecimal of base64": lambda data: base64.b64encode(data).hex().encode(),
    "literal of base64 of gzip": lambda data: repr(
        base64.encodebytes(gzip.compress(data))
    ).encode(),
}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25)
@given(reference=INPUTS)
def test_an_input_is_found_in_every_form(form: str, reference: bytes) -> None:
    text = b"The parser fails. For example: " + FORMS[form](reference) + b"\nAnd so on.\n"
    found = list(leaks({"description.txt": text}, Needle(reference, []), level=1))
    assert found, form
    assert found[0].file == "description.txt"


@pytest.mark.parametrize("form", ["plain", "hexadecimal", "base64", "literal of Python", "zlib"])
@settings(max_examples=25)
@given(reference=INPUTS, data=st.data())
def test_a_long_part_of_an_input_is_found(form: str, reference: bytes, data: st.DataObject) -> None:
    needle = Needle(reference, [])
    start = data.draw(st.integers(0, len(reference) - PART_BYTES))
    part = reference[start : start + PART_BYTES]
    assume(len(set(part)) >= 7)
    text = b"<<" + FORMS[form](part) + b">>"
    (leak,) = leaks({"trace.txt": text}, needle, level=2)
    assert leak.size >= PART_BYTES


def test_entities_and_wide_characters_are_read() -> None:
    reference = b"<a onclick='1&2'>"
    needle = Needle(reference, [])
    for text in (b"&lt;a onclick=&#39;1&amp;2&#39;&gt;", reference.decode().encode("utf-16")):
        (leak,) = leaks({"description.txt": text}, needle, level=1)
        assert leak.whole


@given(reference=INPUTS, text=st.text(st.characters(codec="ascii"), max_size=400))
def test_a_text_that_has_nothing_of_it_gives_nothing_away(reference: bytes, text: str) -> None:
    data = text.encode()
    parts = {reference[n : n + PART_BYTES] for n in range(len(reference) - PART_BYTES + 1)}
    if any(part in reading.data for reading in readings(data) for part in parts):
        return
    assert not list(leaks({"description.txt": data}, Needle(reference, []), level=1))


def test_what_a_benign_input_has_as_well_gives_nothing_away() -> None:
    head = b'<?xml version="1.0" encoding="utf-8"?>'
    reference, control = head + b"<!DOCTYPE a [<!ENTITY b 'c'>]>", head + b"<a/>"
    given = {"harness.py": b"HEAD = '" + head + b"'"}
    assert not list(leaks(given, Needle(reference, [control]), level=0))
    assert list(leaks(given, Needle(reference, []), level=0))


def test_an_input_in_a_container_is_found_by_what_is_inside() -> None:
    inside = b"a line that no harness would have, 0123456789"
    needle = Needle(gzip.compress(inside), [])
    (leak,) = leaks({"description.txt": b"unpack: " + inside}, needle, level=1)
    assert leak.whole


@given(st.binary(max_size=3) | st.integers(4, 3000).map(lambda n: b"[" * n))
def test_an_input_that_any_text_has_by_chance_is_no_leak(reference: bytes) -> None:
    assert not list(leaks({"a.txt": b"[ [[ " + reference}, Needle(reference, []), level=1))


def test_a_leak_says_where_and_how_and_not_what() -> None:
    leak = Leak(1, "description.txt", ("base64", "compressed"), 40, whole=True)
    said = "level 1, description.txt: the whole reference input, as compressed of base64"
    assert str(leak) == said


@pytest.mark.parametrize("place", ["0/harness.js", "1/description.txt", "2/trace.txt"])
def test_an_item_whose_text_has_the_input_gives_it_away(place: str) -> None:
    bundle = sample()
    (poc,) = bundle.pocs
    planted = b"// " + base64.b64encode(zlib.compress(poc.data)) + b"\n"
    (leak,) = leaks_of(item(bundle, more={f"given/{place}": planted}))
    assert f"{leak.level}/{leak.file}" == place


def test_the_fix_may_have_it_since_that_level_is_asked_for_apart() -> None:
    bundle = sample()
    one = item(bundle, more={"given/3/fix.diff": bundle.pocs[0].data})
    assert not leaks_of(one)
    assert leaks_of(one, (0, 1, 2, 3))


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.iterdir()))
def test_no_sample_gives_its_input_away_by_its_harness_or_title(name: str) -> None:
    bundle = sample(name)
    assert not leaks_of(item(bundle, more={"given/1/description.txt": bundle.title.encode()}))


def test_a_text_that_names_the_flaws_number_is_seen_below_the_fix() -> None:
    assert names_of_flaws(item()) == ()
    for place, named in (("0/harness.js", True), ("2/trace.txt", True), ("3/fix.diff", False)):
        text = b"// see cve-2020-7788 and GHSA-qqgx-2p2h-9c37\n"
        found = names_of_flaws(item(more={f"given/{place}": text}))
        assert found == (("cve-2020-7788", "GHSA-qqgx-2p2h-9c37") if named else ())


# -- canaries ----------------------------------------------------------------------------------


def test_a_canary_is_found_in_a_log_alone_and_with_its_words() -> None:
    one = item()
    log = f'{{"text": "... {CANARY.upper()} ..."}}\n# {canary_line(CANARY)}\n'.encode()
    found = sightings(log, [one])
    assert [(s.canary, s.item) for s in found] == [(CANARY, one.name)] * 2
    assert log[found[0].at :].startswith(CANARY.upper().encode())


def test_a_canary_of_an_item_that_is_not_here_is_found_by_its_words_alone() -> None:
    other = "12345678-1234-4234-8234-123456789abc"
    text = f"{other} and {CANARY_WORDS} {other}".encode()
    (found,) = sightings(text, [item()])
    assert (found.canary, found.item) == (other, None)


@given(st.binary(max_size=500))
def test_a_text_without_a_canary_has_none(text: bytes) -> None:
    assert sightings(text, [item()]) == ()
