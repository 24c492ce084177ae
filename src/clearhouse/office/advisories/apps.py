"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class AdvisoriesConfig(AppConfig):
    """Advisories."""

    name = "clearhouse.office.advisories"
    label = "advisories"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what has to agree with the ledger."""
        import clearhouse.office.advisories.cross_checks  # noqa: F401 - registers itself
