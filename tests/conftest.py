"""What holds for every test: no network unless marked, and hypothesis without wall-clock limits."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from typing import Any

import django
import pytest
from hypothesis import HealthCheck, settings

from clearhouse.office.config import current

# A shared machine is slow at times; a deadline in wall time would fail tests for that.
# 'pytest --hypothesis-profile=thorough' looks longer.
settings.register_profile("clearhouse", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("clearhouse"), max_examples=5000)
settings.load_profile("clearhouse")

# Before anything reads Django's settings: the tests' office has a home and keys of its own.
if "CLEARHOUSE_HOME" not in os.environ:
    os.environ["CLEARHOUSE_HOME"] = tempfile.mkdtemp(prefix="clearhouse-tests-")
    atexit.register(shutil.rmtree, os.environ["CLEARHOUSE_HOME"], ignore_errors=True)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clearhouse.office.settings")

django.setup()
current().prepare()

_LOOPBACK = ("127.", "::1", "localhost")
_allowed = {"network": False}


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if _allowed["network"] or event not in {"socket.connect", "socket.getaddrinfo"}:
        return
    address = arguments[1] if event == "socket.connect" else arguments[0]
    host = address[0] if isinstance(address, tuple) else address
    # A path is a Unix socket, None the wildcard.
    local = host is None or not isinstance(host, str | bytes) or "/" in str(host)
    if not local and not str(host).startswith(_LOOPBACK):
        pytest.fail(f"this test reaches out to {host!r}; mark it with 'network' if it must")


sys.addaudithook(_guard)


# Hooks, not a fixture: those of a whole module are made before any of a single test.
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let a test that is marked for it reach out, the fixtures made for it included."""
    _allowed["network"] = item.get_closest_marker("network") is not None


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """And no other."""
    _allowed["network"] = False
