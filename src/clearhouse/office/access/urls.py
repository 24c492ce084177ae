"""The addresses of the room."""

from __future__ import annotations

from django.urls import path

from clearhouse.office.access import pages

app_name = "access"
urlpatterns = [
    path("", pages.listed, name="endpoints"),
    path("<str:endpoint>/", pages.endpoint, name="endpoint"),
    path("<str:endpoint>/close/", pages.close, name="close"),
]
