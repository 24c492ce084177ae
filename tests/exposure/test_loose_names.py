"""Names that may be one are never taken for two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.exposure.inventories import Unidentified, components_of, read
from clearhouse.exposure.loose_names import LONGEST, NOT_NAMED, loose_names, names_of
from clearhouse.formats.inventory import Listed


@pytest.mark.parametrize(
    ("listed", "package"),
    [
        ("Salt", "salt"),
        ("SALT 3000", "salt"),
        ("salt-3000.1", "salt"),
        ("salt@3000", "salt"),
        ("salt==3000", "salt"),
        ("pip:salt", "salt"),
        ("zope.interface", "Zope_Interface"),
        ("core", "@angular/core"),
        ("@angular/core", "core"),
        ("log4j-core", "org.apache.logging.log4j:log4j-core"),
        ("org.apache.logging.log4j/log4j-core", "org.apache.logging.log4j:log4j-core"),
        ("jwt", "github.com/golang-jwt/jwt/v5"),
        ("\uff33\uff21\uff2c\uff34", "salt"),
        ("x" * 500, "x" * 400),
    ],
)
def test_two_spellings_that_may_be_one_package_meet(listed: str, package: str) -> None:
    assert loose_names(listed) & loose_names(package)


@pytest.mark.parametrize(
    ("listed", "package"), [("salt-cli", "salt"), ("saltstack", "salt"), ("x", "y"), ("..", "-")]
)
def test_others_do_not(listed: str, package: str) -> None:
    assert not loose_names(listed) & loose_names(package)


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        (Listed(""), {NOT_NAMED}),
        (Listed("???"), {NOT_NAMED}),
        (Listed("salt 3000", is_line=True), {NOT_NAMED}),
        (Listed("-e git+https://example.org/a#egg=Salt", is_line=True), {"salt"}),
        (Listed("a", purl="pkg:generic/b@1?x=y"), {"a", "b", "generic/b"}),
        (Listed("", purl="pkg:npm/%zz@"), {"npm/%zz", "%zz"}),
    ],
)
def test_an_entry_has_the_names_that_it_gives_or_any(listed: Listed, names: set[str]) -> None:
    assert names_of(Unidentified(listed, "r", "s")) == names


def test_a_line_without_a_version_has_its_name_and_one_that_is_none_has_none() -> None:
    found = read(b"a==1\nSalt>=3000\n-r more.txt\nnot a requirement\n", "r.txt")
    _, unknown = components_of(found.packages, "r.txt")
    assert [names_of(one) for one in unknown] == [{"salt"}, {NOT_NAMED}, {NOT_NAMED}]


@given(st.text(max_size=300))
def test_whatever_is_listed_has_names_of_a_length_that_is_kept(text: str) -> None:
    for name in names_of(Unidentified(Listed(text), "r", "s")):
        assert name == NOT_NAMED or any(c.isalnum() for c in name)
        assert len(name) <= LONGEST


@given(st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{0,20}([-_.][a-zA-Z]{1,9}){0,3}", fullmatch=True))
def test_case_and_separators_make_no_difference(name: str) -> None:
    other = name.upper().replace("-", "_").replace(".", "--")
    assert loose_names(name) == loose_names(other)
    assert loose_names(name) & loose_names(f"@scope/{other}")
