"""What was judged is kept at once, and each flaw counts once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.hunt.record import JUDGED, Judged, Record, flaws, unproven
from clearhouse.errors import Invalid, Unavailable

ABOUT = {"about": "hunt", "target": "pkg:pypi/x@1", "digest": "0"}


def one(
    key: str = "a", signature: str | None = None, grade: str = "attributed", data: bytes = b"x"
) -> Judged:
    verdict: dict[str, Any] = {"grade": grade, "signature": signature}
    return Judged("hunt", key, signature is not None, "why", verdict, data)


JUDGEMENTS = st.builds(
    one,
    st.text(max_size=3),
    st.sampled_from([None, "sig1:a", "sig1:b"]),
    st.sampled_from(["claimed", "reproduced", "attributed", "differential"]),
    st.binary(max_size=8),
)


def test_what_was_judged_is_there_after_the_run_was_ended(tmp_path: Path) -> None:
    with Record(tmp_path, ABOUT) as record:
        record.add(one("a", "sig1:a"))
        kept = (tmp_path / JUDGED).read_bytes()  # while it is open
    assert kept.count(b"\n") == 2
    with Record(tmp_path, ABOUT) as again:
        assert again.found == (one("a", "sig1:a"),)
        assert again.find("hunt", "a") == one("a", "sig1:a")
        assert again.find("another", "a") is None


@given(st.lists(JUDGEMENTS, max_size=5), st.integers(0, 2000))
def test_of_a_file_that_was_cut_off_the_whole_lines_count(
    tmp_path_factory: pytest.TempPathFactory, found: list[Judged], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("record")
    with Record(folder, ABOUT) as record:
        for each in found:
            record.add(each)
        whole = record.found
    raw = (folder / JUDGED).read_bytes()
    left = raw[: max(raw.index(b"\n") + 1, len(raw) - cut)]
    (folder / JUDGED).write_bytes(left)
    with Record(folder, ABOUT) as again:
        assert again.found == whole[: left.count(b"\n") - 1]
        again.add(one("later"))
    with Record(folder, ABOUT) as last:
        assert last.find("hunt", "later") is not None


def test_an_answer_takes_the_place_of_one_that_had_no_verdict(tmp_path: Path) -> None:
    could_not = Judged("hunt", "a", good=False, reason="the registry cannot be reached")
    with Record(tmp_path, ABOUT) as record:
        record.add(could_not)
        record.add(one("a", "sig1:a"))
        record.add(could_not)
    with Record(tmp_path, ABOUT) as again:
        assert again.found == (one("a", "sig1:a"),)


@pytest.mark.parametrize("other", [{"target": "pkg:pypi/y@1"}, {"digest": "1"}, {"about": "patch"}])
def test_the_folder_of_another_run_is_refused(tmp_path: Path, other: dict[str, str]) -> None:
    Record(tmp_path, ABOUT).close()
    with pytest.raises(Invalid, match="another"):
        Record(tmp_path, {**ABOUT, **other})


@pytest.mark.parametrize("text", [b"x\n", b"[]\n{}\n", b'{"format":1}\n', b"{}\n{}\n"])
def test_what_is_no_record_is_refused_and_stays(tmp_path: Path, text: bytes) -> None:
    (tmp_path / JUDGED).write_bytes(text)
    with pytest.raises(Invalid):
        Record(tmp_path, ABOUT)
    assert (tmp_path / JUDGED).read_bytes() == text


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        Record(tmp_path / "file", ABOUT)


def test_texts_without_bytes_are_kept_too(tmp_path: Path) -> None:
    with Record(tmp_path, ABOUT) as record:
        record.add(Judged("hunt", "a", good=False, reason="\ud800 \x1b[2J\n"))
    with Record(tmp_path, ABOUT) as again:
        assert again.found[0].reason == "\ud800 \x1b[2J\n"


def test_the_best_stands_for_a_flaw() -> None:
    small = one("a", "sig1:a", "attributed", b"1")
    large = one("b", "sig1:a", "differential", b"123")
    other = one("c", "sig1:b", "attributed", b"12")
    found = flaws([small, other, large, one("d")])
    assert [(flaw.best, flaw.others) for flaw in found] == [(large, 1), (other, 0)]


@given(st.lists(JUDGEMENTS))
def test_every_proven_finding_is_of_exactly_one_flaw(found: list[Judged]) -> None:
    joined = flaws(found)
    assert sum(1 + flaw.others for flaw in joined) == sum(each.good for each in found)
    assert len({flaw.best.signature for flaw in joined}) == len(joined)
    assert sum(unproven(found).values()) == sum(not each.good for each in found)
