"""How bad a flaw is, in the words of CVSS."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """The word for a score (CVSS 3.1, section 5; CVSS 4.0, section 6).

    Version 2.0 has no words of its own; the ones here are those in common use for it, low below
    4.0 and high from 7.0.
    """

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Its place from the least, 0, to the most."""
        return list(Severity).index(self)
