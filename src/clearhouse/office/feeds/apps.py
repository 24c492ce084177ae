"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class FeedsConfig(AppConfig):
    """Feeds."""

    name = "clearhouse.office.feeds"
    label = "feeds"
    default_auto_field = "django.db.models.BigAutoField"
