"""Every cheat comes to what its ``must.toml`` says, in time, and leaves nothing behind."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from clearhouse.proof.door import open_bundle
from clearhouse.proof.judge import Grade
from clearhouse.proof.prove import prove
from clearhouse.proof.runners.choose import Workshop

FOLDER = Path(__file__).resolve().parents[2] / "samples" / "cheats"
#: They use up their limits again and again, as they must.
LONG = {"fork-bomb", "sleeps"}
CHEATS = [
    pytest.param(path.name, marks=[pytest.mark.slow] if path.name in LONG else [])
    for path in sorted(FOLDER.iterdir())
]
ORDER = list(Grade)


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as opened:
        yield opened


def test_there_are_at_least_twenty() -> None:
    assert len(CHEATS) >= 20


@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_gets_no_more_than_it_must(name: str, workshop: Workshop) -> None:
    must = tomllib.loads((FOLDER / name / "must.toml").read_text())
    began = time.monotonic()
    judgement = prove(open_bundle(FOLDER / name), workshop).judgement
    assert ORDER.index(judgement.grade) <= ORDER.index(Grade(must["at_most"])), judgement.reason
    assert not judgement.grade.proven
    assert must["reason_contains"] in judgement.reason
    assert time.monotonic() - began < must["limit_s"]
