"""CVSS vectors, versions 2.0, 3.0, 3.1 and 4.0: parsed once, scored, and written in one way.

FIRST, Common Vulnerability Scoring System, specification documents of those versions.  The scores
are computed by the ``cvss`` library; here the versions get one shape.  The score is that of the
base metrics, in 4.0 too, where the library's own is that of all metrics given (CVSS 4.0,
nomenclature: CVSS-B against CVSS-BTE).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from cvss import CVSS2, CVSS3, CVSS4, CVSSError

from clearhouse.errors import Invalid
from clearhouse.protocol.severity import Severity

__all__ = ["LONGEST", "Cvss", "Severity", "Version", "parse"]

#: Longest vector read; the longest of version 4.0 with every metric has 178 characters.
LONGEST: Final = 300
_EXAMPLE: Final = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
#: CVSS 4.0, section 2: the base metrics, which are all there in a vector and come first.
_BASE_4_0: Final = 11


class Version(StrEnum):
    """A version of the standard."""

    V2_0 = "2.0"
    V3_0 = "3.0"
    V3_1 = "3.1"
    V4_0 = "4.0"


@dataclass(frozen=True, slots=True)
class Cvss:
    """A parsed vector: metrics in the standard's order, those that are not defined left out."""

    version: Version
    vector: str
    score: float
    """The base score, 0.0 to 10.0."""
    severity: Severity


#: A vector's prefix, its version, and the class that reads it; 2.0 has no prefix.
_READERS: Final[Mapping[str, tuple[Version, Callable[[str], Any]]]] = {
    "CVSS:4.0/": (Version.V4_0, CVSS4),
    "CVSS:3.1/": (Version.V3_1, CVSS3),
    "CVSS:3.0/": (Version.V3_0, CVSS3),
    "": (Version.V2_0, CVSS2),
}


def parse(vector: str, *, where: str | None = None, key: str | None = None) -> Cvss:
    """Read and score a vector.

    1. It is short, and of a version that is known.  2. Every base metric is there, and no metric is
    unknown or there twice.  Raises :class:`Invalid` otherwise; ``where`` and ``key`` say where the
    vector stood.
    """
    text = vector.strip()
    prefix = next(prefix for prefix in _READERS if text.startswith(prefix))
    if len(text) > LONGEST or (not prefix and text.upper().startswith("CVSS")):  # 1
        raise Invalid(
            f"expected a CVSS vector of version {', '.join(Version)}, such as {_EXAMPLE}",
            where=where, key=key,
        )  # fmt: skip
    version, reader = _READERS[prefix]
    try:
        read = reader(text)  # 2
    except CVSSError as error:
        raise Invalid(
            f"expected a CVSS vector of version {version}: {error}", where=where, key=key
        ) from None
    clean = str(read.clean_vector())
    if version is Version.V4_0:
        read = CVSS4("/".join(clean.split("/")[: 1 + _BASE_4_0]))
    score = float(read.scores()[0])
    return Cvss(version, clean, score, Severity(str(read.severities()[0]).lower()))
