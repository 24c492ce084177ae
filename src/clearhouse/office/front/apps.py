"""The front as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class FrontConfig(AppConfig):
    """The front."""

    name = "clearhouse.office.front"
    label = "front"
