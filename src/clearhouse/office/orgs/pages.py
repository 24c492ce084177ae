"""The pages of organisations and accounts."""

from __future__ import annotations

from typing import Any, Final

from allauth.account.utils import perform_login
from allauth.socialaccount.providers.openid_connect.views import login as openid_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clearhouse.errors import Invalid, NotFound
from clearhouse.office.orgs import actions, forms, queries
from clearhouse.office.orgs.middleware import ACTING_FOR, viewer_in
from clearhouse.office.orgs.models import User
from clearhouse.protocol.roles import Role

_INVITATION: Final = "invitation"
"""The session's key for the token of an invitation: addresses are logged and sent along."""
_POST_OR_GET: Final = ("GET", "HEAD", "POST")


@require_http_methods(_POST_OR_GET)
def start(request: HttpRequest) -> HttpResponse:
    """The first-run screen; gone once the office is open."""
    if queries.is_open():
        raise NotFound("There is no page at this address.")
    form = forms.StartForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.create_first_coordinator(**form.cleaned_data, now=timezone.now())
        except Invalid as error:
            forms.blame(form, error)
        else:
            return perform_login(request, user)  # type: ignore[no-any-return] # untyped library
    return _form_page(request, "orgs/start.html", form, {})


@require_GET
def open_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address, where logs and other pages would see it."""
    request.session[_INVITATION] = token
    return redirect("orgs:join")


@require_http_methods(_POST_OR_GET)
def join(request: HttpRequest) -> HttpResponse:
    """Come in by an invitation."""
    token = request.session.get(_INVITATION, "")
    invitation = queries.invitation_to(token, timezone.now())
    account = queries.invited_account(invitation)
    person = request.user.pk if request.user.is_authenticated else None
    needs_form = account is None and person is None
    data = request.POST if request.method == "POST" else None
    form = forms.JoinForm(data) if needs_form else Form(data)
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.accept_invitation(
                token, person=person, now=timezone.now(), **form.cleaned_data
            )
        except Invalid as error:
            forms.blame(form, error)
        else:
            request.session.pop(_INVITATION, None)
            request.session[ACTING_FOR] = invitation.organisation_id
            if person is None:
                return perform_login(request, user)  # type: ignore[no-any-return] # untyped
            return redirect("orgs:own")
    known = {"invitation": invitation, "signed_in": person is not None and person == account}
    known |= {"other": person is not None and person != account, "has_account": account is not None}
    return _form_page(request, "orgs/join.html", form, known)


@login_required
@require_GET
def own(request: HttpRequest) -> HttpResponse:
    """The page of the organisation that the viewer acts for; else the profile."""
    mine = viewer_in(request).organisation
    found = [one for one in queries.own_organisations(_user(request).pk) if one.pk == mine]
    return redirect("orgs:organisation", found[0].slug) if found else redirect("orgs:profile")


@login_required
@require_http_methods(_POST_OR_GET)
def profile(request: HttpRequest) -> HttpResponse:
    """A person's own page."""
    user = _user(request)
    form = forms.ProfileForm(request.POST or None, initial={"name": user.name})
    if request.method == "POST" and form.is_valid():
        try:
            actions.rename_person(user.pk, **form.cleaned_data)
        except Invalid as error:
            forms.blame(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("orgs:profile")
    known = {
        "person": user,
        "organisations": queries.own_organisations(user.pk),
        "has_factor": queries.has_second_factor(user),
    }
    return _form_page(request, "orgs/profile.html", form, known)


@login_required
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Act for another of one's own organisations."""
    wanted = request.POST.get("organisation", "")
    mine = queries.own_organisations(_user(request).pk)
    found = next((one for one in mine if one.slug == wanted), None)
    if found is None:
        raise NotFound("there is no such organisation")
    request.session[ACTING_FOR] = found.pk
    return redirect("orgs:own")


@login_required
@require_http_methods(_POST_OR_GET)
def everyone(request: HttpRequest) -> HttpResponse:
    """All organisations, and a form to take one in: for coordinators."""
    viewer = viewer_in(request)
    viewer.must_coordinate()
    form = forms.NewOrganisationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data | {"roles": [Role(one) for one in form.cleaned_data["roles"]]}
        try:
            made = actions.create_organisation(viewer, **data, now=timezone.now())
        except Invalid as error:
            forms.blame(form, error)
        else:
            return redirect("orgs:organisation", made.slug)
    return _form_page(request, "orgs/all.html", form, {"all": queries.organisations(viewer)})


def leave_for_provider(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Go to the identity provider.

    A form's answer may not lead elsewhere under our policy (Content Security Policy Level 3,
    form-action); a page may.
    """
    answer: HttpResponse = openid_login(request, provider_id)
    if request.method != "POST" or not isinstance(answer, HttpResponseRedirect):
        return answer
    name = settings.CONFIG.oidc.get("name", "your identity provider")
    return render(request, "socialaccount/leaving.html", {"url": answer.url, "provider": name})


def closed(request: HttpRequest, **_: Any) -> HttpResponse:  # noqa: ANN401, ARG001 - any address
    """Pages of the sign-in library that this office has no use for."""
    raise NotFound("There is no page at this address.")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _form_page(
    request: HttpRequest, template: str, form: Form, known: dict[str, Any]
) -> HttpResponse:
    status = 422 if request.method == "POST" else 200
    return render(request, template, {"form": form, "now": timezone.now(), **known}, status=status)
