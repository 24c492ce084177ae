""".NET's versions: Semantic Versioning with a fourth number, and no difference of case.

NuGet documentation, "Package versioning", section "Version ordering".
"""

from __future__ import annotations

import re

from clearhouse.versions import OutsideGrammar, semver
from clearhouse.versions.encoding import is_readable, number

_VERSION = re.compile(
    r"[vV\s]*(\d+(?:\.\d+){0,3})"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?\s*",
    re.ASCII,
)
_RELEASE = b"\3"


def key(version: str) -> bytes | OutsideGrammar:
    """Return bytes that compare as NuGet does: four numbers, the prerelease in small letters."""
    found = _VERSION.fullmatch(version) if is_readable(version) else None
    if found is None:
        return OutsideGrammar(version, "NuGet's SemVer")
    numbers = [int(part) for part in found[1].split(".")]
    core = b"".join(map(number, (*numbers, *(0,) * (4 - len(numbers)))))
    return core + (semver.identifiers(found[2].lower()) if found[2] else _RELEASE)
