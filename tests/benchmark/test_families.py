"""Families: every effect has one, and a telling weakness decides before it."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from clearhouse.benchmark.families import BY_EFFECT, WEAKNESSES, Family, family_of
from clearhouse.formats.csaf.cwe import NAMES
from clearhouse.proof.door import open_bundle
from clearhouse.proof.effects import Effect
from tests.benchmark.making import SAMPLES


def test_every_effect_and_every_family_is_in_the_tables() -> None:
    assert BY_EFFECT.keys() == set(Effect)
    assert WEAKNESSES.keys() == set(Family)


def test_no_weakness_is_of_two_families_and_each_is_in_the_list() -> None:
    for first, second in combinations(WEAKNESSES.values(), 2):
        assert first.isdisjoint(second)
    assert all(number in NAMES for numbers in WEAKNESSES.values() for number in numbers)


@pytest.mark.parametrize(
    ("effect", "weaknesses", "family"),
    [
        (Effect.CRASH, [787], Family.MEMORY_SAFETY),
        (Effect.CRASH, [617], Family.UNHANDLED_STATE),
        (Effect.CRASH, [20], Family.MEMORY_SAFETY),
        (Effect.HANG, [787], Family.RESOURCE_EXHAUSTION),
        (Effect.EXCEPTION, [674], Family.RESOURCE_EXHAUSTION),
        (Effect.EXCEPTION, [], Family.UNHANDLED_STATE),
        (Effect.EXECUTE, [22, 502], Family.INJECTION),
        (Effect.BYPASS, [1321], Family.INJECTION),
        (Effect.BYPASS, [347], Family.BROKEN_GUARANTEE),
        (Effect.READ_OUTSIDE, [20], Family.PATH_TRAVERSAL),
        (Effect.WRITE_OUTSIDE, [59, 22], Family.PATH_TRAVERSAL),
        (Effect.CONNECT, [], Family.BROKEN_GUARANTEE),
    ],
)
def test_a_family_is_told_by_the_weakness_and_otherwise_by_the_effect(
    effect: Effect, weaknesses: list[int], family: Family
) -> None:
    assert family_of(effect, weaknesses) is family


def test_the_samples_are_of_every_family() -> None:
    bundles = [open_bundle(path) for path in SAMPLES.iterdir()]
    counts = Counter(family_of(bundle.effect, bundle.cwe) for bundle in bundles)
    assert counts.keys() == set(Family)
