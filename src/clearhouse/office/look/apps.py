"""The Django application."""

from django.apps import AppConfig


class LookConfig(AppConfig):
    """Templates, template tags and static files."""

    name = "clearhouse.office.look"
    label = "look"
    verbose_name = "Look"
