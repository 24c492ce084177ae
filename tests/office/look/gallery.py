"""The gallery of all parts, as a site of one page: the address list and its view."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.utils.datastructures import MultiValueDict
from django.utils.html import format_html

from clearhouse.office.look import words
from clearhouse.office.look.charts import (
    Embargo,
    Event,
    Series,
    Stage,
    Version,
    VersionStatus,
    funnel,
    lines,
    timeline,
    versions,
)
from clearhouse.office.look.frame import Account, Choice, Link, Office
from clearhouse.office.look.table import Cell, Column, Comparison, Table
from clearhouse.office.look.templatetags import look
from clearhouse.proof.patch_verdict import Level

NOW = datetime(2027, 3, 6, 14, 0, tzinfo=UTC)


class Handed(forms.Form):
    """A field of each kind."""

    title = forms.CharField(help_text="One line, as a maintainer would say it.")
    text = forms.CharField(label="What happens", widget=forms.Textarea)
    ecosystem = forms.ChoiceField(choices=[("pypi", "PyPI"), ("npm", "npm")])
    seen = forms.DateField(
        label="First seen", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    route = forms.ChoiceField(
        label="How it is disclosed",
        widget=forms.RadioSelect,
        choices=[("embargo", "Under embargo"), ("public", "In public at once")],
        help_text="The project's own policy comes first.",
    )
    credit = forms.MultipleChoiceField(
        label="Credit",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[("person", "A person"), ("system", "An AI system")],
    )
    bundle = forms.FileField(required=False)
    agreed = forms.BooleanField(label="I hold to the embargo")
    token = forms.CharField(widget=forms.HiddenInput, initial="1")


def context(form: forms.Form) -> dict[str, Any]:
    def after(days: float) -> datetime:
        return NOW + timedelta(days=days)

    weeks = [after(-7 * week) for week in range(20, -1, -1)]
    affected, unaffected, undecided = (
        VersionStatus.AFFECTED,
        VersionStatus.UNAFFECTED,
        VersionStatus.UNDECIDED,
    )
    return {
        "title": "Parts of the pages",
        "office": Office("Clearinghouse of Examples", "clearinghouse@office.example"),
        "nav": [
            ("Queue", "/queue/", False),
            ("Findings", "/findings/", True),
            ("Cases", "/cases/", False),
            ("Advisories", "/advisories/", False),
            ("Oversight", "/oversight/", False),
        ],
        "account": Account(
            "Ada Example",
            "Example Hospital",
            (Choice("1", "Example Hospital", current=True), Choice("2", "Example Bank")),
            "/account/organisation/",
            "/account/logout/",
            (Link("Your account", "/account/"), Link("API keys", "/account/keys/")),
        ),
        "breadcrumb": [("Home", "/"), ("Findings", "/findings/"), ("Parts", "")],
        "messages": [
            Message(constants.SUCCESS, "The case was opened."),
            Message(constants.ERROR, "The supplier's address does not answer."),
        ],
        "now": NOW,
        "far": after(61.2),
        "near": after(3.1),
        "passed": after(-2.5),
        "grades": list(words.GRADES),
        "labels": list(words.TLP),
        "report_states": list(words.REPORT_STATES),
        "embargo_states": list(words.EMBARGO_STATES),
        "facts": [
            ("Target", "pkg:pypi/ecdsa@0.13.2"),
            ("Grade", format_html("{} Differential", look.icon("check_circle"))),
            (
                "Signature",
                "sig1:4b1c2f7d90aa55e3f4b1c2f7d90aa55e3f4b1c2f7d90aa55e3f4b1c2f7d90aa55e3",
            ),
            ("Not yet known", "Whether the patch keeps behaviour"),
        ],
        "cases": Table(
            "Open cases",
            (Column("Case"), Column("Target"), Column("Label"), Column("Findings", number=True)),
            (
                (
                    Cell("C-7KQ2M9XD4T", "/cases/C-7KQ2M9XD4T"),
                    "pkg:pypi/ecdsa@0.13.2",
                    "TLP:AMBER",
                    3,
                ),
                (Cell("C-2FJ8W0R6VN", "/cases/C-2FJ8W0R6VN"), "pkg:npm/ini@1.3.5", "TLP:RED", 12),
            ),
        ),
        "nothing": Table("Closed cases", (Column("Case"),), (), "No case was closed so far."),
        "patches": Comparison(
            "What is known of each patch",
            ("exception-swallowed.patch", "bad-signature.patch"),
            (
                ("Applies", (Level.YES, Level.YES)),
                ("Stops the proof", (Level.NO, Level.YES)),
                ("Stops variants", (Level.NO, Level.YES)),
                ("Keeps behaviour", (Level.UNKNOWN, Level.YES)),
            ),
        ),
        "stages": ["Received", "Proven", "Joined to a case", "Disclosed"],
        "route": [
            (
                "Send it in",
                "A bundle with its manifest, from the page, the API or the command line.",
            ),
            ("It is run", "Each proof runs in a sandbox without a network."),
            ("It joins a case", "Findings with one signature share a case."),
        ],
        "form": form,
        "timeline": timeline(
            "Case C-7KQ2M9XD4T",
            [
                Event(after(-60), "Finding received"),
                Event(after(-59.8), "Proof reproduced"),
                Event(after(-59), "Supplier told"),
                Event(after(-30), "Second finder"),
                Event(after(-3), "Patch checked"),
            ],
            embargo=Embargo(after(-59), after(31)),
            deadline=after(31),
            now=NOW,
        ),
        "funnel": funnel(
            "Vulnerability deficit",
            [
                Stage("Received", 23019),
                Stage("Proven", 14310),
                Stage("Refused", 5200, leaves=True),
                Stage("Joined to another", 1752, leaves=True),
                Stage("Disclosed", 1596),
                Stage("Patched", 97),
                Stage("Published", 88),
            ],
        ),
        "lines": lines(
            "Findings a week",
            [
                Series("Received", tuple((at, 10 + 3.1 * n) for n, at in enumerate(weeks))),
                Series("Proven", tuple((at, 6 + 1.7 * n) for n, at in enumerate(weeks))),
                Series("Patched", tuple((at, 1 + n % 5) for n, at in enumerate(weeks))),
            ],
        ),
        "versions": versions(
            "Versions of ecdsa",
            [
                *(Version(f"0.{n}", unaffected, unaffected) for n in range(1, 6)),
                *(Version(f"0.{n}", affected, affected) for n in range(6, 14)),
                Version("0.13.1", undecided, affected),
                Version("0.13.2", affected, unaffected),
                *(Version(f"0.{n}", unaffected, unaffected) for n in range(14, 20)),
            ],
        ),
    }


def page(request: HttpRequest) -> HttpResponse:
    sent = request.GET.get("sent") or request.method == "POST"
    form = Handed({"title": "", "token": "1"}, MultiValueDict()) if sent else Handed()
    return render(request, "look/gallery.html", context(form))


urlpatterns = [
    path("", page),
    # The frame leads whoever is not signed in to the sign-in.
    path("account/", include("allauth.urls")),
    path("<path:rest>", lambda request, rest: page(request)),
]
