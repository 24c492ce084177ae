"""The addresses of the room; those of the queue are the office's own."""

from __future__ import annotations

from django.urls import path

from clearhouse.office.cases.pages import acting, case, downloads, lists

app_name = "cases"
urlpatterns = [
    path("queue/", lists.queue, name="queue"),
    path("queue/suggestions/<str:suggestion>/", acting.decide, name="decide"),
    path("queue/findings/<str:finding>/", acting.open_case, name="open"),
    path("cases/", lists.case_list, name="list"),
    path("cases/<str:name>/", case.show, name="case"),
    path("cases/<str:name>/findings/<str:finding>", downloads.finding_file, name="finding-file"),
    path(
        "cases/<str:name>/findings/<str:finding>/verdict",
        downloads.verdict_file,
        name="verdict-file",
    ),
    path("cases/<str:name>/patches/<str:patch>", downloads.patch_file, name="patch-file"),
    path(
        "cases/<str:name>/patches/<str:patch>/verdict",
        downloads.patch_verdict,
        name="patch-verdict",
    ),
    path("cases/<str:name>/patches/<str:patch>/note", downloads.patch_note, name="patch-note"),
    path("cases/<str:name>/files/<str:file>", downloads.case_file, name="file"),
    path("cases/<str:name>/<slug:verb>/", acting.act, name="act"),
]
