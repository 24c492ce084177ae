"""The forms of an endpoint: opened, and changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django import forms

from clearhouse.errors import ClearhouseError, Invalid
from clearhouse.office.access.actions import Change, Terms
from clearhouse.office.access.models import Endpoint
from clearhouse.office.look.fields import blame
from clearhouse.protocol.access import Keyed
from clearhouse.protocol.prices import Price
from clearhouse.protocol.unusual_use import Consequence, Rule

_MILLION: Final = 1_000_000
#: Besides the name of a model: two prices and a length.
_NUMBERS: Final = 3
_LONGEST: Final = 20_000
_SPAN: Final = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?", re.ASCII)
_KEYED: Final = [
    (Keyed.BEARER.value, "Authorization: Bearer (as OpenAI's API)"),
    (Keyed.X_API_KEY.value, "x-api-key (as Anthropic's API)"),
]
#: What is noticed, in words; a credential that would leave always pauses, so it is no choice.
RULES: Final = [
    (Rule.VOLUME.value, "there are far more requests in an hour than before"),
    (Rule.HOURS.value, "it is used outside of the usual hours"),
    (Rule.PATTERN.value, "one request after the other is refused"),
    (Rule.CANARY.value, "a planted text passes"),
]


def _lines(label: str, hint: str) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})
    return forms.CharField(
        label=label, help_text=hint, max_length=_LONGEST, required=False, widget=widget
    )


class EndpointForm(forms.Form):
    """An endpoint as its developer describes it.

    The credential is in no page, this form sent back with its errors included: it is typed again.
    """

    address = forms.CharField(
        label="Base address", max_length=500,
        help_text="What stands before /v1/..., such as https://models.example",
    )  # fmt: skip
    credential = forms.CharField(
        label="Credential", max_length=4000,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
        help_text="An API key of this endpoint, best one for this review alone. It is sealed at"
        " once and never shown again, to you neither.",
    )  # fmt: skip
    keyed = forms.ChoiceField(
        label="Where it is sent", choices=_KEYED, initial=Keyed.BEARER.value,
        widget=forms.RadioSelect,
    )  # fmt: skip
    prices = _lines(
        "Models and what they cost",
        "One a line: name, price of a million tokens read, of a million tokens written, longest"
        " answer in tokens. For example: model-1, 3.00, 15.00, 64000",
    )
    prices.required = True
    cut = forms.MultipleChoiceField(
        label="Unusual use is always told to both sides. Pause the grant at once when",
        required=False, choices=RULES, widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    hours = forms.CharField(
        label="Usual hours, in UTC", max_length=100, required=False,
        help_text="Such as 7-18 or 6-11, 13-19. Empty: all.",
    )  # fmt: skip
    canaries = _lines(
        "Planted texts",
        "One a line, 12 letters and digits or more, that stand nowhere but in what must not leave."
        " They are sealed as well.",
    )
    recipients = _lines(
        "Keys that contents are recorded for",
        "Your age recipients (age1...), one a line. Empty: no contents are recorded, only digests.",
    )

    def clean_prices(self) -> dict[str, Price]:
        """Each line, taken apart from its end: names of models have commas, numbers none."""
        return prices_in(self.cleaned_data["prices"])

    def clean_hours(self) -> list[int]:
        """The hours that are named."""
        return hours_in(self.cleaned_data["hours"])

    def clean_canaries(self) -> list[str]:
        """One a line."""
        return [one for line in self.cleaned_data["canaries"].splitlines() if (one := line.strip())]

    def clean_recipients(self) -> list[str]:
        """One a line."""
        return list(self.cleaned_data["recipients"].split())

    def blame(self, error: ClearhouseError) -> None:
        """Show an error of the family where it belongs."""
        blame(self, error)

    def terms(self) -> Terms:
        """The value that the action takes."""
        data = self.cleaned_data
        return Terms(
            data["address"], data["credential"], data["prices"], Keyed(data["keyed"]),
            data["canaries"], self._consequences(), data["hours"], data["recipients"],
        )  # fmt: skip

    def _consequences(self) -> dict[Rule, Consequence]:
        return {Rule(one): Consequence.CUT for one in self.cleaned_data["cut"]}


class ChangeForm(EndpointForm):
    """Another credential, address, price or rule; the secrets stay where nothing is written."""

    no_canaries = forms.BooleanField(label="There are no planted texts any more", required=False)
    field_order = (
        "address", "credential", "keyed", "prices", "cut", "hours", "canaries", "no_canaries",
        "recipients",
    )  # fmt: skip

    def __init__(self, endpoint: Endpoint, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=_start(endpoint))
        self.fields["credential"].required = False
        self.fields["credential"].label = "Another credential"
        self.fields[
            "credential"
        ].help_text = "Empty: the one that is there. For another host it has to be written again."
        self.fields["canaries"].label = "Other planted texts"
        self.fields["canaries"].help_text = "Empty: those that are there. They are not shown."

    def change(self) -> Change:
        """The value that the action takes."""
        data = self.cleaned_data
        canaries = data["canaries"] or ([] if data["no_canaries"] else None)
        return Change(
            data["address"], data["credential"] or None, data["prices"], Keyed(data["keyed"]),
            canaries, self._consequences(), data["hours"], data["recipients"],
        )  # fmt: skip


def _start(endpoint: Endpoint) -> dict[str, Any]:
    """What is there, but for the secrets."""
    prices = (
        f"{model}, {Decimal(one['read']) / _MILLION}, {Decimal(one['written']) / _MILLION},"
        f" {one['longest']}"
        for model, one in endpoint.prices.items()
    )
    return {
        "address": endpoint.address,
        "keyed": endpoint.keyed,
        "prices": "\n".join(prices),
        "cut": [rule for rule, one in endpoint.consequences.items() if one == Consequence.CUT],
        "hours": hours_text(endpoint.hours),
        "recipients": "\n".join(endpoint.recipients),
    }


def prices_in(text: str) -> dict[str, Price]:
    """A price list as it is typed.  Raises a validation error naming the line."""
    found: dict[str, Price] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        parts = [one.strip() for one in line.rsplit(",", _NUMBERS)]
        if len(parts) <= _NUMBERS or not parts[0]:
            raise forms.ValidationError(f"Line {number}: expected a name and three numbers.")
        if parts[0] in found:
            raise forms.ValidationError(f"Line {number}: this model stands there already.")
        try:
            found[parts[0]] = Price(_micros(parts[1]), _micros(parts[2]), int(parts[3]))
        except (InvalidOperation, ValueError, Invalid):
            raise forms.ValidationError(
                f"Line {number}: expected prices such as 3.00, and a count of tokens."
            ) from None
    return found


def _micros(text: str) -> int:
    """Millionths of an amount; no fraction of one is left out in silence."""
    amount = Decimal(text) * _MILLION
    if not amount.is_finite() or amount != amount.to_integral_value():
        raise ValueError(text)
    return int(amount)


def hours_in(text: str) -> list[int]:
    """Hours of the day as they are typed: ``7-18``, ``6-11, 13``."""
    found: set[int] = set()
    for part in filter(None, (one.strip() for one in text.split(","))):
        span = _SPAN.fullmatch(part)
        first, last = (int(span[1]), int(span[2] or span[1])) if span else (1, 0)
        if first > last:
            raise forms.ValidationError("Expected hours such as 7-18, from 0 to 23.")
        found |= set(range(first, last + 1))
    return sorted(found)


def hours_text(hours: Iterable[int]) -> str:
    """The same as text."""
    spans: list[list[int]] = []
    for hour in sorted(hours):
        if spans and hour == spans[-1][-1] + 1:
            spans[-1].append(hour)
        else:
            spans.append([hour])
    return ", ".join(str(one[0]) if len(one) == 1 else f"{one[0]}-{one[-1]}" for one in spans)
