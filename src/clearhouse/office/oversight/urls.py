"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from clearhouse.office.oversight import pages

app_name = "oversight"
urlpatterns = [
    path("oversight/", pages.oversight, name="oversight"),
    path("oversight/figures.json", pages.figures, name="figures"),
]
