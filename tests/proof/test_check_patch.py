"""Right patches are accepted and wrong ones refused for what is wrong with them; all really run.

Upstream's own fixes are not in this repository: the difference of two releases stands for them,
made here from what the registries serve.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from clearhouse.proof.diff import read_patch
from clearhouse.proof.door import open_bundle
from clearhouse.proof.patch_verdict import PatchVerdict
from clearhouse.proof.patched import difference, distribution_of
from clearhouse.proof.patching import Options, check_patch
from clearhouse.proof.runners.choose import Workshop

SAMPLES: Final = Path(__file__).resolve().parents[2] / "samples"
PROOFS: Final = SAMPLES / "proofs"
#: What each patch of the samples must be told, and at which level a refusal stands.
MUST: Final[Mapping[str, dict[str, Any]]] = {
    f"{place.parent.name}/{must['file']}": must
    for place in sorted(SAMPLES.glob("patches/*/must.toml"))
    for must in tomllib.loads(place.read_text())["patch"]
}
RIGHT: Final = [name for name, must in MUST.items() if must["accepted"]]
WRONG: Final = [name for name, must in MUST.items() if not must["accepted"]]

#: Releases whose whole difference is accepted.
RELEASES: Final = (
    "CVE-2016-5180", "CVE-2016-6581", "CVE-2018-1002204", "CVE-2019-14853", "CVE-2020-7662",
    "CVE-2020-7788", "CVE-2021-42771", "CVE-2021-43572", "CVE-2022-46175", "CVE-2023-2251",
    "CVE-2023-26303", "CVE-2024-47764", "CVE-2024-5569", "CVE-2026-24486", "CVE-2026-41205",
)  # fmt: skip
#: Of everything one in each language, and wrong in each way; the exhaustive tests run all of it.
FEW_RELEASES: Final = ("CVE-2024-47764", "CVE-2024-5569")
FEW_PATCHES: Final = (
    "CVE-2016-5180/escaped-dot.patch", "CVE-2016-5180/length-filter.patch",
    "CVE-2016-6581/another-flaw.patch", "CVE-2019-14853/bad-signature.patch",
    "CVE-2019-14853/exception-swallowed.patch", "CVE-2019-14853/new-fault.patch",
    "CVE-2021-43572/feature-removed.patch", "CVE-2022-21797/input-filter.patch",
    "CVE-2023-2251/at-least-one.patch", "CVE-2024-5569/comment-only.patch",
    "CVE-2026-24486/starts-a-shell.patch",
)  # fmt: skip
#: Those among them that take longest.
LONG_PATCHES: Final = {
    "CVE-2019-14853/exception-swallowed.patch", "CVE-2019-14853/new-fault.patch",
    "CVE-2021-43572/feature-removed.patch", "CVE-2022-21797/input-filter.patch",
    "CVE-2023-2251/at-least-one.patch",
}  # fmt: skip
#: Releases that change more than the flaw, and what a package's own test says of that.
MORE_THAN_THE_FIX: Final = {
    "CVE-2022-34749": "tests/test_syntax.py::TestSyntax::test_links_003",
    "CVE-2026-30922": "tests/type/test_useful.py::GeneralizedTimeTestCase",
}
#: Fewer inputs than a user's own run has, and no own tests.
SHORT: Final = Options(
    runs=2, variants=10, variant_seconds=4.0, harmless=10, harmless_seconds=2.0, own_tests="skip"
)


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as opened:
        yield opened


def judged(cve: str, raw: bytes, workshop: Workshop, options: Options) -> PatchVerdict:
    bundle = open_bundle(PROOFS / cve)
    return check_patch(bundle, read_patch(raw, where="patch"), raw, workshop, options=options)


def of_release(cve: str, workshop: Workshop, options: Options) -> PatchVerdict:
    """The verdict on everything that the fixed release changed in its code."""
    bundle = open_bundle(PROOFS / cve)
    raw = difference(distribution_of(bundle), distribution_of(bundle, bundle.target.fixed))
    return judged(cve, raw, workshop, options)


def of_sample(name: str, workshop: Workshop, options: Options) -> PatchVerdict:
    cve, _, _ = name.partition("/")
    return judged(cve, (SAMPLES / "patches" / name).read_bytes(), workshop, options)


def assert_accepted(verdict: PatchVerdict) -> None:
    document = verdict.as_json()
    assert document["accepted"], document["reasons"]
    assert document["applies"]
    assert document["effect_gone"]
    assert document["controls_same"]
    assert document["variants"]["tried"]
    assert document["variants"]["still_triggering"] == []
    assert document["behaviour"]["tried"]
    assert set(document["levels"].values()) == {"yes"}


def assert_as_it_must(name: str, verdict: PatchVerdict) -> None:
    if MUST[name]["accepted"]:
        assert_accepted(verdict)
    else:
        assert_refused(verdict, MUST[name])


def assert_refused(verdict: PatchVerdict, must: Mapping[str, Any]) -> None:
    document = verdict.as_json()
    assert not document["accepted"]
    assert document["levels"][must["level"]] == "no", document["reasons"]
    assert any(must["reason"] in reason for reason in document["reasons"]), document["reasons"]


@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize("cve", FEW_RELEASES)
def test_the_release_that_fixed_it_is_accepted(cve: str, workshop: Workshop) -> None:
    assert_accepted(of_release(cve, workshop, SHORT))


@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in LONG_PATCHES else []) for n in FEW_PATCHES],
)
def test_a_patch_of_our_own_is_told_what_it_must(name: str, workshop: Workshop) -> None:
    assert_as_it_must(name, of_sample(name, workshop, SHORT))


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize("cve", RELEASES)
def test_the_release_that_fixed_it_is_accepted_with_its_own_tests(
    cve: str, workshop: Workshop
) -> None:
    verdict = of_release(cve, workshop, Options())
    assert_accepted(verdict)
    fixed = verdict.as_json()["as_fixed"]
    assert fixed["same"] == fixed["compared"] > 1


@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=[pytest.mark.slow if n in FEW_PATCHES else pytest.mark.exhaustive])
        for n in MUST
    ],
)
def test_a_patch_is_judged_alike_with_everything_that_a_user_runs(
    name: str, workshop: Workshop
) -> None:
    assert_as_it_must(name, of_sample(name, workshop, Options()))


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize(("cve", "test"), MORE_THAN_THE_FIX.items())
def test_a_release_that_changes_more_than_the_flaw_is_refused_by_its_own_tests(
    cve: str, test: str, workshop: Workshop
) -> None:
    document = of_release(cve, workshop, Options()).as_json()
    assert document["effect_gone"]
    assert document["levels"]["stops_variants"] == "yes"
    assert document["levels"]["keeps_behaviour"] == "no"
    assert any(name.startswith(test) for name in document["tests"]["newly_failing"])
    assert any("own tests fail" in reason for reason in document["reasons"])


def test_the_wrong_patches_are_wrong_in_every_way_that_machines_are() -> None:
    kinds = {Path(name).stem for name in WRONG}
    assert kinds >= {
        "another-flaw", "comment-only", "exception-swallowed", "feature-removed", "input-filter",
        "new-fault", "starts-a-shell",
    }  # fmt: skip
    assert {must["level"] for must in MUST.values() if not must["accepted"]} == {
        "applies", "stops_proof", "stops_variants", "keeps_behaviour",
    }  # fmt: skip
    assert len(RIGHT) >= 8
    assert {str(p.relative_to(SAMPLES / "patches")) for p in SAMPLES.glob("patches/*/*.patch")} == {
        *MUST
    }
