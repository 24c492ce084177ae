"""What every test of the office needs: the keys of an office that nobody else uses."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from clearhouse.office.config import current


@pytest.fixture(scope="session", autouse=True)
def _keys() -> None:
    current().prepare()


@pytest.fixture(autouse=True)
def _quick_accounts(settings: Settings) -> None:
    """Accounts are made in no time, and act without a second factor; tests of those ask for it."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SECOND_FACTOR_REQUIRED = False
