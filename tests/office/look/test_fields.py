"""Fields of forms: label, hint and errors belong to their control, for screen readers too."""

from __future__ import annotations

import pytest
from django import forms
from django.utils.datastructures import MultiValueDict

from tests.office.look.drawn import part, rendered
from tests.office.look.gallery import Handed

EVIL = "<b>&\"'"
_KINDS = ["title", "text", "ecosystem", "seen", "bundle", "agreed"]


class Odd(forms.Form):
    """A form whose every text is markup."""

    one = forms.CharField(label=EVIL, help_text=EVIL)
    many = forms.MultipleChoiceField(
        label=EVIL, choices=[(EVIL, EVIL)], widget=forms.CheckboxSelectMultiple
    )
    sealed = forms.IntegerField(label=EVIL, widget=forms.HiddenInput)

    def clean(self) -> None:
        self.add_error(None, EVIL)
        if "one" in self.cleaned_data:
            self.add_error("one", EVIL)


def _sent() -> Handed:
    return Handed({"title": "", "token": "1"}, MultiValueDict())


@pytest.mark.parametrize("name", _KINDS)
def test_a_control_has_a_label(name: str) -> None:
    root = part("{% field form_field %}", form_field=_sent()[name])
    (control,) = [*root.all("input"), *root.all("textarea"), *root.all("select")]
    assert root.one("label").attributes["for"] == control.attributes["id"]


@pytest.mark.parametrize("name", ["title", "text", "ecosystem", "agreed"])
def test_hint_and_errors_are_read_with_the_control(name: str) -> None:
    field = _sent()[name]
    root = part("{% field form_field %}", form_field=field)
    (control,) = [*root.all("input"), *root.all("textarea"), *root.all("select")]
    told = (control.attributes["aria-describedby"] or "").split()
    said = [root.one(id=one).text for one in told]
    assert said == [text for text in (field.help_text, "This field is required.") if text]
    assert control.attributes["aria-invalid"] == "true"


def test_a_field_without_hint_and_errors_refers_to_nothing() -> None:
    root = part("{% field form_field %}", form_field=Handed()["seen"])
    assert "aria-describedby" not in root.one("input").attributes
    assert "aria-invalid" not in root.one("input").attributes


def test_required_is_said_in_words() -> None:
    assert part("{% field f %}", f=Handed()["title"]).one("abbr").attributes["title"] == "required"
    assert not part("{% field f %}", f=Handed()["seen"]).all("abbr")


@pytest.mark.parametrize(("name", "kind"), [("route", "radio"), ("credit", "checkbox")])
def test_choices_stand_in_a_fieldset_each_with_its_label(name: str, kind: str) -> None:
    root = part("{% field f %}", f=_sent()[name])
    boxes = root.one("fieldset").all("input")
    assert {one.attributes["type"] for one in boxes} == {kind}
    assert [one.attributes["for"] for one in root.all("label")] == [
        one.attributes["id"] for one in boxes
    ]
    assert root.one("legend").text


def test_a_hidden_field_is_only_its_control() -> None:
    assert part("{% field f %}", f=Handed()["token"]).one("input").has("type", "hidden")


def test_each_error_of_a_form_leads_to_its_control() -> None:
    form = _sent()
    root = part("{% errors form %}", form=form)
    page = part("{% for one in form %}{% field one %}{% endfor %}", form=form)
    assert root.one("h2").text == "There are 5 problems"
    for link in root.all("a"):
        target = page.one(id=(link.attributes["href"] or "").removeprefix("#"))
        assert target.name in {"input", "textarea", "select"}
    assert len(root.all("a")) == 5


@pytest.mark.parametrize("form", [Handed(), None], ids=["untouched", "right"])
def test_a_form_without_errors_has_no_list_of_them(form: forms.Form | None) -> None:
    right = Handed(
        {"title": "a", "text": "b", "ecosystem": "npm", "route": "public", "agreed": "on"}
        | {"token": "1"}
    )
    assert rendered("|{% errors form %}|", form=form or right).replace("\n", "") == "||"


def test_texts_of_a_form_are_text() -> None:
    form = Odd({"one": "1", "sealed": "none"})
    html = rendered("{% errors form %}{% for one in form %}{% field one %}{% endfor %}", form=form)
    assert EVIL not in html
    assert "<b>" not in html
    root = part("{% errors form %}", form=form)
    assert [one.text.startswith(EVIL) for one in root.all("li")] == [True] * 4
    assert len(root.all("a")) == 2, "neither the whole form nor a hidden field can be gone to"
