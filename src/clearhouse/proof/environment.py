"""Where a verdict was made: what somebody who repeats it should know."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from typing import Any

from clearhouse import __version__


@cache
def _version_of(program: str) -> str | None:
    path = shutil.which(program)
    if path is None:
        return None
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().split("\n")[0] or None


def describe(packages: Mapping[str, str]) -> dict[str, Any]:
    """Interpreter, packages with the digests of their artifacts, kernel and sandbox."""
    return {
        "clearhouse": __version__,
        "python": platform.python_version(),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "sandbox": _version_of("bwrap"),
        "packages": [{"purl": purl, "digest": packages[purl]} for purl in packages],
    }
