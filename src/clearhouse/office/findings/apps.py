"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class FindingsConfig(AppConfig):
    """Findings."""

    name = "clearhouse.office.findings"
    label = "findings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the room's rules on the ledger: who sees what, and what has to agree."""
        import clearhouse.office.findings.cross_checks
        import clearhouse.office.findings.sight  # noqa: F401 - registers itself
