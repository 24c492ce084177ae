"""The API as a Django application: it keeps answers that may be asked for again, and counts."""

from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The API."""

    name = "clearhouse.office.api"
    label = "api"
    default_auto_field = "django.db.models.BigAutoField"
