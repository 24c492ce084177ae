"""Organisations, their policy and what they maintain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.orgs import actions
from clearhouse.office.orgs.events import subscribe
from clearhouse.office.orgs.models import Organisation, SupplierPolicy
from clearhouse.office.orgs.purls import package_of
from clearhouse.office.orgs.queries import notify_addresses, organisations, suppliers_of
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.roles import Role
from tests.office.orgs.cast import NOW, organisation, person, the_cast


@pytest.mark.django_db
def test_an_organisation_gets_a_short_name_from_its_name() -> None:
    made = organisation("Säge & Söhne GmbH", Role.SUPPLIER, Role.FINDER)
    assert made.slug == "sage-sohne-gmbh"
    assert made.roles == ["finder", "supplier"]
    assert made.created_at == NOW


@pytest.mark.django_db
def test_two_organisations_do_not_share_a_short_name() -> None:
    organisation("Acme", Role.FINDER)
    with pytest.raises(Conflict):
        organisation("ACME", Role.FINDER)
    assert Organisation.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "日本"}, "slug"),
        ({"slug": "switch"}, "slug"),
        ({"slug": "-a"}, "slug"),
        ({"roles": []}, "roles"),
        ({"contact": "nobody"}, "contact"),
        ({"website": "javascript:alert(1)"}, "website"),
        ({"sector": "x" * 61}, "sector"),
    ],
)
def test_what_cannot_be_used_is_named(given: dict[str, Any], key: str) -> None:
    whole: dict[str, Any] = {"name": "Acme", "roles": [Role.FINDER], "now": NOW} | given
    with pytest.raises(Invalid) as error:
        actions.create_organisation(SYSTEM, **whole)
    assert error.value.key == key


@pytest.mark.django_db
def test_somebody_always_coordinates() -> None:
    office = organisation("Office", Role.COORDINATOR)
    with pytest.raises(Refused, match="only organisation"):
        actions.change_roles(SYSTEM, office.pk, roles=[Role.FINDER], now=NOW)
    second = organisation("Second", Role.COORDINATOR, Role.FINDER)
    changed = actions.change_roles(SYSTEM, office.pk, roles=[Role.FINDER], now=NOW)
    assert changed.role_set == {Role.FINDER}
    with pytest.raises(Refused):
        actions.change_roles(SYSTEM, second.pk, roles=[Role.FINDER], now=NOW)


@pytest.mark.django_db
def test_a_policy_is_a_suppliers_and_is_replaced_as_a_whole() -> None:
    acme = organisation("Acme", Role.SUPPLIER)
    first = actions.Policy(route="mail", embargo_days=30, pace=2, scope="the library")
    actions.set_policy(SYSTEM, acme.pk, first, now=NOW)
    actions.set_policy(SYSTEM, acme.pk, actions.Policy(), now=NOW)
    stored = SupplierPolicy.objects.get()
    assert (stored.route, stored.embargo_days, stored.pace, stored.scope) == (
        "here",
        None,
        None,
        "",
    )
    with pytest.raises(Refused):
        actions.set_policy(
            SYSTEM, organisation("Finder", Role.FINDER).pk, actions.Policy(), now=NOW
        )


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"route": "pigeon"}, "route"),
        ({"scale": "feeling"}, "scale"),
        ({"embargo_days": 366}, "embargo_days"),
        ({"embargo_days": -1}, "embargo_days"),
        ({"route": "public", "embargo_days": 1}, "embargo_days"),
        ({"pace": 0}, "pace"),
        ({"scope": "x" * 5_001}, "scope"),
    ],
)
def test_a_policy_that_says_nothing_sensible_is_none(given: dict[str, Any], key: str) -> None:
    with pytest.raises(Invalid) as error:
        actions.Policy(**given)
    assert error.value.key == key


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("pkg:pypi/Django@4.2?x=1#docs", "pkg:pypi/django"),
        ("pkg:npm/%40angular/core@1.2.3", "pkg:npm/%40angular/core"),
        (" pkg:golang/github.com/a/b@v1.0.0 ", "pkg:golang/github.com/a/b"),
        ("pkg:maven/org.example/thing", "pkg:maven/org.example/thing"),
    ],
)
def test_a_package_is_a_purl_for_every_version(text: str, plain: str) -> None:
    assert package_of(text) == plain
    assert package_of(plain) == plain


@pytest.mark.parametrize("text", ["", "django", "pkg:", "pkg:pypi", "https://example.org/p/a"])
def test_what_is_no_purl_is_no_package(text: str) -> None:
    with pytest.raises(Invalid):
        package_of(text)


@pytest.mark.django_db
def test_reports_go_to_a_supplier_once_a_coordinator_has_confirmed() -> None:
    acme = organisation("Acme", Role.SUPPLIER)
    package = actions.add_package(SYSTEM, acme.pk, purl="pkg:pypi/Acme@1.0", now=NOW)
    assert actions.add_package(SYSTEM, acme.pk, purl="pkg:pypi/acme", now=NOW) == package
    assert suppliers_of("pkg:pypi/acme") == []
    actions.confirm_package(SYSTEM, package.pk, now=NOW)
    assert suppliers_of("pkg:pypi/acme@2.0") == [acme]
    actions.remove_package(SYSTEM, acme.pk, package=package.pk, now=NOW)
    assert suppliers_of("pkg:pypi/acme") == []


@pytest.mark.django_db
def test_a_package_of_another_organisation_is_not_removed() -> None:
    cast = the_cast()
    package = actions.add_package(SYSTEM, cast.other.pk, purl="pkg:pypi/other", now=NOW)
    with pytest.raises(NotFound):
        actions.remove_package(cast.viewers["manager"], cast.acme.pk, package=package.pk, now=NOW)


@pytest.mark.django_db
def test_a_coordinator_sees_all_organisations_and_others_their_own() -> None:
    cast = the_cast()
    seen = {name: organisations(cast.viewers[name]) for name in ("coordinator", "member")}
    assert seen["coordinator"] == [cast.acme, cast.office, cast.other]
    assert seen["member"] == [cast.acme]
    for name in ("public", "blind key"):
        with pytest.raises(Refused):
            organisations(cast.viewers[name])


@pytest.mark.django_db
def test_news_goes_to_the_contact_or_else_to_the_managers_whose_accounts_are_open() -> None:
    cast = the_cast()
    found = notify_addresses(SYSTEM, [cast.acme.pk, cast.other.pk])
    assert found == {cast.acme.pk: ["mona@example.org"], cast.other.pk: ["olga@example.org"]}
    actions.change_profile(
        SYSTEM,
        cast.acme.pk,
        name="Acme",
        contact="security@acme.example",
        website="",
        sector="",
        now=NOW,
    )
    assert notify_addresses(SYSTEM, [cast.acme.pk]) == {cast.acme.pk: ["security@acme.example"]}


@pytest.mark.django_db
def test_what_happens_is_told_in_the_transaction_and_without_names() -> None:
    told: list[tuple[str, str, Mapping[str, Any]]] = []

    def listener(kind: str, subject: str, facts: Mapping[str, Any], *, now: datetime) -> None:
        assert transaction.get_connection().in_atomic_block
        assert now == NOW
        told.append((kind, subject, facts))

    stop = subscribe(listener)
    subscribe(listener)
    try:
        acme = organisation("Acme", Role.SUPPLIER)
        person(acme, "Ada")
        actions.invite(SYSTEM, acme.pk, email="bob@example.org", now=NOW)
    finally:
        stop()
    organisation("Quiet", Role.FINDER)
    assert [kind for kind, _, _ in told] == [
        "organisation.created",
        "member.added",
        "member.invited",
    ]
    assert {subject for _, subject, _ in told} == {"acme"}
    assert "@" not in str(told)


@pytest.mark.django_db
def test_what_a_listener_refuses_did_not_happen() -> None:
    def listener(kind: str, subject: str, facts: Mapping[str, Any], *, now: datetime) -> None:
        raise Conflict("the ledger moved")

    stop = subscribe(listener)
    try:
        with pytest.raises(Conflict):
            organisation("Acme", Role.SUPPLIER)
    finally:
        stop()
    assert not Organisation.objects.exists()
