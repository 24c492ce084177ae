"""The room as a Django application."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class AssessmentsConfig(AppConfig):
    """Assessments."""

    name = "clearhouse.office.assessments"
    label = "assessments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the room's rules on the ledger: who sees what, and what has to agree."""
        import_module("clearhouse.office.assessments.cross_checks")
        import_module("clearhouse.office.assessments.sight")
