"""Who plays in the tests of this room: one viewer of each kind, and the organisations they see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from clearhouse.office.orgs.actions import (
    add_member,
    create_organisation,
    make_api_key,
)
from clearhouse.office.orgs.models import Organisation, User
from clearhouse.office.orgs.queries import viewer_of, viewer_of_key
from clearhouse.office.viewer import EVERY_SCOPE, PUBLIC, SYSTEM, Viewer
from clearhouse.protocol.roles import Role, Scope

NOW = datetime(2027, 3, 6, 14, tzinfo=UTC)
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Cast:
    """``acme`` is the organisation that the tests are about; ``office`` coordinates."""

    acme: Organisation
    office: Organisation
    other: Organisation
    manager: User
    member: User
    outsider: User
    coordinator: User
    viewers: dict[str, Viewer]


def person(
    organisation: Organisation, name: str, *, is_manager: bool = False, now: datetime = NOW
) -> User:
    """An account in an organisation."""
    return add_member(
        SYSTEM,
        organisation.pk,
        email=f"{name.lower()}@example.org",
        name=name,
        password=PASSWORD,
        is_manager=is_manager,
        now=now,
    )


def organisation(name: str, *roles: Role, now: datetime = NOW) -> Organisation:
    """An organisation."""
    return create_organisation(SYSTEM, name=name, roles=roles, now=now)


def key_text(acting: Organisation, *scopes: Scope, now: datetime = NOW) -> str:
    """A key that lives for a week."""
    made = make_api_key(
        SYSTEM,
        acting.pk,
        name="Robot",
        scopes=scopes,
        expires_at=now + timedelta(days=7),
        now=now,
    )
    return made.text


def the_cast(now: datetime = NOW) -> Cast:
    """Everybody."""
    office = organisation("Office", Role.COORDINATOR, now=now)
    acme = organisation("Acme", Role.SUPPLIER, Role.FINDER, now=now)
    other = organisation("Other", *(set(Role) - {Role.COORDINATOR}), now=now)
    manager = person(acme, "Mona", is_manager=True, now=now)
    member = person(acme, "Max", now=now)
    outsider = person(other, "Olga", is_manager=True, now=now)
    coordinator = person(office, "Cora", now=now)
    closed = person(acme, "Ida", is_manager=True, now=now)
    closed.is_active = False
    closed.save()
    reading = key_text(acme, Scope.ORGANISATION_READ, now=now)
    blind = key_text(acme, *(EVERY_SCOPE - {Scope.ORGANISATION_READ}), now=now)
    offices = key_text(office, *EVERY_SCOPE, now=now)
    viewers = {
        "public": PUBLIC,
        "member": viewer_of(member, None),
        "manager": viewer_of(manager, None),
        "outsider": viewer_of(outsider, None),
        "coordinator": viewer_of(coordinator, None),
        "closed": viewer_of(closed, None),
        "reading key": viewer_of_key(reading, now),
        "blind key": viewer_of_key(blind, now),
        "coordinator's key": viewer_of_key(offices, now),
    }
    return Cast(acme, office, other, manager, member, outsider, coordinator, viewers)


__all__ = [
    "NOW",
    "PASSWORD",
    "Cast",
    "key_text",
    "organisation",
    "person",
    "the_cast",
]
