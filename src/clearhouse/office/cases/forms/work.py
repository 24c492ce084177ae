"""What participants work on: versions, severity, patches, words, files, tasks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile

from clearhouse.errors import Invalid
from clearhouse.office.authorisation import Deed
from clearhouse.office.cases.actions import discussion, patches, severity, versions
from clearhouse.office.cases.forms.base import (
    LABELS,
    CaseForm,
    UtcField,
    sentence_or_none,
)
from clearhouse.proof.diff import PATCH_BYTES
from clearhouse.protocol.embargo import Consent
from clearhouse.protocol.roles import Role
from clearhouse.protocol.tlp import Tlp

_VECTOR: Final = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
_MENDS: Final = frozenset({Role.SUPPLIER, Role.FINDER})


class DeclareForm(CaseForm):
    """Declare which versions are affected."""

    verb, deed, anchor = "declare", Deed.ASSESS, "versions"
    heading, button, done = "Declare versions", "Declare them", "Your versions stand there now."
    explains = "They stand beside what running showed, and do not change it."
    introduced = forms.CharField(
        label="First affected version", help_text="0 for the very first.", initial="0",
        max_length=100,
    )  # fmt: skip
    fixed = forms.CharField(
        label="First version with the fix", help_text="Empty where there is none.", required=False,
        max_length=100,
    )  # fmt: skip

    def act(self, name: str, now: datetime) -> object:
        """Declare them."""
        data = self.cleaned_data
        return versions.declare(self.viewer, name, data["introduced"], data["fixed"], now=now)


class AssessForm(CaseForm):
    """Assess the severity."""

    verb, deed, anchor = "assess", Deed.ASSESS, "severity"
    heading, button, done = "Assess the severity", "Assess it", "Your assessment is there."
    explains = "The supplier's latest counts; all others stay beside it."
    vector = forms.CharField(
        label="CVSS vector, 4.0 or 3.1", help_text=f"For example {_VECTOR}", max_length=300
    )
    reason = sentence_or_none("Why")

    def act(self, name: str, now: datetime) -> object:
        """Assess it."""
        data = self.cleaned_data
        return severity.assess(self.viewer, name, data["vector"], data["reason"], now=now)


class ProposePatchForm(CaseForm):
    """Propose a patch, as a file or pasted."""

    verb, deed, anchor = "propose-patch", Deed.PATCH, "patches"
    heading, button, done = "Propose a patch", "Propose it", "The patch waits to be run."
    explains = "A unified diff. It is run against the proofs before anybody relies on it."
    file = forms.FileField(label="As a file", required=False, allow_empty_file=True)
    text = forms.CharField(
        label="Or pasted here",
        required=False,
        strip=False,
        max_length=PATCH_BYTES,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )
    note = sentence_or_none("What it does")
    made_by = forms.CharField(
        label="AI system that wrote it", help_text="Where one did.", required=False, max_length=200
    )

    def act(self, name: str, now: datetime) -> object:
        """Propose it."""
        data = self.cleaned_data
        if bool(data["file"]) == bool(data["text"].strip()):
            raise Invalid("choose a file or paste the patch, one of both", key="file")
        # Browsers send line ends of their own for what is pasted.
        raw = (
            _read(data["file"], PATCH_BYTES)
            if data["file"]
            else data["text"].replace("\r\n", "\n").encode()
        )
        return patches.propose_patch(
            self.viewer, name, raw, data["note"], data["made_by"], now=now
        )  # fmt: skip


class ChoosePatchForm(CaseForm):
    """Choose the patch that is handed on."""

    verb, deed, anchor = "choose-patch", Deed.PATCH, "patches"
    heading, button, done = "Choose it", "Choose this patch", "The patch was chosen."
    roles = frozenset({Role.SUPPLIER})

    def act(self, name: str, now: datetime) -> object:
        """Choose it."""
        return patches.choose_patch(self.viewer, name, self.item, now=now)


class _AddressedForm(CaseForm):
    """Something said or given under a label, to all or to some."""

    tlp = forms.ChoiceField(
        label="Label",
        choices=LABELS,
        initial=Tlp.AMBER.value,
        help_text="How far it may be passed on. RED reaches those it is addressed to alone.",
    )
    addressed = forms.MultipleChoiceField(
        label="To",
        help_text="Nobody chosen: to all who take part in the discussion. The office reads all.",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def prepare(self) -> None:
        """Offer whom the sender meets, and who can read it."""
        there = {
            one.organisation.slug: f"{one.organisation.name} ({one.role})"
            for one in self.view.participants or ()
            if Role(one.role) in _MENDS
            and one.consent in (Consent.SIGNATORY, Consent.NONE)
            and one.organisation_id != self.viewer.organisation
        }
        field = self.fields["addressed"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = list(there.items())
        if not there:
            del self.fields["addressed"]


class WriteForm(_AddressedForm):
    """Write a message."""

    verb, deed, anchor = "write", Deed.WRITE, "discussion"
    heading, button, done = "Write a message", "Send", "Your message is there."
    field_order = ("text", "tlp", "addressed")
    text = forms.CharField(
        label="Message", max_length=discussion.MOST_TEXT, widget=forms.Textarea(attrs={"rows": 6})
    )

    def act(self, name: str, now: datetime) -> object:
        """Send it."""
        data = self.cleaned_data
        return discussion.post_message(
            self.viewer, name, data["text"], Tlp.parse(data["tlp"]), data.get("addressed", ()),
            now=now,
        )  # fmt: skip


class AddFileForm(_AddressedForm):
    """Give a file."""

    verb, deed, anchor = "add-file", Deed.WRITE, "discussion"
    heading, button, done = "Give a file", "Give it", "Your file is there."
    field_order = ("file", "tlp", "addressed")
    file = forms.FileField(label="File", allow_empty_file=True)

    def act(self, name: str, now: datetime) -> object:
        """Give it."""
        data = self.cleaned_data
        file = data["file"]
        return discussion.add_file(
            self.viewer, name, file.name or "file", _read(file, discussion.MOST_FILE),
            Tlp.parse(data["tlp"]), data.get("addressed", ()), now=now,
        )  # fmt: skip


class FinishTaskForm(CaseForm):
    """Say that a task is done."""

    verb, deed, anchor = "finish-task", Deed.DO_TASK, "tasks"
    heading, button, done = "Done", "It is done", "The task is done."

    def act(self, name: str, now: datetime) -> object:
        """Say so."""
        return discussion.finish_task(self.viewer, name, self.item, now=now)


class AddTaskForm(CaseForm):
    """The office gives somebody something to do."""

    verb, deed, anchor = "add-task", Deed.RUN, "tasks"
    heading, button, done = "Add a task", "Add it", "The task was added."
    title = forms.CharField(label="What is to be done", max_length=300)
    assignee = forms.ChoiceField(label="By", required=False)
    due_at = UtcField(label="Until (UTC)", required=False)

    def prepare(self) -> None:
        """Offer the office and those who see tasks."""
        field = self.fields["assignee"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "The office")] + [
            (one.organisation.slug, f"{one.organisation.name} ({one.role})")
            for one in self.view.participants or ()
            if Role(one.role) in _MENDS | {Role.DEPLOYER}
        ]

    def act(self, name: str, now: datetime) -> object:
        """Add it."""
        data = self.cleaned_data
        return discussion.add_task(
            self.viewer, name, data["title"], data["assignee"], data["due_at"], now=now
        )


def _read(file: UploadedFile[Any], most: int) -> bytes:
    """A file's bytes, one more than allowed at most: the action says that it is too large."""
    return bytes(file.read(most + 1))
