"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class QueueConfig(AppConfig):
    """Jobs."""

    name = "clearhouse.office.queue"
    label = "queue"
    default_auto_field = "django.db.models.BigAutoField"
