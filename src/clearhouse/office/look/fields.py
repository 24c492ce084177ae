"""A form's field as the page shows it: control, label, hint and errors tied together.

WCAG 2.2, 1.3.1, 3.3.1 to 3.3.3 and 4.1.2: each control has a label, and hint and errors are read
with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django import forms
from django.forms import BoundField
from django.http import HttpRequest
from django.utils.safestring import SafeString

from clearhouse.errors import ClearhouseError, Invalid

#: The design system's class for a control; the first that fits.
_CLASSES: Final[tuple[tuple[type[forms.Widget], str], ...]] = (
    (forms.CheckboxSelectMultiple, "usa-checkbox__input"),
    (forms.RadioSelect, "usa-radio__input"),
    (forms.CheckboxInput, "usa-checkbox__input"),
    (forms.FileInput, "usa-file-input"),
    (forms.Textarea, "usa-textarea"),
    (forms.Select, "usa-select"),
    (forms.Widget, "usa-input"),
)


@dataclass(frozen=True, slots=True)
class Option:
    """One of the things to choose."""

    control: SafeString
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class ShownField:
    """A bound field taken apart for its template."""

    bound: BoundField

    @property
    def id(self) -> str:
        """The control's id."""
        return self.bound.auto_id or f"id_{self.bound.html_name}"

    @property
    def anchor(self) -> str:
        """The id of what a link to this field moves to: of several controls the first."""
        return f"{self.id}_0" if self.kind == "choices" else self.id

    @property
    def hint_id(self) -> str:
        """The hint's id."""
        return f"{self.id}_hint"

    @property
    def error_id(self) -> str:
        """The errors' id."""
        return f"{self.id}_error"

    @property
    def described_by(self) -> str:
        """Ids of what a screen reader says after the label."""
        parts = {self.hint_id: self.bound.help_text, self.error_id: self.bound.errors}
        return " ".join(key for key, there in parts.items() if there)

    @property
    def kind(self) -> str:
        """Which of the templates shows it: input, checkbox, choices or hidden."""
        widget = self.bound.field.widget
        if widget.is_hidden:
            return "hidden"
        if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
            return "choices"
        return "checkbox" if isinstance(widget, forms.CheckboxInput) else "input"

    @property
    def shape(self) -> str:
        """What choices look like: ``radio`` or ``checkbox``."""
        several = isinstance(self.bound.field.widget, forms.CheckboxSelectMultiple)
        return "checkbox" if several else "radio"

    @property
    def control(self) -> SafeString:
        """The control itself."""
        return self.bound.as_widget(attrs=self._attributes())

    @property
    def options(self) -> tuple[Option, ...]:
        """The controls of something to choose."""
        style = _style(self.bound.field.widget, wrong=bool(self.bound.errors))
        shown = []
        for one in self.bound.subwidgets:
            one.data["attrs"]["class"] = style
            shown.append(Option(one.tag(), one.id_for_label, one.choice_label))
        return tuple(shown)

    def _attributes(self) -> dict[str, str | bool]:
        widget = self.bound.field.widget
        attributes: dict[str, str | bool] = {
            "class": _style(widget, wrong=bool(self.bound.errors)),
            "id": self.id,
        }
        if self.described_by:
            attributes["aria-describedby"] = self.described_by
        if self.bound.errors:
            attributes["aria-invalid"] = "true"
        return attributes


def _style(widget: forms.Widget, *, wrong: bool) -> str:
    own = str(widget.attrs.get("class", ""))
    base = next(name for kind, name in _CLASSES if isinstance(widget, kind))
    error = (
        f"{base}--error" if wrong and base in {"usa-input", "usa-textarea", "usa-select"} else ""
    )
    return " ".join(part for part in (base, error, own) if part)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error of a form, with the id of the control to mend; empty for the form as a whole."""

    text: str
    anchor: str


def problems(form: forms.BaseForm) -> tuple[Problem, ...]:
    """Every error of a form, those of the whole form first, in the order of the fields."""
    whole = [Problem(str(text), "") for text in form.non_field_errors()]
    hidden = [
        Problem(f"{field.label}: {text}", "")
        for field in form.hidden_fields()
        for text in field.errors
    ]
    fields = [
        Problem(f"{field.label}: {text}", ShownField(field).anchor)
        for field in form.visible_fields()
        for text in field.errors
    ]
    return (*whole, *hidden, *fields)


def blame(form: forms.BaseForm, error: ClearhouseError) -> None:
    """Put an error of an action beside the field that it names, else above the form."""
    if isinstance(error, Invalid) and error.key in form.fields:
        form.add_error(error.key, error.message)
    else:
        form.add_error(None, str(error))


def status_of(request: HttpRequest) -> int:
    """Of a page with a form: one that was sent and comes back was not done (RFC 9110, 15.5.21)."""
    return 422 if request.method == "POST" else 200
