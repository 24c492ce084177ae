"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    """Reviews."""

    name = "clearhouse.office.reviews"
    label = "reviews"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the room's rules on the ledger: who sees what, and what has to agree."""
        import clearhouse.office.reviews.cross_checks
        import clearhouse.office.reviews.sight  # noqa: F401 - registers itself
