"""The forms of the room.  What they let through, the actions check again."""

from __future__ import annotations

from django import forms

from clearhouse.errors import Invalid
from clearhouse.office.orgs.models import SupplierPolicy
from clearhouse.protocol.roles import Role, Scope

_ROLES = [(one.value, f"{one.value.replace('-', ' ').capitalize()}: {one.meaning}") for one in Role]
_SCOPES = [(one.value, one.value) for one in Scope]
_DAYS = [(str(days), f"{days} days") for days in (7, 30, 90, 180, 365)]


class _PasswordForm(forms.Form):
    name = forms.CharField(label="Your name", max_length=120)
    password = forms.CharField(
        label="Password",
        help_text="12 characters or more; a sentence is easy to keep in mind.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        max_length=1024,
    )


class StartForm(_PasswordForm):
    """The first person and the organisation that runs the office."""

    organisation = forms.CharField(label="Name of the organisation that runs it", max_length=120)
    email = forms.EmailField(
        label="Your e-mail address", widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )

    field_order = ("organisation", "name", "email", "password")


class JoinForm(_PasswordForm):
    """An account for somebody invited."""


class ProfileForm(forms.Form):
    """A person's own name."""

    name = forms.CharField(label="Your name", max_length=120)


class DetailsForm(forms.Form):
    """What others read of an organisation."""

    name = forms.CharField(label="Name", max_length=120)
    contact = forms.EmailField(
        label="Contact", required=False, help_text="Where news goes; else to the managers."
    )
    website = forms.URLField(label="Website", required=False, assume_scheme="https")
    sector = forms.CharField(label="Sector", required=False, max_length=60)


class RolesForm(forms.Form):
    """What an organisation is to the office."""

    roles = forms.MultipleChoiceField(
        label="Roles", choices=_ROLES, widget=forms.CheckboxSelectMultiple
    )


class NewOrganisationForm(DetailsForm, RolesForm):
    """An organisation to take in."""

    slug = forms.SlugField(
        label="Short name",
        required=False,
        max_length=60,
        help_text="For its address; made from the name if left empty.",
    )

    field_order = ("name", "slug", "roles", "contact", "website", "sector")


class PolicyForm(forms.Form):
    """How a supplier wants to be told."""

    route = forms.ChoiceField(label="Reports reach us", choices=SupplierPolicy.Route.choices)
    embargo_days = forms.IntegerField(
        label="Days of silence", required=False, min_value=0, help_text="Empty: we do not say."
    )
    pace = forms.IntegerField(
        label="Cases a week", required=False, min_value=1, help_text="Empty: any number."
    )
    scale = forms.ChoiceField(label="Severity scale", choices=SupplierPolicy.Scale.choices)
    proof_required = forms.BooleanField(label="Only with a proof that was run", required=False)
    scope = forms.CharField(
        label="What we take reports for", required=False, widget=forms.Textarea, max_length=5_000
    )


class PackageForm(forms.Form):
    """A package that the organisation maintains."""

    purl = forms.CharField(
        label="Package", max_length=300, help_text="A purl without version: pkg:pypi/django"
    )


class InvitationForm(forms.Form):
    """Somebody to invite."""

    email = forms.EmailField(label="E-mail address")
    is_manager = forms.BooleanField(label="May invite others and make keys", required=False)


class KeyForm(forms.Form):
    """A key for a machine."""

    name = forms.CharField(label="What it is for", max_length=80)
    scopes = forms.MultipleChoiceField(
        label="What it may do", choices=_SCOPES, widget=forms.CheckboxSelectMultiple
    )
    days = forms.ChoiceField(label="Lasts", choices=_DAYS, initial="90")


def blame(form: forms.Form, error: Invalid) -> None:
    """Put an error beside the field it names, else above the form."""
    form.add_error(error.key if error.key in form.fields else None, error.message)
