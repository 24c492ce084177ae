"""Masks: other words of the same length, put on and taken off again."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clearhouse.benchmark.item_file import Masked
from clearhouse.benchmark.masks import NO_MASK, Mask, masked_bundle, masks_for
from clearhouse.proof.bundle import digest_of
from tests.benchmark.making import SAMPLES, sample

MASK = Mask(Masked.NAME, {"python_multipart": "lofuda_gikotefa", "mako": "huto", "ip": "ob"})


@given(st.lists(st.sampled_from([*MASK.words, "Mako", "MAKO", "Ip", " ", "\n", "x", "zip", "_"])))
def test_what_is_put_on_can_be_taken_off(parts: list[str]) -> None:
    mask = Mask(Masked.NAME, {"mako": "huto", "ip": "ob"})
    text = "".join(parts).encode()
    assert len(mask.put_on(text)) == len(text)
    assert mask.taken_off(mask.put_on(text)) == text


@given(st.binary())
def test_what_has_none_of_the_words_stays(data: bytes) -> None:
    low = data.lower()
    assume(not any(word.encode() in low for pair in MASK.words.items() for word in pair))
    assert MASK.put_on(data) == data == MASK.taken_off(data)


def test_capitals_stay_and_short_names_are_replaced_as_words_only() -> None:
    mask = Mask(Masked.NAME, {"ip": "ob", "django": "kufiro"})
    assert mask.put_on(b"Django DJANGO xdjangox djANgo") == b"Kufiro KUFIRO xkufirox kuFIro"
    assert mask.put_on(b"ip zip IP ip_x tips ZIP") == b"ob zip OB ob_x tips ZIP"
    assert mask.put_on(b"IPError parseIp IPS ipAddress") == b"OBError parseOb IPS obAddress"


def test_a_version_is_replaced_as_a_whole() -> None:
    mask = Mask(Masked.VERSION, versions={"1.3.5": "7.9.2"})
    assert mask.put_on(b'"1.3.5" 1.3.5.1 11.3.5 v1.3.5 1.3.5. 1.3.50') == (
        b'"7.9.2" 1.3.5.1 11.3.5 v1.3.5 7.9.2. 1.3.50'
    )
    assert mask.put_on_name("ini-1.3.5/x") == "ini-7.9.2/x"


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.iterdir()))
def test_every_sample_has_masks_that_hide_its_version_and_where_it_goes_its_name(name: str) -> None:
    bundle = sample(name)
    masks = masks_for(bundle, 7)
    assert masks == masks_for(bundle, 7)
    purl = bundle.target.purl
    assert purl is not None
    kinds = [mask.kind for mask in masks]
    native = bundle.harness.language.is_native
    assert kinds == ([Masked.VERSION] if native else [Masked.NAME, Masked.VERSION])
    for mask in masks:
        assert all(len(old) == len(new) for old, new in mask.words.items())
        assert len(set(mask.words.values())) == len(mask.words)
        assert mask.put_on(f"{purl.version}".encode()) != f"{purl.version}".encode()
        if mask.kind is Masked.NAME:
            assert mask.put_on_name(purl.name) != purl.name
            masked = masked_bundle(bundle, mask)
            assert purl.name.encode() not in masked.harness_code.split()
            assert masked.target.fixed is None
            assert masked.digest == digest_of(masked.files)


def test_without_a_mask_nothing_changes() -> None:
    assert NO_MASK.put_on(b"ini 1.3.5") == b"ini 1.3.5"
