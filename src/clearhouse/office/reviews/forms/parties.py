"""Third parties, what is lent, and what is sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django import forms

from clearhouse.office.authorisation import ReviewDeed
from clearhouse.office.reviews.actions import choosing, lending, roster
from clearhouse.office.reviews.forms.base import ReviewForm, sentence, sentence_or_none
from clearhouse.office.reviews.forms.sides import SIZES
from clearhouse.protocol.evenness import Size
from clearhouse.protocol.partners import ChoiceState, Part
from clearhouse.protocol.returning import Lent
from clearhouse.protocol.review import ReviewState

_S: Final = ReviewState
_GOING_ON: Final = frozenset({_S.SUBMITTED, _S.AGREED, _S.OPEN})
_PARTS: Final = [(Part.PARTNER.value, "Trusted partner"), (Part.ASSESSOR.value, "Assessor")]


class ProposePartyForm(ReviewForm):
    """Somebody else who is to have access."""

    verb, deed, anchor = "propose-party", ReviewDeed.AGREE, "parties"
    heading, button, done = "Propose a third party", "Propose it", "The third party is proposed."
    explains = "Both sides have to agree. It learns of the review only then."
    states = _GOING_ON
    organisation = forms.CharField(
        label="Organisation", max_length=60, help_text="Its short name in this office."
    )
    part = forms.ChoiceField(label="As", choices=_PARTS)
    size = forms.ChoiceField(label="Its size", choices=SIZES)
    reason = sentence("Why", "By the published criteria.")
    conflicts = sentence_or_none("Conflicts of interest that you know of", "Empty for none.")

    def act(self, name: str, now: datetime) -> object:
        """Propose it."""
        data = self.cleaned_data
        return choosing.propose_party(
            self.viewer, name, data["organisation"], Part(data["part"]), size=Size(data["size"]),
            reason=data["reason"], conflicts=data["conflicts"], now=now,
        )  # fmt: skip


class AgreePartyForm(ReviewForm):
    """Agree to a third party; the item."""

    verb, deed, anchor = "agree-party", ReviewDeed.AGREE, "parties"
    heading, button, done = "Agree to it", "Agree", "You agreed to the third party."
    states = _GOING_ON
    reason = sentence("Why", "By the published criteria.")

    def act(self, name: str, now: datetime) -> object:
        """Agree."""
        return choosing.agree_to_party(
            self.viewer, name, self.item, self.cleaned_data["reason"], now=now
        )  # fmt: skip


class RefusePartyForm(ReviewForm):
    """Refuse a third party; the item."""

    verb, deed, anchor = "refuse-party", ReviewDeed.AGREE, "parties"
    heading, button, done = "Refuse it", "Refuse", "The third party is refused."
    states = _GOING_ON
    reason = sentence("Why", "By the published criteria. It never learns of it.")

    def act(self, name: str, now: datetime) -> object:
        """Refuse."""
        return choosing.refuse_party(
            self.viewer, name, self.item, self.cleaned_data["reason"], now=now
        )  # fmt: skip


class RevokePartyForm(ReviewForm):
    """End a third party's part; the item."""

    verb, deed, anchor = "revoke-party", ReviewDeed.AGREE, "parties"
    heading, button, done = "End its part", "End its access now", "Its access is over."
    states = _GOING_ON

    def act(self, name: str, now: datetime) -> object:
        """Revoke."""
        return choosing.revoke_party(self.viewer, name, self.item, now=now)


class JoinForm(ReviewForm):
    """A third party joins."""

    verb, deed, anchor = "join", ReviewDeed.JOIN, "terms"
    heading, button, done = "Join", "Agree to the terms and join", "Your answer was noted."
    explains = "You agree to all six texts. A conflict is put before both sides first."
    conflicts = sentence_or_none("Your conflicts of interest", "Empty for none.")
    digest = forms.CharField(widget=forms.HiddenInput, max_length=80)

    def start(self) -> dict[str, Any]:
        """The terms that the page shows."""
        return {"digest": self.view.bound.digest if self.view.bound else ""}

    def act(self, name: str, now: datetime) -> object:
        """Join."""
        data = self.cleaned_data
        return choosing.join(self.viewer, name, data["digest"], data["conflicts"], now=now)


class DeclareForm(ReviewForm):
    """A conflict that came up."""

    verb, deed, anchor = "declare", ReviewDeed.TAKE_PART, "own"
    heading, button = "Declare a conflict of interest", "Declare it"
    done = "Declared. You have no access until both sides have agreed again."
    states = _GOING_ON
    conflicts = sentence("What it is")

    def act(self, name: str, now: datetime) -> object:
        """Declare it."""
        return choosing.declare_conflict(
            self.viewer, name, self.cleaned_data["conflicts"], now=now
        )  # fmt: skip


class LeaveForm(ReviewForm):
    """Take part no more."""

    verb, deed, anchor = "leave", ReviewDeed.TAKE_PART, "own"
    heading, button, done = "Leave", "Leave this review", "You have left the review."

    def act(self, name: str, now: datetime) -> object:
        """Leave."""
        return choosing.leave(self.viewer, name, now=now)


class LendForm(ReviewForm):
    """Something is lent."""

    verb, deed, anchor = "lend", ReviewDeed.OWN, "loans"
    heading, button, done = "Note what you lend", "Note it", "What you lent is noted."
    states = frozenset({_S.AGREED, _S.OPEN})
    kind = forms.ChoiceField(
        label="Kind", choices=[(one.value, one.value.capitalize()) for one in Lent]
    )
    what = forms.CharField(
        label="What", max_length=300, help_text="What it is; never a password or a key itself."
    )
    party = forms.ChoiceField(label="To", required=False)

    def prepare(self) -> None:
        """The office, and the third parties that have joined."""
        field = self.fields["party"]
        assert isinstance(field, forms.ChoiceField)
        joined = [one.row for one in self.view.parties or () if one.row.state == ChoiceState.JOINED]
        field.choices = [
            ("", "The office"), *((one.name, one.organisation.name) for one in joined),
        ]  # fmt: skip

    def act(self, name: str, now: datetime) -> object:
        """Note it."""
        data = self.cleaned_data
        kind = Lent(data["kind"])
        return lending.lend(self.viewer, name, kind, data["what"], data["party"], now=now)


class ReturnForm(ReviewForm):
    """Something goes back; the item."""

    verb, deed, anchor = "return", ReviewDeed.GIVE_BACK, "loans"
    heading, button, done = "Give it back", "It was returned", "Noted as returned."

    def act(self, name: str, now: datetime) -> object:
        """Note it."""
        return lending.give_back(self.viewer, name, self.item, now=now)


class AttestForm(ReviewForm):
    """Every copy is deleted; the item."""

    verb, deed, anchor = "attest", ReviewDeed.GIVE_BACK, "loans"
    heading, button, done = "Attest the deletion", "Attest it", "The deletion is attested."
    statement = sentence("What was deleted, where, and how")

    def act(self, name: str, now: datetime) -> object:
        """Attest it."""
        statement = self.cleaned_data["statement"]
        return lending.attest(self.viewer, name, self.item, statement, now=now)


class AskOpenForm(ReviewForm):
    """Open something sealed."""

    verb, deed, anchor = "ask-open", ReviewDeed.RUN, "sealed"
    heading, button, done = "Ask to open something sealed", "Ask", "A second person is asked."
    explains = "Two people on the roster open it together, within half an hour."
    states = frozenset({_S.SUBMITTED, _S.AGREED, _S.OPEN, _S.RETURNING})
    what = forms.CharField(label="What", max_length=300)
    reason = sentence("Why", "The developer reads this.")

    def act(self, name: str, now: datetime) -> object:
        """Ask."""
        data = self.cleaned_data
        return roster.ask_to_open(self.viewer, name, data["what"], data["reason"], now=now)


class ApproveOpenForm(ReviewForm):
    """Be the second; the item."""

    verb, deed, anchor = "approve-open", ReviewDeed.RUN, "sealed"
    heading, button, done = "Approve", "Approve as the second person", "It may be opened now."
    states = AskOpenForm.states

    def act(self, name: str, now: datetime) -> object:
        """Approve."""
        return roster.approve_opening(self.viewer, name, self.item, now=now)
