"""A few small packages from the registries that this machine's pip and npm are set up for.

They are skipped only where a registry cannot be reached at all.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from clearhouse.proof.target import Installed, Reason, Store, Targets, TargetUnavailable
from clearhouse.proof.target.npm_settings import npm_settings
from clearhouse.proof.target.pip_settings import pip_settings

pytestmark = pytest.mark.network


def _install(tmp_path: Path, purl: str) -> Installed:
    pip_settings.cache_clear()
    npm_settings.cache_clear()
    try:
        return Targets(Store(tmp_path)).install(purl)
    except TargetUnavailable as error:
        if error.reason in {Reason.UNREACHABLE, Reason.NO_CLIENT}:
            pytest.skip(f"no registry: {error}")
        raise


def test_a_wheel_comes_from_the_index_of_this_machines_pip(tmp_path: Path) -> None:
    installed = _install(tmp_path, "pkg:pypi/sqlparse@0.4.4")
    assert installed.importable == ("sqlparse",)
    assert [one.purl for one in installed.packages] == ["pkg:pypi/sqlparse@0.4.4"]
    # The digest that the project's release page states.
    assert installed.packages[0].sha256.startswith("5430a4fe2ac7d0f9")


def test_an_old_sdist_of_two_pythons_is_laid_out_for_this_one(tmp_path: Path) -> None:
    installed = _install(tmp_path, "pkg:pypi/PyYAML@3.10")
    assert installed.importable == ("yaml",)
    # The folder for Python 2 has ``unicode`` here.
    assert "isinstance(stream, str)" in (installed.root / "site/yaml/reader.py").read_text()


def test_a_package_comes_from_the_registry_of_this_machines_npm(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    installed = _install(tmp_path, "pkg:npm/minimist@0.0.8")
    assert installed.importable == ("minimist",)
    assert (installed.root / "node_modules/minimist/index.js").is_file()
