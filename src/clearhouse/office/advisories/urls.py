"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from clearhouse.office.advisories import feeds, pages

app_name = "advisories"
urlpatterns = [
    path("advisories/", pages.advisories, name="advisories"),
    path("advisories/<str:name>/", pages.advisory, name="advisory"),
    path("advisories/<str:name>/edit/", pages.edit, name="edit"),
    path("advisories/<str:name>/publish/", pages.publish, name="publish"),
    path("advisories/<str:name>/<str:kind>.json", pages.document, name="document"),
    path(".well-known/csaf/<path:path>", feeds.csaf, name="csaf"),
    path("osv/all.zip", feeds.osv_archive, name="osv-all"),
    path("osv/modified_id.csv", feeds.osv_changes, name="osv-changes"),
    path("osv/<str:name>.json", feeds.osv_one, name="osv"),
]
