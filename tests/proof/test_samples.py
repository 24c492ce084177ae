"""Every sample is a real flaw, and is proven: on the attacked version, and not on the fixed one."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clearhouse.proof.bundle import Language
from clearhouse.proof.door import open_bundle
from clearhouse.proof.effects import Effect
from clearhouse.proof.judge import Grade
from clearhouse.proof.prove import prove
from clearhouse.proof.runners.choose import Workshop

FOLDER = Path(__file__).resolve().parents[2] / "samples" / "proofs"
SAMPLES = sorted(path.name for path in FOLDER.iterdir())


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as opened:
        yield opened


@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_differential(name: str, workshop: Workshop) -> None:
    verdict = prove(open_bundle(FOLDER / name), workshop)
    assert verdict.grade is Grade.DIFFERENTIAL, verdict.judgement.reason
    document = verdict.as_json()
    assert document["effect"]["attributed_to"]
    assert document["signature"]
    assert document["environment"]["packages"]
    assert len([r for r in document["runs"] if r["effect"]]) >= 3


@pytest.mark.sandbox
@pytest.mark.network
def test_a_broken_guarantee_is_told_by_whichever_control_can_tell(workshop: Workshop) -> None:
    bundle = open_bundle(FOLDER / "CVE-2025-43859")
    assert len(bundle.controls) > 1
    turned = replace(bundle, controls=bundle.controls[::-1])
    verdict = prove(turned, workshop)
    assert verdict.grade is Grade.DIFFERENTIAL, verdict.judgement.reason


@pytest.mark.sandbox
@pytest.mark.network
def test_a_release_that_needs_what_python_has_lost_is_run_and_the_verdict_says_so(
    workshop: Workshop,
) -> None:
    bundle = open_bundle(FOLDER / "CVE-2021-42771")
    assert bundle.target.purl is not None
    old = replace(bundle.target, purl=bundle.target.purl._replace(version="2.3.4"))
    verdict = prove(replace(bundle, target=old), workshop)
    assert verdict.grade is Grade.ATTRIBUTED, verdict.judgement.reason
    (note,) = [n for n in verdict.as_json()["notes"] if n.startswith("put back for it")]
    assert "collections.MutableMapping" in note
    assert "flags within a regular expression" in note


def test_the_samples_cover_the_registries_and_the_effects() -> None:
    bundles = [open_bundle(FOLDER / name) for name in SAMPLES]
    purls = [b.target.purl for b in bundles]
    native = [b for b in bundles if b.harness.language.is_native]
    kinds = Counter(
        purl.type
        for purl, b in zip(purls, bundles, strict=True)
        if purl is not None and not b.harness.language.is_native
    )
    assert len(bundles) >= 49
    assert kinds["pypi"] >= 24
    assert kinds["npm"] >= 13
    assert len(native) >= 12
    assert {b.effect for b in bundles} >= set(Effect) - {Effect.CONNECT}
    languages = {b.harness.language for b in bundles}
    assert languages >= {Language.PYTHON, Language.JAVASCRIPT, Language.C}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_names_a_public_identifier_its_weakness_and_a_control(name: str) -> None:
    bundle = open_bundle(FOLDER / name)
    assert bundle.id == name
    assert bundle.id.startswith(("CVE-", "GHSA-"))
    assert bundle.cwe
    assert bundle.controls
    assert tomllib.loads((FOLDER / name / "proof.toml").read_text())["proof"]["finder"]
