"""One world for all tests of a module; what a request changes in it is undone after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings
from pytest_django.plugin import DjangoDbBlocker

from tests.office.security import world as made


@pytest.fixture(scope="module")
def world(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[made.World]:
    """Everything, made once; rolled back with the module."""
    with django_db_blocker.unblock(), made.undone():
        yield made.build()


@pytest.fixture(autouse=True)
def _plain(settings: Settings, tmp_path: Path) -> None:
    # Static files are not built where tests run.
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if "whitenoise" not in one]
    settings.STATIC_ROOT = tmp_path
