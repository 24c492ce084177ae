"""Bitnami's versions: Semantic Versioning, behind which a revision of the package may stand.

``5.15.12-0`` and ``5.15.12-r1`` are builds of 5.15.12, and not what SemVer would take them for,
prereleases.  Advisories name the software's version, so that a revision does not count.
"""

from __future__ import annotations

import re

from clearhouse.versions import OutsideGrammar, semver

_REVISION = re.compile(r"(?<=\d)-r?\d{1,4}$", re.ASCII)


def key(version: str) -> bytes | OutsideGrammar:
    """Return bytes that compare as SemVer does, the package's revision left out."""
    return semver.key(_REVISION.sub("", version.strip()))
