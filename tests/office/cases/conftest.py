"""What tests of pages need: an office without files of its own to serve."""

from __future__ import annotations

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def _no_static_files(settings: Settings) -> None:
    # It warns where `make assets` was not run, and a warning fails a test.
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if "whitenoise" not in one]
