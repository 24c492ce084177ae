"""Package URLs made of what lists have: read again, they name the same package."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.exposure.names import normal_ecosystem, normal_name, of_purl, to_purl

ECOSYSTEMS = [
    "PyPI", "npm", "Go", "Maven", "crates", "Packagist", "RubyGems", "NuGet", "Debian:12",
    "Debian", "Ubuntu:22.04:LTS", "Alpine:v3.19", "AlmaLinux:9", "Rocky Linux:8",
    "openEuler:22.03-LTS-SP3", "Photon OS:5.0", "Red Hat", "Nowhere",
]  # fmt: skip


@given(st.sampled_from(ECOSYSTEMS), st.text(max_size=12), st.sampled_from(["", "1.0", "1:2-3"]))
def test_what_is_made_names_the_same_package_or_nothing_is_made(
    ecosystem: str, name: str, version: str
) -> None:
    made = to_purl(ecosystem, name, version)
    if made is not None:
        found = of_purl(made)
        assert found is not None
        assert found.ecosystem == normal_ecosystem(ecosystem)
        assert normal_name(ecosystem, found.name) == normal_name(ecosystem, name)


@pytest.mark.parametrize(
    ("ecosystem", "name", "version", "purl"),
    [
        ("Maven", "org.a:b", "1.0", "pkg:maven/org.a/b@1.0"),
        ("Go", "example.org/a/b", "1.0.0", "pkg:golang/example.org/a/b@1.0.0"),
        ("crates", "tor-circmgr", "0.18.0", "pkg:cargo/tor-circmgr@0.18.0"),
        ("Alpine:3.19", "zlib", "1-r0", "pkg:apk/alpine/zlib@1-r0?arch=source&distro=alpine-3.19"),
        ("Debian:12", "x", "1:2-3", "pkg:deb/debian/x@1:2-3?arch=source&distro=debian-12"),
        ("AlmaLinux", "x", "2-3", "pkg:rpm/almalinux/x@2-3"),
        ("Ubuntu:22.04:LTS", "x", "1", "pkg:deb/ubuntu/x@1?arch=source&distro=ubuntu-22.04"),
        ("openEuler:24.03", "x", "", "pkg:rpm/openeuler/x?distro=openeuler-24.03"),
    ],
)
def test_it_is_written_as_the_type_asks(ecosystem: str, name: str, version: str, purl: str) -> None:
    made = to_purl(ecosystem, name, version)
    assert made is not None
    assert made.to_string() == purl


@pytest.mark.parametrize("ecosystem", ["Red Hat", "GHC", "Nowhere", ""])
def test_where_no_type_is_known_none_is_made(ecosystem: str) -> None:
    assert to_purl(ecosystem, "x", "1") is None
