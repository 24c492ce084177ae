"""Where a verdict was made: what somebody who repeats it should know."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from typing import Any

from clearhouse import __version__
from clearhouse.proof.build.toolchain import find as find_compiler
from clearhouse.proof.bundle import Bundle, Language
from clearhouse.proof.node import find_node


def _runtime_of(language: Language) -> str:
    match language:
        case Language.JAVASCRIPT:
            return f"Node.js {find_node().version}"
        case Language.C | Language.CPP:
            return f"this machine, compiled by {find_compiler().version}"
        case _:
            return f"Python {platform.python_version()}"


@cache
def _version_of(program: str) -> str | None:
    path = shutil.which(program)
    if path is None:
        return None
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().split("\n")[0] or None


def describe(bundle: Bundle, packages: Mapping[str, str]) -> dict[str, Any]:
    """What ran the target, packages with the digests of their artifacts, kernel and sandbox.

    Raises :class:`clearhouse.errors.Unavailable` where nothing here runs the bundle's language.
    """
    return {
        "clearhouse": __version__,
        "runtime": _runtime_of(bundle.harness.language),
        "python": platform.python_version(),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "sandbox": _version_of("bwrap"),
        "packages": [{"purl": purl, "digest": packages[purl]} for purl in packages],
    }
