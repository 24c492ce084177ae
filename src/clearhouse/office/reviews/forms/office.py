"""What the office keeps besides single reviews: criteria and the roster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from clearhouse.office.orgs.queries import colleagues_of, organisations_with
from clearhouse.office.reviews.forms.base import DayField, body, sentence
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role
from clearhouse.protocol.two_person import WorkRole


class CriteriaForm(forms.Form):
    """New criteria; those before stay published."""

    text = body("Criteria", "They hold for reviews that are submitted after.", rows=12)


class ReviewerForm(forms.Form):
    """Somebody on the roster."""

    person = forms.TypedChoiceField(label="Person", coerce=int)
    role = forms.ChoiceField(
        label="Work role",
        choices=[(one.value, f"{one.label} ({one.value})") for one in WorkRole],
        help_text="Of the NICE Workforce Framework.",
    )
    available_from = DayField(label="Available from", required=False)
    available_until = DayField(label="Available until", required=False)

    def __init__(self, viewer: Viewer, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="reviewer-%s")
        field = self.fields["person"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(str(one.pk), str(one)) for one in colleagues_of(viewer)]


class ConflictForm(forms.Form):
    """A conflict of one's own."""

    organisation = forms.ChoiceField(label="Developer")
    reason = sentence("What the conflict is")

    def __init__(self, viewer: Viewer, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="conflict-%s")
        viewer.must_coordinate()
        field = self.fields["organisation"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one.slug, one.name) for one in organisations_with(Role.DEVELOPER)]
