"""Django for commands that need the office; others start without it."""

from __future__ import annotations

import os


def set_up() -> None:
    """Make models and settings usable in this process, with the office's keys there."""
    from clearhouse.office.config import current

    current().prepare()
    set_up_as_it_is()


def set_up_as_it_is() -> None:
    """The same, and nothing is made: neither a home nor keys."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clearhouse.office.settings")
    django.setup()


def migrate() -> None:
    """Bring the database's tables up to date."""
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
