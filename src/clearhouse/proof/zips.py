"""Read a hostile zip archive into memory, and write a plain one.

A strict reader of the part of the format that bundles need (PKWARE APPNOTE 6.3.10: stored and
deflated members, no encryption, no ZIP64, one disk). Lenient readers disagree about archives whose
two directories differ, and their cost grows with what headers claim; this one refuses whatever
does not agree with itself, and reads nothing beyond the limits. See
docs/decisions/0002-own-archive-readers.md.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.proof.members import Collector, decoded, shown

# APPNOTE 4.3.7 local file header, 4.3.12 central directory header, 4.3.16 end of central directory.
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_LOCAL_MAGIC: Final = b"PK\x03\x04"
_CENTRAL_MAGIC: Final = b"PK\x01\x02"
_END_MAGIC: Final = b"PK\x05\x06"

_STORED: Final = 0
_DEFLATED: Final = 8
_ZIP64_MARK: Final = 0xFFFFFFFF
# APPNOTE 4.4.4: bit 0 encrypted, bit 3 sizes follow the data, bit 6 strong encryption,
# bit 13 directory encrypted.
_ENCRYPTED: Final = 1 << 0 | 1 << 6 | 1 << 13
_SIZES_FOLLOW: Final = 1 << 3
_UTF8: Final = 1 << 11


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the central directory."""

    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    mode: int
    offset: int


def looks_like_zip(data: bytes) -> bool:
    """Whether ``data`` starts as a zip archive does."""
    return data.startswith((_LOCAL_MAGIC, _END_MAGIC))


def read_zip(data: bytes, collector: Collector) -> None:
    """Hand every file of the archive to ``collector``; raises Invalid for anything irregular."""
    reader = _Reader(data, collector)
    entries = reader.directory()
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.offset):
        end = reader.member(entry, not_before=end)


class _Reader:
    def __init__(self, data: bytes, collector: Collector) -> None:
        self._data = data
        self._collector = collector
        self._where = collector.where
        self._directory_at = 0

    def directory(self) -> list[_Entry]:
        """Return the central directory's entries, as many as the limits allow."""
        count, size, offset = self._end()
        if count > self._collector.limits.members:
            raise Invalid(
                f"{count} members; a bundle may hold {self._collector.limits.members}",
                where=self._where,
            )
        self._directory_at = offset
        entries = []
        at, stop = offset, offset + size
        for _ in range(count):
            if at + _CENTRAL.size > stop:
                raise self._damaged("its directory is cut short")
            (
                magic, _, _, flags, method, _, _, crc, packed, unpacked,
                name_length, extra_length, comment_length, disk, _, attributes, local,
            ) = _CENTRAL.unpack_from(self._data, at)  # fmt: skip
            at += _CENTRAL.size
            if magic != _CENTRAL_MAGIC or disk != 0:
                raise self._damaged("its directory is garbled")
            raw_name = self._data[at : at + name_length]
            at += name_length + extra_length + comment_length
            entries.append(
                _Entry(raw_name, flags, method, crc, packed, unpacked, attributes >> 16, local)
            )
        if at != stop:
            raise self._damaged("its directory does not end where it says")
        return entries

    def _end(self) -> tuple[int, int, int]:
        """Find the end record; return number of entries, size and offset of the directory."""
        # A comment of at most 65,535 bytes may follow the record.
        first_possible = max(0, len(self._data) - _END.size - 0xFFFF)
        at = self._data.rfind(_END_MAGIC, first_possible)
        while at >= 0:
            if at + _END.size <= len(self._data):
                _, disk, first, here, count, size, offset, comment = _END.unpack_from(
                    self._data, at
                )
                if at + _END.size + comment == len(self._data):
                    if _ZIP64_MARK in (size, offset) or count == 0xFFFF:
                        raise Invalid(
                            "a ZIP64 archive; expected a plain zip, which holds all that a bundle"
                            " may",
                            where=self._where,
                        )
                    if disk or first or here != count or offset + size != at:
                        raise self._damaged("its directory is not where it says")
                    return count, size, offset
            at = self._data.rfind(_END_MAGIC, first_possible, at)
        raise self._damaged("it has no directory at its end, perhaps cut short")

    def member(self, entry: _Entry, *, not_before: int) -> int:
        """Read one member and return where it ends in the archive."""
        name = decoded(entry.raw_name, self._where)
        clean = self._collector.admit(name)
        if entry.flags & _ENCRYPTED:
            raise Invalid(
                f"{shown(name)} is encrypted; expected an archive without a password",
                where=self._where,
            )
        kind = stat.S_IFMT(entry.mode)
        is_folder = name.endswith("/")
        if kind not in {0, stat.S_IFDIR if is_folder else stat.S_IFREG}:
            what = "a symbolic link" if kind == stat.S_IFLNK else "a special file"
            raise Invalid(
                f"{shown(name)} is {what}; a bundle holds files and folders only",
                where=self._where,
            )
        start, end = self._span(entry, name, not_before=not_before)
        if is_folder:
            if entry.size:
                raise self._damaged(f"the folder {shown(name)} has content")
            self._collector.add_folder(clean)
        else:
            self._collector.add_file(clean, self._content(entry, name, start, end))
        return end

    def _span(self, entry: _Entry, name: str, *, not_before: int) -> tuple[int, int]:
        """Check the member's own header against the directory; return where its data lies."""
        at = entry.offset
        if at < not_before:
            raise self._damaged(f"{shown(name)} overlaps another member")
        if at + _LOCAL.size > self._directory_at:
            raise self._damaged(f"{shown(name)} lies outside it")
        magic, _, flags, method, _, _, _, packed, size, name_length, extra_length = (
            _LOCAL.unpack_from(self._data, at)
        )
        start = at + _LOCAL.size + name_length + extra_length
        end = start + entry.packed
        if magic != _LOCAL_MAGIC or end > self._directory_at:
            raise self._damaged(f"{shown(name)} lies outside it")
        own_name = self._data[at + _LOCAL.size : at + _LOCAL.size + name_length]
        agreed = (
            own_name == entry.raw_name
            and method == entry.method
            and not (flags ^ entry.flags) & (_ENCRYPTED | _SIZES_FOLLOW | _UTF8)
        )
        # A streaming writer leaves the sizes to a record after the data, or marks them as ZIP64.
        streamed = bool(flags & _SIZES_FOLLOW)
        sizes_agree = packed in {entry.packed, _ZIP64_MARK} and size in {entry.size, _ZIP64_MARK}
        if not agreed or not (streamed or sizes_agree):
            raise self._damaged(f"{shown(name)} is described in two ways that differ")
        return start, end

    def _content(self, entry: _Entry, name: str, start: int, end: int) -> bytes:
        room = self._collector.room(name, entry.size)
        packed = memoryview(self._data)[start:end]
        if entry.method == _STORED:
            content = bytes(packed[: room + 1])
        elif entry.method == _DEFLATED:
            decoder = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
            try:
                # One byte more than declared tells a lying size without unpacking the rest.
                content = decoder.decompress(packed, min(room, entry.size) + 1)
            except zlib.error:
                raise self._damaged(f"the content of {shown(name)} cannot be unpacked") from None
            if len(content) <= entry.size and (not decoder.eof or decoder.unused_data):
                raise self._damaged(f"the content of {shown(name)} does not end where it says")
        else:
            raise Invalid(
                f"{shown(name)} is compressed by method {entry.method}; expected deflate or none",
                where=self._where,
            )
        if len(content) != entry.size:
            raise self._damaged(f"{shown(name)} is not as large as it says")
        if zlib.crc32(content) != entry.crc:
            raise self._damaged(f"the checksum of {shown(name)} is wrong")
        return content

    def _damaged(self, how: str) -> Invalid:
        return Invalid(f"the zip archive is damaged: {how}", where=self._where)


# 1980-01-01 00:00, the earliest time a zip can say (APPNOTE 4.4.6): packing has no clock.
_EARLIEST: Final = (0, 1 << 5 | 1)


def write_zip(files: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of ``files``, the same bytes for the same files on every machine.

    Members are sorted by name, stored without compression (compressors differ between
    machines), dated 1980-01-01 and readable by all. Names must be clean (``checked_name``).
    """
    members, directory = [], []
    offset = 0
    for name in sorted(files, key=lambda name: name.encode()):
        data, raw_name = files[name], name.encode()
        crc = zlib.crc32(data)
        common = (_UTF8, _STORED, *_EARLIEST, crc, len(data), len(data), len(raw_name), 0)
        members.append(_LOCAL.pack(_LOCAL_MAGIC, 20, *common) + raw_name + data)
        made_by_unix = 3 << 8 | 20
        attributes = (stat.S_IFREG | 0o644) << 16
        directory.append(
            _CENTRAL.pack(_CENTRAL_MAGIC, made_by_unix, 20, *common, 0, 0, 0, attributes, offset)
            + raw_name
        )
        offset += len(members[-1])
    central = b"".join(directory)
    end = _END.pack(_END_MAGIC, 0, 0, len(files), len(files), len(central), offset, 0)
    return b"".join((*members, central, end))
