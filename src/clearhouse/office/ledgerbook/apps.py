"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class LedgerbookConfig(AppConfig):
    """The ledger."""

    name = "clearhouse.office.ledgerbook"
    label = "ledgerbook"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """What organisations announce becomes entries, in the transaction that announces it."""
        from clearhouse.office.ledgerbook.actions import record
        from clearhouse.office.orgs.events import subscribe

        subscribe(record)
