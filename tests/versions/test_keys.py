"""Keys compare as their ecosystems do: by published orderings, by literal comparisons, by dpkg."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.version import Version

from clearhouse.versions import (
    OutsideGrammar,
    alpine,
    debian,
    dotted,
    encoding,
    maven,
    nuget,
    packagist,
    pub,
    pypi,
    rpm,
    rubygems,
    semver,
)
from clearhouse.versions.ecosystems import ORDERS, base_name, key_of, order_of, spelt
from tests.versions import literal
from tests.versions.fixtures import Assertion, assertions

Key = Callable[[str], bytes | OutsideGrammar]
Compare = Callable[[str, str], int]

FIXTURES: dict[str, Key] = {
    "alpine": alpine.key, "cran": dotted.key, "debian": debian.key, "maven": maven.key,
    "npm-node-semver": semver.key, "nuget": nuget.key, "packagist": packagist.key, "pub": pub.key,
    "pypi": pypi.key, "pypi-packaging": pypi.key, "redhat": rpm.key, "rpm-vercmp": rpm.key,
    "rubygems": rubygems.key, "semver": semver.key,
}  # fmt: skip

#: What no key can hold, with the reason; docs/version-orders.md publishes it.
CYCLES = {
    # 1.1.0 < 1.1.0-01-glassfish < 1.1.0.Beta1 < 1.1.0, and the others alike
    "maven": {
        "1.0.0-gradle-rework-beta3 < 1.0.0.RC7-3",
        "2.9.0-1 < 2.9.0.RC1",
        "1.1.0-01-glassfish < 1.1.0.Beta1",
    },
}
#: Versions that their ecosystem itself calls malformed: they have no place in the order.
MALFORMED: dict[str, Callable[[str], bool]] = {
    "alpine": lambda v: ".." in v or v[0] in ".abc" or v in {
        "0.r1", "0r2", "0.8.21.r1", "0.8.21.r2", "0.8.21r2", "10.2.24.r0", "10.2.22.r0", "1.2.0A",
        "1.2.0D", "1-r-0", "1-r-1", "1-r-2", "1-r0-1", "1-r0-2", "1-ruff", "1-ruff1", "1-ruff2",
        "1--ruff1", "1-r0-ruff1", "1-r0-ruff2", "1.2_blah", "1.2_csv2", "23_foo", "1.0bc",
    },
    "packagist": lambda v: "#" in v,  # equal to every number in its place
    "pypi": lambda v: isinstance(pypi.parse(v), OutsideGrammar),  # as packaging says
}  # fmt: skip


def compared(key: Key, left: str, right: str) -> int | None:
    """-1, 0 or 1 by the keys; None where one has none."""
    a, b = key(left), key(right)
    if isinstance(a, OutsideGrammar) or isinstance(b, OutsideGrammar):
        return None
    return int(a > b) - int(a < b)


def written(one: Assertion) -> str:
    return f"{one.left} {'<=>'[one.sign + 1]} {one.right}"


@pytest.mark.parametrize("name", FIXTURES)
def test_published_orderings_hold_but_for_what_is_published(name: str) -> None:
    key, wrong, unkeyed = FIXTURES[name], set(), set()
    for one in assertions(name):
        found = compared(key, one.left, one.right)
        if found is None:
            unkeyed |= {v for v in (one.left, one.right) if isinstance(key(v), OutsideGrammar)}
        elif found != one.sign:
            wrong.add(written(one))
    assert wrong == CYCLES.get(name, set())
    malformed = MALFORMED.get(name)
    assert [one for one in sorted(unkeyed) if malformed is None or not malformed(one)] == []


def test_hackages_own_examples_hold() -> None:
    pairs = [("1.0.0.0", "0.11.3.0"), ("1.0.1.0", "1.0.0.0"), ("1.0.0", "1.0"), ("2.0", "1")]
    assert [compared(dotted.key, a, b) for a, b in pairs] == [1, 1, 1, 1]


def test_resolvers_order_of_maven_is_another_one() -> None:
    """Maven's resolver reads dots and hyphens alike, and ``min`` and ``max``; OSV does not."""
    said = assertions("maven-resolver")
    differ = [one for one in said if compared(maven.key, one.left, one.right) != one.sign]
    assert len(differ) == 25


numbers = st.sampled_from(["0", "00", "1", "2", "9", "10", "199", "200", "65536", "9" * 30])
signs = st.sampled_from([".", "-", "~", "^", "+", ":", "_", ""])
words = st.sampled_from(
    ["a", "b", "rc", "alpha", "beta", "dev", "pl", "p", "pre", "Z", "xyz", "sp"]
)


def made(*pieces: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.one_of(*pieces), min_size=1, max_size=7).map("".join)


#: How versions begin and go on, and what is between the pieces; two of them often begin alike.
LITERAL: dict[str, tuple[Key, Compare, str, st.SearchStrategy[str], str]] = {
    "rpm": (rpm.key, literal.rpmvercmp, "1", numbers | words | st.sampled_from(".~^"), ""),
    "gem": (rubygems.key, literal.gem, "1", st.sampled_from(["0", "0", "1", "10", "a", "b"]), "."),
    "php": (packagist.key, literal.php, "1", numbers | words | st.sampled_from(".-+"), ""),
    "debian": (debian.key, literal.debian, "1", numbers | words | st.sampled_from(".~+-"), ""),
    "semver": (
        semver.key, literal.semver, "1.2.3-0", st.sampled_from(["0", "1", "10", "a", "b-1"]), "."
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LITERAL)
def test_keys_compare_as_the_literal_comparison_does(name: str) -> None:
    key, compare, start, piece, between = LITERAL[name]
    some = st.lists(piece, max_size=4)

    @settings(max_examples=400)
    @given(some, some, some)
    def holds(common: list[str], ours: list[str], theirs: list[str]) -> None:
        left, right = (between.join([start, *common, *tail]) for tail in (ours, theirs))
        found = compared(key, left, right)
        assert found is None or found == compare(left, right), (left, right)

    holds()


pep440 = st.builds(
    lambda epoch, release, rest, local: epoch + ".".join(release) + rest + local,
    st.sampled_from(["", "1!"]),
    st.lists(numbers, min_size=1, max_size=4),
    st.sampled_from(
        ["", "a0", "a1", "b1", "rc2", ".post0", ".post1", ".dev0", ".dev1", "a1.dev1", "a1.post0",
         "a1.post0.dev2", ".post1.dev3", "rc2.post3.dev4"]
    ),
    st.sampled_from(["", "+a", "+1", "+a.1", "+a.b", "+1.a", "+01"]),
)  # fmt: skip


@given(pep440, pep440)
@example("1.0.dev0", "1.0a0")
def test_python_versions_compare_as_packaging_orders_them(left: str, right: str) -> None:
    a, b = Version(left), Version(right)
    assert compared(pypi.key, left, right) == (a > b) - (a < b)


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is not installed")
def test_debian_versions_compare_as_dpkg_itself_says() -> None:
    published = [one for one in assertions("debian")[:40] if ":" not in one.left]
    for one in published:
        words = {-1: "lt", 0: "eq", 1: "gt"}
        found = compared(debian.key, one.left, one.right)
        assert found is not None
        command = ["dpkg", "--compare-versions", one.left, words[found], one.right]
        assert subprocess.run(command, check=False).returncode == 0, one


KEYS = sorted({order.key for order in ORDERS.values()}, key=lambda key: key.__module__)
texts = made(numbers, words, signs) | st.text(max_size=12)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.__module__)
def test_any_text_has_a_key_or_a_reason_and_no_key_begins_another(key: Key) -> None:
    @given(texts, texts)
    def holds(left: str, right: str) -> None:
        a, b = key(left), key(right)
        if isinstance(a, OutsideGrammar):
            assert a.expected
        elif isinstance(b, bytes) and a != b:
            assert not a.startswith(b)
            assert not b.startswith(a)

    holds()


@given(st.integers(0, 2**600), st.integers(0, 2**600))
@example(199, 200)
@example(2**440 - 1, 2**440)
def test_numbers_of_any_size_keep_their_order(a: int, b: int) -> None:
    assert (encoding.number(a) < encoding.number(b)) == (a < b)
    assert (encoding.descending(a) < encoding.descending(b)) == (a > b)


@pytest.mark.parametrize("text", ["", "1\0", "9" * 2000, "1.\ud800", "٣.1", " ", "v", "-", "."])
@pytest.mark.parametrize("name", sorted(ORDERS))
def test_absurd_versions_have_no_key_or_an_ordinary_one(name: str, text: str) -> None:
    found = key_of(name, text)
    assert isinstance(found, OutsideGrammar) or len(found) < 64
    if not text or "\0" in text or len(text) > encoding.LONGEST or "\ud800" in text:
        assert isinstance(found, OutsideGrammar)


def test_ecosystems_are_known_by_the_names_of_records() -> None:
    assert base_name("Debian:12") == "Debian"
    assert base_name("crates." + "io") == "crates"
    assert order_of("Alpine:v3.19") is ORDERS["Alpine"]
    assert order_of("Linux") is None
    assert isinstance(key_of("Linux", "6.1"), OutsideGrammar)
    assert key_of("Debian:11", "1.0-1") == key_of("Ubuntu:22.04:LTS", "1.0-1")


def test_an_ecosystem_is_spelt_as_osv_does_and_what_is_unknown_stays() -> None:
    assert [spelt(one) for one in ("pypi", "ALMALINUX:9", " npm ", "rocky linux:8")] == [
        "PyPI", "AlmaLinux:9", "npm", "Rocky Linux:8",
    ]  # fmt: skip
    assert spelt("Plan 9:4") == "Plan 9:4"
