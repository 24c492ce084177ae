"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class QueueConfig(AppConfig):
    """Jobs."""

    name = "clearhouse.office.queue"
    label = "queue"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Load each room's ``jobs.py``: what it registers can be run."""
        autodiscover_modules("jobs")
