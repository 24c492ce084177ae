"""Who somebody is, and what an organisation is made of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import Q

from clearhouse.errors import NotFound, Refused
from clearhouse.office.orgs.access import runs, seen_by
from clearhouse.office.orgs.keytext import digest_of, matches, prefix_of
from clearhouse.office.orgs.models import (
    ApiKey,
    Invitation,
    Membership,
    Opening,
    Organisation,
    SuppliedPackage,
    SupplierPolicy,
    User,
)
from clearhouse.office.orgs.purls import package_of
from clearhouse.office.viewer import EVERY_SCOPE, PUBLIC, Viewer
from clearhouse.protocol.roles import Role, Scope

#: A second factor is something to have; recovery codes alone are none.
_FACTORS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
#: Each use of a key would be a write otherwise.
_USE_NOTED_EVERY: Final = timedelta(minutes=1)


def viewer_of(user: User, organisation: int | None) -> Viewer:
    """The person acting for that organisation; for its first one where it names none of its own.

    Nobody where the account is closed.  A person who lacks a second factor that is required acts
    for nobody until it is there: see :func:`needs_second_factor`.
    """
    if not user.is_active:
        return PUBLIC
    mine = _memberships(user)
    chosen = next((one for one in mine if one.organisation_id == organisation), None) or next(
        iter(mine), None
    )
    if chosen is None:
        return PUBLIC
    if _must_have_factor(mine) and not has_second_factor(user):
        return bare(user)
    acting = chosen.organisation
    return Viewer(acting.pk, acting.role_set, EVERY_SCOPE, acting.name, person=user.pk)


def bare(user: User) -> Viewer:
    """A person who is known, and may do nothing yet."""
    return Viewer(None, frozenset(), frozenset(), user.name, person=user.pk)


def needs_second_factor(user: User) -> bool:
    """Whether a password alone does not let this person in: each member of a coordinator."""
    return _must_have_factor(_memberships(user))


def has_second_factor(user: User) -> bool:
    """Whether the account has an authenticator app or a security key."""
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=_FACTORS).exists())


def has_code_app(user: User) -> bool:
    """Whether the account has an authenticator app, which shows codes to type."""
    apps = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP)
    return bool(apps.exists())


def viewer_of_key(text: str, now: datetime) -> Viewer:
    """The machine that sends a key.  Its use is noted at most once a minute.

    Raises :class:`Refused`; that a key has ended is said to its holder only.
    """
    prefix = prefix_of(text)
    key = (
        ApiKey.objects.select_related("organisation").filter(prefix=prefix).first()
        if prefix
        else None
    )
    if not matches(text, key.digest if key else None) or key is None:
        raise Refused("this API key is not known here")
    if not key.works(now):
        raise Refused("this API key was revoked" if key.revoked_at else "this API key has expired")
    ApiKey.objects.filter(pk=key.pk).filter(
        Q(last_used_at=None) | Q(last_used_at__lte=now - _USE_NOTED_EVERY)
    ).update(last_used_at=now)
    scopes = frozenset(Scope(one) for one in key.scopes)
    acting = key.organisation
    return Viewer(acting.pk, acting.role_set, scopes, f"{acting.name} ({key.name})", key=key.pk)


def is_open() -> bool:
    """Whether the office has been opened: somebody has an account."""
    return Opening.objects.exists() or User.objects.exists()


def own_organisations(person: int) -> list[Organisation]:
    """Those a person can act for, in the order of joining."""
    mine = Membership.objects.filter(user=person).select_related("organisation")
    return [one.organisation for one in mine.order_by("since", "id")]


def organisations(viewer: Viewer) -> list[Organisation]:
    """All for a coordinator, else the one the viewer acts for; by name."""
    found = Organisation.objects.order_by("name", "pk")
    if not viewer.coordinates:
        found = found.filter(pk=viewer.acting_for())
    if Scope.ORGANISATION_READ not in viewer.scopes:
        viewer.needs(Scope.ORGANISATION_READ)
    return list(found)


def organisation_seen(viewer: Viewer, slug: str) -> Organisation:
    """An organisation by its short name.  Raises :class:`NotFound` for what is not the viewer's."""
    found = Organisation.objects.filter(slug=slug).first()
    return seen_by(viewer, found.pk if found else -1)


def may_run(viewer: Viewer, organisation: int) -> bool:
    """Whether the viewer may change that organisation."""
    return runs(viewer, organisation)


def members(viewer: Viewer, organisation: int) -> list[Membership]:
    """Who is in it, managers first: for its members, their machines, and coordinators."""
    acting = seen_by(viewer, organisation)
    return list(
        acting.memberships.select_related("user").order_by("-is_manager", "user__name", "pk")
    )


def invitations(viewer: Viewer, organisation: int, now: datetime) -> list[Invitation]:
    """The invitations that stand: for those who run it."""
    acting = _run(viewer, organisation)
    standing = Invitation.objects.filter(organisation=acting, accepted_at=None, expires_at__gt=now)
    return list(standing.order_by("-invited_at", "-pk"))


def api_keys(viewer: Viewer, organisation: int) -> list[ApiKey]:
    """Its keys, the newest first, those that ended too: for those who run it."""
    acting = _run(viewer, organisation)
    return list(acting.api_keys.select_related("created_by").order_by("-created_at", "-pk"))


def packages(viewer: Viewer, organisation: int) -> list[SuppliedPackage]:
    """What it maintains, confirmed or not: for its members, their machines, and coordinators."""
    return list(seen_by(viewer, organisation).packages.order_by("purl"))


def policy_seen(viewer: Viewer, organisation: int) -> SupplierPolicy | None:
    """How it wants to be told; None where it has not said."""
    acting = seen_by(viewer, organisation)
    return SupplierPolicy.objects.filter(organisation=acting).first()


def invitation_to(token: str, now: datetime) -> Invitation:
    """The invitation that a token opens.  Raises :class:`NotFound`."""
    found = (
        Invitation.objects.select_related("organisation")
        .filter(token_digest=digest_of(token))
        .first()
    )
    if found is None or not found.stands(now):
        raise NotFound("this invitation does not stand: it was used, withdrawn or is too old")
    return found


def invited_account(invitation: Invitation) -> int | None:
    """The account that the invited address has already; asked for the holder of its token only."""
    return User.objects.filter(email=invitation.email).values_list("pk", flat=True).first()


def notify_addresses(viewer: Viewer, organisations: Iterable[int]) -> dict[int, list[str]]:
    """Where news for organisations goes: the contact it names, else its active managers.

    For the office itself and its coordinators: others learn no addresses.
    """
    viewer.must_coordinate()
    wanted = set(organisations)
    found: dict[int, list[str]] = {}
    for one in Organisation.objects.filter(pk__in=wanted).prefetch_related("memberships__user"):
        managers = sorted(
            m.user.email for m in one.memberships.all() if m.is_manager and m.user.is_active
        )
        found[one.pk] = [one.contact] if one.contact else managers
    return found


def organisation(slug: str) -> Organisation:
    """An organisation by its short name.  Raises :class:`NotFound`."""
    found = Organisation.objects.filter(slug=slug).first()
    if found is None:
        raise NotFound(f"there is no organisation {slug[:60]!r}")
    return found


def member_with(organisation: int, email: str) -> int | None:
    """A person of an organisation (its key) by the address that it signs in with; None for none.

    For who was told the address by the organisation: whether somebody works there is told by it.
    """
    if not email.isprintable():  # PostgreSQL takes no NUL
        return None
    found = Membership.objects.filter(
        organisation=organisation, user__email=email.strip().lower(), user__is_active=True
    )
    return found.values_list("user", flat=True).first()


def still_there(people: Iterable[int]) -> set[tuple[int, int]]:
    """Of these people, who is in which organisation, by primary keys; closed accounts are not."""
    rows = Membership.objects.filter(user__in=set(people), user__is_active=True)
    return set(rows.values_list("user", "organisation"))


def acting_as(viewer: Viewer) -> Organisation:
    """The organisation that the viewer acts for.  Raises :class:`Refused` for the public."""
    return Organisation.objects.get(pk=viewer.acting_for())


def organisation_with(slug: str, role: Role) -> Organisation | None:
    """An organisation by its short name, if it has that role; what exists besides is not told."""
    found = Organisation.objects.filter(slug=slug).first()
    return found if found is not None and role in found.role_set else None


def organisations_with(role: Role) -> list[Organisation]:
    """Those with a role, by name: for choices that are offered to who may know them."""
    return [one for one in Organisation.objects.order_by("name", "pk") if role in one.role_set]


def colleagues_of(viewer: Viewer) -> list[User]:
    """The people of the viewer's organisation, by name."""
    mine = Membership.objects.filter(organisation=viewer.organisation, user__is_active=True)
    return [one.user for one in mine.select_related("user").order_by("user__name", "user_id")]


def hold(organisation: int) -> None:
    """Let nobody else hold an organisation until the transaction ends.

    For limits on what one does: two that count at once would both find room for one more.
    """
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation)


def suppliers_of(purl: str) -> list[Organisation]:
    """Who is confirmed to maintain a package, whatever version the purl names."""
    return list(
        Organisation.objects.filter(packages__purl=package_of(purl), packages__is_confirmed=True)
        .select_related("policy")
        .order_by("name", "pk")
    )


def policy_of(organisation: int) -> SupplierPolicy:
    """How a supplier wants to hear of vulnerabilities.

    Where it has not said: here, at the office's pace and period, and with or without a proof, as
    the coordinator sees fit.
    """
    found = SupplierPolicy.objects.filter(organisation=organisation).first()
    return found or SupplierPolicy(organisation_id=organisation, proof_required=False)


def _run(viewer: Viewer, organisation: int) -> Organisation:
    """The organisation for one who runs it; a coordinator's key may look as well."""
    acting = seen_by(viewer, organisation)
    if not viewer.coordinates and not runs(viewer, organisation):
        raise Refused("only a manager of the organisation can see this")
    return acting


def _memberships(user: User) -> list[Membership]:
    mine = Membership.objects.filter(user=user).select_related("organisation")
    return list(mine.order_by("since", "id"))


def _must_have_factor(mine: Iterable[Membership]) -> bool:
    if not settings.SECOND_FACTOR_REQUIRED:
        return False
    return any(Role.COORDINATOR in one.organisation.role_set for one in mine)
