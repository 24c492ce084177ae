"""Every action and query of the room, as every kind of viewer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction

from clearhouse.errors import NotFound, Refused
from clearhouse.office.orgs import actions, queries
from clearhouse.office.orgs.models import Invitation, SuppliedPackage
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role, Scope
from tests.office.orgs.cast import NOW, PASSWORD, Cast, the_cast

pytestmark = pytest.mark.django_db

Deed = Callable[[Viewer, Cast], object]

VIEWERS = (
    *("public", "member", "manager", "outsider", "coordinator", "closed"),
    *("reading key", "blind key", "coordinator's key"),
)


def _invitation(cast: Cast) -> int:
    return Invitation.objects.get(organisation=cast.acme).pk


def _package(cast: Cast) -> int:
    return SuppliedPackage.objects.get(organisation=cast.acme).pk


def _key(cast: Cast) -> int:
    return cast.acme.api_keys.order_by("pk")[0].pk


#: The deeds of those who run an organisation: its managers, and coordinators.
RUNNING: dict[str, Deed] = {
    "change_profile": lambda v, c: actions.change_profile(
        v, c.acme.pk, name="Acme Two", contact="", website="", sector="", now=NOW
    ),
    "set_policy": lambda v, c: actions.set_policy(v, c.acme.pk, actions.Policy(), now=NOW),
    "add_package": lambda v, c: actions.add_package(v, c.acme.pk, purl="pkg:npm/acme", now=NOW),
    "remove_package": lambda v, c: actions.remove_package(
        v, c.acme.pk, package=_package(c), now=NOW
    ),
    "invite": lambda v, c: actions.invite(v, c.acme.pk, email="new@example.org", now=NOW),
    "withdraw_invitation": lambda v, c: actions.withdraw_invitation(
        v, c.acme.pk, invitation=_invitation(c), now=NOW
    ),
    "change_member": lambda v, c: actions.change_member(
        v, c.acme.pk, person=c.member.pk, is_manager=True, now=NOW
    ),
    "remove_member": lambda v, c: actions.remove_member(v, c.acme.pk, person=c.member.pk, now=NOW),
    "make_api_key": lambda v, c: actions.make_api_key(
        v,
        c.acme.pk,
        name="Robot",
        scopes=[Scope.CASES_READ],
        expires_at=NOW + timedelta(days=1),
        now=NOW,
    ),
    "revoke_api_key": lambda v, c: actions.revoke_api_key(v, c.acme.pk, key=_key(c), now=NOW),
}
COORDINATING: dict[str, Deed] = {
    "create_organisation": lambda v, _: actions.create_organisation(
        v, name="Newcomer", roles=[Role.FINDER], now=NOW
    ),
    "change_roles": lambda v, c: actions.change_roles(v, c.acme.pk, roles=[Role.DEPLOYER], now=NOW),
    "confirm_package": lambda v, c: actions.confirm_package(v, _package(c), now=NOW),
}
LOOKING: dict[str, Deed] = {
    "members": lambda v, c: queries.members(v, c.acme.pk),
    "packages": lambda v, c: queries.packages(v, c.acme.pk),
    "policy_seen": lambda v, c: queries.policy_seen(v, c.acme.pk),
    "organisation_seen": lambda v, c: queries.organisation_seen(v, c.acme.slug),
}
LOOKING_CLOSELY: dict[str, Deed] = {
    "invitations": lambda v, c: queries.invitations(v, c.acme.pk, NOW),
    "api_keys": lambda v, c: queries.api_keys(v, c.acme.pk),
}
ADDRESSES: dict[str, Deed] = {
    "notify_addresses": lambda v, c: queries.notify_addresses(v, [c.acme.pk]),
}
NOBODY: dict[str, Deed] = {
    "add_member": lambda v, c: actions.add_member(
        v, c.acme.pk, email="x@example.org", name="X", password=PASSWORD, now=NOW
    ),
}

Answer = type[NotFound] | type[Refused] | None
#: What each group of deeds answers to each kind of viewer; None: it is done.
TABLE: tuple[tuple[dict[str, Deed], dict[str, Answer]], ...] = (
    (
        RUNNING,
        {
            "public": NotFound,
            "member": Refused,
            "manager": None,
            "outsider": NotFound,
            "coordinator": None,
            "closed": NotFound,
            "reading key": Refused,
            "blind key": Refused,
            "coordinator's key": Refused,
        },
    ),
    (
        COORDINATING,
        {**dict.fromkeys(VIEWERS, NotFound), "coordinator": None, "coordinator's key": Refused},
    ),
    (
        LOOKING,
        {
            **dict.fromkeys(VIEWERS),
            "public": NotFound,
            "outsider": NotFound,
            "closed": NotFound,
            "blind key": Refused,
        },
    ),
    (
        LOOKING_CLOSELY,
        {
            "public": NotFound,
            "member": Refused,
            "manager": None,
            "outsider": NotFound,
            "coordinator": None,
            "closed": NotFound,
            "reading key": Refused,
            "blind key": Refused,
            "coordinator's key": None,
        },
    ),
    (
        ADDRESSES,
        {**dict.fromkeys(VIEWERS, NotFound), "coordinator": None, "coordinator's key": None},
    ),
    (NOBODY, dict.fromkeys(VIEWERS, Refused)),
)
CASES = [
    pytest.param(deed, kind, answers[kind], id=f"{name}-{kind}")
    for deeds, answers in TABLE
    for name, deed in deeds.items()
    for kind in VIEWERS
]


@pytest.fixture
def cast() -> Cast:
    made = the_cast()
    viewer = made.viewers["manager"]
    actions.invite(viewer, made.acme.pk, email="guest@example.org", now=NOW)
    actions.add_package(viewer, made.acme.pk, purl="pkg:pypi/acme", now=NOW)
    return made


@pytest.mark.parametrize(("deed", "kind", "answer"), CASES)
def test_each_viewer_gets_the_answer_of_the_table(
    cast: Cast, deed: Deed, kind: str, answer: Answer
) -> None:
    if answer is None:
        deed(cast.viewers[kind], cast)
        return
    with pytest.raises(answer), transaction.atomic():
        deed(cast.viewers[kind], cast)


def test_the_table_names_every_action() -> None:
    named = {name for deeds, _ in TABLE for name in deeds}
    without_viewer = {"accept_invitation", "create_first_coordinator", "rename_person"}
    of_the_command_line = {"reset_sign_in"}  # refused to everybody else (test_sign_in)
    values = {"Invited", "MadeKey", "Policy"}
    assert set(actions.__all__) <= named | without_viewer | of_the_command_line | values


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COORDINATOR}))
def test_no_other_role_reaches_into_an_organisation_that_is_not_its_own(
    cast: Cast, role: Role
) -> None:
    viewer = cast.viewers["outsider"]
    alone = Viewer(viewer.organisation, frozenset({role}), viewer.scopes, "O", viewer.person)
    for deed in (RUNNING | COORDINATING | LOOKING | LOOKING_CLOSELY).values():
        with pytest.raises(NotFound):
            deed(alone, cast)


def test_what_does_not_exist_and_what_is_not_yours_answer_alike(cast: Cast) -> None:
    outsider = cast.viewers["outsider"]
    with pytest.raises(NotFound) as hidden:
        queries.members(outsider, cast.acme.pk)
    with pytest.raises(NotFound) as missing:
        queries.members(outsider, 987_654)
    assert str(hidden.value) == str(missing.value)


def test_a_manager_of_one_organisation_runs_no_other_that_it_belongs_to(cast: Cast) -> None:
    from clearhouse.office.viewer import SYSTEM

    actions.add_member(
        SYSTEM, cast.other.pk, email=cast.manager.email, name="M", password=PASSWORD, now=NOW
    )
    there = queries.viewer_of(cast.manager, cast.other.pk)
    assert there.organisation == cast.other.pk
    with pytest.raises(Refused):
        actions.invite(there, cast.other.pk, email="new@example.org", now=NOW)
