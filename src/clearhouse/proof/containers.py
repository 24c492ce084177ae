"""Inputs taken apart and put together again, so that what is inside can be changed.  Pure.

A mutated byte inside a zip, a gzip stream or a base64 text mostly breaks the container and tells
nothing of the target. Each reader here gives the changeable parts of an input and a function that
builds the input from changed parts, with lengths and checksums made right; it gives nothing for
what it does not fully understand.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

#: An input's content may be this large; a bomb is left as it is.
INSIDE_BYTES: Final = 1 << 20
#: The kind of the view that takes nothing apart.
WHOLE: Final = "input"
_MEMBERS: Final = 64

# PKWARE APPNOTE 6.3.10: 4.3.7 local file header, 4.3.12 central directory, 4.3.16 its end.
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_BASE64: Final = re.compile(rb"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/\r\n]{8,}={0,2}(?![A-Za-z0-9+/=])")
_JSON_STRING: Final = re.compile(r'"(?:\\.|[^"\\])*"')
_JSON_LEAVES: Final = 200


@dataclass(frozen=True, slots=True)
class View:
    """The parts of one input, and how to build the input from parts that were changed.

    ``group`` parts at a time belong together and can be left out together; 0: none can.
    """

    kind: str
    parts: tuple[bytes, ...]
    build: Callable[[Sequence[bytes]], bytes]
    group: int = 0


def views(data: bytes) -> Iterator[View]:
    """Every way in which ``data`` can be taken apart, itself whole first."""
    yield View(WHOLE, (data,), lambda parts: parts[0])
    for reader in (_zip, _gzip, _base64, _der, _json):
        view = reader(data)
        if view is not None:
            yield view


# -- zip ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Member:
    name: bytes
    content: bytes
    attributes: int


def _zip(data: bytes) -> View | None:
    if not data.startswith(b"PK\x03\x04"):
        return None
    try:
        members = _members(data)
    except (struct.error, zlib.error, IndexError):
        return None
    if not members:
        return None

    def build(parts: Sequence[bytes]) -> bytes:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        return _zip_of(
            [
                _Member(name, content, members[min(i, len(members) - 1)].attributes)
                for i, (name, content) in enumerate(pairs)
            ]
        )

    return View("zip member", tuple(x for m in members for x in (m.name, m.content)), build, 2)


def _members(data: bytes) -> list[_Member]:
    at = data.rfind(b"PK\x05\x06")
    if at < 0:
        return []
    _, _, _, _, count, _, offset, _ = _END.unpack_from(data, at)
    if not 0 < count <= _MEMBERS:
        return []
    found, total = [], 0
    for _ in range(count):
        (magic, _, _, _, method, _, _, _, packed, size, name_size, extra, comment, _, _, mode,
         local) = _CENTRAL.unpack_from(data, offset)  # fmt: skip
        total += size
        if magic != b"PK\x01\x02" or total > INSIDE_BYTES or method not in (0, 8):
            return []
        name = data[offset + _CENTRAL.size : offset + _CENTRAL.size + name_size]
        offset += _CENTRAL.size + name_size + extra + comment
        header = _LOCAL.unpack_from(data, local)
        start = local + _LOCAL.size + header[9] + header[10]
        raw = data[start : start + packed]
        content = raw if method == 0 else zlib.decompressobj(-15).decompress(raw, size + 1)
        found.append(_Member(name, content, mode))
    return found


def _zip_of(members: Sequence[_Member]) -> bytes:
    out, directory = bytearray(), bytearray()
    for one in members:
        name = one.name[:65535]
        common = (0, 0, 0, 0x21, zlib.crc32(one.content), len(one.content), len(one.content),
                  len(name), 0)  # fmt: skip
        directory += _CENTRAL.pack(
            b"PK\x01\x02", 3 << 8 | 20, 20, *common, 0, 0, 0, one.attributes, len(out)
        )
        directory += name
        out += _LOCAL.pack(b"PK\x03\x04", 20, *common) + name + one.content
    end = _END.pack(b"PK\x05\x06", 0, 0, len(members), len(members), len(directory), len(out), 0)
    return bytes(out + directory + end)


# -- gzip --------------------------------------------------------------------------------------


def _gzip(data: bytes) -> View | None:
    if not data.startswith(b"\x1f\x8b"):
        return None
    reader = zlib.decompressobj(31)
    try:
        content = reader.decompress(data, INSIDE_BYTES + 1)
    except zlib.error:
        return None
    if not reader.eof or len(content) > INSIDE_BYTES:
        return None
    rest = reader.unused_data

    def build(parts: Sequence[bytes]) -> bytes:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        return packer.compress(parts[0]) + packer.flush() + rest

    return View("gzip content", (content,), build)


# -- base64 and PEM ----------------------------------------------------------------------------


def _base64(data: bytes) -> View | None:
    if len(data) > INSIDE_BYTES:
        return None
    found: list[tuple[int, int, bytes]] = []
    for match in _BASE64.finditer(data):
        text = re.sub(rb"\s", b"", match[0])
        if len(text) % 4:
            continue
        try:
            found.append((match.start(), match.end(), base64.b64decode(text, validate=True)))
        except binascii.Error:
            continue
    if not found:
        return None

    def build(parts: Sequence[bytes]) -> bytes:
        out, at = bytearray(), 0
        for (start, end, _), part in zip(found, parts, strict=True):
            old = data[start:end]
            text = base64.b64encode(part)
            if b"\n" in old.strip():
                text = b"\n".join(text[i : i + 64] for i in range(0, len(text), 64))
            lead = old[: len(old) - len(old.lstrip())]
            trail = old[len(old.rstrip()) :]
            out += data[at:start] + lead + text + trail
            at = end
        return bytes(out + data[at:])

    return View("base64 content", tuple(part for _, _, part in found), build)


# -- DER ---------------------------------------------------------------------------------------


def _der(data: bytes) -> View | None:
    """One definite-length DER value (X.690, 8.1 and 10.1): its innermost contents."""
    tree = _values(data, 0)
    if tree is None or not tree or len(data) > INSIDE_BYTES:
        return None
    leaves: list[bytes] = []
    _collect(tree, leaves)
    if not leaves or (len(leaves) == 1 and leaves[0] == data):
        return None

    def build(parts: Sequence[bytes]) -> bytes:
        left = iter(parts)
        return _encoded(tree, left)

    return View("DER value", tuple(leaves), build)


_Value = tuple[int, "bytes | list[_Value]"]


def _values(data: bytes, depth: int) -> list[_Value] | None:
    found: list[_Value] = []
    at = 0
    while at < len(data):
        if at + 2 > len(data) or data[at] & 0x1F == 0x1F or depth > 16:
            return None
        tag, size = data[at], data[at + 1]
        at += 2
        if size == 0x80:
            return None
        if size > 0x80:
            width = size & 0x7F
            if width > 3 or at + width > len(data):
                return None
            size = int.from_bytes(data[at : at + width], "big")
            at += width
        if at + size > len(data):
            return None
        content = data[at : at + size]
        inner = _values(content, depth + 1) if tag & 0x20 else None
        found.append((tag, content if inner is None else inner))
        at += size
    return found


def _collect(values: list[_Value], leaves: list[bytes]) -> None:
    for _, inside in values:
        if isinstance(inside, bytes):
            leaves.append(inside)
        else:
            _collect(inside, leaves)


def _encoded(values: list[_Value], leaves: Iterator[bytes]) -> bytes:
    out = bytearray()
    for tag, inside in values:
        content = next(leaves) if isinstance(inside, bytes) else _encoded(inside, leaves)
        size = len(content)
        if size < 0x80:
            length = bytes([size])
        else:
            raw = size.to_bytes((size.bit_length() + 7) // 8, "big")
            length = bytes([0x80 | len(raw)]) + raw
        out += bytes([tag]) + length + content
    return bytes(out)


# -- JSON --------------------------------------------------------------------------------------


def _json(data: bytes) -> View | None:
    """The strings of a JSON text (RFC 8259), names of members included; layout stays."""
    if data.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        text = data.decode()
        json.loads(text)
        found = [(m.span(), json.loads(m[0])) for m in _JSON_STRING.finditer(text)]
    except (ValueError, RecursionError):
        return None
    if not 0 < len(found) <= _JSON_LEAVES:
        return None

    def build(parts: Sequence[bytes]) -> bytes:
        out, at = [], 0
        for ((start, end), _), part in zip(found, parts, strict=True):
            out += [text[at:start], json.dumps(part.decode("utf-8", "replace"))]
            at = end
        return "".join((*out, text[at:])).encode()

    return View("JSON string", tuple(s.encode("utf-8", "replace") for _, s in found), build)
