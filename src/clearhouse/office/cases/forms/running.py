"""What the office alone does: name, rate, hand on, match, close."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms

from clearhouse.errors import Invalid
from clearhouse.office.authorisation import Deed
from clearhouse.office.cases.actions import naming, opening, patches, severity
from clearhouse.office.cases.forms.base import CaseForm, sentence
from clearhouse.office.orgs.queries import colleagues_of
from clearhouse.protocol.ssvc.tables import CISA_COORDINATOR
from clearhouse.protocol.tlp import Tlp


class SsvcForm(CaseForm):
    """What is known for SSVC; what is not stays unknown."""

    verb, deed, anchor = "ssvc", Deed.RUN, "severity"
    heading, button, done = "Decide by SSVC", "Note it", "SSVC was noted."
    explains = f"{CISA_COORDINATOR.name}, version {CISA_COORDINATOR.version}."

    def prepare(self) -> None:
        """One choice for each decision point of the table."""
        known = self.view.case.ssvc.get("inputs", {})
        for point in CISA_COORDINATOR.inputs:
            self.fields[point.key] = forms.ChoiceField(
                label=point.name,
                choices=[("", "Unknown"), *point.values.items()],
                initial=known.get(point.key, ""),
                required=False,
            )

    def act(self, name: str, now: datetime) -> object:
        """Note it."""
        return severity.choose_ssvc(self.viewer, name, self.cleaned_data, now=now)


class DistributeForm(CaseForm):
    """Hand the chosen patch on."""

    verb, deed, anchor = "distribute", Deed.RUN, "patches"
    heading, button, done = "Hand it on", "Hand it on", "The patch was handed on."
    explains = "Everybody in the case who mends or deploys has it from then on, signed."
    tlp = forms.ChoiceField(
        label="Label",
        choices=[(one.value, f"{one.value}: {one.meaning}") for one in Tlp if one is not Tlp.RED],
        initial=Tlp.AMBER.value,
    )

    def act(self, name: str, now: datetime) -> object:
        """Hand it on."""
        label = Tlp.parse(self.cleaned_data["tlp"])
        return patches.distribute(self.viewer, name, self.item, label, now=now)


class DescribeForm(CaseForm):
    """Another title, and a text."""

    verb, deed, anchor = "describe", Deed.RUN, "findings"
    heading, button, done = "Title and summary", "Keep them", "The case was described."
    title = forms.CharField(label="Title", max_length=naming.MOST_TITLE)
    summary = forms.CharField(
        label="Summary",
        required=False,
        max_length=naming.MOST_SUMMARY,
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    def start(self) -> dict[str, Any]:
        """What is there."""
        return {"title": self.view.case.title, "summary": self.view.case.summary}

    def act(self, name: str, now: datetime) -> object:
        """Keep them."""
        data = self.cleaned_data
        return naming.describe(self.viewer, name, data["title"], data["summary"], now=now)


class CveForm(CaseForm):
    """The CVE id."""

    verb, deed, anchor = "cve", Deed.RUN, "findings"
    heading, button, done = "CVE id", "Note it", "The CVE id was noted."
    cve = forms.CharField(
        label="CVE id", help_text="Like CVE-2026-12345; empty takes it back.", required=False,
        max_length=20,
    )  # fmt: skip

    def start(self) -> dict[str, Any]:
        """What is there."""
        return {"cve": self.view.case.cve}

    def act(self, name: str, now: datetime) -> object:
        """Note it."""
        return naming.set_cve(self.viewer, name, self.cleaned_data["cve"], now=now)


class LeadForm(CaseForm):
    """Who of the office looks after it."""

    verb, deed, anchor = "lead", Deed.RUN, "findings"
    heading, button, done = "Lead", "Set", "The case has a lead."
    person = forms.TypedChoiceField(label="Who looks after it", coerce=int)

    def prepare(self) -> None:
        """Offer the people of the office."""
        field = self.fields["person"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(str(one.pk), str(one)) for one in colleagues_of(self.viewer)]

    def start(self) -> dict[str, Any]:
        """Who it is, else oneself."""
        return {"person": self.view.case.lead_id or self.viewer.person}

    def act(self, name: str, now: datetime) -> object:
        """Set it."""
        return naming.set_lead(self.viewer, name, self.cleaned_data["person"], now=now)


class DecideSuggestionForm(CaseForm):
    """Whether a finding is about this case."""

    verb, deed, anchor = "decide-suggestion", Deed.RUN, "findings"
    heading, done = "Decide", "The suggestion was decided."
    verdicts = (("accept", "It is about this"), ("reject", "It is not"))

    def act(self, name: str, now: datetime) -> object:  # noqa: ARG002 - the suggestion names its case
        """Decide it."""
        if self.verdict == "accept":
            return opening.accept_suggestion(self.viewer, self.item, now=now)
        if self.verdict == "reject":
            return opening.reject_suggestion(self.viewer, self.item, now=now)
        raise Invalid("expected accept or reject", key="verdict")


class CloseForm(CaseForm):
    """End the work on it."""

    verb, deed, anchor = "close", Deed.RUN, "findings"
    heading, button, done = "Close the case", "Close it", "The case is closed."
    reason = sentence("Why", "Everybody in the case reads this.", longest=300)

    def act(self, name: str, now: datetime) -> object:
        """Close it."""
        return opening.close_case(self.viewer, name, self.cleaned_data["reason"], now=now)
