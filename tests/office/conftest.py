"""What every test of the office needs."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from clearhouse.office.api import gate
from clearhouse.office.api.limits import Counter


@pytest.fixture(autouse=True)
def _quick_accounts(settings: Settings) -> None:
    """Accounts are made in no time, and act without a second factor; tests of those ask for it."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SECOND_FACTOR_REQUIRED = False


@pytest.fixture(autouse=True)
def _fresh_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another test's process took from a bucket that is rolled back counts no more."""
    monkeypatch.setattr(gate, "_counter", Counter())
