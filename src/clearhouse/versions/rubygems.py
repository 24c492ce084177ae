"""Ruby's versions: the order of ``Gem::Version``.

Numbers and words one by one, words before numbers, what is missing as zero; zeros at the end, and
at the end of the numbers before the first word, do not count.
"""

from __future__ import annotations

import re
from itertools import takewhile

from clearhouse.versions import OutsideGrammar
from clearhouse.versions.encoding import descending, is_readable, number, text

_VERSION = re.compile(
    r"\s*([0-9][0-9a-zA-Z]*(?:\.[0-9a-zA-Z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)\s*"
)
_SEGMENT = re.compile(r"[0-9]+|[a-z]+", re.IGNORECASE)
_WORD, _END, _NUMBER = b"\1", b"\2", b"\3"


def key(version: str) -> bytes | OutsideGrammar:
    """Return bytes that compare as ``Gem::Version`` does.

    A version goes on with zeros for ever.  So each piece is a run of zeros, which may be empty, and
    what ends it: a word (below zeros that go on, and the later the higher), nothing, or a number
    (above them, and the later the lower).
    """
    found = _VERSION.fullmatch(version) if is_readable(version) else None
    if found is None:
        return OutsideGrammar(version, "Gem::Version")
    pieces, zeros = [], 0
    for segment in _canonical(_SEGMENT.findall(found[1].replace("-", ".pre."))):
        if isinstance(segment, str):
            pieces.append(_WORD + number(zeros) + text(segment))
        elif segment:
            pieces.append(_NUMBER + descending(zeros) + number(segment))
        zeros = zeros + 1 if segment == 0 else 0
    return b"".join(pieces) + _END


def _canonical(segments: list[str]) -> list[int | str]:
    values: list[int | str] = [int(one) if one.isdecimal() else one for one in segments]
    numbers = list(takewhile(lambda one: isinstance(one, int), values))
    rest = values[len(numbers) :]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return [*numbers, *rest]
