"""Package URLs as addresses of targets: which ones a bundle may name.

They end up as arguments of registry clients, so names and versions keep to the registries' own
grammar; nothing else gets through (package-url specification 1.0; PEP 508 names; npm's
package.json rules).
"""

from __future__ import annotations

import re
from typing import Final

from packageurl import PackageURL
from packaging.version import InvalidVersion, Version

from clearhouse.errors import Invalid
from clearhouse.proof.bundle import Language
from clearhouse.proof.members import shown
from clearhouse.proof.tables import either

#: Registries from which a target of each language comes. C and C++ sources travel inside the
#: archives of other languages' registries.
TYPES: Final[dict[Language, tuple[str, ...]]] = {
    Language.PYTHON: ("pypi",),
    Language.JAVASCRIPT: ("npm",),
    Language.C: ("pypi", "npm"),
    Language.CPP: ("pypi", "npm"),
    Language.GO: ("golang",),
    Language.RUST: ("cargo",),
    Language.JAVA: ("maven",),
}

#: Version strings as registries have them, beyond each grammar's idea (``0.3.2g.dev``, ``1!2``).
VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_~:-]{0,99}")

_NAME: Final = re.compile(r"[A-Za-z0-9_~][A-Za-z0-9._~-]{0,213}")
_NAMESPACE: Final = re.compile(r"@?[A-Za-z0-9_~][A-Za-z0-9._~/-]{0,213}")
_SEMVER: Final = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?")
_EXAMPLES: Final = {
    "pypi": "pkg:pypi/sqlparse@0.4.4",
    "npm": "pkg:npm/qs@6.5.1",
    "golang": "pkg:golang/example.com/name@v1.2.3",
    "cargo": "pkg:cargo/name@1.2.3",
    "maven": "pkg:maven/org.example/name@1.2.3",
}


def parse_target_purl(text: str, language: Language) -> PackageURL:
    """Return the purl of a package in a registry for ``language``, with its version."""
    types = TYPES[language]
    example = _EXAMPLES[types[0]]
    purl = _parsed(text, example)
    if purl.type not in types:
        raise Invalid(
            f"expected a purl of type {either(types)} for language '{language}', such as"
            f" {example}, found type {shown(purl.type)}"
            + (" (it names no registry: ship the source)" if purl.type == "generic" else "")
        )
    if not purl.version:
        raise Invalid(f"expected a version, such as {example}, found {shown(text)} without one")
    if purl.type == "npm" and not _SEMVER.fullmatch(purl.version):
        raise Invalid(
            f"expected an exact npm version, such as {example}, found {shown(purl.version)}"
        )
    return purl


def parse_package_purl(text: str) -> PackageURL:
    """Return a purl that only says which package a shipped source is of; any type will do."""
    return _parsed(text, "pkg:generic/name@1.2.3")


def same_version(purl: PackageURL, version: str) -> bool:
    """Whether ``version`` is another spelling of the version in ``purl``."""
    if purl.version is None:
        return False
    if purl.version == version:
        return True
    if purl.type == "pypi":
        try:
            return Version(purl.version) == Version(version)
        except InvalidVersion:
            return False
    return purl.version.lstrip("v=") == version.lstrip("v=")


def _parsed(text: str, example: str) -> PackageURL:
    try:
        purl = PackageURL.from_string(text)
    except ValueError:
        raise Invalid(f"expected a purl such as {example}, found {shown(text)}") from None
    if purl.qualifiers or purl.subpath:
        raise Invalid(
            f"expected a purl without qualifiers ('?') and subpath ('#'), such as {example},"
            f" found {shown(text)}"
        )
    parts = (
        (_NAMESPACE, purl.namespace, "namespace"),
        (_NAME, purl.name, "name"),
        (VERSION, purl.version, "version"),
    )
    for pattern, part, what in parts:
        if part is not None and (not pattern.fullmatch(part) or ".." in part.split("/")):
            raise Invalid(
                f"expected a purl such as {example}; the {what} {shown(part)} is none that a"
                " registry has"
            )
    if purl.type == "pypi" and purl.namespace is not None:
        raise Invalid(f"expected a purl such as {example}, found a namespace in {shown(text)}")
    if purl.type == "npm" and purl.namespace is not None and not purl.namespace.startswith("@"):
        raise Invalid(
            f"expected a purl such as {example} or pkg:npm/%40scope/name@1.2.3, found {shown(text)}"
        )
    return purl
