"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Cases."""

    name = "clearhouse.office.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the room's rules on the ledger: who sees what, and what has to agree."""
        import clearhouse.office.cases.cross_checks
        import clearhouse.office.cases.sight  # noqa: F401 - registers itself
