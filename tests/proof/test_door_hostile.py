"""Whatever comes to the door, it is a bundle or a clear refusal: never a crash, never a hang."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.door import open_bundle, parse_archive, read_archive
from clearhouse.proof.manifest import KEYS, parse_bundle
from clearhouse.proof.members import checked_name
from clearhouse.proof.text import printable
from clearhouse.proof.zips import write_zip
from tests.proof.making import FILES, MANIFEST, TAR_FORMATS, TarFormat, tar_of, zip_of

ARCHIVES = {
    "zip": zip_of(FILES),
    "stored": zip_of(FILES, method=zipfile.ZIP_STORED),
    "tar": tar_of(FILES, kind="ustar"),
    "gnu": tar_of({"n" * 180: b"x", **FILES}, kind="gnu"),
    "pax": tar_of({"ñ" * 90: b"x", **FILES}, kind="pax"),
    "gz": tar_of(FILES, compression="gz"),
    "bz2": tar_of(FILES, compression="bz2"),
    "xz": tar_of(FILES, compression="xz"),
}


def check(answer: Callable[[], Bundle]) -> None:
    """Accept a bundle, or a refusal that is short and safe to show."""
    try:
        assert isinstance(answer(), Bundle)
    except Invalid as error:
        message = str(error)
        assert message.startswith("where")
        assert printable(message) == message
        assert len(message) < 1500


# --- archives -----------------------------------------------------------------------------------


@given(st.binary(max_size=2000))
def test_random_bytes(data: bytes) -> None:
    check(lambda: parse_archive(data, where="where"))


@pytest.mark.parametrize(
    "magic", [b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\x00", b"BZh9", b"\xfd7zXZ\x00"]
)
@given(data=st.binary(max_size=500))
def test_random_bytes_behind_a_magic_number(magic: bytes, data: bytes) -> None:
    check(lambda: parse_archive(magic + data, where="where"))


@st.composite
def mutations(draw: st.DrawFn, data: bytes) -> bytes:
    """Change a few places of ``data``: bytes, numbers, pieces cut, moved or repeated."""
    out = bytearray(data)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(out) - 1)))
        length = draw(st.integers(0, 600))
        what = draw(st.sampled_from(["byte", "number", "cut", "repeat", "zero", "octal", "insert"]))
        if what == "byte" and out:
            out[at] = draw(st.integers(0, 255))
        elif what == "number":
            number = draw(st.sampled_from([0, 1, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF, 70_000]))
            out[at : at + 4] = number.to_bytes(4, "little")
        elif what == "cut":
            del out[at : at + length]
        elif what == "repeat":
            out[at:at] = out[at : at + length]
        elif what == "zero":
            out[at : at + length] = bytes(length)
        elif what == "octal":
            out[at : at + 11] = b"%011o" % draw(st.integers(0, 8**11 - 1))
        else:
            out[at:at] = draw(st.binary(max_size=20))
    return bytes(out)


@pytest.mark.parametrize("kind", ARCHIVES)
@given(data=st.data())
def test_damaged_archives(kind: str, data: st.DataObject) -> None:
    damaged = data.draw(mutations(ARCHIVES[kind]))
    check(lambda: parse_archive(damaged, where="where"))


@pytest.mark.parametrize("kind", ["zip", "stored"])
@given(data=st.data())
def test_zips_damaged_where_it_matters(kind: str, data: st.DataObject) -> None:
    """Most bytes are content; these are the directories."""
    archive = bytearray(ARCHIVES[kind])
    magic = data.draw(st.sampled_from([b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"]))
    at = archive.index(magic)
    for _ in range(data.draw(st.integers(1, 3))):
        archive[at + data.draw(st.integers(0, 45 if magic[2] < 5 else 21))] = data.draw(
            st.sampled_from([0, 1, 8, 0x20, 0x7F, 0x80, 0xFF])
        )
    check(lambda: parse_archive(bytes(archive), where="where"))


@given(data=st.data())
def test_tar_headers_damaged_under_a_right_checksum(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["tar", "gnu", "pax"]))
    archive = bytearray(ARCHIVES[kind])
    at = 512 * data.draw(st.integers(0, 3))
    for _ in range(data.draw(st.integers(1, 4))):
        field = data.draw(st.sampled_from([0, 100, 124, 135, 156, 157, 257, 263, 265, 345]))
        archive[at + field] = data.draw(st.integers(0, 255))
    archive[at + 148 : at + 156] = b" " * 8
    archive[at + 148 : at + 156] = b"%06o\0 " % sum(archive[at : at + 512])
    check(lambda: parse_archive(bytes(archive), where="where"))


@given(st.dictionaries(st.text(max_size=40), st.binary(max_size=5), max_size=8))
@example({"a/b": b"", "a": b""})
def test_any_names_at_all(files: Mapping[str, bytes]) -> None:
    def lone(name: str) -> bool:
        return any(0xD800 <= ord(character) <= 0xDFFF for character in name)

    files = {name: data for name, data in files.items() if not lone(name)}
    check(lambda: parse_archive(write_zip(files), where="where"))
    if all("\0" not in name for name in files):
        check(lambda: parse_archive(tar_of(files), where="where"))


# --- what honest writers make is read as the standard library reads it --------------------------

_component = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="/\\:"
    ),
    min_size=1,
    max_size=20,
).filter(lambda name: name not in {".", ".."} and not name.startswith("._") and name != "Thumbs.db")
_names = (
    st.lists(_component, min_size=1, max_size=4)
    .map("/".join)
    .filter(
        lambda name: len(name.encode()) <= 255 and "DS_Store" not in name and "__MACOSX" not in name
    )
)


@st.composite
def file_sets(draw: st.DrawFn) -> dict[str, bytes]:
    files = draw(st.dictionaries(_names, st.binary(max_size=3000), max_size=6))
    return {
        name: data
        for name, data in files.items()
        if not any(other.startswith(f"{name}/") for other in files)
    }


@given(files=file_sets(), method=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
def test_zips_of_the_standard_library_are_read_whole(files: dict[str, bytes], method: int) -> None:
    assert read_archive(zip_of(files, method=method), where="a") == files


@given(
    files=file_sets(),
    kind=st.sampled_from(sorted(TAR_FORMATS)),
    compression=st.sampled_from(["", "gz", "bz2", "xz"]),
)
def test_tars_of_the_standard_library_are_read_whole(
    files: dict[str, bytes], kind: TarFormat, compression: str
) -> None:
    try:
        data = tar_of(files, kind=kind, compression=compression)
    except ValueError:
        assert kind == "ustar"  # names too long or not ASCII enough for the oldest format
        return
    assert read_archive(data, where="a") == files


@given(file_sets())
def test_packing_and_reading_is_identity(files: dict[str, bytes]) -> None:
    assert read_archive(write_zip(files), where="a") == files


@given(file_sets())
def test_own_zips_are_read_by_the_standard_library(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(write_zip(files))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files


@given(file_sets())
def test_the_order_of_files_does_not_change_the_packed_bytes(files: dict[str, bytes]) -> None:
    assert write_zip(dict(reversed(files.items()))) == write_zip(files)


# --- manifests ----------------------------------------------------------------------------------

_toml_values = st.one_of(
    st.integers(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=300).filter(lambda text: text.isprintable() or text.isascii()),
    st.sampled_from(["pkg:pypi/a@1", "pkg:npm/%40a/b@1.0.0", "poc.bin", "../x", "/", ".", "C:/x"]),
    st.lists(st.one_of(st.text(max_size=5), st.integers()), max_size=4),
    st.just({}),
)


def _as_toml(value: Any) -> str:
    # JSON's strings, numbers and lists are TOML's, but for surrogates and DEL.
    if value == {}:
        return "{}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


@given(data=st.data())
def test_any_value_for_any_key(data: st.DataObject) -> None:
    document: dict[str, dict[str, str]] = {}
    section = ""
    for line in MANIFEST.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
            document[section] = {}
        elif line:
            key, _, value = line.partition(" = ")
            document[section][key] = value
    for _ in range(data.draw(st.integers(1, 3))):
        section = data.draw(st.sampled_from(sorted(KEYS)))
        required, optional = KEYS[section]
        key = data.draw(st.sampled_from((*required, *optional)))
        document[section][key] = _as_toml(data.draw(_toml_values))
    text = "".join(
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in table.items())
        for name, table in document.items()
    )
    raw = text.encode("utf-8", "surrogatepass")
    check(lambda: parse_bundle({**FILES, "proof.toml": raw}, where="where"))


@given(data=st.data())
def test_damaged_manifests(data: st.DataObject) -> None:
    damaged = data.draw(mutations(MANIFEST.encode()))
    check(lambda: parse_bundle({**FILES, "proof.toml": damaged}, where="where"))


@given(st.binary(max_size=300))
def test_random_manifests(content: bytes) -> None:
    check(lambda: parse_bundle({**FILES, "proof.toml": content}, where="where"))


@given(st.binary(max_size=100))
def test_any_harness(code: bytes) -> None:
    check(lambda: parse_bundle({**FILES, "harness.py": code}, where="where"))


@given(st.text(max_size=80))
def test_a_clean_name_stays_inside(name: str) -> None:
    try:
        clean = checked_name(name, "where")
    except Invalid:
        return
    base = Path("/base")
    assert base in (base / clean).parents or (base / clean) == base
    assert ".." not in Path(clean).parts
    assert checked_name(clean, "where") == clean if clean else True


# --- folders ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["proof.toml", "harness.py", "poc.bin", "control.bin"])
def test_a_file_larger_than_allowed_in_a_folder(name: str, tmp_path: Path) -> None:
    for file, data in FILES.items():
        (tmp_path / file).write_bytes(data)
    with (tmp_path / name).open("ab") as stream:
        stream.truncate(1 << 40)  # a terabyte that takes no room on the disk
    with pytest.raises(Invalid, match=f"'{name}' is larger than 16 MiB"):
        open_bundle(tmp_path)


def test_a_folder_too_deep_to_read(tmp_path: Path) -> None:
    (tmp_path / "/".join("d" * 40)).mkdir(parents=True)
    with pytest.raises(Invalid, match="lies too deep"):
        open_bundle(tmp_path)


def test_many_large_files_in_a_folder(tmp_path: Path) -> None:
    for index in range(5):
        with (tmp_path / f"{index}.bin").open("wb") as stream:
            stream.truncate(15 << 20)
    with pytest.raises(Invalid, match="more than 64 MiB"):
        open_bundle(tmp_path)


def test_an_old_tar_without_magic_is_read() -> None:
    """Before POSIX.1-1988 headers had no magic, and a slash made a folder."""
    old = bytearray()
    for name, data in {"top/": b"", **{f"top/{n}": d for n, d in FILES.items()}}.items():
        member = tarfile.TarInfo(name.rstrip("/"))
        member.size = len(data)
        header = bytearray(member.tobuf(tarfile.USTAR_FORMAT))
        header[:100] = name.encode().ljust(100, b"\0")
        header[156:512] = bytes(356)
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        old += header + data + bytes(-len(data) % 512)
    bundle = parse_archive(bytes(old) + bytes(1024), where="where")
    assert bundle.files == FILES
