"""Who is affected: OSV's evaluation, over every advisory given and over ranges made to confuse."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.version import InvalidVersion, Version

from clearhouse.errors import Invalid
from clearhouse.exposure.intervals import Interval, intervals_of
from clearhouse.exposure.matching import Answer, Component, Decision, Vulnerabilities, decide
from clearhouse.exposure.vulnerabilities import AffectedPackage, read
from clearhouse.formats.osv import Affected, Bound, Event
from clearhouse.versions import pypi, rpm, semver
from clearhouse.versions.ecosystems import key_of
from tests.exposure.advisories import Compare, included, records
from tests.versions import literal


def python_order(left: str, right: str) -> int:
    return literal.sign(Version(left), Version(right))


def red_hat_order(left: str, right: str) -> int:
    def parts(version: str) -> tuple[str, str, str]:
        epoch, colon, rest = version.partition(":")
        name, _, release = (rest if colon else version).partition("-")
        return (epoch if colon else "0"), name, release

    pairs = zip(parts(left), parts(right), strict=True)
    return next((found for a, b in pairs if (found := literal.rpmvercmp(a, b))), 0)


def semver_order(left: str, right: str) -> int:
    return literal.semver(left.removeprefix("v"), right.removeprefix("v"))


def bitnami_order(left: str, right: str) -> int:
    """Revisions of a package are no versions of its software."""
    return semver_order(*(re.sub(r"-r?\d+$", "", one) for one in (left, right)))


def near(bounds: Iterable[str], tails: Iterable[str]) -> set[str]:
    """Versions at the bounds of a range and right beside them."""
    return {one + tail for one in bounds if one != "0" for tail in ("", *tails)}


SOURCES: dict[str, tuple[Compare, tuple[str, ...]]] = {
    "pypi": (python_order, (".1", ".post1", ".dev0", "a1", "+local")),
    "go": (semver_order, ("-0",)),
    "crates": (semver_order, ("-alpha",)),
    "npm-legacy": (semver_order, ("-0",)),
    "bitnami": (bitnami_order, ("-alpha", "-7", "-r3")),
    "packagist": (literal.php, (".1", "-dev", "-RC1")),
    "almalinux": (red_hat_order, (".1", "~rc1")),
}


#: Bitnami's versions are SemVer, as those of three shorter ones are.
_LONG = {
    "pypi": pytest.mark.slow, "almalinux": pytest.mark.slow, "packagist": pytest.mark.slow,
    "bitnami": pytest.mark.exhaustive,
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[_LONG[n]] if n in _LONG else []) for n in SOURCES]
)
def test_no_version_is_missed_and_none_is_too_many(name: str) -> None:
    compare, tails = SOURCES[name]
    looked_at = 0
    for raw in records(name):
        for entry, package in zip(raw["affected"], read(raw, name).affected, strict=True):
            if package.undecided:
                continue
            bounds = [v for r in entry.get("ranges", ()) for e in r["events"] for v in e.values()]
            listed = entry.get("versions", [])
            for version in near(bounds, tails) | set(listed[:20]):
                try:
                    expected = version in listed or any(
                        included(version, one["events"], compare) for one in entry["ranges"]
                    )
                except (InvalidVersion, ValueError):
                    continue
                component = Component(package.ecosystem, package.name, version)
                found = decide(component, package)
                if found is None or "listed" not in found.because:
                    looked_at += 1
                    assert (found is not None) == expected, (raw["id"], version, found)
    assert looked_at > 400


place = st.sampled_from(["0", "1.0.0-a", "1.0.0", "1.0.1", "1.1.0", "2.0.0", "10.0.0"])
event = st.tuples(st.sampled_from(["introduced", "fixed", "last_affected", "limit"]), place)


@settings(max_examples=600)
@given(st.lists(event, min_size=1, max_size=7), place)
@example([("fixed", "1.0.0"), ("introduced", "1.0.0"), ("introduced", "0")], "1.0.0")
@example([("introduced", "0"), ("fixed", "0")], "1.0.0")
@example([("introduced", "1.0.0"), ("fixed", "1.0.0")], "1.1.0")
@example([("introduced", "1.0.0"), ("last_affected", "1.0.0")], "1.0.0")
@example([("introduced", "0"), ("limit", "1.0.0"), ("limit", "*")], "2.0.0")
@example([("introduced", "0"), ("last_affected", "0")], "1.0.0")
def test_ranges_in_any_disorder_are_walked_as_the_format_says(
    events: list[tuple[str, str]], version: str
) -> None:
    def order(left: str, right: str) -> int:
        return literal.semver(*("0.0.0" if one == "0" else one for one in (left, right)))

    expected = included(version, [{kind: at} for kind, at in events], order)
    found = intervals_of([Event(Bound(kind), at) for kind, at in events], semver.key)
    assert isinstance(found, tuple)
    key = semver.key(version)
    assert isinstance(key, bytes)
    assert any(one.holds(key) for one in found) == expected
    assert all(one.low < one.high for one in found)
    assert all(one.high < two.low for one, two in pairwise(found))
    affected = Affected((tuple(Event(Bound(kind), at) for kind, at in events),), ())
    # The walk that dates proofs is the same; only there "0" may be a version of its own.
    if all(at != "0" or kind == "introduced" for kind, at in events) and version != "0":
        assert affected.spans(version, semver.key) == expected


def package(events: list[dict[str, str]], versions: list[str] | None = None) -> AffectedPackage:
    raw: dict[str, Any] = {
        "id": "X-1",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "Some_Package"},
                "ranges": [{"type": "ECOSYSTEM", "events": events}],
                "versions": versions or [],
            }
        ],
    }
    return read(raw, "x.json").affected[0]


def answer(version: str, about: AffectedPackage) -> Decision | None:
    return decide(Component("PyPI", "some-package", version), about)


def test_the_interval_that_decided_is_said() -> None:
    about = package([{"introduced": "1.0"}, {"fixed": "1.5"}, {"introduced": "2.0"}])
    assert answer("1.2", about) == Decision(Answer.AFFECTED, "1.0 or later, before 1.5", "1.5")
    assert answer("2.0", about) == Decision(Answer.AFFECTED, "2.0 or later")
    assert answer("1.5", about) is None


def test_the_version_to_update_to_is_one_that_no_range_holds() -> None:
    both = package([{"introduced": "0"}, {"fixed": "1.5"}, {"introduced": "1.5"}, {"fixed": "2.1"}])
    found = answer("1.2", both)
    assert found is not None
    assert found.fixed == "2.1"
    last = answer("1.2", package([{"introduced": "0"}, {"last_affected": "1.5"}]))
    assert last == Decision(Answer.AFFECTED, "any version, up to 1.5")
    still_listed = answer("1.2", package([{"introduced": "0"}, {"fixed": "1.5"}], ["1.5.0"]))
    assert still_listed is not None
    assert still_listed.fixed is None


def test_a_listed_version_is_known_by_its_key_and_by_its_spelling() -> None:
    about = package([{"introduced": "5"}], ["1.0.0", "trunk"])
    assert answer("1.0", about) == Decision(Answer.AFFECTED, "1.0.0 is listed")
    assert answer("trunk", about) == Decision(Answer.AFFECTED, "trunk is listed")


@pytest.mark.parametrize("version", ["", "unknown", "2.0-final-beta"])
def test_what_has_no_place_in_the_order_is_undecided_and_never_clean(version: str) -> None:
    found = answer(version, package([{"introduced": "1.0"}]))
    assert found is not None
    assert found.answer is Answer.UNDECIDED


def test_a_range_that_cannot_be_drawn_leaves_every_version_undecided() -> None:
    about = package([{"introduced": "0"}, {"fixed": "2019-09-12"}], ["0.1"])
    found = answer("3.0", about)
    assert found == Decision(Answer.UNDECIDED, "fixed 2019-09-12 is not PEP 440")
    assert answer("0.1", about) == Decision(Answer.AFFECTED, "0.1 is listed")


def test_releases_of_a_distribution_are_apart_and_names_of_one_package_are_one() -> None:
    def about(ecosystem: str, name: str) -> dict[str, Any]:
        ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0-1"}]}]
        return {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges}

    raw = {"id": "X-1", "affected": [about("Debian:12", "curl"), about("PyPI", "Zope.Interface")]}
    known = Vulnerabilities([read(raw, "x.json")])

    def matched(ecosystem: str, name: str) -> int:
        return len(list(known.matches(Component(ecosystem, name, "1.0"))))

    assert matched("Debian:12", "curl") == 1
    assert matched("Debian:11", "curl") == matched("Ubuntu:22.04", "curl") == 0
    assert matched("PyPI", "zope-interface") == 1


def listing(identifier: str, *versions: str, **more: Any) -> dict[str, Any]:
    entry = {"package": {"ecosystem": "PyPI", "name": "x"}, "versions": list(versions)}
    return {"id": identifier, "affected": [entry], **more}


def flaws(*raw: dict[str, Any], version: str = "1") -> list[tuple[str, ...]]:
    known = Vulnerabilities([read(one, "x") for one in raw])
    return [one.ids for one in known.matches(Component("PyPI", "x", version))]


def test_records_that_name_one_another_are_one_flaw_and_two_cves_are_two() -> None:
    both = (
        listing("PYSEC-1", "1", aliases=["GHSA-1", "CVE-1"]),
        listing("PYSEC-2", "1", aliases=["GHSA-1", "CVE-2", ""]),
        listing("GHSA-1", "1"),
        listing("OTHER", "1", aliases=["", " "]),
    )
    for order in (both, both[::-1]):
        found = flaws(*order)
        assert len(found) == 3
        assert {one[0] for one in found} == {"CVE-1", "CVE-2", "OTHER"}


def test_of_one_identifier_the_record_modified_last_counts() -> None:
    old = listing("X-1", "1", modified="2026-01-01T00:00:00Z")
    new = listing("X-1", "1", modified="2026-02-01T00:00:00Z", withdrawn="2026-02-01T00:00:00Z")
    assert flaws(old, new) == flaws(new, old) == []
    assert flaws(new | {"withdrawn": ""}) == [("X-1",)]


def test_a_record_without_release_is_about_every_release() -> None:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2-1"}]}]
    package = {"ecosystem": "AlmaLinux", "name": "curl"}
    known = Vulnerabilities(
        [read({"id": "X", "affected": [{"package": package, "ranges": ranges}]}, "x")]
    )
    assert known.cover("AlmaLinux:9")
    assert len(known.matches(Component("AlmaLinux:9", "curl", "1-1"))) == 1


@pytest.mark.parametrize(
    ("ecosystem", "version"),
    [("Maven", "${project.version}"), ("Maven", "latest"), ("Packagist", "dev-main")],
)
def test_a_word_in_place_of_a_version_is_undecided(ecosystem: str, version: str) -> None:
    events = [{"introduced": "1.0"}, {"fixed": "2.0", "last_affected": None}]
    entry = {
        "package": {"ecosystem": ecosystem, "name": "a:x"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    about = read({"id": "X", "affected": [entry]}, "x").affected[0]
    found = decide(Component(ecosystem, "a:x", version), about)
    assert found is not None
    assert found.answer is Answer.UNDECIDED


def test_where_every_version_is_affected_none_needs_to_be_known() -> None:
    found = answer("", package([{"introduced": "0"}]))
    assert found == Decision(Answer.AFFECTED, "every version")


def test_a_list_without_epochs_decides_nothing_where_the_advisory_has_one() -> None:
    def found(fixed: str) -> Decision | None:
        events = [{"introduced": "0"}, {"fixed": fixed}]
        entry = {
            "package": {"ecosystem": "AlmaLinux:9", "name": "openssl"},
            "ranges": [{"type": "ECOSYSTEM", "events": events}],
        }
        about = read({"id": "X", "affected": [entry]}, "x").affected[0]
        return decide(Component("AlmaLinux:9", "openssl", "3.5-4", lacks_epoch=True), about)

    with_epoch, without = found("1:3.5-4"), found("0:3.5-4")
    assert with_epoch is not None
    assert with_epoch.answer is Answer.UNDECIDED
    assert without is None


def test_withdrawn_records_match_nothing() -> None:
    affected = [{"package": {"ecosystem": "PyPI", "name": "x"}, "versions": ["1"]}]
    raw = {"id": "X-1", "withdrawn": "2026-01-01T00:00:00Z", "affected": affected}
    assert list(Vulnerabilities([read(raw, "x")]).matches(Component("PyPI", "x", "1"))) == []


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ([], None),
        ({}, None),
        ({"id": "X", "affected": {}}, "affected"),
        ({"id": "X", "withdrawn": "soon"}, "withdrawn"),
    ],
)
def test_a_malformed_record_is_refused_with_the_place(raw: object, key: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        read(raw, "record.json")
    assert (caught.value.where, caught.value.key) == ("record.json", key)


def test_first_and_last_keys_enclose_every_version() -> None:
    (whole,) = intervals_of([Event(Bound.INTRODUCED, "0")], pypi.key)  # type: ignore[misc] # drawn
    assert isinstance(whole, Interval)
    for ecosystem, version in [("Maven", "9" * 60), ("PyPI", "0.dev0"), ("Go", "9" * 300 + ".0.0")]:
        key = key_of(ecosystem, version)
        assert isinstance(key, bytes)
        assert whole.holds(key)
    assert rpm.key("1-1") != rpm.key("1")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (
            {"ranges": [{"type": "SEMVER", "events": [{"fixed": "1", "limit": "2"}]}]},
            "affected[0].ranges[0].events[0]: expected one of introduced, fixed, last_affected,"
            " limit, found 2 of them",
        ),
        ({"versions": [1.0]}, "affected[0].versions[0]: expected a text, found a number"),
        (
            {"ranges": [{"type": "SEMVER", "events": [{"fixed": "1"}]}]},
            "affected[0].ranges[0]: expected an introduced event",
        ),
        ({"ranges": 7}, "affected[0].ranges: expected a list, found a number"),
    ],
)
def test_a_malformed_entry_is_undecided_and_the_rest_counts(
    entry: dict[str, Any], reason: str
) -> None:
    sound = {
        "package": {"ecosystem": "npm", "name": "y"},
        "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
    }
    entries = [{"package": {"ecosystem": "npm", "name": "x"}, **entry}, sound]
    known = Vulnerabilities([read({"id": "X", "affected": entries}, "x.json")])
    (undecided,) = known.matches(Component("npm", "x", "1.0.0"))
    assert undecided.decision == Decision(
        Answer.UNDECIDED, f"the advisory cannot be read: {reason}"
    )
    (affected,) = known.matches(Component("npm", "y", "1.0.0"))
    assert affected.answer is Answer.AFFECTED


@pytest.mark.parametrize(
    ("package", "unread"),
    [
        (
            {"name": "x"},
            "affected[0].package: expected ecosystem as text, 1024 characters at most",
        ),
        (3, "affected[0].package: expected an object, found a number"),
    ],
)
def test_an_entry_of_nobody_knows_what_is_told_of(package: object, unread: str) -> None:
    found = read({"id": "X", "affected": [{"package": package}]}, "x.json")
    assert (found.affected, found.unread) == ((), (unread,))


def test_the_record_that_was_modified_last_counts_whatever_its_fractions() -> None:
    early = {"id": "X", "modified": "2024-01-01T00:00:00Z", "affected": []}
    late = {
        "id": "X",
        "modified": "2024-01-01T00:00:00.5Z",
        "affected": [{"package": {"ecosystem": "npm", "name": "y"}, "versions": ["1.0.0"]}],
    }
    for order in ([early, late], [late, early]):
        known = Vulnerabilities([read(one, "x.json") for one in order])
        assert len(known.matches(Component("npm", "y", "1.0.0"))) == 1


def test_a_record_with_two_cves_is_known_by_both_and_the_other_record_of_one_stays_apart() -> None:
    both = (
        listing("SA-1", "1", aliases=["CVE-2", "CVE-1"]),
        listing("GHSA-2", "1", aliases=["CVE-2"]),
    )
    for order in (both, both[::-1]):
        found = flaws(*order)
        assert sorted(one[0] for one in found) == ["CVE-1", "CVE-2"]
        assert all("CVE-2" in one for one in found)
