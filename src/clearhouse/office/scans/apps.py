"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class ScansConfig(AppConfig):
    """Scans."""

    name = "clearhouse.office.scans"
    label = "scans"
    default_auto_field = "django.db.models.BigAutoField"
