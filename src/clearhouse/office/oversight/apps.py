"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class OversightConfig(AppConfig):
    """Oversight."""

    name = "clearhouse.office.oversight"
    label = "oversight"
    default_auto_field = "django.db.models.BigAutoField"
