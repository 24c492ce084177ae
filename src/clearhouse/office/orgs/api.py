"""The room for machines and programs: everything that its pages show and do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Router, Schema, Status

from clearhouse.office.orgs import actions, queries
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.orgs.models import (
    ApiKey,
    Invitation,
    Membership,
    Organisation,
    SuppliedPackage,
    SupplierPolicy,
)
from clearhouse.protocol.roles import Role, Scope

router = Router(tags=["organisations"])
#: The answer holds what is shown once: it is not kept for who asks again.
_SHOWN_ONCE: Final = {"x-keeps-no-answer": True}


class OrganisationOut(Schema):
    """An organisation."""

    slug: str
    name: str
    roles: list[Role]
    contact: str
    website: str
    sector: str
    created_at: datetime


class DetailsIn(Schema):
    """What others read of an organisation."""

    name: str
    contact: str = ""
    website: str = ""
    sector: str = ""


class OrganisationIn(DetailsIn):
    """An organisation to take in."""

    roles: list[Role]
    slug: str = ""


class RolesIn(Schema):
    """What an organisation is to the office."""

    roles: list[Role]


class MemberOut(Schema):
    """Somebody in an organisation."""

    person: Annotated[int, Field(alias="user_id")]
    name: Annotated[str, Field(alias="user.name")]
    email: Annotated[str, Field(alias="user.email")]
    is_manager: bool
    since: datetime


class ManagerIn(Schema):
    """Whether a member manages."""

    is_manager: bool


class InvitationIn(Schema):
    """Somebody to invite."""

    email: str
    is_manager: bool = False


class InvitationOut(Schema):
    """An invitation that stands."""

    id: int
    email: str
    is_manager: bool
    invited_at: datetime
    expires_at: datetime


class InvitedOut(InvitationOut):
    """An invitation just made; ``link`` is there, this once, where nothing was mailed."""

    link: str | None = None


class KeyIn(Schema):
    """A key to make."""

    name: str
    scopes: list[Scope]
    expires_at: datetime


class KeyOut(Schema):
    """A key, without what opens anything."""

    id: int
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class MadeKeyOut(KeyOut):
    """A key just made; ``key`` is shown this once."""

    key: str


class PolicyBody(Schema):
    """How a supplier wants to be told; null: it does not say."""

    route: str = "here"
    embargo_days: int | None = None
    pace: int | None = None
    scale: str = "cvss4"
    proof_required: bool = True
    scope: str = ""


class PackageIn(Schema):
    """A package to name."""

    purl: str


class PackageOut(Schema):
    """A package that an organisation maintains."""

    id: int
    purl: str
    is_confirmed: bool


@router.get("/organisations", response=list[OrganisationOut])
def list_organisations(request: HttpRequest) -> list[Organisation]:
    """All for a coordinator, else one's own."""
    return queries.organisations(viewer_in(request))


@router.post("/organisations", response={201: OrganisationOut})
def create_organisation(request: HttpRequest, body: OrganisationIn) -> Status[Organisation]:
    """Take an organisation in: coordinators."""
    made = actions.create_organisation(viewer_in(request), **body.dict(), now=timezone.now())
    return Status(201, made)


@router.get("/organisations/{slug}", response=OrganisationOut)
def get_organisation(request: HttpRequest, slug: str) -> Organisation:
    """One organisation."""
    return _seen(request, slug)


@router.put("/organisations/{slug}", response=OrganisationOut)
def change_organisation(request: HttpRequest, slug: str, body: DetailsIn) -> Organisation:
    """Change what others read of it."""
    return actions.change_profile(
        viewer_in(request), _seen(request, slug).pk, **body.dict(), now=timezone.now()
    )


@router.put("/organisations/{slug}/roles", response=OrganisationOut)
def change_roles(request: HttpRequest, slug: str, body: RolesIn) -> Organisation:
    """Say what it is to the office: coordinators."""
    return actions.change_roles(
        viewer_in(request), _seen(request, slug).pk, roles=body.roles, now=timezone.now()
    )


@router.get("/organisations/{slug}/members", response=list[MemberOut])
def list_members(request: HttpRequest, slug: str) -> list[Membership]:
    """Who is in it."""
    return queries.members(viewer_in(request), _seen(request, slug).pk)


@router.put("/organisations/{slug}/members/{person}", response=MemberOut)
def change_member(request: HttpRequest, slug: str, person: int, body: ManagerIn) -> Membership:
    """Make somebody a manager, or no longer."""
    return actions.change_member(
        viewer_in(request),
        _seen(request, slug).pk,
        person=person,
        is_manager=body.is_manager,
        now=timezone.now(),
    )


@router.delete("/organisations/{slug}/members/{person}", response={204: None})
def remove_member(request: HttpRequest, slug: str, person: int) -> Status[None]:
    """End a membership."""
    actions.remove_member(
        viewer_in(request), _seen(request, slug).pk, person=person, now=timezone.now()
    )
    return Status(204, None)


@router.get("/organisations/{slug}/invitations", response=list[InvitationOut])
def list_invitations(request: HttpRequest, slug: str) -> list[Invitation]:
    """The invitations that stand."""
    return queries.invitations(viewer_in(request), _seen(request, slug).pk, timezone.now())


@router.post(
    "/organisations/{slug}/invitations", response={201: InvitedOut}, openapi_extra=_SHOWN_ONCE
)
def invite(request: HttpRequest, slug: str, body: InvitationIn) -> Status[InvitedOut]:
    """Invite the holder of an address."""
    made = actions.invite(
        viewer_in(request), _seen(request, slug).pk, **body.dict(), now=timezone.now()
    )
    shown = InvitationOut.from_orm(made.invitation).dict()
    return Status(201, InvitedOut(**shown, link=made.link))


@router.delete("/organisations/{slug}/invitations/{invitation}", response={204: None})
def withdraw_invitation(request: HttpRequest, slug: str, invitation: int) -> Status[None]:
    """End an invitation."""
    actions.withdraw_invitation(
        viewer_in(request), _seen(request, slug).pk, invitation=invitation, now=timezone.now()
    )
    return Status(204, None)


@router.get("/organisations/{slug}/keys", response=list[KeyOut])
def list_keys(request: HttpRequest, slug: str) -> list[ApiKey]:
    """Its keys, those that ended too."""
    return queries.api_keys(viewer_in(request), _seen(request, slug).pk)


@router.post("/organisations/{slug}/keys", response={201: MadeKeyOut}, openapi_extra=_SHOWN_ONCE)
def make_key(request: HttpRequest, slug: str, body: KeyIn) -> Status[MadeKeyOut]:
    """Make a key; its text is in this answer and nowhere else."""
    made = actions.make_api_key(
        viewer_in(request), _seen(request, slug).pk, **body.dict(), now=timezone.now()
    )
    return Status(201, MadeKeyOut(**KeyOut.from_orm(made.key).dict(), key=made.text))


@router.delete("/organisations/{slug}/keys/{key}", response=KeyOut)
def revoke_key(request: HttpRequest, slug: str, key: int) -> ApiKey:
    """End a key at once."""
    return actions.revoke_api_key(
        viewer_in(request), _seen(request, slug).pk, key=key, now=timezone.now()
    )


@router.get("/organisations/{slug}/policy", response=PolicyBody | None)
def get_policy(request: HttpRequest, slug: str) -> SupplierPolicy | None:
    """How it wants to be told; null where it has not said."""
    return queries.policy_seen(viewer_in(request), _seen(request, slug).pk)


@router.put("/organisations/{slug}/policy", response=PolicyBody)
def set_policy(request: HttpRequest, slug: str, body: PolicyBody) -> SupplierPolicy:
    """State how it wants to be told."""
    policy = actions.Policy(**body.dict())
    return actions.set_policy(
        viewer_in(request), _seen(request, slug).pk, policy, now=timezone.now()
    )


@router.get("/organisations/{slug}/packages", response=list[PackageOut])
def list_packages(request: HttpRequest, slug: str) -> list[SuppliedPackage]:
    """What it maintains."""
    return queries.packages(viewer_in(request), _seen(request, slug).pk)


@router.post("/organisations/{slug}/packages", response={201: PackageOut})
def add_package(request: HttpRequest, slug: str, body: PackageIn) -> Status[SuppliedPackage]:
    """Name a package that it maintains."""
    made = actions.add_package(
        viewer_in(request), _seen(request, slug).pk, purl=body.purl, now=timezone.now()
    )
    return Status(201, made)


@router.post("/organisations/{slug}/packages/{package}/confirm", response=PackageOut)
def confirm_package(request: HttpRequest, slug: str, package: int) -> SuppliedPackage:
    """Confirm that it does: coordinators."""
    _seen(request, slug)
    return actions.confirm_package(viewer_in(request), package, now=timezone.now())


@router.delete("/organisations/{slug}/packages/{package}", response={204: None})
def remove_package(request: HttpRequest, slug: str, package: int) -> Status[None]:
    """Take a package from it."""
    actions.remove_package(
        viewer_in(request), _seen(request, slug).pk, package=package, now=timezone.now()
    )
    return Status(204, None)


def _seen(request: HttpRequest, slug: str) -> Organisation:
    return queries.organisation_seen(viewer_in(request), slug)
