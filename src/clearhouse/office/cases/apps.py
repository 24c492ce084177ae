"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Cases."""

    name = "clearhouse.office.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"
