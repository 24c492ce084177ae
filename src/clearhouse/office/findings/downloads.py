"""Files that are handed out: never shown in the browser, never guessed at, plainly named."""

from __future__ import annotations

from typing import Final

from clearhouse.proof.zips import looks_like_zip

_TARS: Final = ((b"\x1f\x8b", ".tar.gz"), (b"BZh", ".tar.bz2"), (b"\xfd7zXZ", ".tar.xz"))


def archive_suffix(data: bytes) -> str:
    """How the name of an archive ends, by its content."""
    if looks_like_zip(data):
        return ".zip"
    return next((suffix for magic, suffix in _TARS if data.startswith(magic)), ".tar")
