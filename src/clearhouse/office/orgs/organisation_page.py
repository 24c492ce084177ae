"""The page of one organisation: what can be seen of it, and each thing that can be done there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.orgs import actions, forms, queries
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.orgs.models import Organisation
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role, Scope

_POLICY: Final = ("route", "embargo_days", "pace", "scale", "proof_required", "scope")
_DETAILS: Final = ("name", "contact", "website", "sector")

Data = Mapping[str, Any]
Once = dict[str, object] | None
"""What is shown once, below the form that made it."""


def _details(viewer: Viewer, organisation: int, data: Data, now: datetime) -> Once:
    actions.change_profile(viewer, organisation, **data, now=now)
    return None


def _roles(viewer: Viewer, organisation: int, data: Data, now: datetime) -> Once:
    roles = [Role(one) for one in data["roles"]]
    actions.change_roles(viewer, organisation, roles=roles, now=now)
    return None


def _policy(viewer: Viewer, organisation: int, data: Data, now: datetime) -> Once:
    actions.set_policy(viewer, organisation, actions.Policy(**data), now=now)
    return None


def _package(viewer: Viewer, organisation: int, data: Data, now: datetime) -> Once:
    actions.add_package(viewer, organisation, **data, now=now)
    return None


def _invitation(viewer: Viewer, organisation: int, data: Data, now: datetime) -> Once:
    invited = actions.invite(viewer, organisation, **data, now=now)
    return {"link": invited.link, "invited": invited.invitation.email} if invited.link else None


def _key(viewer: Viewer, organisation: int, data: Data, now: datetime) -> Once:
    made = actions.make_api_key(
        viewer,
        organisation,
        name=data["name"],
        scopes=[Scope(one) for one in data["scopes"]],
        expires_at=now + timedelta(days=int(data["days"])),
        now=now,
    )
    return {"key_text": made.text, "key_name": made.key.name}


class _Deed(NamedTuple):
    form: type[Form]
    act: Callable[[Viewer, int, Data, datetime], Once]


_DEEDS: Final[Mapping[str, _Deed]] = {
    "details": _Deed(forms.DetailsForm, _details),
    "roles": _Deed(forms.RolesForm, _roles),
    "policy": _Deed(forms.PolicyForm, _policy),
    "package": _Deed(forms.PackageForm, _package),
    "invitation": _Deed(forms.InvitationForm, _invitation),
    "key": _Deed(forms.KeyForm, _key),
}
#: What a button does to one of the things listed.
_BUTTONS: Final[Mapping[str, Callable[[Viewer, int, int, datetime], object]]] = {
    "confirm-package": lambda v, _, pk, now: actions.confirm_package(v, pk, now=now),
    "remove-package": lambda v, o, pk, now: actions.remove_package(v, o, package=pk, now=now),
    "withdraw-invitation": lambda v, o, pk, now: actions.withdraw_invitation(
        v, o, invitation=pk, now=now
    ),
    "make-manager": lambda v, o, pk, now: actions.change_member(
        v, o, person=pk, is_manager=True, now=now
    ),
    "end-manager": lambda v, o, pk, now: actions.change_member(
        v, o, person=pk, is_manager=False, now=now
    ),
    "remove-member": lambda v, o, pk, now: actions.remove_member(v, o, person=pk, now=now),
    "revoke-key": lambda v, o, pk, now: actions.revoke_api_key(v, o, key=pk, now=now),
}


@login_required
@require_GET
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """The page."""
    return _page(request, queries.organisation_seen(viewer_in(request), slug), {}, {})


@login_required
@require_POST
def change(request: HttpRequest, slug: str, what: str) -> HttpResponse:
    """One of the page's forms."""
    viewer = viewer_in(request)
    acting = queries.organisation_seen(viewer, slug)
    deed = _DEEDS.get(what)
    if deed is None:
        raise NotFound("There is no page at this address.")
    if not queries.may_run(viewer, acting.pk):
        raise Refused("only a manager of the organisation can do this")
    form = deed.form(request.POST)
    if form.is_valid():
        try:
            once = deed.act(viewer, acting.pk, form.cleaned_data, timezone.now())
        except (Invalid, Conflict) as error:
            forms.blame(form, error if isinstance(error, Invalid) else Invalid(error.message))
        else:
            if once is not None:
                return _page(request, acting, {}, once)
            messages.success(request, "Done.")
            return redirect("orgs:organisation", acting.slug)
    return _page(request, acting, {what: form}, {}, status=422)


@login_required
@require_POST
def press(request: HttpRequest, slug: str, what: str, pk: int) -> HttpResponse:
    """One of the page's buttons."""
    viewer = viewer_in(request)
    acting = queries.organisation_seen(viewer, slug)
    deed = _BUTTONS.get(what)
    if deed is None:
        raise NotFound("There is no page at this address.")
    deed(viewer, acting.pk, pk, timezone.now())
    messages.success(request, "Done.")
    return redirect("orgs:organisation", acting.slug)


def _page(
    request: HttpRequest,
    acting: Organisation,
    wrong: Mapping[str, Form],
    once: Mapping[str, object],
    *,
    status: int = 200,
) -> HttpResponse:
    viewer, now = viewer_in(request), timezone.now()
    runs = queries.may_run(viewer, acting.pk)
    policy = queries.policy_seen(viewer, acting.pk)
    initial: dict[str, dict[str, Any]] = {
        "details": {name: getattr(acting, name) for name in _DETAILS},
        "roles": {"roles": acting.roles},
        "policy": {name: getattr(policy, name) for name in _POLICY}
        if policy
        else asdict(actions.Policy()),
    }
    shown = {
        name: wrong.get(name) or deed.form(initial=initial.get(name), auto_id=f"{name}_%s")
        for name, deed in _DEEDS.items()
    }
    for name, form in wrong.items():
        form.auto_id = f"{name}_%s"
    context = {
        "organisation": acting,
        "runs": runs,
        "supplies": Role.SUPPLIER in acting.role_set,
        "members": queries.members(viewer, acting.pk),
        "packages": queries.packages(viewer, acting.pk),
        "policy": policy,
        "invitations": queries.invitations(viewer, acting.pk, now) if runs else [],
        "keys": [(one, one.works(now)) for one in queries.api_keys(viewer, acting.pk)]
        if runs
        else [],
        "forms": shown,
        "once": once,
        "now": now,
    }
    return render(request, "orgs/organisation.html", context, status=status)
