"""The room as a Django application."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """Notices."""

    name = "clearhouse.office.notices"
    label = "notices"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register who sees the room's entries in the ledger, and whose pages lead here."""
        import_module("clearhouse.office.notices.sight")
        import_module("clearhouse.office.notices.cross_checks")
