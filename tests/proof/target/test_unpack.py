"""Archives of people who mean harm, and odd ones of people who do not."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import stat
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.proof.target import Limits, Reason, TargetUnavailable, strip_top_folder, unpack
from tests.proof.target.making import Members, link, tar_bytes, zip_bytes

ESCAPES = ["../evil", "a/../../evil", "/evil", "a/..", "..", "./../evil", "//evil"]


def _archive(folder: Path, content: bytes, name: str = "archive") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _fresh(folder: Path) -> Path:
    destination = folder / "out" / "here"
    destination.mkdir(parents=True)
    return destination


def _refusal(folder: Path, content: bytes, limits: Limits | None = None) -> Reason:
    destination = _fresh(folder)
    before = _outside(folder, destination)
    with pytest.raises(TargetUnavailable) as caught:
        unpack(_archive(folder, content), destination, limits=limits or Limits())
    assert _outside(folder, destination) - before <= {folder / "archive"}
    return caught.value.reason


def _outside(folder: Path, destination: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if destination not in path.parents}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_every_tar_compression_is_read(tmp_path: Path, mode: str) -> None:
    content = tar_bytes({"top/a.py": "x = 1\n", "top/b/c.txt": b"\0" * 5000}, mode)
    destination = _fresh(tmp_path)
    result = unpack(_archive(tmp_path, content), destination, rename=strip_top_folder)
    assert result.files == ("a.py", "b/c.txt")
    assert (destination / "a.py").read_text() == "x = 1\n"
    assert (destination / "b/c.txt").read_bytes() == b"\0" * 5000


@pytest.mark.parametrize("name", ESCAPES)
def test_a_tar_member_that_points_outside_refuses_the_archive(tmp_path: Path, name: str) -> None:
    assert _refusal(tmp_path, tar_bytes({"fine": "1", name: "2"})) is Reason.UNSAFE_ARCHIVE


@pytest.mark.parametrize("name", ESCAPES)
def test_a_zip_member_that_points_outside_refuses_the_archive(tmp_path: Path, name: str) -> None:
    assert _refusal(tmp_path, zip_bytes({"fine": "1", name: "2"})) is Reason.UNSAFE_ARCHIVE


def test_a_symbolic_link_is_left_out_and_cannot_be_written_through(tmp_path: Path) -> None:
    content = tar_bytes({"1": link("door", str(tmp_path)), "door/evil": "out", "fine": "in"})
    destination = _fresh(tmp_path)
    result = unpack(_archive(tmp_path, content), destination)
    assert not (tmp_path / "evil").exists()
    assert (destination / "door/evil").read_text() == "out"
    assert not (destination / "door").is_symlink()
    assert result.notes == ("symbolic links left out: door",)


def test_a_symbolic_link_in_a_zip_is_left_out(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("door")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
        archive.writestr("fine", "in")
    destination = _fresh(tmp_path)
    result = unpack(_archive(tmp_path, buffer.getvalue()), destination)
    assert result.files == ("fine",)
    assert not os.path.lexists(destination / "door")


def test_many_links_are_told_in_one_note(tmp_path: Path) -> None:
    content = tar_bytes({str(one): link(f"l{one}", "x") for one in range(10)} | {"f": "1"})
    result = unpack(_archive(tmp_path, content), _fresh(tmp_path))
    assert result.notes == ("symbolic links left out: l0, l1, l2 and 7 more",)


def test_a_hard_link_to_an_earlier_member_becomes_a_copy(tmp_path: Path) -> None:
    members: Members = {"a": "same", "1": link("b", "a", tarfile.LNKTYPE)}
    destination = _fresh(tmp_path)
    result = unpack(_archive(tmp_path, tar_bytes(members)), destination)
    assert result.files == ("a", "b")
    assert (destination / "b").read_text() == "same"


def test_a_hard_link_to_a_file_of_this_machine_is_left_out(tmp_path: Path) -> None:
    members: Members = {"a": "x", "1": link("b", "/etc/passwd", tarfile.LNKTYPE)}
    destination = _fresh(tmp_path)
    unpack(_archive(tmp_path, tar_bytes(members)), destination)
    assert not (destination / "b").exists()


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_and_pipes_are_left_out(tmp_path: Path, kind: bytes) -> None:
    destination = _fresh(tmp_path)
    content = tar_bytes({"1": link("null", "", kind), "fine": "1"})
    result = unpack(_archive(tmp_path, content), destination)
    assert [path.name for path in destination.iterdir()] == ["fine"]
    assert result.notes == ("1 special files (devices, pipes) left out",)


def test_modes_are_read_only_and_without_setuid(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, mode in (("plain", 0o666), ("tool", 0o4755), ("dark", 0o000)):
            info = tarfile.TarInfo(name)
            info.mode = mode
            archive.addfile(info, io.BytesIO(b""))
    destination = _fresh(tmp_path)
    unpack(_archive(tmp_path, buffer.getvalue()), destination)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in destination.iterdir()}
    assert modes == {"plain": 0o444, "tool": 0o555, "dark": 0o444}


def test_a_later_member_of_the_same_name_replaces_the_earlier(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for content in (b"first", b"second"):
            info = tarfile.TarInfo("twice")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    destination = _fresh(tmp_path)
    result = unpack(_archive(tmp_path, buffer.getvalue()), destination)
    assert result.files == ("twice",)
    assert (destination / "twice").read_bytes() == b"second"


@pytest.mark.parametrize("make", [tar_bytes, zip_bytes])
def test_a_name_that_is_file_and_folder_is_refused(tmp_path: Path, make: object) -> None:
    assert callable(make)
    content = make({"a": "1", "a/b": "2"})
    assert _refusal(tmp_path, content) is Reason.UNSAFE_ARCHIVE


def test_a_name_too_long_for_the_file_system_is_refused(tmp_path: Path) -> None:
    assert _refusal(tmp_path, zip_bytes({"x" * 300: "1"})) is Reason.UNSAFE_ARCHIVE


@pytest.mark.parametrize("make", [tar_bytes, zip_bytes])
def test_a_bomb_is_stopped_at_the_limit(tmp_path: Path, make: object) -> None:
    assert callable(make)
    content = make({"zeros": b"\0" * 3_000_000, "more": b"\0" * 3_000_000})
    reason = _refusal(tmp_path, content, limits=Limits(total_bytes=4_000_000))
    assert reason is Reason.UNSAFE_ARCHIVE
    written = sum(path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert written <= 4_000_000


def test_members_that_are_not_wanted_still_count_against_a_bomb(tmp_path: Path) -> None:
    content = tar_bytes({f"zeros{one}": b"\0" * 1_000_000 for one in range(50)})
    destination = _fresh(tmp_path)
    with pytest.raises(TargetUnavailable, match="more than"):
        unpack(
            _archive(tmp_path, content),
            destination,
            rename=lambda _: None,
            limits=Limits(total_bytes=4_000_000, members=100),
        )


@pytest.mark.parametrize("make", [tar_bytes, zip_bytes])
def test_too_many_members_are_refused(tmp_path: Path, make: object) -> None:
    assert callable(make)
    content = make({str(one): b"" for one in range(30)})
    assert _refusal(tmp_path, content, limits=Limits(members=20)) is Reason.UNSAFE_ARCHIVE


def test_an_extended_header_of_many_megabytes_is_not_read_into_memory(tmp_path: Path) -> None:
    size = 200 << 20
    header = tarfile.TarInfo("pax")
    header.type = tarfile.XHDTYPE
    header.size = size
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1) as stream:
        stream.write(header.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(20):
            stream.write(b"\0" * (1 << 20))
    archive = _archive(tmp_path, buffer.getvalue())
    tracemalloc.start()
    with pytest.raises(TargetUnavailable) as caught:
        unpack(archive, _fresh(tmp_path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.reason is Reason.UNSAFE_ARCHIVE
    assert peak < 20 << 20


def test_an_xz_stream_that_wants_a_huge_dictionary_is_refused(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30, "preset": 0}]
    plain = tar_bytes({"a": b"x" * 100}, "w")
    packed = bytearray(lzma.compress(plain, format=lzma.FORMAT_XZ, filters=filters))
    assert _refusal(tmp_path, bytes(packed)) is Reason.CORRUPT_ARCHIVE


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"neither",
        b"\x1f\x8b not gzip",
        b"PK\x03\x04 cut off",
        tar_bytes({"a": b"x" * 9000})[:-300],
        tar_bytes({"a": os.urandom(9000)}, "w:xz")[:-300],
        zip_bytes({"a": "x" * 9000})[:-30],
    ],
    ids=["empty", "text", "gzip", "zip", "tar.gz cut", "tar.xz cut", "zip cut"],
)
def test_what_is_no_archive_is_corrupt(tmp_path: Path, content: bytes) -> None:
    assert _refusal(tmp_path, content) is Reason.CORRUPT_ARCHIVE


def test_a_zip_whose_content_does_not_match_its_checksum_is_corrupt(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a", "honest content")
    content = buffer.getvalue().replace(b"honest", b"forged")
    assert _refusal(tmp_path, content) is Reason.CORRUPT_ARCHIVE


def test_a_tar_with_a_zip_at_its_end_is_read_as_the_tar_it_starts_as(tmp_path: Path) -> None:
    content = tar_bytes({"from-tar": "1"}, "w") + zip_bytes({"from-zip": "2"})
    assert unpack(_archive(tmp_path, content), _fresh(tmp_path)).files == ("from-tar",)


pieces = st.sampled_from(["..", ".", "", "a", "b", "c\\d", "é", "a\nb", " "])
names = st.builds(
    lambda start, parts: start + "/".join(parts),
    st.sampled_from(["", "/"]),
    st.lists(pieces, min_size=1, max_size=4),
)


@given(st.lists(st.tuples(names, st.booleans()), min_size=1, max_size=6))
def test_no_archive_puts_anything_outside(
    tmp_path_factory: pytest.TempPathFactory, members: list[tuple[str, bool]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    destination = _fresh(folder)
    tar = {
        str(number): link(name, "../..") if is_link else name
        for number, (name, is_link) in enumerate(members)
    }
    files: Members = {
        key if isinstance(value, tarfile.TarInfo) else value: (
            value if isinstance(value, tarfile.TarInfo) else "content"
        )
        for key, value in tar.items()
    }
    archive = _archive(folder, tar_bytes(files))
    before = _outside(folder, destination)
    try:
        result = unpack(archive, destination)
    except TargetUnavailable:
        pass
    else:
        assert all((destination / name).is_file() for name in result.files)
    assert _outside(folder, destination) == before
    assert not any(path.is_symlink() for path in destination.rglob("*"))
