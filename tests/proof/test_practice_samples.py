"""Every bundle of the public practice set is a real flaw, is proven, and is no sample's twin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from clearhouse.proof.bundle import Bundle
from clearhouse.proof.door import open_bundle
from clearhouse.proof.effects import Effect
from clearhouse.proof.judge import Grade
from clearhouse.proof.prove import prove
from clearhouse.proof.runners.choose import Workshop

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
FOLDER = SAMPLES / "practice"
NAMES = sorted(path.name for path in FOLDER.iterdir())
EARLIER = sorted(path.name for path in (SAMPLES / "proofs").iterdir())


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as opened:
        yield opened


def flaw(bundle: Bundle) -> tuple[str, str, Effect]:
    """What two bundles of one flaw would have in common."""
    assert bundle.target.purl is not None
    return str(bundle.target.purl), str(bundle.target.fixed), bundle.effect


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize("name", NAMES)
def test_a_practice_bundle_is_differential(name: str, workshop: Workshop) -> None:
    verdict = prove(open_bundle(FOLDER / name), workshop)
    assert verdict.grade is Grade.DIFFERENTIAL, verdict.judgement.reason
    document = verdict.as_json()
    assert document["effect"]["attributed_to"]
    pocs = [run for run in document["runs"] if run["input"] == "poc" and run["effect"]]
    assert len(pocs) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_a_practice_bundle_names_its_flaw_its_fix_and_a_control(name: str) -> None:
    bundle = open_bundle(FOLDER / name)
    assert bundle.id == name
    assert bundle.id.startswith(("CVE-", "GHSA-"))
    assert bundle.cwe
    assert bundle.controls
    assert bundle.target.purl is not None
    assert bundle.target.purl.version
    assert bundle.target.fixed
    assert bundle.target.fixed != bundle.target.purl.version


def test_no_flaw_is_there_twice() -> None:
    practice = [open_bundle(FOLDER / name) for name in NAMES]
    earlier = [open_bundle(SAMPLES / "proofs" / name) for name in EARLIER]
    everything = practice + earlier
    assert len({bundle.id for bundle in everything}) == len(everything)
    assert len({bundle.digest for bundle in everything}) == len(everything)
    known = {flaw(bundle) for bundle in earlier}
    assert not [bundle.id for bundle in practice if flaw(bundle) in known]
    assert len({flaw(bundle) for bundle in practice}) == len(practice)


def test_the_practice_set_is_spread_over_effects_registries_and_years() -> None:
    practice = [open_bundle(FOLDER / name) for name in NAMES]
    assert len(practice) >= 20
    assert {bundle.effect for bundle in practice} == set(Effect)
    registries = Counter(b.target.purl.type for b in practice if b.target.purl is not None)
    assert registries["pypi"] >= 10
    assert registries["npm"] >= 10
    # Late flaws are less likely to be in a model's training data.
    years = [int(bundle.id.split("-")[1]) for bundle in practice if bundle.id.startswith("CVE-")]
    assert min(years) >= 2024
    assert sum(year >= 2025 for year in years) * 3 >= len(practice) * 2


@pytest.mark.parametrize("name", NAMES)
def test_a_title_or_a_harness_does_not_give_the_input_away(name: str) -> None:
    bundle = open_bundle(FOLDER / name)
    shown = bundle.title.encode() + bundle.harness_code
    for poc in bundle.pocs:
        given = poc.data.strip()
        assert len(given) < 4 or given not in shown
