"""Versions by Semantic Versioning 2.0.0, as Go, npm, crates, Hex, Swift and Bitnami use it.

Precedence is SemVer section 11: build metadata does not count.  Read as generously as OSV's tools
read it: with a leading ``v`` or ``=``, with missing numbers as zeros, and with what follows the
third number after a dot as build metadata.
"""

from __future__ import annotations

import re

from clearhouse.versions import OutsideGrammar
from clearhouse.versions.encoding import is_readable, number, text

_VERSION = re.compile(
    r"[v=\s]*(\d+)(?:\.(\d+)(?:\.(\d+))?)?(?:\.\d+)*"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?\s*",
    re.ASCII,
)
_END, _NUMBER, _WORD, _RELEASE = b"\0", b"\1", b"\2", b"\3"


def key(version: str) -> bytes | OutsideGrammar:
    """Return bytes that compare as SemVer precedence does.

    Three numbers; then each identifier of the prerelease, numbers (1) before words (2), and an end
    (0); a release (3) after all its prereleases.
    """
    found = parts(version)
    if found is None:
        return OutsideGrammar(version, "SemVer 2.0.0")
    core, prerelease, _ = found
    return core + _standing(prerelease)


def precedence(numbers: tuple[int, int, int], prerelease: str) -> bytes:
    """The key of a version in its parts; ``prerelease`` is empty for a release."""
    return b"".join(map(number, numbers)) + _standing(prerelease)


def _standing(prerelease: str) -> bytes:
    return identifiers(prerelease) if prerelease else _RELEASE


def parts(version: str) -> tuple[bytes, str, str] | None:
    """The three numbers as bytes, the prerelease and the build; None where it is no version."""
    found = _VERSION.fullmatch(version) if is_readable(version) else None
    if found is None:
        return None
    major, minor, patch, prerelease, build = found.groups()
    core = number(int(major)) + number(int(minor or 0)) + number(int(patch or 0))
    return core, prerelease or "", build or ""


def identifiers(dotted: str) -> bytes:
    """Dotted identifiers by SemVer section 11.4: numbers before words, fewer before more."""
    return b"".join(map(_identifier, dotted.split("."))) + _END


def _identifier(word: str) -> bytes:
    return _NUMBER + number(int(word)) if word.isdecimal() else _WORD + text(word)
