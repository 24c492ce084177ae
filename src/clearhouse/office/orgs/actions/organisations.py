"""Organisations: their roles, how they want to be told of vulnerabilities, what they maintain."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.orgs.access import coordinated_by, run_by
from clearhouse.office.orgs.events import announce
from clearhouse.office.orgs.models import Organisation, SuppliedPackage, SupplierPolicy
from clearhouse.office.orgs.purls import package_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role

_NAME: Final = 120
_SECTOR: Final = 60
_NAME_IN_ADDRESS: Final = 60
_SLUG: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
#: Words that are pages below ``/organisation/``.
_TAKEN: Final = frozenset({"all", "switch", "new", "profile"})
#: A year of silence is more than any policy asks for; more is a slip of the finger.
_LONGEST_EMBARGO: Final = 365
_LONGEST_SCOPE: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a supplier asks for; see :class:`SupplierPolicy`.  None: it does not say."""

    route: str = SupplierPolicy.Route.HERE.value
    embargo_days: int | None = None
    pace: int | None = None
    scale: str = SupplierPolicy.Scale.CVSS4.value
    proof_required: bool = True
    scope: str = ""

    def __post_init__(self) -> None:
        for key, value, known in (
            ("route", self.route, SupplierPolicy.Route.values),
            ("scale", self.scale, SupplierPolicy.Scale.values),
        ):
            if value not in known:
                raise Invalid(f"{value[:40]!r} is none of {', '.join(known)}", key=key)
        if self.embargo_days is not None and not 0 <= self.embargo_days <= _LONGEST_EMBARGO:
            raise Invalid(f"expected 0 to {_LONGEST_EMBARGO} days", key="embargo_days")
        if self.pace is not None and not 1 <= self.pace <= 1_000:
            raise Invalid("expected 1 to 1000 cases a week", key="pace")
        if len(self.scope) > _LONGEST_SCOPE:
            raise Invalid(f"at most {_LONGEST_SCOPE} characters", key="scope")
        if self.route == SupplierPolicy.Route.PUBLIC and self.embargo_days:
            raise Invalid("a public tracker leaves no time for an embargo", key="embargo_days")


def create_organisation(
    viewer: Viewer,
    *,
    name: str,
    roles: Iterable[Role],
    slug: str = "",
    contact: str = "",
    website: str = "",
    sector: str = "",
    now: datetime,
) -> Organisation:
    """Take an organisation in.  Coordinators only.

    ``slug`` is its short name in addresses, made from the name where it is not given.  Raises
    :class:`Conflict` where another has it.
    """
    coordinated_by(viewer)
    with transaction.atomic():
        made = make(
            name=name,
            roles=roles,
            slug=slug,
            contact=contact,
            website=website,
            sector=sector,
            now=now,
        )
        _tell("organisation.created", made, viewer, now, name=made.name, roles=made.roles)
    return made


def make(
    *,
    name: str,
    roles: Iterable[Role],
    slug: str = "",
    contact: str = "",
    website: str = "",
    sector: str = "",
    now: datetime,
) -> Organisation:
    """Store an organisation; the caller has asked whether that may be."""
    title = _line(name, "name", _NAME, required=True)
    short = slug or slugify(title)[:_NAME_IN_ADDRESS].strip("-")
    if not _SLUG.fullmatch(short) or len(short) > _NAME_IN_ADDRESS or short in _TAKEN:
        raise Invalid(
            "a short name has small letters, digits and single hyphens, at most"
            f" {_NAME_IN_ADDRESS}, and is none of {', '.join(sorted(_TAKEN))}",
            key="slug",
        )
    try:
        with transaction.atomic():
            return Organisation.objects.create(
                slug=short,
                name=title,
                roles=_ordered(roles),
                contact=_address(contact),
                website=_website(website),
                sector=_line(sector, "sector", _SECTOR),
                created_at=now,
            )
    except IntegrityError:
        raise Conflict(f"there is an organisation {short!r} already") from None


def change_roles(
    viewer: Viewer, organisation: int, *, roles: Iterable[Role], now: datetime
) -> Organisation:
    """Say anew what an organisation is to this office.  Coordinators only.

    Raises :class:`Refused` where nobody would coordinate any more.
    """
    coordinated_by(viewer)
    wanted = _ordered(roles)
    with transaction.atomic():
        # All of them: two that stop coordinating at once must not both count on the other.
        everyone = list(Organisation.objects.select_for_update(no_key=True).order_by("pk"))
        found = next((one for one in everyone if one.pk == organisation), None)
        if found is None:
            raise NotFound("there is no such organisation")
        others = any(Role.COORDINATOR in one.role_set for one in everyone if one is not found)
        if Role.COORDINATOR not in wanted and Role.COORDINATOR in found.role_set and not others:
            raise Refused("this is the only organisation that coordinates; name another one first")
        before, found.roles = found.roles, wanted
        found.save(update_fields=["roles"])
        _tell("organisation.roles-changed", found, viewer, now, before=before, roles=wanted)
    return found


def change_profile(
    viewer: Viewer,
    organisation: int,
    *,
    name: str,
    contact: str,
    website: str,
    sector: str,
    now: datetime,
) -> Organisation:
    """Change what others read of an organisation.  Its managers, and coordinators."""
    with transaction.atomic():
        found = run_by(viewer, organisation)
        found.name = _line(name, "name", _NAME, required=True)
        found.contact = _address(contact)
        found.website = _website(website)
        found.sector = _line(sector, "sector", _SECTOR)
        found.save(update_fields=["name", "contact", "website", "sector"])
        _tell("organisation.profile-changed", found, viewer, now, name=found.name)
    return found


def set_policy(
    viewer: Viewer, organisation: int, policy: Policy, *, now: datetime
) -> SupplierPolicy:
    """State how a supplier wants to be told.  Its managers, and coordinators.

    Raises :class:`Refused` for an organisation that supplies nothing.
    """
    with transaction.atomic():
        found = run_by(viewer, organisation)
        if Role.SUPPLIER not in found.role_set:
            raise Refused("only a supplier has such a policy")
        stored, _ = SupplierPolicy.objects.update_or_create(
            organisation=found, defaults={**asdict(policy), "updated_at": now}
        )
        _tell("organisation.policy-set", found, viewer, now, **asdict(policy))
    return stored


def add_package(viewer: Viewer, organisation: int, *, purl: str, now: datetime) -> SuppliedPackage:
    """Name a package that the organisation maintains; it counts once a coordinator confirms.

    The same package again changes nothing.
    """
    plain = package_of(purl)
    with transaction.atomic():
        found = run_by(viewer, organisation)
        if Role.SUPPLIER not in found.role_set:
            raise Refused("only a supplier maintains packages")
        package, fresh = SuppliedPackage.objects.get_or_create(organisation=found, purl=plain)
        if fresh:
            _tell("package.named", found, viewer, now, purl=plain)
    return package


def confirm_package(viewer: Viewer, package: int, *, now: datetime) -> SuppliedPackage:
    """Confirm that the organisation does maintain it: reports go there.  Coordinators only."""
    coordinated_by(viewer)
    with transaction.atomic():
        found = _package(package)
        if not found.is_confirmed:
            found.is_confirmed = True
            found.save(update_fields=["is_confirmed"])
            _tell("package.confirmed", found.organisation, viewer, now, purl=found.purl)
    return found


def remove_package(viewer: Viewer, organisation: int, *, package: int, now: datetime) -> None:
    """Take a package from an organisation.  Its managers, and coordinators."""
    with transaction.atomic():
        acting = run_by(viewer, organisation)
        found = _package(package)
        if found.organisation_id != acting.pk:
            raise NotFound("there is no such package")
        found.delete()
        _tell("package.removed", acting, viewer, now, purl=found.purl)


def _package(package: int) -> SuppliedPackage:
    found = (
        SuppliedPackage.objects.select_for_update(of=("self",))
        .select_related("organisation")
        .filter(pk=package)
        .first()
    )
    if found is None:
        raise NotFound("there is no such package")
    return found


def _tell(
    kind: str, organisation: Organisation, viewer: Viewer, now: datetime, **facts: object
) -> None:
    announce(kind, organisation.slug, {**facts, "by": viewer.person}, now)


def _ordered(roles: Iterable[Role]) -> list[str]:
    """The roles in the order of :class:`Role`, each once.  Raises :class:`Invalid` for none."""
    wanted = frozenset(roles)
    if not wanted:
        raise Invalid("an organisation has at least one role", key="roles")
    return [one.value for one in Role if one in wanted]


def _line(text: str, key: str, most: int, *, required: bool = False) -> str:
    plain = " ".join(text.split())
    if len(plain) > most or (required and not plain) or not plain.isprintable():
        raise Invalid(f"expected a line of {1 if required else 0} to {most} characters", key=key)
    return plain


def _address(text: str) -> str:
    if not text:
        return ""
    try:
        validate_email(text)
    except ValidationError:
        raise Invalid("expected an e-mail address", key="contact") from None
    return text


def _website(text: str) -> str:
    if not text:
        return ""
    try:
        URLValidator(schemes=["http", "https"])(text)
    except ValidationError:
        raise Invalid("expected an address like https://project.example", key="website") from None
    return text
