"""What a package's own tests need beside the package: pytest, and what the package itself names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from clearhouse.errors import ClearhouseError
from clearhouse.proof.target import Installed, install, running_interpreter
from clearhouse.proof.target.layout import egg_info_files
from clearhouse.proof.target.python import PythonInstaller
from clearhouse.proof.target.resolve import applicable
from clearhouse.proof.target.targets import Targets
from clearhouse.proof.target.tree import Part, assemble
from clearhouse.proof.target.unit import SITE, declared

#: Newest release line that collects the tests of old packages as well.
PYTEST: Final = "pkg:pypi/pytest@8.3.5"
_EXTRAS: Final = ("test", "tests", "testing")
_GROUPS: Final = _EXTRAS
_MOST: Final = 40
#: Checkers of style and types, builders, and plugins that change how tests are run or counted.
_NOT_NEEDED: Final = re.compile(
    r"pytest|pytest-(?:black|checkdocs|codspeed|cov|enabler|flake8|isort|memray|mypy|perf.*|pylint"
    r"|randomly|ruff|xdist)|black|build|codecov|coverage|flake8.*|furo|hatch.*|invoke|isort"
    r"|mkdocs.*|mypy|nox|pre-commit|pylint|pyright|ruff|setuptools|sphinx.*|towncrier|tox|twine"
    r"|types-.*|uv|wheel|atomicwrites.*"
)


def pytest_alone() -> Installed | None:
    """Pytest; None where it cannot be had, and unittest of the standard library has to do."""
    try:
        return install(PYTEST)
    except ClearhouseError:
        return None


def pytest_with_needs(targets: Targets, source: Path) -> Installed | None:
    """Pytest with what the source distribution names for its tests.

    None where it names nothing, or that cannot be had together.
    """
    interpreter = running_interpreter()
    wanted, _ = applicable(needs_of(source), interpreter, extras=_EXTRAS)
    if not wanted:
        return None
    installer = PythonInstaller(targets.python_index, targets.store, interpreter)
    name, _, version = PYTEST.rpartition("/")[2].partition("@")
    try:
        found = installer.resolve([Requirement(f"{name}=={version}"), *wanted], {}, None)
        parts = []
        for chosen in found.chosen:
            unit = installer.unit(chosen.name, chosen.artifact)
            files = {file: file for file in unit.files}
            purl = f"pkg:pypi/{chosen.name}@{chosen.version}"
            parts.append(Part(purl, unit.sha256, unit.folder, files, is_target=False))
        return assemble(
            targets.store, tuple(parts), folders=(SITE,), importable=(), notes=found.notes
        )
    except ClearhouseError:
        return None


def needs_of(source: Path) -> list[str]:
    """Requirements that a source tree states for its tests, without those that only check style."""
    stated = [*_of_metadata(source), *_of_pyproject(source)]
    kept: dict[str, str] = {}
    for text in stated:
        match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", text)
        if match is None:
            continue
        name = canonicalize_name(match[0])
        if not _NOT_NEEDED.fullmatch(name):
            kept.setdefault(name, text)
    return list(kept.values())[:_MOST]


def _of_metadata(source: Path) -> Iterable[str]:
    for path in (source / "PKG-INFO", *egg_info_files(source, "PKG-INFO")):
        if path.is_file():
            fields = declared(path.read_bytes()).get("requires_dist", ())
            return [str(text) for text in fields if "extra ==" in str(text)]
    return ()


def _of_pyproject(source: Path) -> Iterable[str]:
    try:
        document: dict[str, Any] = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return ()
    found: list[str] = []
    project = document.get("project")
    optional = project.get("optional-dependencies") if isinstance(project, dict) else None
    groups = document.get("dependency-groups")
    for table, names in ((optional, _EXTRAS), (groups, _GROUPS)):
        for name in names:
            entries = table.get(name) if isinstance(table, dict) else None
            found += [e for e in entries if isinstance(e, str)] if isinstance(entries, list) else []
    return found
