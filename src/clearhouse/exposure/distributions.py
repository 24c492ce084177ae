"""Distributions: how a package URL and OSV name them, and their releases.

A package URL has the distribution as namespace and its release in the qualifier ``distro``
(``ubuntu-22.04``, ``debian-bookworm``, ``almalinux-9.4``, ``el9``); OSV has both in the ecosystem's
name (``Ubuntu:22.04:LTS``, ``Debian:12``, ``AlmaLinux:9``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Distribution:
    """One distribution in OSV."""

    ecosystem: str
    release: str = ""
    """What of a release OSV names, as a pattern; empty where OSV names none."""


_BY_NAMESPACE: Final[Mapping[tuple[str, str], Distribution]] = {
    ("deb", "debian"): Distribution("Debian", r"\d+"),
    ("deb", "ubuntu"): Distribution("Ubuntu", r"\d+\.\d+"),
    ("apk", "alpine"): Distribution("Alpine", r"v?\d+\.\d+|edge"),
    ("apk", "wolfi"): Distribution("Wolfi"),
    ("apk", "chainguard"): Distribution("Chainguard"),
    ("apk", "minimos"): Distribution("MinimOS"),
    **dict.fromkeys((("rpm", "almalinux"), ("rpm", "alma")), Distribution("AlmaLinux", r"\d+")),
    **dict.fromkeys(
        (("rpm", "rocky"), ("rpm", "rocky-linux"), ("rpm", "rockylinux")),
        Distribution("Rocky Linux", r"\d+"),
    ),
    ("rpm", "openeuler"): Distribution("openEuler", r"\d.*"),
    ("rpm", "mageia"): Distribution("Mageia", r"\d+"),
    ("rpm", "photon"): Distribution("Photon OS", r"\d+\.\d+"),
    ("rpm", "azurelinux"): Distribution("Azure Linux", r"\d+"),
    ("rpm", "mariner"): Distribution("Azure Linux", r"\d+"),
}
_CODENAMES: Final[Mapping[str, str]] = {
    "jessie": "8", "stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12",
    "trixie": "13", "trusty": "14.04", "xenial": "16.04", "bionic": "18.04", "focal": "20.04",
    "jammy": "22.04", "noble": "24.04",
}  # fmt: skip
_PREFIX: Final = re.compile(r"[a-z-]*[a-z]-?(?=v?\d)|[a-z]+-(?=[a-z]+$)", re.IGNORECASE)
#: Distributions whose advisories are each about one release.
RELEASED: Final = frozenset(
    {"AlmaLinux", "Alpine", "Debian", "Rocky Linux", "Ubuntu", "Mageia", "openEuler", "Photon OS"}
)


def by_namespace(kind: str, namespace: str) -> Distribution | None:
    """The distribution of a package URL's type and namespace."""
    return _BY_NAMESPACE.get((kind, namespace.lower()))


def namespace_of(ecosystem: str) -> tuple[str, str] | None:
    """A package URL's type and namespace for a distribution of OSV, named without release."""
    found = (key for key, one in _BY_NAMESPACE.items() if one.ecosystem == ecosystem)
    return next(found, None)


def release_of(distribution: Distribution, distro: str) -> str:
    r"""The release that the qualifier ``distro`` tells, as OSV writes it; empty if it tells none.

    >>> release_of(Distribution("openEuler", r"\d.*"), "openEuler-22.03-LTS-SP3")
    '22.03-LTS-SP3'
    """
    bare = _PREFIX.sub("", distro.strip(), count=1)
    found = re.match(distribution.release or r"(?!)", _CODENAMES.get(bare.lower(), bare))
    return found[0] if found else ""


def normal_release(base: str, release: str) -> str:
    """A release in the form in which two spellings of it are equal: ``3.19`` and ``v3.19``."""
    if base == "Alpine" and release[:1].isdigit():
        return f"v{release}"
    return release.removesuffix(":LTS") if base == "Ubuntu" else release
