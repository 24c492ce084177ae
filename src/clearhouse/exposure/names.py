"""Names of packages as both sides of a match write them.

An inventory and an advisory spell one package differently: PyPI reads ``Zope.Interface`` and
``zope-interface`` as one (PEP 503), NuGet and Packagist know no case, and a package URL of a
distribution carries the release in a qualifier where OSV puts it behind the ecosystem's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

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


def of_purl(purl: PackageURL) -> tuple[str, str] | None:
    """The ecosystem, with its release where the package URL tells it, and the package's name.

    None where OSV has no ecosystem for it.  A distribution without release is named without.
    """
    ecosystem = _BY_TYPE.get(purl.type)
    if ecosystem is None:
        return _of_distribution(purl)
    return ecosystem, normal_name(ecosystem, name_of(purl))


def _of_distribution(purl: PackageURL) -> tuple[str, str] | None:
    found = _DISTRIBUTIONS.get((purl.type, (purl.namespace or "").lower()))
    if found is None:
        return None
    ecosystem, pattern = found
    qualifiers = purl.qualifiers
    distro = qualifiers.get("distro", "").rpartition("-")[2]
    release = re.match(pattern, _CODENAMES.get(distro, distro)) if pattern else None
    suffix = f":{release[1]}" if release else ""
    # Advisories of Debian and Ubuntu are about source packages.
    name = qualifiers.get("upstream", purl.name) if purl.type == "deb" else purl.name
    return normal_ecosystem(f"{ecosystem}{suffix}"), name.partition("@")[0]
