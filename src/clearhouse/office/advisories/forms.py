"""Forms of the room."""

from __future__ import annotations

from typing import Any

from django import forms

from clearhouse.formats.advisory import Reference
from clearhouse.formats.osv_record import REFERENCE_TYPES

_LINES = 40


class DraftForm(forms.Form):
    """The words of an advisory; the facts come from the case."""

    title = forms.CharField(max_length=300, help_text="What is wrong, in which software.")
    summary = forms.CharField(
        max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One or two sentences that anybody can act on.",
    )  # fmt: skip
    details = forms.CharField(
        max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 8}),
        help_text="What happens, when, and how it can be recognised.",
    )  # fmt: skip
    remedy = forms.CharField(
        max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 4}),
        label="What to do",
        help_text="Empty where updating to the fixed release is all there is to do.",
    )  # fmt: skip
    references = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One to a line: address, a space, what is there. A kind such as FIX may stand"
        " before the address.",
    )  # fmt: skip

    def clean_references(self) -> tuple[Reference, ...]:
        """Each line as a reference."""
        lines = str(self.cleaned_data["references"]).splitlines()
        found = []
        for number, line in enumerate((one.strip() for one in lines), 1):
            if not line:
                continue
            if number > _LINES:
                raise forms.ValidationError(f"at most {_LINES} lines")
            found.append(_reference(line, number))
        return tuple(found)


def _reference(line: str, number: int) -> Reference:
    first, _, rest = line.partition(" ")
    kind = "WEB"
    if first.upper() in REFERENCE_TYPES:
        kind = first.upper()
        first, _, rest = rest.strip().partition(" ")
    if not first.startswith("https://") or len(first) > 2000 or " " in first:
        raise forms.ValidationError(f"line {number}: expected an address that begins with https://")
    return Reference(first, rest.strip()[:200] or first, kind)


def lines_of(references: list[dict[str, Any]]) -> str:
    """References as the form shows them."""
    return "\n".join(
        f"{'' if one['kind'] == 'WEB' else one['kind'] + ' '}{one['url']} {one['summary']}"
        for one in references
    )
