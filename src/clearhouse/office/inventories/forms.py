"""The forms of the room.  What they let through, the actions check again."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from clearhouse.office.inventories.actions.systems import Answer
from clearhouse.protocol.sectors import NAMES
from clearhouse.protocol.system_questions import QUESTIONS, UNKNOWN, Question

_SECTORS: Final = [("", "I do not know"), *((one.value, text) for one, text in NAMES.items())]
_DISTRIBUTIONS: Final = "Debian:12, Ubuntu:22.04, AlmaLinux:9, Alpine:v3.19"


class SystemForm(forms.Form):
    """A system, and what its owner knows of it: one field for each question."""

    title = forms.CharField(
        label="What do you call it?", max_length=120, help_text="For example: patient records."
    )
    sector = forms.ChoiceField(
        label="What is it for?",
        choices=_SECTORS,
        required=False,
        help_text="The sector of critical infrastructure that it serves.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's
        super().__init__(*args, **kwargs)
        for one in QUESTIONS:
            self.fields[one.key] = _field(one)
        self.fields["next_upgrade"] = forms.DateField(
            label="When is it next upgraded as planned?",
            required=False,
            help_text="What may wait for a planned upgrade is due then. Leave it empty if nothing"
            " is planned.",
            widget=forms.DateInput(attrs={"type": "date"}),
        )

    def described(self) -> dict[str, Any]:
        """What the actions are given."""
        data = self.cleaned_data
        answers: dict[str, Answer] = {one.key: data[one.key] for one in QUESTIONS}
        return {
            "title": data["title"],
            "sector": data["sector"],
            "answers": {key: given for key, given in answers.items() if given},
            "next_upgrade": data["next_upgrade"],
        }


def _field(asked: Question) -> forms.Field:
    choices = [
        (one.key, one.text if one.key == UNKNOWN else f"{one.text}: {one.explanation}")
        for one in asked.choices
    ]
    if asked.most > 1:
        known = [(key, text) for key, text in choices if key != UNKNOWN]
        return forms.MultipleChoiceField(
            label=asked.text, help_text=asked.why, choices=known, required=False,
            widget=forms.CheckboxSelectMultiple,
        )  # fmt: skip
    return forms.ChoiceField(
        label=asked.text, help_text=asked.why, choices=choices, required=False, initial=UNKNOWN,
        widget=forms.RadioSelect,
    )  # fmt: skip


class StateForm(forms.Form):
    """What does not touch a system, and why."""

    statements = forms.FileField(
        label="VEX document",
        help_text="OpenVEX, CSAF or CycloneDX: which flaws do not touch this system, and why.",
    )


class UploadForm(forms.Form):
    """A list of what is installed."""

    file = forms.FileField(
        label="List of what is installed",
        help_text="CycloneDX, SPDX, package-lock.json, requirements.txt, CSV, or what dpkg-query -W"
        " or rpm -qa prints.",
    )
    distribution = forms.CharField(
        label="Distribution",
        required=False,
        max_length=60,
        help_text=f"Only for lists of dpkg and rpm: {_DISTRIBUTIONS}.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none"}),
    )
