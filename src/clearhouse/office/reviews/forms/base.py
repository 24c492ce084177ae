"""What every form of a review is: fields, the deed it needs, and the action that it calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from django import forms
from django.urls import reverse

from clearhouse.errors import ClearhouseError
from clearhouse.office.authorisation import ReviewDeed
from clearhouse.office.look.fields import blame
from clearhouse.office.reviews.queries import ReviewView
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.review import ReviewState

_LOCAL: Final = "%Y-%m-%dT%H:%M"


class ReviewForm(forms.Form):
    """A form in a review; ``item`` names the party, loan or opening that it is about.

    ``verb`` is the last part of its address, ``anchor`` the part of the page it stands in.
    ``states`` are those in which the page offers it; the action decides for itself.
    """

    verb: ClassVar[str]
    deed: ClassVar[ReviewDeed]
    anchor: ClassVar[str]
    heading: ClassVar[str]
    button: str
    done: ClassVar[str]
    explains: ClassVar[str] = ""
    states: ClassVar[frozenset[ReviewState]] = frozenset(ReviewState)
    #: Calls the action on the review of that name with the cleaned values.
    act: Callable[[str, datetime], object]

    def __init__(
        self,
        viewer: Viewer,
        view: ReviewView,
        item: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> None:
        self.viewer, self.view, self.item = viewer, view, item
        label = f"{self.verb}-{item}-%s" if item else f"{self.verb}-%s"
        super().__init__(data, auto_id=label, initial=self.start())
        self.prepare()

    def start(self) -> dict[str, Any]:
        """What stands in the fields before anybody writes."""
        return {}

    def prepare(self) -> None:
        """Fill in choices that depend on the review."""

    @classmethod
    def fits(cls, view: ReviewView) -> bool:
        """Whether the page offers it as the review stands."""
        return ReviewState(view.review.state) in cls.states

    @property
    def id(self) -> str:
        """The form's own id on the page."""
        return f"do-{self.verb}-{self.item}" if self.item else f"do-{self.verb}"

    @property
    def action(self) -> str:
        """Where it is sent."""
        return reverse("reviews:act", args=[self.view.name, self.verb])

    def blame(self, error: ClearhouseError) -> None:
        """Show an error of the family where it belongs."""
        blame(self, error)


class UtcField(forms.DateTimeField):
    """A day and a time, in UTC whatever the reader's clock says; the label says so."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the field's own
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_LOCAL)
        super().__init__(widget=widget, **options)


class DayField(forms.DateField):
    """A day."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the field's own
        super().__init__(widget=forms.DateInput(attrs={"type": "date"}), **options)


def sentence(label: str, hint: str = "") -> forms.CharField:
    """A field for a reason: a few lines."""
    widget = forms.Textarea(attrs={"rows": 3})
    return forms.CharField(label=label, help_text=hint, max_length=1000, widget=widget)


def sentence_or_none(label: str, hint: str = "") -> forms.CharField:
    """The same, which may stay empty."""
    made = sentence(label, hint)
    made.required = False
    return made


def body(label: str, hint: str = "", *, rows: int = 8) -> forms.CharField:
    """A field for a longer text."""
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, help_text=hint, max_length=20_000, widget=widget)
