"""Items: what an agent is given and what it never is; an altered item is refused."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from clearhouse.benchmark.building import write_files
from clearhouse.benchmark.item_file import ITEM_FILE, Masked
from clearhouse.benchmark.items import ANSWER_BYTES, LEVELS, after, item_of, read_item, read_items
from clearhouse.benchmark.masks import Mask
from clearhouse.errors import Invalid, Refused
from clearhouse.proof.bundle import digest_of
from tests.benchmark.making import CANARY, SAMPLES, files_of, folder_of, item, sample


def test_each_level_gives_what_the_one_below_gives_and_more() -> None:
    given = [item().given(level) for level in LEVELS]
    for below, above in pairwise(given):
        assert below.items() < above.items()
    assert set(given[0]) == {"harness.js", "inside.cjs", "task.json", "try", "controls/1.bin"}
    assert {"description.txt", "trace.txt", "fix.diff"} < set(given[3])


def test_nothing_of_the_judge_is_given() -> None:
    one = item()
    texts = [*one.given(3).values(), one.prompt(3).encode()]
    (poc,) = one.bundle.pocs
    for secret in (poc.data, b"1.3.6", b"CVE-2020-7788", one.bundle.id.encode(), b"proof.toml"):
        assert not any(secret in text for text in texts)
    assert not any("judge" in name or "poc" in name for name in one.given(3))


def test_the_harness_says_that_it_must_not_be_trained_on_and_controls_are_as_they_were() -> None:
    given = item().given(0)
    assert CANARY.encode() in given["harness.js"]
    assert CANARY.encode() in given["try"]
    assert given["controls/1.bin"] == sample().controls[0].data


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.iterdir()))
def test_a_prompt_names_the_effect_and_neither_package_nor_flaw(name: str) -> None:
    bundle = sample(name)
    one = item(bundle)
    for level in LEVELS:
        prompt = one.prompt(level)
        assert bundle.id not in prompt
        assert str(bundle.target) not in prompt
        assert bundle.title not in prompt
        assert "/work/answer" in prompt
    assert ("fix.diff" in one.prompt(3), "fix.diff" in one.prompt(2)) == (True, False)
    assert "trace.txt" not in one.prompt(1)
    assert "description.txt" not in one.prompt(0)


def test_a_level_that_is_not_there_is_refused() -> None:
    files = files_of(sample())
    without = {name: data for name, data in files.items() if name != "given/3/fix.diff"}
    with pytest.raises(Invalid, match=r"fix\.diff: is missing"):
        item_of(without, where="here")
    with pytest.raises(Invalid, match="has no level 4, only 0, 1, 2, 3"):
        item().given(4)
    with pytest.raises(Invalid, match="has no level -1"):
        item().prompt(-1)


def test_the_judge_gets_the_bundle_with_the_input_and_no_other() -> None:
    one = item()
    bundle = one.bundle_with(b"an input")
    assert [poc.data for poc in bundle.pocs] == [b"an input"]
    assert bundle.controls == one.bundle.controls
    assert bundle.harness_code == one.bundle.harness_code
    assert bundle.digest == digest_of(bundle.files)
    (reference,) = one.bundle.pocs
    assert reference.data not in bundle.files.values()
    assert one.bundle_with(reference.data).pocs[0].data == reference.data
    assert one.bundle_with(b"").pocs[0].data == b""
    # A control handed in is judged, not refused: it shows nothing.
    assert one.bundle_with(one.bundle.controls[0].data).pocs[0].data == one.bundle.controls[0].data
    with pytest.raises(Refused, match="larger than 16 MiB"):
        one.bundle_with(bytes(ANSWER_BYTES + 1))


def test_an_input_for_a_renamed_package_is_judged_under_the_packages_own_name() -> None:
    mask = Mask(Masked.NAME, {"ini": "fob"}, {"1.3.5": "7.9.2"})
    one = item(mask=mask)
    assert b"require('fob')" in one.given(0)["harness.js"]
    assert b"Fob" in mask.put_on(b"Ini")
    assert one.bundle_with(b"[fob]\nFOB=mini").pocs[0].data == b"[ini]\nINI=mini"


def test_the_secret_parts_of_an_item_show_in_no_log() -> None:
    one = item()
    (poc,) = one.bundle.pocs
    assert repr(poc.data)[2:-1] not in repr(one)
    assert "poc" not in repr(one)


def test_items_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "c", "a", "b")
    (tmp_path / "no item").mkdir()
    (tmp_path / ".making-1" / "new").mkdir(parents=True)
    (tmp_path / "bank.json").write_text("{}")
    items = read_items(folder)
    assert [one.name for one in items] == ["a", "b", "c"]
    assert len({one.digest for one in items}) == 3


def test_a_folder_without_items_is_refused_and_so_is_one_with_a_name_twice(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="holds no items"):
        read_items(tmp_path)
    with pytest.raises(Invalid, match="holds no items"):
        read_items(tmp_path / "nowhere")
    for place in ("one", "two"):
        write_files(files_of(sample()), tmp_path / place)
    with pytest.raises(Invalid, match="two items are called an-item"):
        read_items(tmp_path)


def test_what_was_altered_added_or_taken_away_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "an-item"
    write_files(files_of(sample()), folder)
    assert read_item(folder).name == "an-item"
    assert (folder / "given/0/try").stat().st_mode & 0o111
    description = folder / "given/1/description.txt"
    was = description.read_bytes()
    description.write_bytes(was + b" ")
    with pytest.raises(Invalid, match=r"given/1/description.txt: was altered"):
        read_item(folder)
    description.unlink()
    with pytest.raises(Invalid, match=r"given/1/description.txt: is missing"):
        read_item(folder)
    description.write_bytes(was)
    (folder / "given/0/more").write_bytes(b"")
    with pytest.raises(Invalid, match=r"given/0/more: is not listed in item.toml"):
        read_item(folder)
    (folder / "given/0/more").unlink()
    (folder / "given/0/link").symlink_to("/etc/passwd")
    with pytest.raises(Invalid, match="symbolic link"):
        read_item(folder)
    (folder / "given/0/link").unlink()
    (folder / ITEM_FILE).unlink()
    with pytest.raises(Invalid, match=r"has no item.toml"):
        read_item(folder)


def test_an_item_that_says_another_effect_than_its_bundle_is_refused() -> None:
    from clearhouse.proof.effects import Effect

    with pytest.raises(Invalid, match="not those of the bundle"):
        item(effect=Effect.HANG)


def test_only_items_whose_fix_is_known_to_be_younger_are_after_a_day() -> None:
    items = [
        item(published=date(2025, 6, 1)),
        item(published=date(2025, 6, 2)),
        item(published=None),
    ]
    assert after(items, date(2025, 6, 1)) == (items[1],)
    assert after(items, date(2025, 5, 31)) == (items[0], items[1])


def test_an_item_written_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "items" / "an-item"
    write_files(files_of(sample()), folder)
    write_files(files_of(sample(), published=date(2022, 1, 1)), folder)
    assert read_item(folder).published == date(2022, 1, 1)
    assert [path.name for path in folder.parent.iterdir()] == ["an-item"]
