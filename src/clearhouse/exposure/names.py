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

from clearhouse.exposure.distributions import (
    by_namespace,
    namespace_of,
    normal_release,
    release_of,
)
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
_TYPES: Final = {ecosystem: kind for kind, ecosystem in _BY_TYPE.items()}
#: Types whose advisories are about source packages, so that a list has the names of these.
_BY_SOURCE: Final = frozenset({"apk", "deb"})
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


def to_purl(ecosystem: str, name: str, version: str) -> PackageURL | None:
    """A package URL for what an ecosystem's name and a package's name say; None where none can be.

    The release of a distribution becomes the qualifier ``distro``, the epoch of an RPM ``epoch``; a
    package of a list of dpkg is a source package (``arch=source``).
    :func:`of_purl` reads the same package again.
    """
    whole = normal_ecosystem(ecosystem)
    base = base_name(whole)
    kind = _TYPES.get(base)
    qualifiers: dict[str, str] = {}
    if kind is not None:
        namespace, _, bare = name.strip().rpartition(":" if kind == "maven" else "/")
    elif (found := namespace_of(base)) is not None:
        kind, namespace = found
        bare, release = name.strip(), whole.partition(":")[2].removeprefix("v")
        if kind in _BY_SOURCE:
            qualifiers["arch"] = "source"
        if release:
            qualifiers["distro"] = f"{namespace}-{release}"
        epoch, colon, rest = version.partition(":")
        if kind == "rpm" and colon:
            qualifiers["epoch"], version = epoch, rest
    else:
        return None
    try:
        made = PackageURL(kind, namespace or None, bare, version.strip() or None, qualifiers)
        told = of_purl(PackageURL.from_string(made.to_string()))
    except ValueError:
        return None
    wanted = whole, normal_name(whole, name)
    is_same = told is not None and (told.ecosystem, normal_name(whole, told.name)) == wanted
    return made if is_same else None


def _version(ecosystem: str, name: str, version: str) -> str:
    """A version without what tools put around it: Go's own ``go1.22.3``, a gem's platform."""
    if ecosystem == "Go" and name == "stdlib":
        return version.removeprefix("go")
    return _GEM_PLATFORM.sub("", version) if ecosystem == "RubyGems" else version
