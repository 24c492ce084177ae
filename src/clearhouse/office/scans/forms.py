"""The form of the room.  What it lets through, the action checks again."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from django import forms

from clearhouse.office.scans.actions import LONGEST


class ClaimForm(forms.Form):
    """A claim on a package until the end of a day."""

    package = forms.CharField(
        label="Package",
        max_length=300,
        help_text="As a package URL without a version: pkg:pypi/ecdsa.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none"}),
    )
    until = forms.DateField(
        label="Until the end of",
        help_text=f"At most {LONGEST.days} days ahead; days end at midnight UTC.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def claimed(self, now: datetime) -> dict[str, Any]:
        """What the action is given: the end of the day, of the last day that is allowed now."""
        day: date = self.cleaned_data["until"]
        end = datetime.combine(day, time(23, 59, 59), UTC)
        last = now + LONGEST
        is_last = day == last.astimezone(UTC).date()
        return {"purl": self.cleaned_data["package"], "until": last if is_last else end}
