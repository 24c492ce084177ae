"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class LedgerbookConfig(AppConfig):
    """The ledger."""

    name = "clearhouse.office.ledgerbook"
    label = "ledgerbook"
    default_auto_field = "django.db.models.BigAutoField"
