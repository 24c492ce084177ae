"""What tests of the sandbox share."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import clearhouse

#: A user whom nothing else on the machine is: a session of one leaves keyrings behind.
_NOBODY = 64_377


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that every user can look into; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="clearhouse-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def ordinary(open_folder: Path) -> dict[str, str]:
    """What a user who is not root needs to start a sandbox: an interpreter, the source, a home."""
    python = next(
        (p for p in ("/usr/bin/python3", "/usr/local/bin/python3") if Path(p).exists()),
        None,
    )  # fmt: skip
    if python is None:
        pytest.skip("no interpreter that every user can start")
    asked = "import sys; sys.exit(sys.version_info < (3, 11))"
    if subprocess.run([python, "-c", asked]).returncode:
        pytest.skip(f"{python} is older than 3.11")
    base = open_folder / "ordinary"
    base.mkdir()
    source = base / "src"
    shutil.copytree(
        Path(clearhouse.__file__).parent,
        source / "clearhouse",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    home = base / "home"
    home.mkdir()
    os.chown(home, _NOBODY, _NOBODY)
    return {"python": python, "path": str(source), "home": str(home), "uid": str(_NOBODY)}
