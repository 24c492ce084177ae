"""Archives at the door that lie about what is in them are refused."""

from __future__ import annotations

import tarfile
import zipfile

import pytest

from clearhouse.errors import Invalid
from clearhouse.proof.door import read_archive
from clearhouse.proof.members import Limits
from tests.proof.making import (
    FILES,
    gzip_of,
    refused,
    tar_of,
    with_checksum,
    zip_of,
)


def _patched(data: bytes, magic: bytes, offset: int, value: bytes) -> bytes:
    at = data.index(magic) + offset
    return data[:at] + value + data[at + len(value) :]


@pytest.mark.parametrize("size", [0, 1, 99, 101, 5000])
def test_a_zip_whose_directory_lies_about_a_size_is_refused(size: int) -> None:
    data = zip_of({"a": b"b" * 100})
    raw = size.to_bytes(4, "little")
    assert "two ways that differ" in refused(_patched(data, b"PK\x01\x02", 24, raw))
    both = _patched(_patched(data, b"PK\x01\x02", 24, raw), b"PK\x03\x04", 22, raw)
    assert "damaged" in refused(both)


def test_a_zip_that_declares_terabytes_is_refused_unread() -> None:
    raw = (0xFFFFFFFE).to_bytes(4, "little")
    data = zip_of({"a": b"b"})
    both = _patched(_patched(data, b"PK\x01\x02", 24, raw), b"PK\x03\x04", 22, raw)
    assert "larger than 16 MiB" in refused(both)


def test_a_zip_with_another_name_inside_is_refused() -> None:
    data = zip_of({"AAAA": b"b"})
    assert "two ways that differ" in refused(data.replace(b"AAAA", b"BBBB", 1))


def test_a_zip_whose_members_overlap_is_refused() -> None:
    """The overlapping-files bomb (Fifield 2019) hands out one member's bytes many times."""
    data = zip_of({"a": b"1", "b": b"2"})
    second = data.rindex(b"PK\x01\x02")
    overlapping = data[: second + 42] + bytes(4) + data[second + 46 :]
    assert "overlaps another member" in refused(overlapping)


def test_a_zip_with_a_wrong_checksum_is_refused() -> None:
    data = zip_of({"a": b"AAAA"}, method=zipfile.ZIP_STORED)
    assert "checksum of 'a' is wrong" in refused(data.replace(b"AAAA", b"AAAB"))


def test_a_zip_behind_something_else_is_refused() -> None:
    assert "expected a folder, .zip" in refused(b"#!/bin/sh\n" + zip_of({"a": b"b"}))
    assert "not where it says" in refused(b"PK\x03\x04" + zip_of({"a": b"b"}))


@pytest.mark.parametrize("cut", [1, 10, 60, 200])
def test_an_archive_cut_short_is_refused(cut: int) -> None:
    assert "damaged" in refused(zip_of(FILES)[:-cut])
    for compression in ("gz", "bz2", "xz"):
        assert "cut short" in refused(tar_of(FILES, compression=compression)[:-cut])


def test_a_tar_without_its_end_mark_is_refused() -> None:
    plain = tar_of({"a": b"b"})
    assert "no end mark" in refused(plain[:1024])


@pytest.mark.parametrize(
    "size", [b"77777777777\0", b"\x80" + b"\0" * 3 + b"\x10" + b"\0" * 7, b"\x80" + b"\xff" * 11]
)
def test_a_tar_that_declares_a_huge_size_is_refused_unread(size: bytes) -> None:
    data = tar_of({"a": b"b"}, kind="ustar")
    assert "larger than 16 MiB" in refused(with_checksum(data[:124] + size + data[136:]))


@pytest.mark.parametrize(
    "size", [b"\xff" * 12, b"-0000000001\0", b"12345678912\0", b"0x10\0" + bytes(7)]
)
def test_a_tar_with_a_size_that_is_no_number_is_refused(size: bytes) -> None:
    data = tar_of({"a": b"b"}, kind="ustar")
    assert "is no number" in refused(with_checksum(data[:124] + size + data[136:]))


def test_a_tar_that_declares_more_than_follows_is_refused() -> None:
    data = tar_of({"a": b"b"}, kind="ustar")
    lying = with_checksum(data[:124] + b"00000100000\0" + data[136:])
    assert "declares more bytes than follow" in refused(lying)


def test_a_tar_with_a_wrong_checksum_is_refused() -> None:
    data = tar_of({"a": b"b"}) + tar_of({"c": b"d"})
    middle = 1024 + 148  # the header after the first member's data
    broken = data[:middle] + b"000000\0 " + data[middle + 8 :]
    assert read_archive(data, where="a") == {"a": b"b"}
    with pytest.raises(Invalid):
        read_archive(broken[:1024] + broken[10240 : 10240 + 148] + b"0" * 364, where="a")


@pytest.mark.parametrize("record", [b"99 path=x\n", b"x path=x\n", b"9 pathxx\n", b"10 path=xx"])
def test_a_garbled_pax_header_is_refused(record: bytes) -> None:
    assert "extended header is garbled" in refused(_pax(record))


@pytest.mark.parametrize("size", [b"-1", b"1e9", b"9" * 5000])
def test_a_pax_size_that_is_no_number_is_refused(size: bytes) -> None:
    body = b" size=" + size + b"\n"
    length = len(body) + len(str(len(body) + 4))
    record = str(length).encode() + body
    assert "damaged" in refused(_pax(record))


def test_a_pax_header_for_all_members_may_only_comment() -> None:
    assert "sets more than a comment" in refused(_pax(b"9 path=x\n", kind=b"g"))
    assert read_archive(_pax(b"13 comment=x\n", kind=b"g"), where="a") == {"a": b""}


def test_headers_without_members_do_not_go_on_for_ever() -> None:
    header = _pax(b"9 path=x\n")[:1024]
    limits = Limits(members=10)
    assert "more than 10 members" in refused(header * 31 + bytes(1024), limits)


def test_a_header_whose_member_does_not_follow_is_refused() -> None:
    assert "does not follow" in refused(_pax(b"9 path=x\n")[:1024] + bytes(1024))


def _pax(record: bytes, *, kind: bytes = b"x") -> bytes:
    member = tarfile.TarInfo("header")
    member.size, member.type = len(record), kind
    header = member.tobuf(tarfile.USTAR_FORMAT)
    return header + record + bytes(-len(record) % 512) + tar_of({"a": b""}, kind="ustar")


def test_thousands_of_tiny_streams_are_refused() -> None:
    assert "more than 64 MiB" in refused(gzip_of(b"") * 1100 + gzip_of(tar_of(FILES)))
