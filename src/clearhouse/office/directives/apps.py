"""The room as a Django application."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class DirectivesConfig(AppConfig):
    """Directives and obligations."""

    name = "clearhouse.office.directives"
    label = "directives"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the room's jobs, what it follows, and its rules on the ledger."""
        import_module("clearhouse.office.directives.cross_checks")
        import_module("clearhouse.office.directives.dates")
        import_module("clearhouse.office.directives.jobs")
        import_module("clearhouse.office.directives.sight")
