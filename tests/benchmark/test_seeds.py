"""Seeds: fixed for every slot by one root, each shown without the others."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.benchmark.seeds import Opening, Seeds
from clearhouse.errors import Invalid
from tests.benchmark.banks import SEEDS


@settings(max_examples=30)
@given(st.integers(1, 40), st.data())
def test_every_slot_opens_under_the_root_and_no_other_does(slots: int, data: st.DataObject) -> None:
    seeds = Seeds(b"s" * 32, slots)
    slot = data.draw(st.integers(0, slots - 1))
    opening = seeds.opening(slot)
    assert opening.is_of(seeds.root, slots)
    assert not Opening(slot, bytes(32), opening.path).is_of(seeds.root, slots)
    assert not opening.is_of(bytes(32), slots)
    other = data.draw(st.integers(0, 50).filter(lambda one: one != slot))
    assert not Opening(other, opening.seed, opening.path).is_of(seeds.root, slots)


def test_seeds_differ_and_a_path_too_long_opens_nothing() -> None:
    assert len({SEEDS.seed(slot) for slot in range(SEEDS.slots)}) == SEEDS.slots
    opening = SEEDS.opening(0)
    assert not Opening(0, opening.seed, (*opening.path, bytes(32))).is_of(SEEDS.root, SEEDS.slots)


def test_what_makes_no_seeds_is_refused() -> None:
    for secret, slots in ((b"short", 3), (bytes(32), 0)):
        with pytest.raises(Invalid):
            Seeds(secret, slots)
    with pytest.raises(Invalid):
        SEEDS.opening(SEEDS.slots)
    with pytest.raises(Invalid):
        Opening(0, b"short", ())


def test_the_secret_comes_back_and_what_is_none_is_refused_without_showing_it() -> None:
    seeds = Seeds(bytes(range(32)), 5)
    assert Seeds.parse(bytes(seeds), "seeds").root == seeds.root
    for old, new in ((b'"slots":5', b'"slots":0'), (b'"000102', b'"zz0102'), (b"/1", b"/2")):
        with pytest.raises(Invalid) as refused:
            Seeds.parse(bytes(seeds).replace(old, new), "seeds")
        assert "030405" not in str(refused.value)
