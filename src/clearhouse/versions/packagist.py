"""PHP's versions: ``version_compare`` of PHP, as OSV's tools compare them.

php.net, ``version_compare``.  Composer differs: ``7.0`` and ``7.0.0`` are equal to it.  Parts are
numbers and words; words are known by how they begin: any other word, dev, alpha, beta, rc, then the
end, numbers, and pl.
"""

from __future__ import annotations

import re

from clearhouse.versions import OutsideGrammar
from clearhouse.versions.encoding import is_readable, number

_PART = re.compile(r"[0-9]+|[^0-9._+-]+", re.ASCII)
_END, _NUMBER = b"\6", b"\7"
#: In the order in which PHP looks for them.
_WORDS = (
    ("dev", b"\2"), ("alpha", b"\3"), ("a", b"\3"), ("beta", b"\4"), ("b", b"\4"),
    ("RC", b"\5"), ("rc", b"\5"), ("pl", b"\10"), ("p", b"\10"),
)  # fmt: skip
_OTHER = b"\1"


def key(version: str) -> bytes | OutsideGrammar:
    """Return bytes that compare as ``version_compare`` does, a leading ``v`` left out.

    Two words that PHP does not know are equal to it.  A part that begins with ``#`` is equal to
    every number there, which no order is.
    """
    if not is_readable(version):
        return OutsideGrammar(version, "PHP's version_compare")
    parts = _PART.findall(version.strip().removeprefix("v").removeprefix("V"))
    if not parts or any(part.startswith("#") for part in parts):
        return OutsideGrammar(version, "PHP's version_compare")
    return b"".join(map(_piece, parts)) + _END


def _piece(part: str) -> bytes:
    if "0" <= part[0] <= "9":
        return _NUMBER + number(int(part))
    return next((rank for word, rank in _WORDS if part.startswith(word)), _OTHER)
