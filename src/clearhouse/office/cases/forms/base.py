"""What every form of a case is: fields, the deed it needs, and the action that it calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.urls import reverse
from django.utils.datastructures import MultiValueDict

from clearhouse.errors import ClearhouseError
from clearhouse.office.authorisation import Deed
from clearhouse.office.cases.queries import CaseView
from clearhouse.office.look.fields import blame
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role
from clearhouse.protocol.tlp import Tlp

#: As browsers send and take the value of a control for day and time.
LOCAL: Final = "%Y-%m-%dT%H:%M"
LABELS: Final = [(one.value, f"{one.value}: {one.meaning}") for one in Tlp]
_SHORT: Final = 3


class CaseForm(forms.Form):
    """A form in a case; ``item`` names the thing in the case that it is about, where it is one.

    ``verb`` is the last part of its address, ``anchor`` the part of the page it stands in,
    ``heading`` what opens it and ``done`` what is said when it was done.
    """

    verb: ClassVar[str]
    deed: ClassVar[Deed]
    anchor: ClassVar[str]
    heading: ClassVar[str]
    button: ClassVar[str]
    done: ClassVar[str]
    explains: ClassVar[str] = ""
    #: Several ways to send it: values of ``verdict`` and the words on their buttons.
    verdicts: ClassVar[tuple[tuple[str, str], ...]] = ()
    roles: ClassVar[frozenset[Role] | None] = None  # None: whoever may do the deed
    #: Calls the action on the case of that name with the cleaned values; raises what that raises.
    act: Callable[[str, datetime], object]

    def __init__(
        self,
        viewer: Viewer,
        view: CaseView,
        item: str = "",
        data: Mapping[str, Any] | None = None,
        files: MultiValueDict[str, UploadedFile[Any]] | None = None,
    ) -> None:
        self.viewer, self.view, self.item = viewer, view, item
        label = f"{self.verb}-{item}-%s" if item else f"{self.verb}-%s"
        super().__init__(data, files, auto_id=label, initial=self.start())
        self.prepare()

    def start(self) -> dict[str, Any]:
        """What stands in the fields before anybody writes."""
        return {}

    def prepare(self) -> None:
        """Fill in choices that depend on the case."""

    @property
    def id(self) -> str:
        """The form's own id on the page."""
        return f"do-{self.verb}-{self.item}" if self.item else f"do-{self.verb}"

    @property
    def action(self) -> str:
        """Where it is sent."""
        return reverse("cases:act", args=[self.view.case.name, self.verb])

    @property
    def takes_files(self) -> bool:
        """Whether it is sent in parts, as files need it."""
        return self.is_multipart()

    @property
    def verdict(self) -> str:
        """The button that was used."""
        return str(self.data.get("verdict", ""))

    def blame(self, error: ClearhouseError) -> None:
        """Show an error of the family where it belongs."""
        blame(self, error)


class UtcField(forms.DateTimeField):
    """A day and a time, in UTC whatever the reader's clock says; the label says so."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the field's own
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL)
        super().__init__(widget=widget, **options)


def sentence(label: str, hint: str = "", *, longest: int = 1000) -> forms.CharField:
    """A field for a reason: a few lines."""
    widget = forms.Textarea(attrs={"rows": _SHORT})
    return forms.CharField(label=label, help_text=hint, max_length=longest, widget=widget)


def sentence_or_none(label: str, hint: str = "", *, longest: int = 1000) -> forms.CharField:
    """The same, which may stay empty."""
    made = sentence(label, hint, longest=longest)
    made.required = False
    return made
