"""Local registries for the tests of targets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clearhouse.proof.target import Store, Targets
from tests.proof.target.making import LocalIndex, LocalRegistry, Server, serving, targets_of


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def index(server: Server) -> LocalIndex:
    return LocalIndex(server)


@pytest.fixture
def registry(server: Server) -> LocalRegistry:
    return LocalRegistry(server)


@pytest.fixture
def targets(tmp_path: Path, index: LocalIndex, registry: LocalRegistry) -> Targets:
    return targets_of(tmp_path, index, registry)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")
