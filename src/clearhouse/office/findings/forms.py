"""The forms of the room.  What they let through, the actions check again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile

from clearhouse.errors import ClearhouseError, Invalid
from clearhouse.formats.report_schema import (
    DESCRIPTION_CHARACTERS,
    EFFECT_CHARACTERS,
    LAST_LINE,
    LINE_CHARACTERS,
    NAME_CHARACTERS,
    TITLE_CHARACTERS,
)
from clearhouse.office.findings.intake import Promise, parse_purl
from clearhouse.office.findings.queries import Finding
from clearhouse.office.findings.standing import STATES
from clearhouse.protocol.tlp import Tlp

_LABELS: Final = [
    (one.value, f"{one.value}: {one.meaning}")
    for one in (Tlp.AMBER_STRICT, Tlp.AMBER, Tlp.GREEN, Tlp.CLEAR, Tlp.RED)
]
#: As many places as most reports name, and the step in which more are added.
PLACES: Final = 3
_MOST_PLACES: Final = 100


def blame(form: forms.BaseForm, error: ClearhouseError) -> None:
    """Put an error of an action beside the field that it names, else above the form."""
    key = error.key if isinstance(error, Invalid) else None
    field = (key or "").partition(".")[0].partition("[")[0]
    form.add_error(field if field in form.fields else None, str(error))


class _FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One file or several."""

    widget = _FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:  # noqa: ANN401, ARG002 - Django's
        """The files, empty ones too: each is refused on its own."""
        sent = [one for one in data if one] if isinstance(data, list | tuple) else [data]
        if not any(one is not None for one in sent):
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return [one for one in sent if one is not None]


class _Labelled(forms.Form):
    tlp = forms.ChoiceField(
        label="May be passed on",
        choices=_LABELS,
        initial=Tlp.AMBER_STRICT.value,
        help_text="By the Traffic Light Protocol 2.0. The office and whoever mends it see it always"
        " under embargo.",
    )


class BundlesForm(_Labelled):
    """Proof bundles, or one with the commitment that it opens."""

    uploads = FilesField(
        label="Proof bundles",
        help_text="One or several archives (.zip, .tar.gz), up to 64 MiB each and 20 at a time."
        " More fit into one archive of bundles.",
    )
    commitment = forms.CharField(
        label="Commitment",
        required=False,
        max_length=20,
        help_text="Only if you committed to this bundle before: its name, such as C-7KQ2M9XD4T.",
    )
    key = forms.CharField(
        label="Key of the commitment",
        required=False,
        max_length=200,
        help_text="The hexadecimal digits in the key file.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("uploads", "commitment", "key", "tlp")

    def clean_key(self) -> str:
        """Hexadecimal digits."""
        text: str = self.cleaned_data["key"].strip()
        try:
            bytes.fromhex(text)
        except ValueError:
            raise forms.ValidationError("expected hexadecimal digits") from None
        return text

    def clean(self) -> dict[str, Any]:
        """Commitment and key come together, and with one file."""
        data = super().clean() or {}
        if bool(data.get("commitment")) != bool(data.get("key")) and not self.errors:
            missing = "key" if data.get("commitment") else "commitment"
            self.add_error(missing, "a commitment is opened by its name and its key together")
        if data.get("commitment") and len(data.get("uploads", [])) > 1:
            self.add_error("uploads", "one file only, for a commitment is to one content")
        return data

    @property
    def promise(self) -> Promise | None:
        """The commitment that is opened."""
        data = self.cleaned_data
        if not data.get("commitment"):
            return None
        return Promise(data["commitment"].strip().upper(), bytes.fromhex(data["key"]))


class BulkForm(_Labelled):
    """Many at once, in the forms that programs write."""

    uploads = FilesField(
        label="Files",
        help_text="Reports line by line (.ndjson), SARIF (.sarif), an archive of proof bundles, or"
        " an archive of AI Cyber Challenge submissions. Up to 20 files.",
    )
    purl = forms.CharField(
        label="Package that was looked at",
        required=False,
        max_length=400,
        help_text="With its version, such as pkg:pypi/ecdsa@0.13.2: for SARIF and submissions that"
        " do not name it themselves.",
    )
    field_order = ("uploads", "purl", "tlp")

    def clean_purl(self) -> Any:  # noqa: ANN401 - a purl or None
        """A package URL."""
        text = self.cleaned_data["purl"]
        if not text.strip():
            return None
        try:
            return parse_purl(text)
        except Invalid as error:
            raise forms.ValidationError(error.message) from None


class ReportForm(_Labelled):
    """A report without proof, typed by a person."""

    title = forms.CharField(
        label="Title",
        max_length=TITLE_CHARACTERS,
        help_text="One plain sentence: what is wrong, and where.",
    )
    target = forms.CharField(
        label="Package and version",
        max_length=400,
        help_text="As a package URL: pkg:pypi/ecdsa@0.13.2, pkg:npm/%40scope/name@1.0.0.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none"}),
    )
    description = forms.CharField(
        label="Description",
        max_length=DESCRIPTION_CHARACTERS,
        help_text="How it can be reached, what happens, and how you know.",
        widget=forms.Textarea(attrs={"rows": 10}),
    )
    weaknesses = forms.CharField(
        label="Weaknesses",
        required=False,
        max_length=200,
        help_text="CWE identifiers with commas between them, such as CWE-79, CWE-22.",
    )
    effect = forms.CharField(
        label="Effect",
        required=False,
        max_length=EFFECT_CHARACTERS,
        help_text="What an attacker gets by it.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    found_by = forms.CharField(
        label="AI system that found it",
        required=False,
        max_length=NAME_CHARACTERS,
        help_text="Its name; leave it empty if a person found it.",
    )
    found_by_version = forms.CharField(
        label="Version of that system", required=False, max_length=NAME_CHARACTERS
    )
    origin_id = forms.CharField(
        label="Your own identifier",
        required=False,
        max_length=200,
        help_text="If you keep one; it comes back with all that we send you.",
    )
    field_order = (
        *("title", "target", "description", "weaknesses", "effect"),
        *("found_by", "found_by_version", "origin_id", "tlp"),
    )

    def raw(self, places: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The report in its JSON form, as programs send it (docs/report-format.md)."""
        data = self.cleaned_data
        weaknesses = [one.strip().upper() for one in data["weaknesses"].split(",") if one.strip()]
        system = {"name": data["found_by"], "version": data["found_by_version"] or None}
        return {
            "title": data["title"],
            "description": data["description"],
            "target": data["target"].strip(),
            "weaknesses": weaknesses,
            "locations": list(places),
            "effect": data["effect"] or None,
            "found_by": system if data["found_by"] else None,
            "origin_id": data["origin_id"] or None,
        }


class PlaceForm(forms.Form):
    """A place in the source."""

    file = forms.CharField(label="File", required=False, max_length=LINE_CHARACTERS)
    function = forms.CharField(label="Function", required=False, max_length=LINE_CHARACTERS)
    line = forms.IntegerField(label="Line", required=False, min_value=1, max_value=LAST_LINE)

    def clean(self) -> dict[str, Any]:
        """A function or a line is one of a file."""
        data = super().clean() or {}
        if not data.get("file") and (data.get("function") or data.get("line")):
            self.add_error("file", "which file has it?")
        return data


_PlaceSet = forms.formset_factory(
    PlaceForm, extra=0, max_num=_MOST_PLACES, absolute_max=_MOST_PLACES
)


def place_forms(data: Mapping[str, Any] | None, *, more: int = 0) -> Any:  # noqa: ANN401 - Django's
    """The rows for places: some empty ones, or those that were sent and ``more`` besides."""
    if data is None:
        return _PlaceSet(prefix="place", initial=[{} for _ in range(PLACES)])
    if not more:
        return _PlaceSet(data, prefix="place")
    changed = dict(data.items())
    sent = _PlaceSet(data, prefix="place")
    count = min(_MOST_PLACES, sent.total_form_count() + more)
    changed["place-TOTAL_FORMS"] = str(count)
    return _PlaceSet(changed, prefix="place")


def places_of(rows: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - Django's formset
    """The places that were filled in."""
    filled = [row.cleaned_data for row in rows if row.cleaned_data.get("file")]
    return [
        {"file": one["file"], "function": one["function"] or None, "line": one["line"]}
        for one in filled
    ]


def are_valid(form: ReportForm, rows: Any) -> bool:  # noqa: ANN401 - Django's formset
    """Whether all is; what is wrong with a place stands above the form as well."""
    if rows.is_valid():
        return form.is_valid()
    for text in rows.non_form_errors():
        form.add_error(None, str(text))
    for number, row in enumerate(rows, 1):
        for name, texts in row.errors.items():
            for text in texts:
                form.add_error(None, f"Place {number}, {name}: {text}")
    return False


class CommitmentForm(forms.Form):
    """A commitment to a finding that is not shown yet."""

    value = forms.CharField(
        label="Commitment",
        max_length=100,
        help_text="64 hexadecimal digits, as clearhouse commit prints them.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class KnownForm(forms.Form):
    """A blind question."""

    signature = forms.CharField(
        label="Fingerprint of the signature",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    package = forms.CharField(
        label="Fingerprint of the package",
        required=False,
        max_length=100,
        help_text="Of its package URL without a version, to ask whether others scan it.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class FilterForm(forms.Form):
    """What of the list is shown."""

    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "All"), *((one.value, STATES[one].text) for one in Finding.State)],
    )
    text = forms.CharField(
        label="Package, name or title", required=False, max_length=200, strip=True
    )
