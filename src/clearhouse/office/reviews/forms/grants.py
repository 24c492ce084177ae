"""Grants on the developer's endpoint: given, held, shortened, ended."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from django import forms

from clearhouse.office.access.actions import Issued
from clearhouse.office.access.queries import own_endpoints
from clearhouse.office.authorisation import ReviewDeed
from clearhouse.office.orgs.queries import organisations_with
from clearhouse.office.reviews.actions import access
from clearhouse.office.reviews.actions.access import Allowance
from clearhouse.office.reviews.forms.base import ReviewForm, UtcField
from clearhouse.office.reviews.queries import ReviewView, grant_in
from clearhouse.protocol.grants import MOST, USUAL_BUDGET, USUAL_RATES, Amounts, Call, Rates
from clearhouse.protocol.review import ReviewState
from clearhouse.protocol.roles import Role

_OPEN: Final = frozenset({ReviewState.OPEN})
_MILLION: Final = 1_000_000
_MOST_MONEY: Final = Decimal(MOST) / _MILLION
#: What separates an endpoint's name from a model's in a choice.
_GAP: Final = " "


def _count(label: str, initial: int, hint: str = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=1, max_value=MOST, initial=initial, help_text=hint
    )


class GiveForm(ReviewForm):
    """A grant for somebody who has access."""

    verb, deed, anchor = "give-grant", ReviewDeed.GIVE, "access"
    heading, button, done = "Give a grant", "Give it and show the token", "The grant is given."
    explains = (
        "It lasts until the window ends, and ends with the access before that. Its token is shown"
        " once, on the next page."
    )
    states = _OPEN
    to = forms.ChoiceField(label="To")
    holder = forms.CharField(
        label="For whom there", required=False, max_length=254,
        help_text="The address that one person signs in with. Then the grant is that person's and"
        " its managers' to see, and ends when the person leaves. Empty: everybody's there.",
    )  # fmt: skip
    models = forms.MultipleChoiceField(label="Models", widget=forms.CheckboxSelectMultiple)
    networks = forms.CharField(
        label="From where", max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Networks, one a line, such as 192.0.2.0/24. Requests from elsewhere are"
        " refused; 0.0.0.0/0 and ::/0 are anywhere.",
    )  # fmt: skip
    requests = _count("Requests in all", USUAL_BUDGET.requests)
    tokens = _count("Tokens in all", USUAL_BUDGET.tokens)
    money = forms.DecimalField(
        label="Money in all", min_value=Decimal("0.01"), max_value=_MOST_MONEY, decimal_places=2,
        initial=Decimal(USUAL_BUDGET.micros) / _MILLION,
        help_text="In the currency of your endpoint's prices.",
    )  # fmt: skip
    requests_a_minute = _count("Requests a minute", USUAL_RATES.requests_a_minute)
    tokens_a_minute = _count(
        "Tokens a minute", USUAL_RATES.tokens_a_minute,
        "Each request counts with the most that it may use: its length and its longest answer.",
    )  # fmt: skip
    streams = _count("Streams at the same time", USUAL_RATES.streams)
    calls = forms.MultipleChoiceField(
        label="Calls", widget=forms.CheckboxSelectMultiple,
        choices=[(one.value, one.value) for one in Call], initial=[one.value for one in Call],
    )  # fmt: skip

    def prepare(self) -> None:
        """Who has access now, and the models of open endpoints, those of the newest chosen."""
        to, models = self.fields["to"], self.fields["models"]
        assert isinstance(to, forms.ChoiceField)
        assert isinstance(models, forms.MultipleChoiceField)
        office = organisations_with(Role.COORDINATOR) if self.view.government_has_access else []
        to.choices = [
            *((one.slug, f"The government ({one.name})") for one in office),
            *(
                (one.row.organisation.slug, one.row.organisation.name)
                for one in self.view.parties or () if one.has_access
            ),
        ]  # fmt: skip
        there = [one for one in own_endpoints(self.viewer) if one.closed_at is None]
        models.choices = [
            (f"{one.name}{_GAP}{model}", f"{model}, at {one.address}")
            for one in there for model in sorted(one.prices)
        ]  # fmt: skip
        self.has_endpoint = bool(there)
        self.initial["models"] = [
            f"{one.name}{_GAP}{model}" for one in there[:1] for model in one.prices
        ]

    @classmethod
    def fits(cls, view: ReviewView) -> bool:
        """Where somebody has access."""
        has_access = any(one.has_access for one in view.parties or ())
        return super().fits(view) and (view.government_has_access or has_access)

    def clean_models(self) -> list[str]:
        """One endpoint's: a grant is on one."""
        chosen: list[str] = self.cleaned_data["models"]
        if len({one.partition(_GAP)[0] for one in chosen}) > 1:
            raise forms.ValidationError("Choose models of one endpoint; give a grant for each.")
        return chosen

    def act(self, name: str, now: datetime) -> Issued:
        """Give it."""
        data = self.cleaned_data
        chosen = [one.partition(_GAP) for one in data["models"]]
        allowance = Allowance(
            chosen[0][0], [model for _, _, model in chosen], [Call(one) for one in data["calls"]],
            Amounts(data["requests"], data["tokens"], int(data["money"] * _MILLION)),
            Rates(data["requests_a_minute"], data["tokens_a_minute"], data["streams"]),
            data["networks"].split(), data["holder"],
        )  # fmt: skip
        return access.give_grant(self.viewer, name, data["to"], allowance, now=now)


class GrantForm(ReviewForm):
    """What is done to one grant; the item."""

    anchor = "access"

    def named(self) -> str:
        """The grant of the review that it is about.  Raises :class:`NotFound`."""
        return grant_in(self.view, self.item).row.name


class PauseGrantForm(GrantForm):
    """Hold a grant."""

    verb, deed = "pause-grant", ReviewDeed.AGREE
    heading, button, done = "Pause it", "Pause this grant", "The grant is paused."
    explains = "Requests and running answers are cut at once. Its end stays where it is."

    def act(self, name: str, now: datetime) -> object:
        """Pause it."""
        return access.pause_grant(self.viewer, name, self.named(), now=now)


class ResumeGrantForm(GrantForm):
    """Hold it no more."""

    verb, deed = "resume-grant", ReviewDeed.GIVE
    heading, button, done = "Let it go on", "Let it go on", "The grant goes on."

    def act(self, name: str, now: datetime) -> object:
        """Let it go on."""
        return access.resume_grant(self.viewer, name, self.named(), now=now)


class ShortenGrantForm(GrantForm):
    """An earlier end."""

    verb, deed = "shorten-grant", ReviewDeed.AGREE
    heading, button, done = "An earlier end", "Make it shorter", "The grant ends earlier."
    ends_at = UtcField(
        label="New end, in UTC", help_text="Before the present one; there is no way back."
    )

    def act(self, name: str, now: datetime) -> object:
        """Shorten it."""
        ends_at: Any = self.cleaned_data["ends_at"]
        return access.shorten_grant(
            self.viewer, name, self.named(), ends_at.astimezone(UTC), now=now
        )


class RevokeGrantForm(GrantForm):
    """The end, now."""

    verb, deed = "revoke-grant", ReviewDeed.AGREE
    heading, button, done = "Revoke it", "Revoke this grant now", "The grant is revoked."
    explains = "Requests and running answers are cut at once, and its token opens nothing again."

    def act(self, name: str, now: datetime) -> object:
        """Revoke it."""
        return access.revoke_grant(self.viewer, name, self.named(), now=now)
