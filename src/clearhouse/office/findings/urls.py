"""The addresses of the room."""

from __future__ import annotations

from django.urls import path, re_path

from clearhouse.office.findings import finding_page, known_page, pages

app_name = "findings"
_FINDING = r"^(?P<name>F-[0-9A-Z]{10})/"
_COMMITMENT = r"^commitments/(?P<name>C-[0-9A-Z]{10})/"
urlpatterns = [
    path("", pages.listed, name="list"),
    path("report/", pages.ways, name="report"),
    path("report/bundles/", pages.bundles, name="bundles"),
    path("report/form/", pages.plain, name="plain"),
    path("report/bulk/", pages.bulk, name="bulk"),
    path("commitments/", pages.commitments, name="commitments"),
    re_path(rf"{_COMMITMENT}receipt/$", pages.commitment_receipt, name="commitment-receipt"),
    path("known/", known_page.known, name="known"),
    re_path(rf"{_FINDING}$", finding_page.show, name="finding"),
    re_path(rf"{_FINDING}progress/$", finding_page.progress, name="progress"),
    re_path(rf"{_FINDING}content/$", finding_page.content, name="content"),
    re_path(rf"{_FINDING}verdict/$", finding_page.verdict, name="verdict"),
    re_path(rf"{_FINDING}receipt/$", finding_page.receipt, name="receipt"),
    re_path(rf"{_FINDING}withdraw/$", finding_page.withdraw, name="withdraw"),
    re_path(rf"{_FINDING}run-again/$", finding_page.run_again, name="run-again"),
]
