"""The addresses of the room."""

from __future__ import annotations

from django.urls import path

from clearhouse.office.assessments import pages

app_name = "assessments"
urlpatterns = [
    path("", pages.front, name="front"),
    path("plans/new/", pages.commit, name="commit"),
    path("plans/<str:name>/", pages.plan, name="plan"),
    path("plans/<str:name>/receipt/", pages.receipt, name="receipt"),
    path("plans/<str:name>/retire/", pages.retire, name="retire"),
    path("of/<str:review>/", pages.of_review, name="of-review"),
    path("<str:name>/", pages.show, name="show"),
    path("<str:name>/live/", pages.live, name="live"),
    path("<str:name>/report/", pages.report, name="report"),
    path("<str:name>/evidence/", pages.evidence, name="evidence"),
    path("<str:name>/<slug:verb>/", pages.act, name="act"),
]
