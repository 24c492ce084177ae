"""Files that are handed out: never shown in the browser, never guessed at, plainly named."""

from __future__ import annotations

import re
from typing import Final

from django.http import HttpResponse

from clearhouse.proof.zips import looks_like_zip

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_TARS: Final = ((b"\x1f\x8b", ".tar.gz"), (b"BZh", ".tar.bz2"), (b"\xfd7zXZ", ".tar.xz"))


def handed_out(data: bytes, name: str, kind: str = "application/octet-stream") -> HttpResponse:
    """An answer that a browser saves and does not open.

    RFC 6266, section 4.1; ``nosniff`` keeps it from being taken for something else (Fetch, 3.6).
    """
    safe = _UNSAFE.sub("-", name).strip(".-") or "file"
    headers = {
        "Content-Disposition": f'attachment; filename="{safe}"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(data, content_type=kind, headers=headers)


def archive_suffix(data: bytes) -> str:
    """How the name of an archive ends, by its content."""
    if looks_like_zip(data):
        return ".zip"
    return next((suffix for magic, suffix in _TARS if data.startswith(magic)), ".tar")
