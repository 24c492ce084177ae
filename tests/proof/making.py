"""A small honest bundle, and ways to put its files into containers."""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest

from clearhouse.errors import Invalid
from clearhouse.proof.door import read_archive
from clearhouse.proof.members import BUNDLE_LIMITS, Limits

MANIFEST = """\
[proof]
format = 1
id = "CVE-2024-4340"
title = "Deeply nested lists exhaust the stack"
effect = "exception"
cwe = [674]
finder = "somebody"

[target]
purl = "pkg:pypi/sqlparse@0.4.4"
fixed = "0.5.0"

[harness]
language = "python"
file = "harness.py"

[input]
poc = "poc.bin"
controls = ["control.bin"]

[expect]
type = "RecursionError"
"""

FILES: Mapping[str, bytes] = {
    "proof.toml": MANIFEST.encode(),
    "harness.py": b"import sqlparse\n\n\ndef TestOneInput(data):\n    sqlparse.parse(data)\n",
    "poc.bin": b"[" * 5000,
    "control.bin": b"[[]]",
}

TarFormat = Literal["ustar", "gnu", "pax"]
TAR_FORMATS: Mapping[TarFormat, int] = {
    "ustar": tarfile.USTAR_FORMAT,
    "gnu": tarfile.GNU_FORMAT,
    "pax": tarfile.PAX_FORMAT,
}


def manifest_with(old: str, new: str) -> dict[str, bytes]:
    """Return the files of the honest bundle with one text of its manifest replaced."""
    assert MANIFEST.count(old) == 1, f"{old!r} is not once in the manifest"
    return {**FILES, "proof.toml": MANIFEST.replace(old, new).encode()}


def zip_of(files: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tar_of(files: Mapping[str, bytes], *, kind: TarFormat = "pax", compression: str = "") -> bytes:
    members = []
    for name, data in files.items():
        member = tarfile.TarInfo(name)
        member.size = len(data)
        members.append((member, data))
    return tar_with(*members, kind=kind, compression=compression)


def tar_with(
    *members: tuple[tarfile.TarInfo, bytes], kind: TarFormat = "pax", compression: str = ""
) -> bytes:
    buffer = io.BytesIO()
    mode: Literal["w:", "w:gz", "w:bz2", "w:xz"] = {  # type: ignore[assignment]
        "": "w:",
        "gz": "w:gz",
        "bz2": "w:bz2",
        "xz": "w:xz",
    }[compression]
    with tarfile.open(fileobj=buffer, mode=mode, format=TAR_FORMATS[kind]) as archive:
        for member, data in members:
            archive.addfile(member, io.BytesIO(data) if member.isreg() else None)
    return buffer.getvalue()


def folder_of(files: Mapping[str, bytes], folder: Path) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def refused(data: bytes, limits: Limits = BUNDLE_LIMITS) -> str:
    """The message with which an archive is refused; it names the archive first."""
    with pytest.raises(Invalid) as caught:
        read_archive(data, where="a.zip", limits=limits)
    message = str(caught.value)
    assert message.startswith("a.zip: ")
    return message


def gzip_of(data: bytes) -> bytes:
    """One compressed stream."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()


def with_checksum(tar: bytes) -> bytes:
    """A tar whose first header was changed, with the checksum of what it is now."""
    header = tar[:148] + b" " * 8 + tar[156:512]
    return tar[:148] + b"%06o\0 " % sum(header) + tar[156:]
