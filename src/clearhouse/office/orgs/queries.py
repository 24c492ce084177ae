"""Who somebody is: from an account and the organisation it acts for, or from an API key."""

from __future__ import annotations

from collections.abc import Iterable

from clearhouse.errors import NotFound
from clearhouse.office.orgs.models import (
    ApiKey,
    Membership,
    Organisation,
    SupplierPolicy,
    User,
)
from clearhouse.office.viewer import EVERY_SCOPE, PUBLIC, Viewer
from clearhouse.protocol.roles import Role, Scope


def viewer_of(user: User, organisation: int | None) -> Viewer:
    """The person acting for that organisation; for its first one where it names none of its own."""
    mine = list(
        Membership.objects.filter(user=user).select_related("organisation").order_by("since", "id")
    )
    chosen = next((one for one in mine if one.organisation_id == organisation), None) or next(
        iter(mine), None
    )
    if chosen is None:
        return PUBLIC
    acting = chosen.organisation
    return Viewer(acting.pk, acting.role_set, EVERY_SCOPE, acting.name, person=user.pk)


def viewer_of_key(key: ApiKey) -> Viewer:
    """The machine that holds a key, which the caller has checked."""
    scopes = frozenset(Scope(one) for one in key.scopes)
    acting = key.organisation
    return Viewer(acting.pk, acting.role_set, scopes, f"{acting.name} ({key.name})", key=key.pk)


def organisation(slug: str) -> Organisation:
    """An organisation by its short name.  Raises :class:`NotFound`."""
    found = Organisation.objects.filter(slug=slug).first()
    if found is None:
        raise NotFound(f"there is no organisation {slug[:60]!r}")
    return found


def organisation_names(ids: Iterable[int]) -> dict[int, str]:
    """The names that others see, by id."""
    return dict(Organisation.objects.filter(pk__in=set(ids)).values_list("pk", "name"))


def with_role(role: Role) -> list[Organisation]:
    """The organisations that have a role, by name."""
    return [one for one in Organisation.objects.order_by("name") if role in one.role_set]


def suppliers_of(purl: str) -> list[Organisation]:
    """Who is confirmed to maintain a package; ``purl`` has no version."""
    return list(
        Organisation.objects.filter(
            packages__purl=purl, packages__is_confirmed=True
        ).select_related("policy")
    )


def policy_of(organisation: int) -> SupplierPolicy:
    """How a supplier wants to hear of vulnerabilities; the usual way where it has not said."""
    found = SupplierPolicy.objects.filter(organisation=organisation).first()
    return found or SupplierPolicy(organisation_id=organisation)


def organisations_by_id(ids: Iterable[int]) -> dict[int, Organisation]:
    """Organisations by id, for rooms that name them."""
    return {one.pk: one for one in Organisation.objects.filter(pk__in=set(ids))}
