r"""What a text may hold in another form: escapes, hexadecimal, base64, compressed data.  Pure.

A description that quotes an input rarely does so byte for byte.  Here a text is read in every way
in which inputs are commonly written down, one inside of the other to a small depth, and each
reading is a text of its own to be looked through.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import html
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

#: Readings inside of readings: base64 of compressed data in a literal is three.
DEPTH: Final = 3
#: No text that is given is larger; beyond this much, readings are not read once more.
_MOST_BYTES: Final = 1 << 20
_MOST_READINGS: Final = 400
_UNPACKED_BYTES: Final = 4 << 20

_ESCAPE: Final = re.compile(
    rb"\\(?:x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})"
    rb"|([0-7]{1,3})|(\r?\n)|(.))"
)
_LETTERS: Final = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f", b"v": b"\v",
                   b"a": b"\a", b"e": b"\x1b"}  # fmt: skip
_SEAM: Final = re.compile(rb"""["'`][ \t]*\\?[+.&]?\s*(?:[bBrRuUfF]{0,2})["'`]""")
_PAIRS: Final = re.compile(rb"(?:(?:0[xX]|\\x)?[0-9a-fA-F]{2}[\s,:;-]{0,3}){4,}")
_PAIR: Final = re.compile(rb"(?:0[xX]|\\x)?([0-9a-fA-F]{2})")
_DIGITS: Final = re.compile(rb"[0-9a-fA-F]{9,}")
_NUMBERS: Final = re.compile(rb"(?:\d{1,3}[\s,;]{1,3}){3,}\d{1,3}")
_RUN: Final = re.compile(rb"[A-Za-z0-9+/_-]{6,}")
_BROKEN_RUN: Final = re.compile(rb"(?:[A-Za-z0-9+/_-]{4,}[\s]+)+[A-Za-z0-9+/_-]+")
_PACKED: Final = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08|BZh[1-9]|\xfd7zXZ\0")


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it can be read: ``how``, outermost way first, and the bytes that come of it."""

    how: tuple[str, ...]
    data: bytes


def readings(data: bytes, *, depth: int = DEPTH) -> Iterator[Reading]:
    """Every reading of a text, the text itself first; none of the same bytes twice."""
    first = Reading((), data[:_MOST_BYTES])
    seen = {first.data}
    layer = [first]
    yield first
    for _ in range(depth):
        following: list[Reading] = []
        for outer in layer:
            for name, way in _WAYS.items():
                for found in way(outer.data):
                    inner = found[:_MOST_BYTES]
                    if not inner or inner in seen or len(seen) >= _MOST_READINGS:
                        continue
                    seen.add(inner)
                    following.append(Reading((*outer.how, name), inner))
        yield from following
        layer = following


def unpacked(data: bytes) -> Iterator[bytes]:
    """What compressed streams in ``data`` hold, wherever in it they begin."""
    for match in _PACKED.finditer(data):
        held = data[match.start() :]
        ways: dict[bytes, Callable[[bytes], bytes]] = {
            b"B": lambda raw: bz2.BZ2Decompressor().decompress(raw, _UNPACKED_BYTES),
            b"\xfd": lambda raw: lzma.LZMADecompressor().decompress(raw, _UNPACKED_BYTES),
        }
        found = _tried(ways.get(match[0][:1], _inflated), held)
        if found:
            yield found
    found = _tried(lambda raw: zlib.decompressobj(-15).decompress(raw, _UNPACKED_BYTES), data)
    if found:
        yield found


def _inflated(raw: bytes) -> bytes:
    return zlib.decompressobj(47).decompress(raw, _UNPACKED_BYTES)  # zlib or gzip, as it says


def _tried(way: Callable[[bytes], bytes], raw: bytes) -> bytes:
    try:
        return way(raw)
    except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError):
        return b""


def _unescaped(data: bytes) -> Iterator[bytes]:
    """Escapes of Python, JavaScript and C; those of Unicode as UTF-8 and as single bytes."""
    if b"\\" in data:
        for encoding in ("utf-8", "latin-1"):
            yield _ESCAPE.sub(lambda match: _character(match, encoding), data)  # noqa: B023


def _character(match: re.Match[bytes], encoding: str) -> bytes:
    byte, braced, four, eight, octal, line, letter = match.groups()
    if byte:
        return bytes([int(byte, 16)])
    if octal:
        return bytes([int(octal, 8) & 0xFF])
    if line:
        return b""
    if letter:
        return _LETTERS.get(letter, letter)
    code = int(braced or four or eight, 16)
    if code > 0x10FFFF:
        return b""
    if code > 0xFF or encoding == "utf-8":
        return chr(code).encode("utf-8", "surrogatepass")
    return bytes([code])


def _joined(data: bytes) -> Iterator[bytes]:
    """Literals that are put together from pieces."""
    yield _SEAM.sub(b"", data)


def _from_hexadecimal(data: bytes) -> Iterator[bytes]:
    found = [bytes.fromhex(b"".join(_PAIR.findall(run)).decode()) for run in _PAIRS.findall(data)]
    yield b"\n".join(found)
    odd = [run[1:] for run in _DIGITS.findall(data)]
    yield b"\n".join(bytes.fromhex(run[: len(run) & ~1].decode()) for run in odd)


def _from_numbers(data: bytes) -> Iterator[bytes]:
    runs = [[int(number) for number in re.findall(rb"\d+", run)] for run in _NUMBERS.findall(data)]
    yield b"\n".join(bytes(run) for run in runs if max(run) <= 0xFF)


def _from_base64(data: bytes) -> Iterator[bytes]:
    """Runs of base64's letters, also over several lines, from each of the first four letters."""
    runs = [*_RUN.findall(data), *(re.sub(rb"\s", b"", r) for r in _BROKEN_RUN.findall(data))]
    plain = [run.translate(bytes.maketrans(b"-_", b"+/")) for run in runs]
    for start in range(4):
        found = []
        for run in plain:
            cut = run[start:]
            cut = cut[: len(cut) - (len(cut) % 4 == 1)]
            padded = cut + b"=" * (-len(cut) % 4)
            try:
                found.append(base64.b64decode(padded))
            except binascii.Error:
                continue
        yield b"\n".join(found)


def _from_percent(data: bytes) -> Iterator[bytes]:
    if b"%" in data:
        yield unquote_to_bytes(data)
        yield unquote_to_bytes(data.replace(b"+", b" "))


def _from_entities(data: bytes) -> Iterator[bytes]:
    if b"&" in data:
        yield html.unescape(data.decode("utf-8", "replace")).encode("utf-8", "replace")


def _narrow(data: bytes) -> Iterator[bytes]:
    """UTF-16 and UTF-32 of plain letters."""
    if b"\0" in data:
        yield data.replace(b"\0", b"")


_WAYS: Final[dict[str, Callable[[bytes], Iterator[bytes]]]] = {
    "escapes": _unescaped,
    "joined literals": _joined,
    "hexadecimal": _from_hexadecimal,
    "base64": _from_base64,
    "list of numbers": _from_numbers,
    "percent escapes": _from_percent,
    "entities": _from_entities,
    "compressed": unpacked,
    "wide characters": _narrow,
}
