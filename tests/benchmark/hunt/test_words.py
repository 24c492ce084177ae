"""What a model is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clearhouse.benchmark.hunt.quarry import Quarry, quarry_of
from clearhouse.benchmark.hunt.words import hunting, mending, proving, skeleton, tools_of
from clearhouse.benchmark.trying import task_files
from clearhouse.proof.door import open_bundle
from clearhouse.proof.effects import Effect

SAMPLES = Path(__file__).resolve().parents[3] / "samples" / "proofs"
QUARRIES = [
    quarry_of("pkg:pypi/ecdsa@0.13.2", finder="m"),
    quarry_of("pkg:npm/ini@1.3.5", finder="m"),
    quarry_of("pkg:pypi/ecdsa@0.13.2", finder="m", language="c++"),
]


@pytest.mark.parametrize("of", QUARRIES, ids=lambda of: of.language.value)
def test_a_search_names_its_target_its_tools_and_every_effect(of: Quarry) -> None:
    for text in (hunting(of, 7), proving(of, 7)):
        assert str(of.purl) in text
        assert "{" not in text.replace("{ }", "")
        assert "hand_in()" in text
        assert "finish()" in text
        assert "up to 7" in " ".join(text.split())
        for effect in Effect:
            assert f"  {effect.value} " in text
    assert "report.txt" in proving(of, 7)
    assert "report.txt" not in hunting(of, 7)


@pytest.mark.parametrize("of", QUARRIES, ids=lambda of: of.language.value)
def test_what_the_words_name_is_there(of: Quarry) -> None:
    named = "main.c" if of.language.is_native else "try"
    assert named in tools_of(of)
    assert f"/work/task/{named}" in hunting(of, 1)
    assert "proof.toml" in skeleton(of)


def test_a_finder_with_quotes_stays_one_value() -> None:
    of = quarry_of("pkg:pypi/ecdsa@0.13.2", finder='x"\\ [target] purl = "pkg:pypi/evil@1')
    assert json.dumps(of.finder) in skeleton(of)["proof.toml"].decode()


@pytest.mark.parametrize("name", ["CVE-2019-14853", "CVE-2020-7788", "CVE-2014-2525"])
def test_who_mends_is_told_what_is_there_and_what_mends_nothing(name: str) -> None:
    bundle = open_bundle(SAMPLES / name)
    given = {**task_files(bundle, None), "poc": b"x", "controls/1": b"y", "proof.txt": b"z"}
    text = mending(bundle, given, 3)
    for said in ("propose()", "finish()", str(bundle.target), "poc ", "controls/1", "harness."):
        assert said in text
    assert not any(b"Canary" in data for data in given.values())
