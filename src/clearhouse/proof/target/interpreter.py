"""The Python that will run a target: which wheels fit it, what its markers say."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import packaging
import packaging.markers
import packaging.specifiers
import packaging.tags
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from clearhouse.proof.target.model import Reason, TargetUnavailable
from clearhouse.proof.target.store import key_of

_DESCRIBE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from packaging import markers, tags
print(json.dumps([markers.default_environment(), [str(tag) for tag in tags.sys_tags()]]))
"""
_VOLATILE = {"platform_release", "platform_version"}
"""Markers of the running kernel, which do not change what can be imported."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What choosing files and dependencies has to know of a Python."""

    executable: Path
    environment: tuple[tuple[str, str], ...]
    """Its environment markers (PEP 508), sorted."""
    tags: tuple[str, ...]
    """The wheel tags it takes, best first."""

    @property
    def markers(self) -> dict[str, str]:
        """The environment markers as ``packaging`` takes them."""
        return dict(self.environment)

    @property
    def python(self) -> Version:
        """Its full version."""
        return Version(self.markers["python_full_version"].rstrip("+"))

    @property
    def identity(self) -> str:
        """A short digest: equal where the same files and dependencies are chosen."""
        stable = [f"{name}={value}" for name, value in self.environment if name not in _VOLATILE]
        return key_of(*stable, *self.tags)[:12]

    def takes(self, requires_python: str | None) -> bool:
        """Whether a Requires-Python names this version; one that cannot be read does not limit."""
        if not requires_python:
            return True
        try:
            return SpecifierSet(requires_python).contains(self.python, prereleases=True)
        except InvalidSpecifier:
            return True

    def is_newer_than(self, requires_python: str) -> bool:
        """Whether a Requires-Python that leaves this version out takes an earlier Python 3."""
        try:
            wanted = SpecifierSet(requires_python)
        except InvalidSpecifier:
            return False
        return any(wanted.contains(f"3.{minor}.99") for minor in range(self.python.minor))


@cache
def running_interpreter() -> Interpreter:
    """Describe the Python that runs this."""
    environment = packaging.markers.default_environment()
    return Interpreter(
        executable=Path(sys.executable),
        environment=tuple(sorted((name, str(value)) for name, value in environment.items())),
        tags=tuple(str(tag) for tag in packaging.tags.sys_tags()),
    )


@cache
def interpreter_at(executable: Path) -> Interpreter:
    """Describe another Python by asking it.

    Raises TargetUnavailable with NO_CLIENT when it cannot be run.
    """
    library = str(Path(packaging.__file__).parent.parent)
    try:
        answer = subprocess.run(
            [executable, "-I", "-c", _DESCRIBE, library],
            capture_output=True,
            check=True,
            timeout=60,
            text=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        message = f"the Python at {executable} cannot be run: install it or name another"
        raise TargetUnavailable(Reason.NO_CLIENT, message) from error
    environment, tags = json.loads(answer.stdout)
    return Interpreter(executable, tuple(sorted(environment.items())), tuple(tags))
