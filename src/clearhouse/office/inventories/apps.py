"""The room as a Django application."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class InventoriesConfig(AppConfig):
    """Inventories and exposure."""

    name = "clearhouse.office.inventories"
    label = "inventories"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the room's jobs and its rules on the ledger."""
        import_module("clearhouse.office.inventories.cross_checks")
        import_module("clearhouse.office.inventories.jobs")
        import_module("clearhouse.office.inventories.sight")
