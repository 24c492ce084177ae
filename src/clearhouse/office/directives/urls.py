"""The addresses of the room."""

from __future__ import annotations

from django.urls import path

from clearhouse.office.directives import pages, pages_lists, pages_proofs

app_name = "directives"
urlpatterns = [
    path("", pages.front, name="front"),
    path("new/", pages.new, name="new"),
    path("new/own/", pages.own, name="own"),
    path("new/file/", pages.from_file, name="from-file"),
    path("obligations/", pages_lists.obligations, name="obligations"),
    path("obligations/<str:obligation>/", pages.obligation, name="obligation"),
    path("obligations/<str:obligation>/hand-in/", pages.hand_in, name="hand-in"),
    path("obligations/<str:obligation>/answer/", pages.answer, name="answer"),
    path("obligations/<str:obligation>/prove/", pages_proofs.prove, name="prove"),
    path("obligations/<str:obligation>/proof/<str:digest>.json", pages_proofs.proof, name="proof"),
    path("<str:directive>/", pages.directive, name="directive"),
    path("<str:directive>/obligations/", pages_lists.under, name="under"),
    path("<str:directive>/issue/", pages.issue, name="issue"),
    path("<str:directive>/discard/", pages.discard, name="discard"),
    path("<str:directive>/end/", pages.end, name="end"),
]
