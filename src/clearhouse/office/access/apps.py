"""The room as a Django application."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Access to models under review."""

    name = "clearhouse.office.access"
    label = "access"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the room's rules on the ledger: who sees what, and what has to agree."""
        import_module("clearhouse.office.access.cross_checks")
        import_module("clearhouse.office.access.sight")
