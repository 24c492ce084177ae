"""The addresses of the room."""

from __future__ import annotations

from django.urls import path

from clearhouse.office.reviews import grant_pages, pages

app_name = "reviews"
urlpatterns = [
    path("", pages.front, name="front"),
    path("new/", pages.begin, name="begin"),
    path("criteria/", pages.criteria, name="criteria"),
    path("roster/", pages.people, name="roster"),
    path("roster/conflicts/", pages.conflict, name="conflict"),
    path("<str:name>/", pages.show, name="review"),
    path("<str:name>/grants/<str:grant>/", grant_pages.grant, name="grant"),
    path(
        "<str:name>/grants/<str:grant>/contents/<str:use>",
        grant_pages.contents,
        name="contents",
    ),
    path("<str:name>/<slug:verb>/", pages.act, name="act"),
]
