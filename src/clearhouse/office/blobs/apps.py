"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class BlobsConfig(AppConfig):
    """Bytes, sealed."""

    name = "clearhouse.office.blobs"
    label = "blobs"
    default_auto_field = "django.db.models.BigAutoField"
