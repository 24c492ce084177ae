"""What every test of the office needs: the keys of an office that nobody else uses."""

from __future__ import annotations

import pytest

from clearhouse.office.config import current


@pytest.fixture(scope="session", autouse=True)
def _keys() -> None:
    current().prepare()
