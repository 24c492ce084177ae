"""Names of packages as both sides of a match write them.

An inventory and an advisory spell one package differently: PyPI reads ``Zope.Interface`` and
``zope-interface`` as one (PEP 503), NuGet and Packagist know no case, and a package URL of a
distribution carries the release in a qualifier where OSV puts it behind the ecosystem's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from packageurl import PackageURL

from clearhouse.formats.package_names import name_of
from clearhouse.versions.ecosystems import base_name

#: Ecosystems of OSV by the type of a package URL, distributions left out.
_BY_TYPE: Final[Mapping[str, str]] = {
    "bioconductor": "Bioconductor", "bitnami": "Bitnami", "cargo": "crates",
    "composer": "Packagist", "cran": "CRAN", "gem": "RubyGems",
    "githubactions": "GitHub Actions", "golang": "Go",
    "hackage": "Hackage", "hex": "Hex", "julia": "Julia", "maven": "Maven", "npm": "npm",
    "nuget": "NuGet", "pub": "Pub", "pypi": "PyPI", "swift": "SwiftURL",
}  # fmt: skip
#: Distributions by the namespace of a package URL, and how their release is written.
_DISTRIBUTIONS: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("deb", "debian"): ("Debian", r"(\d+)"),
    ("deb", "ubuntu"): ("Ubuntu", r"(\d+\.\d+)"),
    ("apk", "alpine"): ("Alpine", r"v?(\d+\.\d+)"),
    ("apk", "wolfi"): ("Wolfi", ""),
    ("apk", "chainguard"): ("Chainguard", ""),
    ("rpm", "almalinux"): ("AlmaLinux", r"(\d+)"),
    ("rpm", "rocky"): ("Rocky Linux", r"(\d+)"),
    ("rpm", "rocky-linux"): ("Rocky Linux", r"(\d+)"),
    ("rpm", "openeuler"): ("openEuler", r"(.+)"),
    ("rpm", "mageia"): ("Mageia", r"(\d+)"),
    ("rpm", "redhat"): ("Red Hat", ""),
    ("rpm", "sles"): ("SUSE", ""),
    ("rpm", "opensuse"): ("openSUSE", ""),
}  # fmt: skip
_WITHOUT_CASE: Final = frozenset({"NuGet", "Packagist", "Bitnami", "GitHub Actions"})
_CODENAMES: Final[Mapping[str, str]] = {
    "jessie": "8", "stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12",
    "trixie": "13",
}  # fmt: skip
_RUNS: Final = re.compile(r"[-_.]+")


def normal_name(ecosystem: str, name: str) -> str:
    """A package's name in the form in which two spellings of one package are equal."""
    base = base_name(ecosystem)
    if base == "PyPI":
        return _RUNS.sub("-", name.strip()).lower()
    if base == "crates":
        return name.strip().lower().replace("_", "-")
    return name.strip().lower() if base in _WITHOUT_CASE else name.strip()


def normal_ecosystem(ecosystem: str) -> str:
    """An ecosystem with its release, in the form in which two spellings of it are equal.

    >>> normal_ecosystem("Alpine:3.19")
    'Alpine:v3.19'
    """
    _, colon, release = ecosystem.strip().partition(":")
    base = base_name(ecosystem.strip())
    if base == "Alpine" and release and release[0].isdigit():
        release = f"v{release}"
    return f"{base}{colon}{release}"


class Package(NamedTuple):
    """What a package URL names, as advisories do."""

    ecosystem: str
    """With the release of a distribution, where the package URL tells it."""
    name: str
    version: str


def of_purl(purl: PackageURL) -> Package | None:
    """The package that ``purl`` names; None where OSV has no ecosystem for it.

    Advisories of Debian, Ubuntu and Alpine are about source packages: where the qualifier
    ``upstream`` names one, with a version of its own or not, that is meant.
    """
    ecosystem = _BY_TYPE.get(purl.type)
    if ecosystem is not None:
        return Package(ecosystem, normal_name(ecosystem, name_of(purl)), purl.version or "")
    found = _DISTRIBUTIONS.get((purl.type, (purl.namespace or "").lower()))
    if found is None:
        return None
    ecosystem, pattern = found
    distro = purl.qualifiers.get("distro", "").rpartition("-")[2]
    release = re.match(pattern, _CODENAMES.get(distro, distro)) if pattern else None
    suffix = f":{release[1]}" if release else ""
    upstream = purl.qualifiers.get("upstream", "") if purl.type != "rpm" else ""
    name, _, version = upstream.partition("@")
    return Package(
        normal_ecosystem(f"{ecosystem}{suffix}"),
        name or purl.name,
        version or purl.version or "",
    )
