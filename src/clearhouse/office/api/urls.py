"""The API's addresses."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

from clearhouse.office.api.root import api

app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = api.urls[0]
