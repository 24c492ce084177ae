"""The forms of the room.  What they let through, the actions check again."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from clearhouse.office.directives.actions.evidence import LONGEST
from clearhouse.office.directives.actions.issuing import SHIPPED, audience_of
from clearhouse.protocol.directives.directive import Way
from clearhouse.protocol.sectors import NAMES
from clearhouse.protocol.tlp import Tlp

_YES: Final = "yes"
_LONG: Final = forms.Textarea(attrs={"rows": 3})


def _tlp_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        label="Who may read it?",
        choices=[
            (Tlp.CLEAR.value, "TLP:CLEAR: everybody, the public too"),
            (Tlp.GREEN.value, "TLP:GREEN: everybody who takes part here"),
            (Tlp.AMBER.value, "TLP:AMBER: whom it addresses"),
        ],
        initial=Tlp.CLEAR.value,
        widget=forms.RadioSelect,
    )


class AddressForm(forms.Form):
    """For whom a directive is, how far it may be passed on, and from when anything is due."""

    everybody = forms.BooleanField(label="It addresses everybody who takes part", required=False)
    sectors = forms.MultipleChoiceField(
        label="Or organisations in these sectors",
        choices=[(one.value, text) for one, text in NAMES.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    organisations = forms.CharField(
        label="Or these organisations",
        required=False,
        help_text="Their short names, one on each line. A name that nobody has reaches nobody.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )
    tlp = _tlp_field()
    delay_days = forms.IntegerField(
        label="Nothing is due before so many days after its issue",
        initial=0,
        min_value=0,
        max_value=365,
    )

    def described(self) -> dict[str, Any]:
        """What the action is given.  Raises Invalid for an audience that is nobody."""
        data = self.cleaned_data
        return {
            "audience": audience_of(
                everybody=_YES if data["everybody"] else "",
                sectors=data["sectors"],
                organisations=data["organisations"].split(),
            ),
            "tlp": Tlp.parse(data["tlp"]),
            "delay_days": data["delay_days"],
        }


class DraftForm(AddressForm):
    """A directive from one that is shipped."""

    template = forms.ChoiceField(
        label="Which directive?",
        choices=[(key, f"{one.title} ({key})") for key, one in SHIPPED.items()],
        help_text="One that is in force already keeps its dates.",
    )
    field_order = ("template",)

    def described(self) -> dict[str, Any]:
        """What the action is given.  Raises Invalid for an audience that is nobody."""
        return {**super().described(), "template": self.cleaned_data["template"]}


class FileForm(forms.Form):
    """A directive that somebody wrote as a document."""

    document = forms.FileField(
        label="Document",
        help_text="JSON of the format clearhouse-directive/1, as the API gives of each directive."
        " clearhouse directive check FILE says how it is read.",
    )
    tlp = _tlp_field()


class EndForm(forms.Form):
    """Why a directive ends."""

    reason = forms.CharField(label="Why does it end?", max_length=1000, widget=_LONG)


class EvidenceForm(forms.Form):
    """What a person states."""

    way = forms.ChoiceField(
        label="What do you hand in?",
        choices=[
            (Way.REMOVED.value, "It was taken off the network, or away"),
            (Way.ACCEPTED.value, "We ask to leave it as it is"),
        ],
        widget=forms.RadioSelect,
    )
    text = forms.CharField(
        label="What was done, or why it cannot be done",
        max_length=LONGEST,
        help_text="The authority reads this, with the flaw and what you call the system.",
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class AnswerForm(forms.Form):
    """What the authority says of it."""

    verdict = forms.ChoiceField(
        label="Does it hold?",
        choices=[("accept", "Yes, accept it"), ("refuse", "No, it is to be done")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="Why?",
        required=False,
        max_length=1000,
        help_text="Needed to refuse, and to agree that something is left as it is.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
