"""The office's contact as an address that programs can use.  Pure."""

from __future__ import annotations

import re
from typing import Final

_SCHEME: Final = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)


def as_address(contact: str) -> str:
    """A URI (RFC 9116, section 2.5.3): of a mail address or a telephone number as well.

    Line breaks do not get into it: the next line of a file would be another field.
    """
    text = " ".join(contact.split())
    if _SCHEME.match(text):
        return text
    if "@" in text:
        return f"mailto:{text}"
    number = re.sub(r"[^0-9+]", "", text)
    return f"tel:{number}" if re.fullmatch(r"[0-9+() ./-]+", text) and number else text
