"""The addresses of the room."""

from __future__ import annotations

from django.urls import path, re_path

from clearhouse.office.scans import pages

app_name = "scans"
urlpatterns = [
    path("", pages.claims, name="claims"),
    re_path(r"^(?P<name>SC-[0-9A-Z]{10})/release/$", pages.release, name="release"),
]
