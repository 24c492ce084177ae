"""What ``clearhouse submit`` sends: paths told apart by content, each as the bytes that go out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.proof.authoring import pack
from clearhouse.proof.door import open_bundle, read_folder
from clearhouse.proof.manifest import MANIFEST
from clearhouse.proof.tars import looks_like_tar
from clearhouse.proof.text import printable
from clearhouse.proof.zips import looks_like_zip, write_zip

KINDS: Final = ("auto", "bundle", "report", "sarif", "aixcc", "bulk")
#: Lines that are sent together: so many are kept even if the connection breaks after them.
LINES_TOGETHER: Final = 2000
BYTES_TOGETHER: Final = 32 << 20
_LARGEST: Final = 68 << 20
_HEAD: Final = 512
_LINES: Final = (".ndjson", ".jsonl")
_ENDINGS: Final = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".json", ".sarif", *_LINES)

#: By kind: where it goes, and as what.
_WAYS: Final = {
    "bundle": ("/findings", "application/zip"),
    "report": ("/findings/report", "application/json"),
    "sarif": ("/findings/sarif", "application/sarif+json"),
    "aixcc": ("/findings/aixcc", "application/octet-stream"),
    "bulk": ("/findings/bulk", "application/x-ndjson"),
}


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent in one request.  ``first_line`` is that of bulk, in its file."""

    where: str
    kind: str
    data: bytes
    first_line: int = 1

    @property
    def path(self) -> str:
        """Where it goes."""
        return _WAYS[self.kind][0]

    @property
    def media_type(self) -> str:
        """What it is."""
        return _WAYS[self.kind][1]

    @property
    def digest(self) -> str:
        """What tells it from others, for who runs the same again."""
        return hashlib.sha256(f"{self.kind}\n".encode() + self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Unsendable:
    """A path that cannot be sent as it is."""

    where: str
    wrong: Invalid


def parcels(path: Path, kind: str) -> Iterator[Parcel | Unsendable]:
    """What is at a path; of a folder without a manifest, everything in it that can be sent."""
    where = printable(str(path))
    try:
        if path.is_dir():
            yield from _of_folder(path, kind, where)
        else:
            yield from _of_file(path, kind, where)
    except OSError as error:
        yield Unsendable(where, Invalid(f"cannot be read: {error.strerror}", where=where))
    except Invalid as wrong:
        yield Unsendable(where, wrong)


def _of_folder(path: Path, kind: str, where: str) -> Iterator[Parcel | Unsendable]:
    if kind == "aixcc":
        yield Parcel(where, kind, write_zip(read_folder(path, where=where)))
        return
    if (path / MANIFEST).exists() or kind == "bundle":
        yield Parcel(where, "bundle", pack(open_bundle(path)))
        return
    inside = [one for one in sorted(path.iterdir()) if _is_sendable(one)]
    if not inside:
        raise Invalid(f"has no {MANIFEST}, and nothing in it that can be sent", where=where)
    for one in inside:
        yield from parcels(one, kind)


def _is_sendable(path: Path) -> bool:
    if path.is_dir():
        return (path / MANIFEST).exists()
    return path.is_file() and path.name.lower().endswith(_ENDINGS)


def _of_file(path: Path, kind: str, where: str) -> Iterator[Parcel]:
    if kind == "auto":
        with path.open("rb") as stream:
            kind = _kind_of(path, stream.read(_HEAD))
    if kind == "bulk":
        yield from _lines(path, where)
        return
    if path.stat().st_size > _LARGEST:
        raise Invalid(f"is larger than {_LARGEST >> 20} MiB", where=where)
    if kind == "bundle":
        # Read here first: what is wrong with it is said without a journey.
        open_bundle(path)
    data = path.read_bytes()
    if kind == "report" and _is_log(data):
        kind = "sarif"
    yield Parcel(where, kind, data)


def _kind_of(path: Path, head: bytes) -> str:
    """What a file is, by its beginning and then its name."""
    if looks_like_zip(head) or looks_like_tar(head):
        return "bundle"
    name = path.name.lower()
    if name.endswith(_LINES):
        return "bulk"
    if name.endswith(".sarif"):
        return "sarif"
    if head.lstrip()[:1] == b"{":
        return "report"
    raise Invalid(
        "is no bundle, report, SARIF log or lines of reports; --kind says what it is",
        where=printable(str(path)),
    )


def _is_log(data: bytes) -> bool:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and "runs" in value


def _lines(path: Path, where: str) -> Iterator[Parcel]:
    """The lines of a file, so many together, never all in memory."""
    with path.open("rb") as stream:
        first, held, size = 1, list[bytes](), 0
        for number, line in enumerate(stream, 1):
            if held and (len(held) >= LINES_TOGETHER or size + len(line) > BYTES_TOGETHER):
                yield Parcel(where, "bulk", b"".join(held), first)
                first, held, size = number, [], 0
            held.append(line if line.endswith(b"\n") else line + b"\n")
            size += len(line)
        if held:
            yield Parcel(where, "bulk", b"".join(held), first)
