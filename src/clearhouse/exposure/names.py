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

from clearhouse.exposure.distributions import by_namespace, normal_release, release_of
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
#: Where package URLs are in small letters whatever the capitals of the advisory.
_WITHOUT_CASE: Final = frozenset(
    {"Bitnami", "GitHub Actions", "Go", "Hex", "NuGet", "Packagist", "SwiftURL", "npm"}
)
#: What RubyGems puts behind the version of a gem that is built for one platform.
_GEM_PLATFORM: Final = re.compile(
    r"-(?:java|jruby|mswin\d*|(?:x86|x64|x86_64|i[3-6]86|aarch64|arm64|arm|universal)"
    r"-(?:linux|darwin|mingw|mswin|freebsd|java)[a-z0-9-]*)$"
)
_RUNS: Final = re.compile(r"[-_.]+")


def normal_name(ecosystem: str, name: str) -> str:
    """A package's name in the form in which two spellings of one package are equal."""
    base = base_name(ecosystem)
    if base == "Go" and name.strip() == "std":
        return "stdlib"
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
    return f"{base}{colon}{normal_release(base, release)}"


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
        name = normal_name(ecosystem, name_of(purl))
        return Package(ecosystem, name, _version(ecosystem, name, purl.version or ""))
    distribution = by_namespace(purl.type, purl.namespace or "")
    if distribution is None:
        return None
    release = release_of(distribution, purl.qualifiers.get("distro", ""))
    suffix = f":{release}" if release else ""
    upstream = purl.qualifiers.get("upstream", "") if purl.type != "rpm" else ""
    name, _, version = upstream.partition("@")
    return Package(
        normal_ecosystem(f"{distribution.ecosystem}{suffix}"),
        name or purl.name,
        version or purl.version or "",
    )


def _version(ecosystem: str, name: str, version: str) -> str:
    """A version without what tools put around it: Go's own ``go1.22.3``, a gem's platform."""
    if ecosystem == "Go" and name == "stdlib":
        return version.removeprefix("go")
    return _GEM_PLATFORM.sub("", version) if ecosystem == "RubyGems" else version
