"""Bodies of requests, read up to a limit and no further."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from clearhouse.errors import Invalid
from clearhouse.proof.members import BUNDLE_LIMITS, MIB

#: A bundle as an archive that holds nothing compressible is larger than its content.
BUNDLE_BYTES: Final = BUNDLE_LIMITS.total_bytes + 4 * MIB
BULK_BYTES: Final = 256 * MIB
#: Room for the other parts of a form.
_FORM_BYTES: Final = MIB
_CHUNK: Final = 1 << 16


def is_form(request: HttpRequest) -> bool:
    """Whether the body is a form with files."""
    return request.content_type == "multipart/form-data"


def whole_body(request: HttpRequest, most: int) -> bytes:
    """The body.  Raises Django's RequestDataTooBig for more than ``most`` bytes."""
    _must_fit(request, most)
    data = request.body
    if len(data) > most:
        raise RequestDataTooBig
    return data


def form_file(request: HttpRequest, names: tuple[str, ...], most: int) -> tuple[bytes, str]:
    """A file of a form, by the first of the names that is there, and what it was called.

    Raises :class:`Invalid` where there is none.
    """
    _must_fit(request, most + _FORM_BYTES)
    for name in names:
        found = request.FILES.get(name)
        if isinstance(found, UploadedFile):
            if found.size is None or found.size > most:
                raise RequestDataTooBig
            return found.read(), found.name or name
    raise Invalid("expected a file", key=names[0])


def body_lines(request: HttpRequest, *, most: int, longest: int) -> Iterator[bytes]:
    """The lines of a body, one in memory at a time.

    A line that is longer than ``longest`` comes out cut, one byte too long; its rest is passed
    over.  Raises RequestDataTooBig after ``most`` bytes in all.
    """
    _must_fit(request, most)
    count, held = 0, bytearray()
    # Not readline: servers differ in what it does with a size (granian 2.5 ends after one line).
    while chunk := request.read(_CHUNK):
        count += len(chunk)
        if count > most:
            raise RequestDataTooBig
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            held += part
            yield bytes(held[: longest + 1])
            held.clear()
        held += rest
        del held[longest + 1 :]
    if held:
        yield bytes(held)


def _must_fit(request: HttpRequest, most: int) -> None:
    try:
        declared = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise Invalid("expected a number", key="Content-Length") from None
    if declared > most:
        raise RequestDataTooBig
