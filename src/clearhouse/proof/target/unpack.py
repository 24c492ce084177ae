"""Unpack an archive that somebody hostile may have made.

Only regular files are ever created, each below the destination, so no link can lead a later
member outside. Names that point elsewhere refuse the whole archive; links and devices are left
out with a note; size and number are limited while reading, whatever the headers claim.

The standard library's extraction filters are not used: they would allow links inside the
archive, and early Python 3.11 has none.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, cast

from clearhouse.proof.target.model import Reason, TargetUnavailable

CHUNK = 1 << 20
HEADER_LIMIT = 8 << 20
"""Bytes of one extended tar header: tarfile reads each whole into memory."""
XZ_MEMORY = 256 << 20
"""Bytes; ``xz -9`` needs 65 MiB to decompress."""
NOTED_LINKS = 3


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an archive may hold."""

    total_bytes: int = 2 << 30
    members: int = 200_000


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What came out of an archive."""

    files: tuple[str, ...]
    """Relative to the destination, in the archive's order, each once."""
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Writer:
    """Creates the files of one archive and keeps count."""

    destination: Path
    limits: Limits
    rename: Callable[[str], str | None]
    bytes_written: int = 0
    members: int = 0
    files: dict[str, None] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    others: int = 0

    def admit(self, raw_name: str) -> str | None:
        """Return where a member goes, or None where it is not wanted; refuse unsafe names."""
        self.members += 1
        if self.members > self.limits.members:
            raise _unsafe(f"it has more than {self.limits.members} members")
        parts = [part for part in raw_name.split("/") if part not in {"", "."}]
        if raw_name.startswith("/") or ".." in parts or "\0" in raw_name:
            raise _unsafe(f"the member {raw_name[:200]!r} points outside the archive")
        return self.rename("/".join(parts)) if parts else None

    def write(self, name: str, source: IO[bytes], *, mode: int) -> None:
        """Create ``name`` with the content of ``source``; a later member replaces an earlier."""
        path = self.destination / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name in self.files:
            path.unlink()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, 0o600), "wb") as target:
            while chunk := source.read(CHUNK):
                self.bytes_written += len(chunk)
                if self.bytes_written > self.limits.total_bytes:
                    raise _unsafe(f"it unpacks to more than {self.limits.total_bytes} bytes")
                target.write(chunk)
            os.fchmod(target.fileno(), 0o555 if mode & 0o111 else 0o444)
        self.files[name] = None

    def result(self) -> Unpacked:
        notes = []
        if self.links:
            shown = ", ".join(self.links[:NOTED_LINKS])
            rest = len(self.links) - NOTED_LINKS
            more = f" and {rest} more" if rest > 0 else ""
            notes.append(f"symbolic links left out: {shown}{more}")
        if self.others:
            notes.append(f"{self.others} special files (devices, pipes) left out")
        return Unpacked(tuple(self.files), tuple(notes))


def unpack(
    archive: Path,
    destination: Path,
    *,
    rename: Callable[[str], str | None] = lambda name: name,
    limits: Limits = LIMITS,
) -> Unpacked:
    """Unpack a zip or tar (plain, gzip, bzip2, xz) archive into the existing ``destination``.

    ``rename`` is given each member's cleaned name and says where it goes, or None to leave it
    out; it must return relative names without ``..``. Files come out readable and read-only,
    without setuid, owner or time.

    Raises TargetUnavailable with UNSAFE_ARCHIVE or CORRUPT_ARCHIVE; what was already written
    stays for the caller to remove.
    """
    writer = _Writer(destination, limits, rename)
    try:
        if zipfile.is_zipfile(archive) and not _looks_like_tar(archive):
            _unzip(archive, writer)
        else:
            with archive.open("rb") as raw:
                _untar(_decompressed(raw), writer)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        ValueError,
        RuntimeError,  # zipfile: a compression that it does not know, or a password
        OverflowError,
    ) as error:
        message = f"the archive {archive.name} cannot be read: {error}"
        raise TargetUnavailable(Reason.CORRUPT_ARCHIVE, message) from error
    except (NotADirectoryError, FileExistsError, IsADirectoryError) as error:
        raise _unsafe("the same name is a file and a folder") from error
    except OSError as error:
        if error.errno is not None and error.filename is not None:
            raise _unsafe(f"a member cannot be created: {error.strerror}") from error
        message = f"the archive {archive.name} cannot be read: {error}"
        raise TargetUnavailable(Reason.CORRUPT_ARCHIVE, message) from error
    return writer.result()


def strip_top_folder(name: str) -> str | None:
    """Drop the first component of a member's name, as sdists and npm archives have one."""
    _, _, rest = name.partition("/")
    return rest or None


def _unsafe(what: str) -> TargetUnavailable:
    return TargetUnavailable(Reason.UNSAFE_ARCHIVE, f"the archive is refused: {what}")


def _unzip(archive: Path, writer: _Writer) -> None:
    with zipfile.ZipFile(archive) as source:
        for member in source.infolist():
            if member.is_dir():
                continue
            name = writer.admit(member.filename)
            if name is None:
                continue
            mode = member.external_attr >> 16
            if stat.S_ISLNK(mode):
                writer.links.append(name)
            elif stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
                writer.others += 1
            else:
                with source.open(member) as stream:
                    writer.write(name, stream, mode=mode)


class _Forward:
    """A decompressed stream, read forward only and never by more than a tar may reasonably want."""

    def __init__(self, stream: _Readable, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._position = 0

    def read(self, size: int) -> bytes:
        if size > HEADER_LIMIT:
            raise _unsafe("a tar header is too large")
        content = self._stream.read(size)
        self._position += len(content)
        if self._position > self._limit:
            raise _unsafe(f"it unpacks to more than {self._limit} bytes")
        return content

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int) -> int:
        while self._position < offset and self.read(min(offset - self._position, CHUNK)):
            pass
        return self._position


class _Xz:
    """An xz stream whose dictionary may not take more than XZ_MEMORY."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._decoder = lzma.LZMADecompressor(memlimit=XZ_MEMORY)

    def read(self, size: int) -> bytes:
        content = b""
        while len(content) < size and not self._decoder.eof:
            fed = self._raw.read(CHUNK) if self._decoder.needs_input else b""
            if self._decoder.needs_input and not fed:
                raise EOFError("the compressed file ends before its end marker")
            content += self._decoder.decompress(fed, size - len(content))
        return content


def _untar(stream: _Readable, writer: _Writer) -> None:
    # Headers and padding of the largest allowed archive come on top of its content.
    limit = writer.limits.total_bytes + 4096 * writer.limits.members
    forward = cast("IO[bytes]", _Forward(stream, limit))
    kept_as: dict[str, str] = {}
    with tarfile.open(fileobj=forward, mode="r:") as source:
        while (member := source.next()) is not None:
            # tarfile would otherwise keep every header it has read.
            cast("Any", source).members = []
            if member.isdir():
                continue
            name = writer.admit(member.name)
            if name is None:
                continue
            if member.isreg():
                content = source.extractfile(member)
                if content is not None:
                    with content:
                        writer.write(name, content, mode=member.mode)
                    kept_as[member.name] = name
            elif member.islnk() and member.linkname in kept_as:
                earlier = writer.destination / kept_as[member.linkname]
                if kept_as[member.linkname] != name:
                    with earlier.open("rb") as content:
                        writer.write(name, content, mode=earlier.stat().st_mode)
            elif member.issym() or member.islnk():
                writer.links.append(name)
            else:
                writer.others += 1


def _decompressed(raw: BinaryIO) -> _Readable:
    start = raw.read(6)
    raw.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=raw)
    if start.startswith(b"BZh"):
        return bz2.BZ2File(raw)
    if start.startswith((b"\xfd7zXZ\0", b"\x5d\x00\x00")):
        return _Xz(raw)
    return raw


def _looks_like_tar(archive: Path) -> bool:
    """Whether the content starts as a tar does: a zip hidden at its end must not win."""
    with archive.open("rb") as raw:
        start = raw.read(265)
    return start.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")) or start[257:262] == b"ustar"
