"""The forms of the room.  What they let through, the actions check again."""

from __future__ import annotations

from django import forms

from clearhouse.office.notices.models import Channel

_KINDS = [
    (Channel.Kind.MAIL.value, "Mail: to one address, which is confirmed by a code"),
    (Channel.Kind.WEBHOOK.value, "Webhook: signed messages to a program of yours"),
    (Channel.Kind.FEED.value, "Atom feed: a secret address for a feed reader"),
]
_HOURS = [(str(hour), f"{hour:02}:00 UTC") for hour in range(24)]


class ChannelForm(forms.Form):
    """A channel to add."""

    kind = forms.ChoiceField(
        label="How you want to be told", choices=_KINDS, widget=forms.RadioSelect
    )
    address = forms.CharField(
        label="Address", max_length=500, required=False,
        help_text="A mail address, or the https address of your program. Empty for a feed.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none"}),
    )  # fmt: skip


class CodeForm(forms.Form):
    """The code that was mailed."""

    code = forms.CharField(
        label="Code from the mail", max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )  # fmt: skip


class HourForm(forms.Form):
    """When what is not urgent is told."""

    hour = forms.TypedChoiceField(
        label="What is not urgent comes once a day, at", choices=_HOURS, coerce=int
    )
