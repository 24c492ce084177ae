"""Load the harness and hand it the input.  Usage: inside.py TARGET HARNESS FILE."""

import asyncio
import builtins
import runpy
import sys
import types
from pathlib import Path
from typing import Any

TARGET, HARNESS, FILE = sys.argv[1:4]
HERE = str(Path(__file__).resolve().parent)
WORK = str(Path.cwd())
WATCHED = {
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.startfile", "pty.spawn",
    "socket.connect", "socket.getaddrinfo", "socket.gethostbyname",
}  # fmt: skip


class SecurityGuaranteeBroken(Exception):
    """Raised by a harness when a guarantee of the target does not hold."""


def told(event: str, arguments: tuple[Any, ...]) -> None:
    """Say what Python itself sees of programs, connections, the canary and files written."""
    if event in WATCHED:
        sys.stdout.write(f"-- seen: {event} {arguments!r:.300}\n")
    elif event == "open" and isinstance(arguments[0], str | bytes):
        name = arguments[0] if isinstance(arguments[0], str) else arguments[0].decode("latin-1")
        writes = isinstance(arguments[1], str) and not set(arguments[1]).isdisjoint("wax+")
        if name.startswith("/canary/") or (writes and not inside(name)):
            sys.stdout.write(f"-- seen: open {name!r} {arguments[1]!r}\n")


def inside(name: str) -> bool:
    """Whether a name lies in the working folder."""
    return Path(WORK, name).is_relative_to(WORK) and ".." not in name


def main() -> None:
    """Raise what the harness raises."""
    sys.path[:0] = [f"{TARGET}/site", HERE]
    builtins.SecurityGuaranteeBroken = SecurityGuaranteeBroken  # type: ignore[attr-defined]
    data = Path(FILE).read_bytes()
    entry = runpy.run_path(HARNESS, run_name="harness")["TestOneInput"]
    sys.addaudithook(told)
    result = entry(data)
    if isinstance(result, types.CoroutineType):
        result = asyncio.run(result)
    if result is not None:
        sys.stdout.write(f"{result!r:.3000}\n")


main()
