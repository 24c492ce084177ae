"""Files of a folder or an archive that are of no feed, named for a person."""

from __future__ import annotations

from typing import Final

from clearhouse.exposure.unpacking import PassedOver
from clearhouse.proof.text import printable

_LONGEST: Final = 200


def in_words(passed: PassedOver) -> str:
    """How many files were not looked at, and the names of the first of them."""
    named = ", ".join(printable(one, limit=_LONGEST) for one in passed.names)
    left = passed.count - len(passed.names)
    more = f" and {left:,} more" if left else ""
    names = "file whose name is" if passed.count == 1 else "files whose names are"
    return f"passed over: {passed.count:,} {names} of no feed: {named}{more}"
