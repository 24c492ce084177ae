"""The forms of the room: one class for each verb of an assessment, and those of plans."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.urls import reverse

from clearhouse.benchmark.evidence import MOST_BYTES
from clearhouse.benchmark.plan import MOST_BYTES as MOST_PLAN_BYTES
from clearhouse.benchmark.public_bank import Commitment
from clearhouse.errors import ClearhouseError, Invalid
from clearhouse.office.assessments.actions import deciding, measuring
from clearhouse.office.assessments.queries import AssessmentView, plans
from clearhouse.office.authorisation import ReviewDeed
from clearhouse.office.look.fields import blame
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.assessment import AssessmentState

_S: Final = AssessmentState
MOST_RECORD_BYTES: Final = 1 << 20


class _Sized(forms.FileField):
    """A file up to a size; its bytes are what is cleaned."""

    def __init__(self, most: int, **options: Any) -> None:  # noqa: ANN401 - the field's own
        self.most = most
        super().__init__(**options)

    def clean(self, data: Any, initial: Any = None) -> bytes | None:  # noqa: ANN401 - Django's
        """The bytes."""
        found = super().clean(data, initial)
        if not isinstance(found, UploadedFile):
            return None
        if found.size is None or found.size > self.most:
            raise forms.ValidationError(f"This file has more than {self.most >> 20} MiB.")
        return bytes(found.read())


class PlanForm(forms.Form):
    """A plan to commit to."""

    plan = _Sized(MOST_PLAN_BYTES, label="Plan", help_text="As clearhouse bench plan writes it.")
    bank = _Sized(MOST_PLAN_BYTES, label="Bank", help_text="What the plan was made from.")
    set = _Sized(
        MOST_RECORD_BYTES,
        label="Commitment to the items",
        required=False,
        help_text="Of a sealed set: commitment.json, as clearhouse bench seal writes it.",
    )

    def commitment(self) -> Commitment | None:
        """The public commitment, where one was sent.  Raises :class:`Invalid`."""
        raw = self.cleaned_data["set"]
        if raw is None:
            return None
        try:
            return Commitment.parse(json.loads(raw))
        except (ValueError, RecursionError):
            raise Invalid("expected JSON", key="set") from None


class OpeningsForm(forms.Form):
    """The keepers' record of openings."""

    record = _Sized(
        MOST_RECORD_BYTES,
        label="Record of openings",
        help_text="The whole file that stands beside the sealed set.",
    )


class BeginForm(forms.Form):
    """Measure a review's model."""

    plan = forms.ChoiceField(label="Committed plan")
    system = forms.CharField(
        label="What is measured", max_length=300, help_text="The model and its scaffold."
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        choices = [
            (one.name, f"{one.name}: {one.items} items, ledger entry {one.entry}")
            for one in plans()
            if one.retired_at is None
        ]
        self.fields["plan"] = forms.ChoiceField(label="Committed plan", choices=choices)


class AssessmentForm(forms.Form):
    """A form of an assessment: the verb of its address, the deed it needs, when it is offered."""

    verb: ClassVar[str]
    deed: ClassVar[ReviewDeed]
    heading: ClassVar[str]
    button: ClassVar[str]
    done: ClassVar[str]
    explains: ClassVar[str] = ""
    #: Calls the action with the cleaned values.
    act: Callable[[Viewer, str, datetime], object]

    def __init__(
        self,
        view: AssessmentView,
        data: Mapping[str, Any] | None = None,
        files: Any = None,  # noqa: ANN401 - Django's
    ) -> None:
        self.view = view
        super().__init__(data, files, auto_id=f"{self.verb}-%s")

    @classmethod
    def fits(cls, view: AssessmentView) -> bool:
        """Whether the page offers it as things stand; the action decides for itself."""
        return view.state is _S.RUNNING

    @property
    def id(self) -> str:
        """The form's own id on the page."""
        return f"do-{self.verb}"

    @property
    def action(self) -> str:
        """Where it is sent."""
        return reverse("assessments:act", args=[self.view.row.name, self.verb])

    @property
    def item(self) -> str:
        """There is one assessment on the page."""
        return ""

    def blame(self, error: ClearhouseError) -> None:
        """Show an error of the family where it belongs."""
        blame(self, error)


class HandInForm(AssessmentForm):
    """The evidence."""

    verb, deed = "hand-in", ReviewDeed.ASSESS
    heading, button = "Hand in the evidence", "Hand it in"
    done = "The evidence holds. The developer may answer."
    explains = "It is computed again here before it is taken. What it says cannot be dropped after."
    evidence = _Sized(MOST_BYTES, label="Evidence", help_text="The zip that the run wrote.")

    def act(self, viewer: Viewer, name: str, now: datetime) -> object:
        """Hand it in."""
        return measuring.hand_in(viewer, name, self.cleaned_data["evidence"], now=now)


class AbandonForm(AssessmentForm):
    """It cannot be carried through."""

    verb, deed = "abandon", ReviewDeed.ASSESS
    heading, button, done = "Give it up", "Give it up", "The assessment was given up."
    explains = "That it began, how far it came and why it ended stays visible to the developer."
    reason = forms.CharField(label="Why", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def act(self, viewer: Viewer, name: str, now: datetime) -> object:
        """Give it up."""
        return measuring.abandon(viewer, name, self.cleaned_data["reason"], now=now)


class ReplyForm(AssessmentForm):
    """The developer's answer."""

    verb, deed = "reply", ReviewDeed.OWN
    heading, button, done = "Answer", "Answer", "Your answer stands beside what was found."
    explains = "It cannot be changed after. Leave it empty if you have nothing to add."
    text = forms.CharField(
        label="Your answer", required=False, max_length=deciding.LONGEST_REPLY,
        widget=forms.Textarea(attrs={"rows": 8}),
    )  # fmt: skip

    @classmethod
    def fits(cls, view: AssessmentView) -> bool:
        """Once, after the evidence was handed in."""
        return view.row.assessed_at is not None and view.row.replied_at is None

    def act(self, viewer: Viewer, name: str, now: datetime) -> object:
        """Answer."""
        return deciding.reply(viewer, name, self.cleaned_data["text"], now=now)


class DetermineForm(AssessmentForm):
    """The office issues the determination."""

    verb, deed = "determine", ReviewDeed.RUN
    heading, button = "Issue the determination", "Issue the determination"
    done = "The determination is issued."
    explains = "It is what the evidence decides; nothing is chosen here."

    @classmethod
    def fits(cls, view: AssessmentView) -> bool:
        """After the evidence."""
        return view.state is _S.ASSESSED

    def act(self, viewer: Viewer, name: str, now: datetime) -> object:
        """Issue it."""
        return deciding.determine(viewer, name, now=now)


class PublishForm(AssessmentForm):
    """The developer lets everybody read it."""

    verb, deed = "publish", ReviewDeed.OWN
    heading, button, done = "Make it public", "Make it public", "Everybody may read it now."
    explains = "Your name, the model's, what was decided by which plan, and your answer."

    @classmethod
    def fits(cls, view: AssessmentView) -> bool:
        """Once it is determined."""
        may_be = view.state is _S.DETERMINED and not view.is_withdrawn
        return may_be and view.row.published_at is None

    def act(self, viewer: Viewer, name: str, now: datetime) -> object:
        """Publish it."""
        return deciding.publish(viewer, name, now=now)


class UnpublishForm(AssessmentForm):
    """And takes it back."""

    verb, deed = "unpublish", ReviewDeed.OWN
    heading, button, done = "Take it back", "Take it from the public page", "It is not public now."

    @classmethod
    def fits(cls, view: AssessmentView) -> bool:
        """While it is public."""
        return view.row.published_at is not None

    def act(self, viewer: Viewer, name: str, now: datetime) -> object:
        """Take it back."""
        return deciding.unpublish(viewer, name, now=now)


_FORMS: Final[tuple[type[AssessmentForm], ...]] = (
    HandInForm, AbandonForm, ReplyForm, DetermineForm, PublishForm, UnpublishForm,
)  # fmt: skip
VERBS: Final[Mapping[str, type[AssessmentForm]]] = {one.verb: one for one in _FORMS}


def offered(view: AssessmentView, failed: AssessmentForm | None = None) -> list[AssessmentForm]:
    """The forms of the page; of the one that failed, what was typed is kept.

    It stays where it does not fit any more, too: it says why.
    """
    found = []
    for kind in _FORMS:
        if failed is not None and failed.verb == kind.verb:
            found.append(failed)
        elif kind.deed in view.seen.deeds and kind.fits(view):
            found.append(kind(view))
    return found
