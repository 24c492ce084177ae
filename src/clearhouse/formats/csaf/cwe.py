"""The names of weaknesses, by number, as ``cwe-4.17.txt`` has them.

CSAF 2.0, test 6.1.11 wants the name exactly as the list has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

_LIST: Final = Path(__file__).with_name("cwe-4.17.txt").read_text(encoding="utf-8")

_DEPRECATED: Final = "DEPRECATED: "

NAMES: Final[Mapping[int, str]] = {
    int(number): name
    for number, _, name in (line.partition(" ") for line in _LIST.splitlines() if line[0] != "#")
}


def is_deprecated(number: int) -> bool:
    """Whether the list has withdrawn the weakness: still a valid name, but none to use anew."""
    return NAMES[number].startswith(_DEPRECATED)
