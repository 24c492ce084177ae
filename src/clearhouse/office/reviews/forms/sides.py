"""What the two sides do: hand in, agree, open, pause, shorten, end, withdraw."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from django import forms

from clearhouse.office.authorisation import ReviewDeed
from clearhouse.office.reviews.actions import agreeing, lending, submitting, windows
from clearhouse.office.reviews.actions.submitting import Submission
from clearhouse.office.reviews.forms.base import DayField, ReviewForm, UtcField, body, sentence
from clearhouse.office.reviews.queries import ReviewView
from clearhouse.protocol.evenness import Size
from clearhouse.protocol.review import Purpose, ReviewState
from clearhouse.protocol.terms import Subject
from clearhouse.protocol.window import LONGEST, WindowState

_S: Final = ReviewState
#: Before a window, where terms and length are still talked about.
_TALKING: Final = frozenset({_S.SUBMITTED, _S.AGREED})
_OPEN: Final = frozenset({_S.OPEN})
SIZES: Final = [(one.value, f"{one.value.title()}: {one.meaning}") for one in Size]


class SubmissionForm(forms.Form):
    """What a developer says of the model and of itself."""

    model = forms.CharField(label="Model", max_length=200, help_text="As you call it. Sealed.")
    purpose = forms.ChoiceField(
        label="What you want",
        choices=[(one.value, one.meaning.capitalize()) for one in Purpose],
        widget=forms.RadioSelect,
    )
    planned_release = DayField(label="Planned release", required=False)
    contacts = forms.CharField(
        label="Contacts", max_length=1000, help_text="Who answers, and who is reached at night."
    )
    size = forms.ChoiceField(
        label="Size of your organisation", choices=SIZES,
        help_text="For the report on even-handedness, which names nobody.",
    )  # fmt: skip
    about = forms.CharField(
        label="What else should be known", required=False, max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )  # fmt: skip

    def submission(self) -> Submission:
        """The value that the action takes."""
        data = self.cleaned_data
        return Submission(
            purpose=Purpose(data["purpose"]), model=data["model"], contacts=data["contacts"],
            size=Size(data["size"]), planned_release=data["planned_release"], about=data["about"],
        )  # fmt: skip


class EditForm(SubmissionForm, ReviewForm):
    """Change a draft."""

    verb, deed, anchor = "edit", ReviewDeed.OWN, "submission"
    heading, button, done = "Change it", "Keep", "The draft was changed."
    states = frozenset({_S.DRAFTED})

    def start(self) -> dict[str, Any]:
        """What is there."""
        names = ("model", "purpose", "planned_release", "contacts", "size", "about")
        return {name: getattr(self.view.review, name) for name in names}

    def act(self, name: str, now: datetime) -> object:  # noqa: ARG002 - a draft has no time
        """Keep it."""
        return submitting.edit(self.viewer, name, self.submission())


class SubmitForm(ReviewForm):
    """Hand it in."""

    verb, deed, anchor = "submit", ReviewDeed.OWN, "submission"
    heading, button, done = "Hand it in", "Hand it in", "The review was handed in."
    explains = "You agree to the terms as they stand below. You can withdraw at any moment."
    states = frozenset({_S.DRAFTED})

    def act(self, name: str, now: datetime) -> object:
        """Hand it in."""
        return submitting.submit(self.viewer, name, now=now)


class WithdrawForm(ReviewForm):
    """End everything."""

    verb, deed, anchor = "withdraw", ReviewDeed.OWN, "top"
    heading = "End it"
    button = "End this review now"
    done = "Withdrawn. All access is over, and nobody else sees that there was a review."
    states = frozenset(_S) - {_S.WITHDRAWN}

    def prepare(self) -> None:
        """What the button says, by what there is to end."""
        state = _S(self.view.review.state)
        if state is _S.DRAFTED:
            self.button = "Discard this draft"
        elif state.is_over:
            self.button = "Take this review back"

    def act(self, name: str, now: datetime) -> object:
        """Withdraw."""
        return submitting.withdraw(self.viewer, name, now=now)


class DeclineForm(ReviewForm):
    """The office cannot do it."""

    verb, deed, anchor = "decline", ReviewDeed.RUN, "submission"
    heading, button, done = "Decline", "Decline", "The review was declined."
    states = _TALKING
    reason = sentence("Why", "The developer reads this.")

    def act(self, name: str, now: datetime) -> object:
        """Decline it."""
        return submitting.decline(self.viewer, name, self.cleaned_data["reason"], now=now)


class ChangeTextForm(ReviewForm):
    """Another text; the item is its subject."""

    verb, deed, anchor = "change-text", ReviewDeed.AGREE, "terms"
    heading, button, done = "Change this text", "Change it", "The text was changed."
    explains = "You agree to the new text; the other side is asked anew."
    states = _TALKING | {_S.DRAFTED}
    text = body("Text")

    def start(self) -> dict[str, Any]:
        """The text as it is."""
        known = {one.value: one for one in Subject}
        if self.view.bound is None or self.item not in known:
            return {}
        return {"text": self.view.bound.terms.about(known[self.item]).text}

    def act(self, name: str, now: datetime) -> object:
        """Change it."""
        subject = Subject(self.item if self.item in set(Subject) else Subject.CONFIDENTIALITY)
        return agreeing.change_text(
            self.viewer, name, subject, self.cleaned_data["text"], now=now
        )  # fmt: skip


class AgreeTermsForm(ReviewForm):
    """Agree to what was read."""

    verb, deed, anchor = "agree-terms", ReviewDeed.AGREE, "terms"
    heading, button, done = "Agree to the terms", "Agree to all six texts", "You agreed."
    states = frozenset({_S.SUBMITTED})
    digest = forms.CharField(widget=forms.HiddenInput, max_length=80)

    def start(self) -> dict[str, Any]:
        """The terms that the page shows."""
        return {"digest": self.view.bound.digest if self.view.bound else ""}

    @classmethod
    def fits(cls, view: ReviewView) -> bool:
        """Only for the side that has not."""
        if view.bound is None or not super().fits(view):
            return False
        return not (view.bound.developer if view.is_developer else view.bound.office)

    def act(self, name: str, now: datetime) -> object:
        """Agree."""
        digest = self.cleaned_data["digest"]
        return agreeing.agree_to_terms(self.viewer, name, digest, now=now)


class ProposeWindowForm(ReviewForm):
    """How long."""

    verb, deed, anchor = "propose-window", ReviewDeed.AGREE, "window"
    heading, button, done = "Propose a window", "Propose it", "The window is proposed."
    states = _TALKING
    days = forms.IntegerField(
        label="Days", min_value=1, max_value=LONGEST.days, initial=LONGEST.days,
        help_text=f"At most {LONGEST.days}, counted from its start; it cannot be extended.",
    )  # fmt: skip

    def act(self, name: str, now: datetime) -> object:
        """Propose it."""
        return windows.propose_window(self.viewer, name, self.cleaned_data["days"], now=now)


class AgreeWindowForm(ReviewForm):
    """Agree to it."""

    verb, deed, anchor = "agree-window", ReviewDeed.AGREE, "window"
    heading, button, done = "Agree to the window", "Agree to it", "The window is agreed on."
    states = _TALKING

    @classmethod
    def fits(cls, view: ReviewView) -> bool:
        """Only for the side that did not propose it."""
        return (
            super().fits(view)
            and view.review.window == WindowState.PROPOSED
            and view.side is not None
            and view.side.value not in view.review.agreed_by
        )

    def act(self, name: str, now: datetime) -> object:
        """Agree."""
        return windows.agree_window(self.viewer, name, now=now)


class StartForm(ReviewForm):
    """Give access."""

    verb, deed, anchor = "start", ReviewDeed.OWN, "window"
    heading, button, done = "Open the window", "Open the window now", "The window is open."
    explains = "The government has access from now until the end. You can end it at any moment."
    states = frozenset({_S.AGREED})

    @classmethod
    def fits(cls, view: ReviewView) -> bool:
        """Once both have agreed on its length."""
        return super().fits(view) and view.review.window == WindowState.AGREED

    def act(self, name: str, now: datetime) -> object:
        """Open it."""
        return windows.start_window(self.viewer, name, now=now)


class PauseForm(ReviewForm):
    """No access for now."""

    verb, deed, anchor = "pause", ReviewDeed.AGREE, "window"
    heading, button, done = "Pause", "Pause access", "Access is paused."
    explains = "Nobody has access until you resume it. The end stays where it is."
    states = _OPEN

    @classmethod
    def fits(cls, view: ReviewView) -> bool:
        """Unless this side pauses it already."""
        is_mine = view.side is not None and view.side.value in view.review.paused_by
        return super().fits(view) and not is_mine

    def act(self, name: str, now: datetime) -> object:
        """Pause it."""
        return windows.pause_window(self.viewer, name, now=now)


class ResumeForm(ReviewForm):
    """Access again."""

    verb, deed, anchor = "resume", ReviewDeed.AGREE, "window"
    heading, button, done = "Resume", "Resume access", "Your pause is over."
    states = _OPEN

    @classmethod
    def fits(cls, view: ReviewView) -> bool:
        """Where this side pauses it."""
        is_mine = view.side is not None and view.side.value in view.review.paused_by
        return super().fits(view) and is_mine

    def act(self, name: str, now: datetime) -> object:
        """Resume it."""
        return windows.resume_window(self.viewer, name, now=now)


class ShortenForm(ReviewForm):
    """An earlier end."""

    verb, deed, anchor = "shorten", ReviewDeed.AGREE, "window"
    heading, button, done = "An earlier end", "Make it shorter", "The window ends earlier."
    states = _OPEN
    ends_at = UtcField(
        label="New end, in UTC", help_text="Before the present one; there is no way back."
    )

    def act(self, name: str, now: datetime) -> object:
        """Shorten it."""
        ends_at = self.cleaned_data["ends_at"].astimezone(UTC)
        return windows.shorten_window(self.viewer, name, ends_at, now=now)


class EndForm(ReviewForm):
    """The end, now."""

    verb, deed, anchor = "end", ReviewDeed.AGREE, "window"
    heading, button, done = "End the window", "End the window now", "The window has ended."
    explains = "Access is over for everybody; what was lent goes back, and the review is closed."
    states = _OPEN

    def act(self, name: str, now: datetime) -> object:
        """End it."""
        return windows.end_window(self.viewer, name, now=now)


class FinishForm(ReviewForm):
    """Close the review."""

    verb, deed, anchor = "finish", ReviewDeed.AGREE, "loans"
    heading, button, done = "Close the review", "Close the review", "The review is finished."
    explains = "Everything that was lent is returned, and its deletion attested."
    states = frozenset({_S.RETURNING})

    @classmethod
    def fits(cls, view: ReviewView) -> bool:
        """Once nothing is outstanding."""
        return super().fits(view) and all(one.state == "attested" for one in view.loans)

    def act(self, name: str, now: datetime) -> object:
        """Close it."""
        return lending.finish(self.viewer, name, now=now)
