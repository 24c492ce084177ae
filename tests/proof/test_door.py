"""Bundles at the door: the containers, honest ones read alike, irregular ones refused."""

from __future__ import annotations

import io
import os
import pickle
import socket
import stat
import sys
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clearhouse.errors import Invalid
from clearhouse.proof.bundle import digest_of
from clearhouse.proof.door import open_bundle, parse_archive, read_archive
from clearhouse.proof.members import MIB, Limits
from clearhouse.proof.zips import write_zip
from tests.proof.making import (
    FILES,
    MANIFEST,
    TAR_FORMATS,
    TarFormat,
    folder_of,
    gzip_of,
    refused,
    tar_of,
    tar_with,
    with_checksum,
    zip_of,
)

# --- honest ones --------------------------------------------------------------------------------

CONTAINERS: dict[str, Callable[[], bytes]] = {
    "zip": lambda: zip_of(FILES),
    "stored.zip": lambda: zip_of(FILES, method=zipfile.ZIP_STORED),
    "own.zip": lambda: write_zip(FILES),
    "tar": lambda: tar_of(FILES),
    "tar.gz": lambda: tar_of(FILES, compression="gz"),
    "tar.bz2": lambda: tar_of(FILES, compression="bz2"),
    "tar.xz": lambda: tar_of(FILES, compression="xz"),
    "top.zip": lambda: zip_of({f"top/{name}": data for name, data in FILES.items()}),
    "top.tgz": lambda: tar_of({f"top/{n}": d for n, d in FILES.items()}, compression="gz"),
    "dotted.tar": lambda: tar_of({f"./{name}": data for name, data in FILES.items()}),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_every_container_gives_the_bundle_of_the_folder(kind: str, tmp_path: Path) -> None:
    archive = tmp_path / f"b.{kind}"
    archive.write_bytes(CONTAINERS[kind]())
    assert open_bundle(archive) == open_bundle(folder_of(FILES, tmp_path / "folder"))


def test_what_an_archive_is_shows_in_its_content_not_its_name(tmp_path: Path) -> None:
    misnamed = tmp_path / "bundle.zip"
    misnamed.write_bytes(tar_of(FILES, compression="gz"))
    assert open_bundle(misnamed).id == "CVE-2024-4340"


def test_the_digest_is_what_sha256sum_says_of_the_sorted_listing() -> None:
    # printf 'b' > a; printf 'd' > c; sha256sum a c | sha256sum
    assert digest_of({"c": b"d", "a": b"b"}) == (
        "sha256:1943af158a9105fa7c3e0039bb302ff5b5d4499c8fd1865a10554f8f94b56a1b"
    )


@pytest.mark.parametrize("change", ["content", "name", "another"])
def test_the_digest_tells_different_files_apart(change: str) -> None:
    files = dict(FILES)
    if change == "content":
        files["poc.bin"] += b"["
    elif change == "name":
        files["poc2.bin"] = files.pop("poc.bin")
    else:
        files["notes.txt"] = b""
    assert digest_of(files) != digest_of(FILES)


@pytest.mark.parametrize("kind", TAR_FORMATS)
def test_long_names_survive_every_tar_format(kind: TarFormat) -> None:
    name = "/".join(["folder-of-some-length"] * 6) + "/and-a-file-name-that-is-not-short.bin"
    assert read_archive(tar_of({name: b"x"}, kind=kind), where="a") == {name: b"x"}


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_names_outside_ascii_survive(make: Callable[[dict[str, bytes]], bytes]) -> None:
    files = {"größe/输入.bin": b"x"}
    assert read_archive(make(files), where="a") == files


def test_a_streamed_zip_is_read() -> None:
    """Without seeking, zip writers put sizes and checksum behind the data."""

    class Unseekable(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, offset: int, whence: int = 0) -> int:
            raise io.UnsupportedOperation

        def tell(self) -> int:
            raise io.UnsupportedOperation

    buffer = Unseekable()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"b" * 1000)
    assert read_archive(buffer.getvalue(), where="a") == {"a": b"b" * 1000}


def test_a_zip_member_written_as_zip64_is_read() -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w") as archive,
        archive.open("a", "w", force_zip64=True) as member,
    ):
        member.write(b"b")
    assert read_archive(buffer.getvalue(), where="a") == {"a": b"b"}


def test_a_zip_comment_is_no_matter() -> None:
    buffer = io.BytesIO(zip_of({"a": b"b"}))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"PK\x05\x06 looks like an end" * 20
    assert read_archive(buffer.getvalue(), where="a") == {"a": b"b"}


def test_several_compressed_streams_and_padding_are_one_archive() -> None:
    plain = tar_of(FILES)
    half = len(plain) // 2
    data = b"".join(gzip_of(part) for part in (plain[:half], plain[half:])) + bytes(512)
    assert read_archive(data, where="a") == FILES


def test_names_that_differ_in_case_are_different_files() -> None:
    files = {"A": b"1", "a": b"2"}
    assert read_archive(zip_of(files), where="a") == files


def test_what_desktops_leave_beside_files_is_no_part_of_the_bundle(tmp_path: Path) -> None:
    litter = {"__MACOSX/top/._proof.toml": b"x", "top/.DS_Store": b"x", "top/._poc.bin": b"x"}
    files = {f"top/{name}": data for name, data in FILES.items()}
    assert parse_archive(zip_of({**files, **litter}), where="a").digest == digest_of(FILES)
    folder = folder_of({**FILES, ".DS_Store": b"x"}, tmp_path)
    assert open_bundle(folder).digest == digest_of(FILES)


def test_an_open_bundle_cannot_be_changed() -> None:
    bundle = parse_archive(zip_of(FILES), where="a")
    with pytest.raises(TypeError):
        bundle.files["poc.bin"] = b""  # type: ignore[index]
    with pytest.raises(AttributeError):
        bundle.id = "other"  # type: ignore[misc]


def test_a_bundle_crosses_processes_whole() -> None:
    bundle = parse_archive(zip_of(FILES), where="a")
    copy = pickle.loads(pickle.dumps(bundle))
    assert copy == bundle
    assert hash(copy.target) == hash(bundle.target)
    with pytest.raises(TypeError):
        copy.files["poc.bin"] = b""


# --- nothing is written, and little is read -----------------------------------------------------

_writes: list[str] | None = None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _writes is None:
        return
    changing = event in {"os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.chmod"}
    opening = event == "open" and isinstance(arguments[2], int)
    if changing or (opening and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
        _writes.append(f"{event} {arguments}")


sys.addaudithook(_watch)


@pytest.fixture
def writes() -> Iterator[list[str]]:
    global _writes
    _writes = []
    yield _writes
    _writes = None


@pytest.mark.parametrize("kind", CONTAINERS)
def test_nothing_is_written(kind: str, tmp_path: Path, writes: list[str]) -> None:
    archive = tmp_path / f"b.{kind}"
    archive.write_bytes(CONTAINERS[kind]())
    assert writes, "the watcher must see the test's own write"
    writes.clear()
    open_bundle(archive)
    assert writes == []


@pytest.mark.parametrize("name", ["zip", "gz", "bz2", "xz"])
def test_a_bomb_costs_no_more_than_the_limit(name: str) -> None:
    files = dict.fromkeys(map(str, range(80)), bytes(MIB // 2))
    limits = Limits(total_bytes=MIB, members=100, member_bytes=MIB // 2)
    data = zip_of(files) if name == "zip" else tar_of(files, compression=name)
    assert len(data) < MIB // 8
    tracemalloc.start()
    try:
        message = refused(data, limits)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "more than 1 MiB when unpacked" in message
    # 40 MiB come out of it; xz itself takes 8 MiB for its window.
    assert peak < 12 * MIB


def test_a_bomb_of_one_file_is_refused_at_the_real_limits() -> None:
    assert "larger than 16 MiB" in refused(zip_of({"a": bytes(17 * MIB)}))


def test_an_archive_larger_than_any_bundle_is_not_unpacked() -> None:
    assert "larger than" in refused(bytes(70 * MIB))


def test_thousands_of_members_are_refused() -> None:
    files = {str(index): b"" for index in range(2001)}
    assert "2001 members" in refused(zip_of(files))
    assert "more than 2000 members" in refused(tar_of(files, compression="gz"))


def test_thousands_of_files_in_a_folder_are_refused(tmp_path: Path) -> None:
    folder_of({str(index): b"" for index in range(2001)}, tmp_path)
    with pytest.raises(Invalid, match="more than 2000 members"):
        open_bundle(tmp_path)


# --- names --------------------------------------------------------------------------------------

BAD_NAMES = {
    "../evil": "leaves the bundle",
    "a/../../evil": "leaves the bundle",
    "a/..": "leaves the bundle",
    "/etc/passwd": "is absolute",
    "//etc/passwd": "is absolute",
    "C:/evil": "drive letter",
    "c:evil": "drive letter",
    "a\\evil": "backslash",
    "a\nb": "control characters",
    "a\x1b[31mb": "control characters",
    "a\x85b": "control characters",
    "a\u2028b": "control characters",
    "x" * 256: "too long",
    "/".join("x" * 33): "too deep",
}


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_points_elsewhere_or_deceives_is_refused(name: str) -> None:
    assert BAD_NAMES[name] in refused(write_zip({name: b""}))
    assert BAD_NAMES[name] in refused(tar_of({name: b""}))


def test_an_empty_name_is_refused() -> None:
    assert "empty name" in refused(write_zip({"": b""}))


def test_a_name_in_another_encoding_is_refused() -> None:
    data = zip_of({"AAAA": b""}).replace(b"AAAA", b"A\xff\xfeA")
    assert "'Aÿþa' is not UTF-8".casefold() in refused(data).casefold()
    header = tar_of({"AAAA": b""}, kind="ustar")
    assert "is not UTF-8" in refused(with_checksum(header.replace(b"AAAA", b"A\xff\xfeA")))


def test_a_folder_with_a_name_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/A\xff"))).write_bytes(b"")
    with pytest.raises(Invalid, match="is not UTF-8"):
        open_bundle(tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@pytest.mark.parametrize("again", ["a", "./a", "/./a".removeprefix("/")])
def test_a_name_twice_is_refused(again: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"1")
        archive.writestr(again, b"2")
    assert "'a' appears twice" in refused(buffer.getvalue())
    twice = tarfile.TarInfo("a"), tarfile.TarInfo(again)
    assert "'a' appears twice" in refused(tar_with(*((member, b"") for member in twice)))


@pytest.mark.parametrize("make", [write_zip, tar_of])
def test_a_name_that_is_file_and_folder_is_refused(
    make: Callable[[dict[str, bytes]], bytes],
) -> None:
    assert "both a file and a folder" in refused(make({"a": b"", "a/b": b""}))


# --- kinds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a character device"),
        (tarfile.BLKTYPE, "a block device"),
        (tarfile.FIFOTYPE, "a pipe"),
        (tarfile.GNUTYPE_SPARSE, "a sparse file"),
        (b"Z", "is of kind b'Z'"),
    ],
)
def test_a_tar_member_that_is_no_file_is_refused(kind: bytes, word: str) -> None:
    member = tarfile.TarInfo("a")
    member.type, member.linkname = kind, "/etc/passwd"
    assert word in refused(tar_with((member, b"")))


def test_a_sparse_file_in_pax_headers_is_refused() -> None:
    member = tarfile.TarInfo("a")
    member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.realsize": "1000000000000"}
    assert "a sparse file" in refused(tar_with((member, b"")))


@pytest.mark.parametrize(
    ("mode", "word"), [(stat.S_IFLNK, "a symbolic link"), (stat.S_IFCHR, "a special file")]
)
def test_a_zip_member_that_is_no_file_is_refused(mode: int, word: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        member = zipfile.ZipInfo("a")
        member.external_attr = (mode | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    assert f"'a' is {word}" in refused(buffer.getvalue())


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    folder_of(FILES, tmp_path)
    (tmp_path / "secret").symlink_to("/etc/passwd")
    with pytest.raises(Invalid, match="'secret' is a symbolic link"):
        open_bundle(tmp_path)


def test_a_linked_folder_in_a_folder_is_not_followed(tmp_path: Path) -> None:
    folder_of(FILES, tmp_path)
    (tmp_path / "inputs").symlink_to("/etc", target_is_directory=True)
    with pytest.raises(Invalid, match="'inputs' is a symbolic link"):
        open_bundle(tmp_path)


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_special_file_in_a_folder_is_refused_without_waiting(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_of(FILES, tmp_path)
    monkeypatch.chdir(tmp_path)  # socket paths are short
    if kind == "pipe":
        os.mkfifo("special")
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("special")
    with pytest.raises(Invalid, match="'special' is a special file"):
        open_bundle(tmp_path)


def test_a_pipe_instead_of_an_archive_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "b.zip")
    with pytest.raises(Invalid, match="found a special file"):
        open_bundle(tmp_path / "b.zip")


def test_an_encrypted_zip_is_refused() -> None:
    data = bytearray(zip_of({"a": b"b"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "'a' is encrypted; expected an archive without a password" in refused(bytes(data))


def test_a_compression_that_bundles_do_not_use_is_refused() -> None:
    assert "method 14; expected deflate" in refused(zip_of({"a": b"b"}, method=zipfile.ZIP_LZMA))


# --- where the manifest is ----------------------------------------------------------------------


def test_an_archive_without_a_manifest_says_what_is_near() -> None:
    for name, hint in {
        "a/b/proof.toml": "only 'a/b/proof.toml'",
        "Proof.toml": "did you mean 'Proof.toml'?",
        "prof.toml": "did you mean 'prof.toml'?",
    }.items():
        with pytest.raises(Invalid, match=r"has no proof\.toml at its root") as caught:
            parse_archive(zip_of({name: b"", "z": b""}), where="a.zip")
        assert hint in str(caught.value)


def test_an_archive_with_two_top_folders_has_no_manifest() -> None:
    with pytest.raises(Invalid, match=r"has no proof\.toml at its root or in its only top folder"):
        parse_archive(zip_of({"a/proof.toml": b"", "b/proof.toml": b""}), where="a.zip")


def test_an_empty_archive_says_so() -> None:
    for data in (zip_of({}), tar_of({}, compression="gz")):
        with pytest.raises(Invalid, match="it holds no files"):
            parse_archive(data, where="a.zip")


@pytest.mark.parametrize(
    ("content", "found"), [(b"", "an empty file"), (MANIFEST.encode(), "something else")]
)
def test_a_file_that_is_no_archive_is_refused(content: bytes, found: str, tmp_path: Path) -> None:
    (tmp_path / "bundle").write_bytes(content)
    with pytest.raises(Invalid, match=f"found {found}"):
        open_bundle(tmp_path / "bundle")


def test_the_manifest_itself_is_not_the_bundle(tmp_path: Path) -> None:
    folder_of(FILES, tmp_path)
    with pytest.raises(Invalid, match="expected the folder that holds this file"):
        open_bundle(tmp_path / "proof.toml")


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    folder_of({f"top/{name}": data for name, data in FILES.items()}, tmp_path)
    with pytest.raises(Invalid, match=r"has no proof\.toml, only 'top/proof\.toml'"):
        open_bundle(tmp_path)


@pytest.mark.parametrize("path", ["nowhere", "nul\0byte", "x" * 5000])
def test_a_path_that_leads_nowhere_is_bad_input(path: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        open_bundle(tmp_path / path)


def test_a_path_that_may_not_be_read_is_bad_input(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(Invalid, match="cannot be read: Too many levels"):
        open_bundle(loop)
