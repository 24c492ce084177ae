"""Terms as people write them: exact, and explained where something is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.plan import Terms
from clearhouse.benchmark.terms_file import example, parse_terms
from clearhouse.errors import Invalid

SEEDS = "0" * 64


def _terms(text: str) -> Terms:
    return parse_terms(text.encode(), "terms.toml").terms(SEEDS, {"heap": 2}, {"clearhouse": "1"})


def test_the_example_is_read_as_it_says() -> None:
    found = _terms(example())
    assert (found.threshold_ppm, found.region_ppm) == (500_000, 150_000)
    assert (found.alpha_ppm, found.beta_ppm, found.discount) == (50_000, 50_000, 1000)
    assert (found.least, found.most, found.level) == (10, 40, 1)
    assert found.budgets.tokens == 2_000_000
    assert found.least_of == {"heap": 2}
    assert found.harness == {"clearhouse": "1"}


def test_what_is_written_of_families_and_harness_counts() -> None:
    text = example() + '[least_of]\nparser = 3\n[harness]\nsampling = "temperature 1"\n'
    found = _terms(text)
    assert found.least_of == {"parser": 3}
    assert found.harness == {"clearhouse": "1", "sampling": "temperature 1"}


@given(st.integers(1, 499_999))
def test_shares_are_exact(ppm: int) -> None:
    text = example().replace("region = 0.15", f"region = {ppm / 1_000_000:.6f}")
    assert _terms(text).region_ppm == ppm


KEYS = [
    line.split(" = ", maxsplit=1)[0]
    for line in example().splitlines()
    if " = " in line and not line.startswith("#")
]


@pytest.mark.parametrize("key", KEYS)
def test_every_key_that_is_missing_or_wrong_is_explained(key: str) -> None:
    lines = example().splitlines()
    without = "\n".join(line for line in lines if not line.startswith(f"{key} ="))
    with pytest.raises(Invalid, match=rf"{key}: is missing: .+; such as {key} = "):
        _terms(without)
    wrong = "\n".join(f"{key} = []" if line.startswith(f"{key} =") else line for line in lines)
    with pytest.raises(Invalid, match=rf"{key}: expected .+: .+; such as {key} = "):
        _terms(wrong)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("threshold = 0.5", "threshold = 0.5000001", "in steps of 1/1000000"),
        ("threshold = 0.5", "threshold = 50", "a share from 0 to 1"),
        ("threshold = 0.5", "threshold = nan", "a share from 0 to 1"),
        ("threshold = 0.5", "treshold = 0.5", "treshold: unknown key; did you mean 'threshold'"),
        ("threshold = 0.5", "threshold = 0.1", "lie between nothing and all"),
        ("attempts = 1", "attempts = 2", "judges one input"),
        ("least = 10", "least = true", "a whole number"),
        ("least = 10", "least = 1e400", "a whole number"),
        ("[budgets]", "[budget]", "budget: unknown key"),
        ("level = 1", "level = 4", "a knowledge level"),
    ],
)
def test_terms_that_cannot_be_are_refused(old: str, new: str, message: str) -> None:
    assert old in example()
    with pytest.raises(Invalid, match=message):
        _terms(example().replace(old, new))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("least_of = 3\n" + example(), "expected a table"),
        (example() + "[least_of]\nheap = -1\n", "least_of.heap: expected a whole number"),
        (example() + "[harness]\nagent = 1\n", "harness.agent: expected a text"),
        ("= 3", "is not TOML"),
    ],
)
def test_tables_that_cannot_be_are_refused(text: str, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        _terms(text)
