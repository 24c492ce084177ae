"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class FindingsConfig(AppConfig):
    """Findings."""

    name = "clearhouse.office.findings"
    label = "findings"
    default_auto_field = "django.db.models.BigAutoField"
