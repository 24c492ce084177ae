"""Which VEX statement counts for a match, and which must not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from clearhouse.exposure.matching import Answer, Component, Decision, Match
from clearhouse.exposure.names import of_purl
from clearhouse.exposure.vex import SUPPRESSING, Stated, Statements
from clearhouse.exposure.vulnerabilities import Vulnerability
from clearhouse.formats.advisory import Claim
from clearhouse.formats.vex import Product, Statement

AT = datetime(2026, 1, 1, tzinfo=UTC)
FLASK = "pkg:pypi/flask@2.0.1"


def installed(text: str, **more: Any) -> Component:
    """A component with a package URL, as an inventory's reader makes it."""
    purl = PackageURL.from_string(text)
    found = of_purl(purl)
    assert found is not None
    return Component(found.ecosystem, found.name, found.version, text, **more)


def match(component: Component, *ids: str) -> Match:
    flaw = Vulnerability(ids[0] if ids else "CVE-1", "", (), (), "", None, ())
    return Match(component, flaw, ids or ("CVE-1", "GHSA-1"), Decision(Answer.AFFECTED, "all"))


def product(text: str, span: str = "", *parts: Product) -> Product:
    return Product(text, PackageURL.from_string(text), span, parts)


def statement(
    *products: Product, claim: Claim = Claim.NOT_AFFECTED, days: int = 0, name: str = "CVE-1"
) -> Statement:
    return Statement((name,), products, claim, "why", author="X", at=AT + timedelta(days=days))


def on(one: Match, *statements: Statement, subject: str = "") -> Stated:
    whole = PackageURL.from_string(subject) if subject else None
    return Statements(statements, {}).on(one, whole)


def suppresses(stated: Product, component: Component, subject: str = "") -> bool:
    return on(match(component), statement(stated), subject=subject).is_suppressed


@pytest.mark.parametrize(
    ("stated", "purl"),
    [
        (FLASK, FLASK),
        ("pkg:pypi/flask", FLASK),
        ("pkg:pypi/Zope_Interface@5.0", "pkg:pypi/zope.interface@5.0"),
        ("pkg:npm/%40a/b@1.0.0", "pkg:npm/%40a/b@1.0.0?vcs_url=x"),
        ("pkg:deb/debian/a@3.0?distro=debian-12", "pkg:deb/debian/a@3.0?distro=debian-12&arch=x"),
        ("pkg:rpm/rocky-linux/a@1-2?epoch=1", "pkg:rpm/rockylinux/a@1-2?epoch=1&arch=x86_64"),
        ("pkg:golang/github.com/a/b@v1#sub", "pkg:golang/github.com/A/b@v1#sub"),
    ],
)  # fmt: skip
def test_a_statement_counts_for_what_it_names(stated: str, purl: str) -> None:
    assert suppresses(product(stated), installed(purl))


@pytest.mark.parametrize(
    ("stated", "purl"),
    [
        ("pkg:pypi/flask@2.0.2", FLASK),
        ("pkg:pypi/flask@2.0", "pkg:pypi/flask@2.0.0"),
        ("pkg:pypi/flask@2.0.1", "pkg:pypi/flask@2.0.1+vendor"),
        ("pkg:pypi/flask-login", FLASK),
        ("pkg:npm/flask@2.0.1", FLASK),
        ("pkg:npm/b@1.0.0", "pkg:npm/%40a/b@1.0.0"),
        ("pkg:pypi/flask@2.0.1?file_name=a.whl", FLASK),
        ("pkg:deb/debian/a@1?distro=debian-12", "pkg:deb/debian/a@1?distro=debian-11"),
        ("pkg:deb/debian/a@1?distro=debian-12", "pkg:deb/debian/a@1"),
        ("pkg:deb/debian/a@1", "pkg:deb/ubuntu/a@1"),
        ("pkg:deb/debian/openssl", "pkg:deb/debian/libssl3@3?upstream=openssl"),
        ("pkg:rpm/almalinux/a@1-2", "pkg:rpm/almalinux/a@1-2?epoch=1"),
        ("pkg:golang/github.com/a/b@v1#sub", "pkg:golang/github.com/a/b@v1"),
    ],
)
def test_a_statement_does_not_count_for_anything_else(stated: str, purl: str) -> None:
    assert not suppresses(product(stated), installed(purl))


def test_a_range_counts_for_the_versions_in_it() -> None:
    stated = product("pkg:pypi/flask", "vers:pypi/>=2.0|<2.1")
    assert suppresses(stated, installed(FLASK))
    assert not suppresses(stated, installed("pkg:pypi/flask@2.1"))
    assert not suppresses(product("pkg:pypi/flask", "below 3"), installed(FLASK))


def test_a_package_of_a_list_is_named_by_what_the_list_tells() -> None:
    flask = Component("PyPI", "Flask", "2.0.1")
    assert suppresses(product(FLASK), flask)
    assert suppresses(product("pkg:pypi/flask"), flask)
    assert suppresses(product("pkg:pypi/flask", "vers:pypi/<3"), flask)
    assert not suppresses(product("pkg:pypi/flask", "vers:pypi/<2"), flask)
    assert not suppresses(product("pkg:pypi/flask@2.0.1?file_name=x"), flask)
    bash = Component("AlmaLinux:9", "bash", "1:5.1-6")
    assert suppresses(product("pkg:rpm/almalinux/bash@5.1-6?epoch=1&distro=almalinux-9.4"), bash)
    assert suppresses(product("pkg:rpm/almalinux/bash"), bash)
    assert not suppresses(product("pkg:rpm/almalinux/bash@5.1-6"), bash)
    assert not suppresses(product("pkg:rpm/almalinux/bash?distro=almalinux-8"), bash)


def test_a_list_of_debian_names_sources_and_a_statement_on_a_binary_is_not_on_them() -> None:
    openssl = Component("Debian:12", "openssl", "3.0-1")
    assert suppresses(product("pkg:deb/debian/openssl@3.0-1?arch=source"), openssl)
    assert not suppresses(product("pkg:deb/debian/openssl@3.0-1?arch=amd64"), openssl)
    assert not suppresses(product("pkg:deb/debian/openssl@3.0-1"), openssl)


def test_what_has_no_package_url_names_nothing() -> None:
    assert not suppresses(Product("https://acme.example/flask"), installed(FLASK))
    assert not suppresses(Product(FLASK), installed(FLASK))


def test_a_bom_link_names_what_it_leads_to() -> None:
    link = "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#flask"
    links = {link: PackageURL.from_string(FLASK)}
    one = match(installed(FLASK))
    assert Statements([statement(Product(link))], links).on(one, None).is_suppressed
    assert not Statements([statement(Product(link + "2"))], links).on(one, None).is_suppressed


def test_the_product_that_the_inventory_is_of_counts_for_what_is_in_it() -> None:
    flask = installed(FLASK)
    whole = product("pkg:oci/app@sha256:1")
    assert suppresses(whole, flask, "pkg:oci/app@sha256:1")
    assert not suppresses(whole, flask, "pkg:oci/app@sha256:2")
    assert not suppresses(whole, flask)


def test_a_component_of_a_product_is_meant_there_and_nowhere_else() -> None:
    flask = installed(FLASK)
    inside = product("pkg:oci/app", "", product("pkg:pypi/flask"))
    assert suppresses(inside, flask, "pkg:oci/app@sha256:1")
    assert not suppresses(inside, flask)
    assert not suppresses(inside, flask, "pkg:oci/other")
    assert not suppresses(inside, installed("pkg:pypi/jinja2@3"), "pkg:oci/app")
    assert not suppresses(product(FLASK, "", product("pkg:pypi/jinja2")), flask)
    deeper = product("pkg:oci/app", "", product("pkg:pypi/flask", "", product("pkg:pypi/x")))
    assert not suppresses(deeper, flask, "pkg:oci/app")


def test_every_name_of_the_flaw_counts_and_no_other() -> None:
    one = match(installed(FLASK))
    for name, expected in {"CVE-1": True, "ghsa-1": True, "CVE-10": False}.items():
        assert on(one, statement(product(FLASK), name=name)).is_suppressed is expected
    aliased = Statement(("X-1", "GHSA-1"), (product(FLASK),), Claim.FIXED)
    assert on(one, aliased).is_suppressed


def test_what_is_said_of_one_of_two_cves_leaves_the_other_open() -> None:
    one = match(installed(FLASK), "CVE-1", "CVE-2", "GHSA-1")
    first, second = (statement(product(FLASK), name=name) for name in ("CVE-1", "CVE-2"))
    assert not on(one, first).is_suppressed
    assert not on(one, second).is_suppressed
    assert on(one, first, second).is_suppressed
    assert on(one, statement(product(FLASK), name="GHSA-1")).is_suppressed


@pytest.mark.parametrize("later", [Claim.AFFECTED, Claim.UNDER_INVESTIGATION])
def test_a_later_doubt_lifts_what_was_stated_and_an_earlier_does_not(later: Claim) -> None:
    one = match(installed(FLASK))
    safe = statement(product(FLASK))
    doubt = statement(product("pkg:pypi/flask"), claim=later, days=1)
    found = on(one, safe, doubt)
    assert (found.is_suppressed, found.statement) == (False, doubt)
    early = statement(product("pkg:pypi/flask"), claim=later, days=-1)
    assert on(one, safe, early).is_suppressed


def test_of_one_time_the_most_specific_counts_then_the_most_cautious() -> None:
    one = match(installed("pkg:pypi/flask@2.0.1?file_name=a"))
    by_qualifier = product("pkg:pypi/flask@2.0.1?file_name=a")
    ranks = [
        product("pkg:oci/app"),
        product("pkg:pypi/flask"),
        product("pkg:pypi/flask", "vers:pypi/<3"),
        product(FLASK),
        by_qualifier,
        product("pkg:oci/app", "", product("pkg:pypi/flask")),
    ]
    for less, more in pairwise(ranks):
        for claim, other in ((Claim.AFFECTED, Claim.FIXED), (Claim.FIXED, Claim.AFFECTED)):
            pair = (statement(more, claim=claim), statement(less, claim=other))
            for order in (pair, pair[::-1]):
                found = on(one, *order, subject="pkg:oci/app")
                assert (found.statement, found.product) == (pair[0], more)
    both = [statement(product(FLASK), claim=claim) for claim in Claim]
    found = on(match(installed(FLASK)), *both)
    assert found.statement is not None
    assert found.statement.claim is Claim.AFFECTED


def test_a_statement_without_a_time_gives_way_to_any_that_has_one() -> None:
    undated = Statement(("CVE-1",), (product(FLASK),), Claim.NOT_AFFECTED)
    one = match(installed(FLASK))
    assert on(one, undated).is_suppressed
    assert not on(one, undated, statement(product(FLASK), claim=Claim.AFFECTED)).is_suppressed


names = st.sampled_from(["pkg:pypi/flask", FLASK, "pkg:pypi/flask@9", "pkg:npm/flask", "pkg:oci/a"])
any_statement = st.builds(
    lambda name, claim, days, flaw: statement(product(name), claim=claim, days=days, name=flaw),
    names, st.sampled_from(Claim), st.integers(-3, 3), st.sampled_from(["CVE-1", "GHSA-1", "X"]),
)  # fmt: skip


@given(st.lists(any_statement, max_size=6), st.randoms())
def test_the_order_in_which_statements_come_does_not_matter(
    statements: list[Statement], chance: Any
) -> None:
    one = match(installed(FLASK))
    found = on(one, *statements)
    shuffled = list(statements)
    chance.shuffle(shuffled)
    again = on(one, *shuffled)
    assert found.is_suppressed == again.is_suppressed
    applying = [
        each
        for each in statements
        if each.ids[0] != "X" and each.products[0].name in ("pkg:pypi/flask", FLASK)
    ]
    assert (found.statement is None) == (not applying)
    if applying:
        latest = max(each.at for each in applying if each.at)
        assert found.statement is not None
        assert found.statement.at == latest
        assert found.is_suppressed == (found.statement.claim in SUPPRESSING)
