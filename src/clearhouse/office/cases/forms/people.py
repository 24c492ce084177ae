"""Who takes part, and where each stands."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django import forms

from clearhouse.errors import Invalid, NotFound
from clearhouse.office.authorisation import Deed
from clearhouse.office.cases.actions import people, states
from clearhouse.office.cases.forms.base import CaseForm, UtcField, sentence_or_none
from clearhouse.protocol.case_state import CaseEvent
from clearhouse.protocol.report_management import REPORT, ReportEvent, ReportState
from clearhouse.protocol.roles import Role

_SAID = {
    ReportEvent.VALIDATE: "It is valid",
    ReportEvent.INVALIDATE: "It is not valid",
    ReportEvent.ACCEPT: "We take it on",
    ReportEvent.DEFER: "We defer it",
    ReportEvent.CLOSE: "We have closed it",
}
_PROGRESS = (
    (CaseEvent.FIX_READY.value, "A fix is ready"),
    (CaseEvent.FIX_DEPLOYED.value, "The fix is released"),
)


class AnswerForm(CaseForm):
    """Accept or decline the embargo."""

    verb, deed, anchor = "answer", Deed.ANSWER_INVITATION, "invitation"
    heading, done = "Your answer", "Your answer was noted."
    verdicts = (("accept", "I accept these terms"), ("decline", "I decline"))

    def act(self, name: str, now: datetime) -> object:
        """Answer."""
        return people.answer(self.viewer, name, self.verdict, now=now)


class ReportStateForm(CaseForm):
    """Say where one's own organisation stands with the report."""

    verb, deed, anchor = "report-state", Deed.REPORT_STATE, "own-report"
    heading, button, done = "Say where you stand", "Say so", "Where you stand was noted."
    roles = frozenset({Role.SUPPLIER, Role.DEPLOYER})
    event = forms.ChoiceField(label="The report", widget=forms.RadioSelect)
    reason = sentence_or_none("Why", "Needed where it is not valid, or deferred.")

    def prepare(self) -> None:
        """Offer what the report's state allows."""
        mine = [one for one in self.view.own if one.role in self.roles]
        possible = {
            event
            for one in mine
            for event in REPORT.possible(ReportState(one.report))
            if event in _SAID
        }
        field = self.fields["event"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one.value, text) for one, text in _SAID.items() if one in possible]

    def act(self, name: str, now: datetime) -> object:
        """Say it."""
        event = ReportEvent(self.cleaned_data["event"])
        return states.report_state(
            self.viewer, name, event, self.cleaned_data["reason"], now=now
        )  # fmt: skip


class FixProgressForm(CaseForm):
    """A supplier says how far its own fix is."""

    verb, deed, anchor = "fix-progress", Deed.REPORT_STATE, "own-report"
    heading, button, done = "Say how far your fix is", "Say so", "Your fix was noted."
    roles: ClassVar[frozenset[Role] | None] = frozenset({Role.SUPPLIER})
    event = forms.ChoiceField(label="The fix", choices=_PROGRESS, widget=forms.RadioSelect)

    def act(self, name: str, now: datetime) -> object:
        """Say it."""
        letter = CaseEvent(self.cleaned_data["event"])
        return states.fix_progress(self.viewer, name, letter, now=now)


class SupplierProgressForm(FixProgressForm):
    """The office notes how far a supplier's fix is."""

    verb, deed, anchor, roles = "supplier-progress", Deed.RUN, "participants", None
    heading, done = "Note how far its fix is", "Its fix was noted."

    def act(self, name: str, now: datetime) -> object:
        """Note it."""
        letter = CaseEvent(self.cleaned_data["event"])
        return states.fix_progress(self.viewer, name, letter, now=now, supplier=self.item)


class FixDateForm(CaseForm):
    """A supplier names the day of its fix, which adds the grace."""

    verb, deed, anchor = "fix-date", Deed.REPORT_STATE, "embargo"
    heading, button, done = "Name the day of your fix", "Name it", "The embargo has moved."
    explains = "A fix that is coming moves the end of the embargo by some days, once."
    roles: ClassVar[frozenset[Role] | None] = frozenset({Role.SUPPLIER})
    fix_at = UtcField(label="When it comes (UTC)")
    reason = sentence_or_none("What is left to do", "Those who work on the case read this.")

    def act(self, name: str, now: datetime) -> object:
        """Name it."""
        fix_at: datetime = self.cleaned_data["fix_at"]
        if fix_at <= now:
            raise Invalid("that lies in the past: say that the fix is ready", key="fix_at")
        text = f"A fix is expected on {fix_at:%Y-%m-%d %H:%M} UTC. {self.cleaned_data['reason']}"
        return states.name_fix_date(self.viewer, name, text.strip(), now=now)


class SupplierDateForm(FixDateForm):
    """The office names it for a supplier that said so elsewhere."""

    verb, deed, roles = "supplier-date", Deed.RUN, None
    heading = "Name the day of a supplier's fix"


class InviteForm(CaseForm):
    """The office invites an organisation that is no supplier."""

    verb, deed, anchor = "invite", Deed.RUN, "participants"
    heading, button, done = "Invite somebody else", "Invite", "The invitation is there."
    explains = (
        "It sees for which package and under which terms, and the rest once it has accepted."
        " Suppliers are told, above, by their own route."
    )
    organisation = forms.SlugField(label="Organisation, by its short name", max_length=60)
    role = forms.ChoiceField(
        label="As",
        choices=[
            (one.value, f"{one.value}: {one.meaning}")
            for one in people.INVITABLE
            if one is not Role.SUPPLIER
        ],
    )

    def act(self, name: str, now: datetime) -> object:
        """Invite it."""
        role, slug = Role(self.cleaned_data["role"]), self.cleaned_data["organisation"]
        try:
            return people.invite(self.viewer, name, slug, role, now=now)
        except NotFound as error:
            raise Invalid(str(error), key="organisation") from error


class TellForm(CaseForm):
    """The office tells the supplier whose policy is shown above the form."""

    verb, deed, anchor = "tell", Deed.RUN, "participants"
    heading, button, done = "Tell it", "Tell it now", "The supplier was told."

    def act(self, name: str, now: datetime) -> object:
        """Tell it."""
        return people.tell(self.viewer, name, self.item, now=now)
