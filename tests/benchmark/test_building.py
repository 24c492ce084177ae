"""Items made for real: a bundle is proven, its item read back, tried, and judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

import pytest

from clearhouse.benchmark.building import (
    Made,
    Masking,
    NoItem,
    clear_abandoned,
    item_name,
    make_item,
    public_canary,
    published,
    write_item,
)
from clearhouse.benchmark.candidates import solved_by_its_text
from clearhouse.benchmark.item_file import Masked
from clearhouse.benchmark.items import Item, read_item
from clearhouse.benchmark.leaks import leaks_of
from clearhouse.benchmark.targets import BUILT, PROGRAM, file_with
from clearhouse.benchmark.trial import tried
from clearhouse.errors import Unavailable
from clearhouse.proof.bundle import Bundle, digest_of
from clearhouse.proof.judge import Grade
from clearhouse.proof.prove import prove
from clearhouse.proof.runners.choose import Workshop
from tests.benchmark.making import item as by_hand
from tests.benchmark.making import sample

#: One of each language, of effects that show in different ways.
SAMPLES = ["CVE-2026-41205", "CVE-2020-7788", "CVE-2014-2525", "CVE-2024-38517"]


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as opened:
        yield opened


def made(bundle: Bundle, workshop: Workshop, mask: Masking = Masking.NONE) -> Made | NoItem:
    return make_item(
        bundle, workshop, canary=public_canary(bundle), mask=mask, progress=lambda _: None
    )


def _item(name: str, workshop: Workshop, folder: Path, mask: Masking = Masking.NONE) -> Item:
    found = made(sample(name), workshop, mask)
    assert isinstance(found, Made), found
    item = read_item(write_item(found, folder))
    assert item == found.item
    return item


def _grade(item: Item, handed_in: bytes, workshop: Workshop) -> Grade:
    return prove(item.bundle_with(handed_in), workshop).grade


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize("name", SAMPLES)
def test_an_item_is_built_read_tried_and_judged(
    name: str, workshop: Workshop, tmp_path: Path
) -> None:
    item = _item(name, workshop, tmp_path)
    assert item.levels == (0, 1, 2, 3)
    assert not leaks_of(item)
    reference, control = item.bundle.pocs[0].data, item.bundle.controls[0].data
    assert _grade(item, reference, workshop) is Grade.DIFFERENTIAL
    assert _grade(item, control, workshop) is Grade.CLAIMED
    assert _grade(item, b"", workshop) is Grade.CLAIMED
    folder = item.target_folder()
    assert folder is not None
    assert not [path for path in folder.rglob("*") if path.is_file() and _has(path, reference)]
    # Where an input is tried is not always as near to the root as where it is judged.
    said = tried(item, [control, reference.replace(b"../", b"../../../")])
    assert "-- returned" in said[0]
    wanted = {
        "crash": "-- ended by SIGABRT",
        "read-outside": "/canary/token",
        "bypass": "SecurityGuaranteeBroken",
    }
    assert wanted[item.effect.value] in said[1]
    if item.language.is_native:
        assert (folder / BUILT / PROGRAM).stat().st_mode & 0o111


def _has(path: Path, data: bytes) -> bool:
    return len(data) > 16 and data in path.read_bytes()


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.network
def test_an_item_is_the_same_wherever_it_is_built(workshop: Workshop, tmp_path: Path) -> None:
    first = _item("CVE-2020-7788", workshop, tmp_path / "one")
    second = _item("CVE-2020-7788", workshop, tmp_path / "two")
    assert first.digest == second.digest
    assert first == second


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize(
    ("name", "masked", "words"),
    [
        ("CVE-2020-14343", Masked.NAME, [b"yaml", b"5.3.1"]),
        ("CVE-2020-7788", Masked.NAME, [b"ini.parse", b"require('ini')", b"1.3.5"]),
        ("CVE-2014-2525", Masked.VERSION, [b"0.15.5"]),
    ],
)
def test_a_masked_item_names_its_package_nowhere_and_is_judged_as_the_real_one(
    name: str, masked: Masked, words: list[bytes], workshop: Workshop, tmp_path: Path
) -> None:
    item = _item(name, workshop, tmp_path, Masking.AS_FAR_AS_IT_GOES)
    assert item.masked is masked
    assert name.lower() not in item.name
    texts = b"\n".join([*item.given(2).values(), item.prompt(2).encode()])
    assert not [word for word in words if word in texts.lower()]
    folder = item.target_folder()
    assert folder is not None
    purl = item.bundle.target.purl
    assert purl is not None
    assert not [p for p in folder.rglob("*") if p.name.startswith(f"{purl.name}-{purl.version}")]
    reference = item.mask.put_on(item.bundle.pocs[0].data)
    assert _grade(item, reference, workshop) is Grade.DIFFERENTIAL
    control = item.mask.put_on(item.bundle.controls[0].data)
    assert _grade(item, control, workshop) is Grade.CLAIMED
    assert "-- returned" in tried(item, [control])[0]


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.network
def test_a_bundle_that_is_not_differential_makes_no_item(workshop: Workshop) -> None:
    bundle = sample()
    without = replace(bundle, target=replace(bundle.target, fixed=None))
    found = made(without, workshop)
    assert isinstance(found, NoItem)
    assert found.reason.startswith("attributed: ")


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.network
def test_a_title_that_has_the_input_makes_no_item(workshop: Workshop) -> None:
    bundle = sample()
    told = replace(bundle, title=f"Try {bundle.pocs[0].data!r}")
    found = made(told, workshop)
    assert isinstance(found, NoItem)
    assert found.reason.startswith("gives the input away: level 1, description.txt")


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.network
def test_a_title_that_spells_out_another_input_that_works_makes_no_item(workshop: Workshop) -> None:
    told = replace(sample(), title='A section called "[__proto__]\\nwhatever=2" does it')
    found = made(told, workshop)
    assert isinstance(found, NoItem)
    assert found.reason.startswith("gives an input away: level 1: an input of 22 bytes")


def test_a_file_of_the_target_that_has_the_input_is_found(tmp_path: Path) -> None:
    (tmp_path / "site" / "tests").mkdir(parents=True)
    (tmp_path / "site" / "tests" / "data.bin").write_bytes(b"... an input ...")
    assert file_with(tmp_path, b"an input") == "site/tests/data.bin"
    assert file_with(tmp_path, b"another input") is None


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.network
def test_a_harness_that_names_the_flaw_makes_no_item(workshop: Workshop) -> None:
    bundle = sample()
    code = bundle.harness_code + b"// Shows CVE-2020-7788.\n"
    files = MappingProxyType({**bundle.files, bundle.harness.file: code})
    found = made(replace(bundle, files=files, digest=digest_of(files)), workshop)
    assert found == NoItem(bundle.id, "names the flaw in what is given: CVE-2020-7788")


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.network
def test_what_is_given_of_an_item_by_hand_does_not_solve_it(workshop: Workshop) -> None:
    said: list[str] = []
    assert solved_by_its_text(by_hand(), workshop, (0, 1, 2), progress=said.append) is None
    assert any(line.startswith("level 1: ") for line in said)


@pytest.mark.sandbox
@pytest.mark.network
def test_a_target_with_other_files_is_not_shown_to_an_agent() -> None:
    with pytest.raises(Unavailable, match="other files than the item was made with"):
        by_hand().target_folder()


@pytest.mark.network
def test_the_day_of_the_fix_is_the_registrys_or_the_end_of_an_earlier_cves_year() -> None:
    assert published(sample("CVE-2026-41205")) == date(2026, 4, 14)
    # The package carries a library that was fixed years before.
    assert published(sample("CVE-2014-2525")) == date(2014, 12, 31)
    bundle = sample("CVE-2026-41205")
    assert published(replace(bundle, target=replace(bundle.target, fixed=None))) is None
    assert published(replace(bundle, target=replace(bundle.target, fixed="99"))) is None


@pytest.mark.parametrize(
    ("bundle_id", "name"),
    [("CVE-2020-7788", "cve-2020-7788"), ("A flaw: in x!", "a-flaw-in-x"), ("../..", "item-")],
)
def test_an_items_name_is_one_that_files_can_have(bundle_id: str, name: str) -> None:
    assert item_name(bundle_id).startswith(name)


def test_a_public_canary_is_the_bundles_and_no_others() -> None:
    bundle = sample()
    assert public_canary(bundle) == public_canary(sample())
    other = MappingProxyType({**bundle.files, "more": b""})
    assert public_canary(replace(bundle, digest=digest_of(other))) != public_canary(bundle)


def test_what_a_killed_writer_left_is_removed_when_it_is_old(tmp_path: Path) -> None:
    import os

    for name in (".making-old", ".making-new", "an-item"):
        (tmp_path / name / "new").mkdir(parents=True)
    os.utime(tmp_path / ".making-old", (0, 0))
    os.utime(tmp_path / "an-item", (0, 0))
    clear_abandoned(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".making-new", "an-item"]
