"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class OrgsConfig(AppConfig):
    """Organisations and people."""

    name = "clearhouse.office.orgs"
    label = "orgs"
    default_auto_field = "django.db.models.BigAutoField"
