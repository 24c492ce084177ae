"""Relay and receiver for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytest_django import Settings

from tests.office.findings.people import MIDDLEWARE
from tests.office.notices import made


@pytest.fixture
def relay(settings: Settings) -> Iterator[made.Relay]:
    """A real relay that the office sends mail through."""
    with made.relay() as server:
        settings.CONFIG = replace(settings.CONFIG, mail=("127.0.0.1", server.port))
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def receiver() -> Iterator[made.Receiver]:
    """A real receiver of webhooks."""
    with made.receiver() as there:
        yield there


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE
