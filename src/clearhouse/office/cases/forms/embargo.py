"""Until when it is kept quiet, and what ends that."""

from __future__ import annotations

from datetime import datetime

from django import forms

from clearhouse.errors import NotFound
from clearhouse.office.authorisation import Deed
from clearhouse.office.cases.actions import states, turns
from clearhouse.office.cases.forms.base import CaseForm, UtcField, sentence, sentence_or_none
from clearhouse.protocol.case_state import CaseEvent
from clearhouse.protocol.disclosure_clock import Turn

_READ = "Everybody in the case reads this."


class ProposeEndForm(CaseForm):
    """Propose another end."""

    verb, deed, anchor = "propose-end", Deed.EMBARGO, "embargo"
    heading, button, done = "Propose another end", "Propose it", "The office will decide."
    ends_at = UtcField(label="The end (UTC)")
    reason = sentence("Why")

    def act(self, name: str, now: datetime) -> object:
        """Propose it."""
        data = self.cleaned_data
        return turns.propose_end(self.viewer, name, data["ends_at"], data["reason"], now=now)


class DecideEndForm(CaseForm):
    """The office accepts or rejects a proposed end."""

    verb, deed, anchor = "decide-end", Deed.RUN, "embargo"
    heading, done = "Decide", "The proposal was decided."
    explains = "A later end asks everybody else again, under the old terms until they answer."
    verdicts = (("accepted", "Accept it"), ("rejected", "Reject it"))
    reason = sentence_or_none("Why", _READ)

    def act(self, name: str, now: datetime) -> object:
        """Decide it."""
        if not self.item.isdecimal():
            raise NotFound("there is no such proposal")
        return turns.decide_proposal(
            self.viewer, name, int(self.item), self.verdict, self.cleaned_data["reason"], now=now
        )


class TerminateForm(CaseForm):
    """The office ends the embargo."""

    verb, deed, anchor = "terminate", Deed.RUN, "embargo"
    heading, button, done = "End the embargo now", "End it", "The embargo has ended."
    explains = "Nobody is bound from then on. That cannot be taken back."
    reason = sentence("Why", _READ, longest=250)

    def act(self, name: str, now: datetime) -> object:
        """End it."""
        return turns.terminate(self.viewer, name, self.cleaned_data["reason"], now=now)


class WorldForm(CaseForm):
    """The office records what happened in the world."""

    verb, deed, anchor = "world", Deed.RUN, "embargo"
    heading, button, done = "Record what happened outside", "Record it", "It was recorded."
    explains = (
        "What is public ends the embargo, and attacks bring its end forward. It cannot be taken"
        " back: what happened does not unhappen."
    )
    event = forms.ChoiceField(
        label="What",
        choices=(
            (CaseEvent.PUBLIC.value, "The vulnerability is public"),
            (CaseEvent.EXPLOIT_PUBLIC.value, "An exploit is public"),
            (CaseEvent.ATTACKS.value, "Attacks were seen"),
        ),
        widget=forms.RadioSelect,
    )
    reason = sentence("How it is known", _READ)

    def act(self, name: str, now: datetime) -> object:
        """Record it."""
        letter = CaseEvent(self.cleaned_data["event"])
        return states.world_event(
            self.viewer, name, letter, self.cleaned_data["reason"], now=now
        )  # fmt: skip


class CollideForm(CaseForm):
    """The office records that others know."""

    verb, deed, anchor = "collide", Deed.RUN, "embargo"
    heading, button, done = "Record that others know", "Record it", "The clock was moved."
    turn = forms.ChoiceField(
        label="What",
        choices=(
            (Turn.REDISCOVERED.value, "Somebody else has found it"),
            (Turn.LEAKED.value, "It has leaked"),
            (Turn.FIX_PUBLIC.value, "A fix that shows it can be read by anyone"),
        ),
        widget=forms.RadioSelect,
    )
    reason = sentence("How it is known", _READ)

    def act(self, name: str, now: datetime) -> object:
        """Record it."""
        kind = Turn(self.cleaned_data["turn"])
        return states.collide(self.viewer, name, kind, self.cleaned_data["reason"], now=now)
