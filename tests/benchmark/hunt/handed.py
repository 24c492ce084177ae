"""What a model may hand in, as archives made by hand: honest ones and others."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

from clearhouse.benchmark.hunt.quarry import Quarry, quarry_of
from clearhouse.benchmark.hunt.words import skeleton

FINDER = "a model"
ECDSA = "pkg:pypi/ecdsa@0.13.2"


def quarry(**more: object) -> Quarry:
    return quarry_of(ECDSA, finder=FINDER, **more)  # type: ignore[arg-type]


def tar(files: Mapping[str, bytes], *more: tarfile.TarInfo) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for entry in more:
            archive.addfile(entry)
    return held.getvalue()


def link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, to
    return entry


def replaced(of: Quarry, old: str, new: str) -> bytes:
    """The archive of a finding in whose manifest a text is another one."""
    files = skeleton(of)
    text = files["proof.toml"].decode()
    assert old in text
    return tar({**files, "proof.toml": text.replace(old, new).encode()})
