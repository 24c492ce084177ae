"""Read a hostile tar archive, plain or compressed, into memory.

A strict reader of ustar (POSIX.1-1988), pax (POSIX.1-2001) and GNU long names, over bytes that
were unpacked within a limit first, so that no header decides how much is read. The standard
library's reader is not used: it has looped for ever on crafted headers (CVE-2019-20907,
CVE-2025-8194), and a user's Python may be older than the correction. See
docs/decisions/0002-own-archive-readers.md.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Final, Protocol

from clearhouse.errors import Invalid
from clearhouse.proof.members import MIB, Collector, decoded, shown, size_text

_BLOCK: Final = 512
_ZEROS: Final = bytes(_BLOCK)
_CHUNK: Final = 64 << 10
#: Concatenated compressed streams in one file; block compressors write one for each 64 KiB.
_STREAMS: Final = 1024
#: ``xz -9`` needs 65 MiB to unpack.
_XZ_MEMORY: Final = 128 * MIB
#: An extended header names one file; a longer one than this serves nothing.
_HEADER_BYTES: Final = 64 << 10

_REFUSED_KINDS: Final = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a pipe",
    b"S": "a sparse file",
}


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


_COMPRESSIONS: Final[tuple[tuple[bytes, str, Callable[[], _Decoder]], ...]] = (
    (b"\x1f\x8b", "gzip", lambda: zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)),
    (b"BZh", "bzip2", bz2.BZ2Decompressor),
    (
        b"\xfd7zXZ\x00",
        "xz",
        lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY),
    ),
)


def looks_like_tar(data: bytes) -> bool:
    """Whether ``data`` starts as a tar archive, or as something compressed that may be one."""
    # An archive without members is its end mark alone.
    start = data[:_BLOCK]
    compressed = data.startswith(tuple(magic for magic, _, _ in _COMPRESSIONS))
    return compressed or start == _ZEROS or _is_header(start)


def read_tar(data: bytes, collector: Collector) -> None:
    """Hand every file of the archive to ``collector``; raises Invalid for anything irregular."""
    for magic, name, decoder in _COMPRESSIONS:
        if data.startswith(magic):
            data = _decompressed(data, name, decoder, collector)
            break
    _Reader(data, collector).run()


def _decompressed(
    data: bytes, kind: str, decoder_of: Callable[[], _Decoder], collector: Collector
) -> bytes:
    limits = collector.limits
    # Beside its content, a member takes up to two headers with a body each, and padding.
    cap = limits.total_bytes + limits.members * 6 * _BLOCK
    out = bytearray()
    decoder = decoder_of()
    streams = 1
    position = 0
    rest = b""
    try:
        while True:
            if not rest:
                rest = data[position : position + _CHUNK]
                position += _CHUNK
            if decoder.eof:
                # Writers pad to whole blocks with zeros; another stream may follow.
                rest = rest.lstrip(b"\0") if not rest.strip(b"\0") else rest
                if not rest and position >= len(data):
                    return bytes(out)
                if rest:
                    streams += 1
                    decoder = decoder_of()
            if not rest:
                if position >= len(data):
                    raise Invalid(
                        f"the {kind} stream is damaged: it is cut short", where=collector.where
                    )
                continue
            out += decoder.decompress(rest, cap - len(out) + 1)
            rest = decoder.unused_data if decoder.eof else b""
            if len(out) > cap or streams > _STREAMS:
                raise Invalid(
                    f"more than {size_text(limits.total_bytes)} when unpacked,"
                    " the most that a bundle may have",
                    where=collector.where,
                )
    except (zlib.error, lzma.LZMAError, OSError, EOFError, MemoryError):
        raise Invalid(
            f"the {kind} stream is damaged: it cannot be unpacked", where=collector.where
        ) from None


def _is_header(block: bytes) -> bool:
    """Whether the block's checksum is right, which it is for headers only."""
    if len(block) < _BLOCK or block == _ZEROS:
        return False
    text = block[148:156].strip(b" \0")
    if not text or not all(character in b"01234567" for character in text):
        return False
    # The checksum counts its own field as spaces; some writers summed signed characters.
    body = block[:148] + b" " * 8 + block[156:]
    unsigned = sum(body)
    return int(text, 8) in {unsigned, unsigned - 256 * sum(byte > 127 for byte in body)}


class _Reader:
    def __init__(self, data: bytes, collector: Collector) -> None:
        self._data = data
        self._collector = collector
        self._where = collector.where
        self._at = 0

    def run(self) -> None:
        """Read to the end mark: a block of zeros."""
        path: bytes | None = None
        size: int | None = None
        headers = 0
        while True:
            block = self._data[self._at : self._at + _BLOCK]
            if block == _ZEROS:
                break
            if len(block) < _BLOCK:
                raise self._damaged("it has no end mark, perhaps cut short")
            if not _is_header(block):
                raise self._damaged("a header's checksum is wrong")
            self._at += _BLOCK
            headers += 1
            # Headers that name nothing cost time too.
            if headers > 3 * self._collector.limits.members:
                raise Invalid(
                    f"more than {self._collector.limits.members} members;"
                    " a bundle may hold that many",
                    where=self._where,
                )
            kind = block[156:157]
            if kind in {b"x", b"g"}:
                records = self._records(self._header_body(block))
                if kind == b"g" and not records.keys() <= {b"comment"}:
                    raise self._damaged("a header for all members sets more than a comment")
                if kind == b"x":
                    path = records.get(b"path", path)
                    size = self._pax_size(records)
                continue
            if kind == b"L":
                path = self._header_body(block).rstrip(b"\0")
                continue
            if kind == b"K":
                # The long target of a link: the link that follows is refused.
                self._header_body(block)
                continue
            self._member(block, path, size)
            path = size = None
        if path is not None or size is not None:
            raise self._damaged("a header names a member that does not follow")

    def _member(self, block: bytes, path: bytes | None, size: int | None) -> None:
        kind = block[156:157]
        raw_name = self._own_name(block) if path is None else path
        name = decoded(raw_name, self._where)
        clean = self._collector.admit(name)
        if kind in _REFUSED_KINDS:
            raise Invalid(
                f"{shown(name)} is {_REFUSED_KINDS[kind]}; a bundle holds files and folders only",
                where=self._where,
            )
        if kind not in {b"0", b"\0", b"7", b"5"}:
            raise Invalid(
                f"{shown(name)} is of kind {kind!r}; a bundle holds files and folders only",
                where=self._where,
            )
        length = self._number(block[124:136], "size") if size is None else size
        # Before POSIX.1-1988 a folder was a file whose name ends in a slash.
        if kind == b"5" or (kind == b"\0" and name.endswith("/")):
            if length:
                raise self._damaged(f"the folder {shown(name)} has content")
            self._collector.add_folder(clean)
            return
        if not clean or name.endswith("/"):
            raise self._damaged(f"the file {shown(name)} has a folder's name")
        self._collector.room(name, length)
        self._collector.add_file(clean, self._body(length, name))

    def _own_name(self, block: bytes) -> bytes:
        name = block[:100].partition(b"\0")[0]
        # Only POSIX ustar has a prefix there; GNU ("ustar  ") keeps times in its place.
        if block[257:263] == b"ustar\0":
            prefix = block[345:500].partition(b"\0")[0]
            return prefix + b"/" + name if prefix else name
        return name

    def _body(self, length: int, name: str) -> bytes:
        end = self._at + length
        if end > len(self._data):
            raise self._damaged(f"{shown(name)} declares more bytes than follow")
        body = self._data[self._at : end]
        self._at = end + -length % _BLOCK
        return body

    def _header_body(self, block: bytes) -> bytes:
        length = self._number(block[124:136], "size")
        if length > _HEADER_BYTES:
            raise self._damaged(f"a header of {length} bytes; at most {_HEADER_BYTES} make sense")
        return self._body(length, "a header")

    def _number(self, raw_field: bytes, what: str) -> int:
        """Read an octal field, or GNU's binary form with the top bit set."""
        if raw_field[0] == 0x80:
            return int.from_bytes(raw_field[1:], "big")
        text = raw_field.strip(b" \0")
        if not all(character in b"01234567" for character in text):
            raise self._damaged(f"a header's {what} is no number")
        return int(text, 8) if text else 0

    def _records(self, body: bytes) -> dict[bytes, bytes]:
        """Read the ``<length> <key>=<value>`` lines of a pax header."""
        records = {}
        at = 0
        while at < len(body):
            digits, space, _ = body[at : at + 12].partition(b" ")
            if not space or not digits.isdigit():
                raise self._damaged("an extended header is garbled")
            end = at + int(digits)
            line = body[at + len(digits) + 1 : end]
            key, equals, value = line.partition(b"=")
            if end > len(body) or not line.endswith(b"\n") or not equals:
                raise self._damaged("an extended header is garbled")
            if key.startswith(b"GNU.sparse."):
                raise Invalid(
                    "a sparse file; a bundle holds files and folders only", where=self._where
                )
            records[key] = value[:-1]
            at = end
        return records

    def _pax_size(self, records: dict[bytes, bytes]) -> int | None:
        text = records.get(b"size")
        if text is None:
            return None
        # Twelve digits are more than any limit; int() refuses very long numbers by an error.
        if not text.isdigit() or len(text) > 12:
            raise self._damaged("an extended header's size is no number")
        return int(text)

    def _damaged(self, how: str) -> Invalid:
        return Invalid(f"the tar archive is damaged: {how}", where=self._where)
