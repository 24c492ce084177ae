"""Dart's versions: Semantic Versioning, with build metadata in the order.

Package ``pub_semver``: of two versions that are equal by SemVer, the one without a build comes
first, and builds compare as prereleases do.
"""

from __future__ import annotations

from clearhouse.versions import OutsideGrammar, semver

_NO_BUILD = b"\0"


def key(version: str) -> bytes | OutsideGrammar:
    """Return bytes that compare as pub does: a SemVer key, then the build's identifiers."""
    precedence = semver.key(version)
    found = semver.parts(version)
    if isinstance(precedence, OutsideGrammar) or found is None:
        return OutsideGrammar(version, "pub's SemVer")
    build = found[2]
    return precedence + (semver.identifiers(build) if build else _NO_BUILD)
