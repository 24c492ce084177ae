"""Names of packages: as each ecosystem writes them."""

from __future__ import annotations

import pytest
from packageurl import PackageURL

from clearhouse.formats.package_names import name_of, without_version


@pytest.mark.parametrize(
    ("purl", "name"),
    [
        ("pkg:npm/%40scope/demo", "@scope/demo"),
        ("pkg:maven/org.example/demo", "org.example:demo"),
        ("pkg:golang/example.com/demo", "example.com/demo"),
        ("pkg:pypi/demo", "demo"),
    ],
)
def test_names_are_written_as_their_ecosystem_does(purl: str, name: str) -> None:
    assert name_of(PackageURL.from_string(purl)) == name


def test_a_version_is_left_out_and_the_rest_stays() -> None:
    purl = PackageURL.from_string("pkg:npm/%40scope/demo@1.0.0?arch=x86#lib")
    assert without_version(purl) == "pkg:npm/%40scope/demo?arch=x86#lib"
