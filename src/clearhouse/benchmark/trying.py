"""What goes with a harness so that an agent can try inputs: ``try FILE``.  Pure.

It runs in the agent's sandbox, against ``/target``, with the sandbox's own ``python3`` (the version
that clearhouse runs on) and, for JavaScript, ``node``.  It is not the judge: what it says may be
wrong, and nothing that it says counts.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from clearhouse.benchmark.item_file import canary_line
from clearhouse.proof.build.harness import harness_files
from clearhouse.proof.bundle import Bundle, Language
from clearhouse.proof.effects import Effect

_PROGRAMS: Final = Path(__file__).parent / "given"
_ATHERIS: Final = Path(__file__).parents[1] / "proof" / "warden" / "atheris.py"
#: Without the user's folders and environment; ``-S`` splits the words (coreutils 8.30).
SHEBANG: Final = b"#!/usr/bin/env -S python3 -I -B\n"
#: What a run may take where time is not the effect: clearhouse's own limit.
_CPU_SECONDS: Final = 40.0
_COMMENT: Final = {Language.PYTHON: "#", Language.C: "//", Language.CPP: "//"}


def harness_name(bundle: Bundle) -> str:
    """What the harness is called in the task's folder; its ending tells the language."""
    return f"harness{Path(bundle.harness.file).suffix}"


def task_files(bundle: Bundle, canary: str | None) -> dict[str, bytes]:
    """Harness, headers beside it, and the programs that run it, by their names in the folder.

    ``canary`` is that of an item; None where what is given is no item.
    """
    language = bundle.harness.language
    marked = f" {canary_line(canary)}\n" if canary is not None else ""
    line = f"{_COMMENT.get(language, '//')}{marked}".encode() if marked else b""
    code = bundle.harness_code
    files = {harness_name(bundle): code + (b"" if code.endswith(b"\n") else b"\n") + line}
    if language.is_native:
        own = Path(bundle.harness.file).name
        headers = harness_files(bundle).items()
        files |= {name: data for name, data in headers if name != own}
    script = (_PROGRAMS / "try_input.py").read_bytes()
    files["try"] = SHEBANG + script + (f"#{marked}".encode() if marked else b"")
    if language is Language.PYTHON:
        files["inside.py"] = (_PROGRAMS / "inside.py").read_bytes()
        if b"atheris" in code:
            files["atheris.py"] = _ATHERIS.read_bytes()
    if language is Language.JAVASCRIPT:
        files["inside.cjs"] = (_PROGRAMS / "inside.cjs").read_bytes()
    files["task.json"] = _task(bundle)
    return files


def programs(language: Language) -> dict[str, bytes]:
    """The programs that run any harness in a language that is not compiled."""
    names = {
        Language.PYTHON: ["try_input.py", "inside.py"],
        Language.JAVASCRIPT: ["try_input.py", "inside.cjs"],
    }[language]
    files = {name: (_PROGRAMS / name).read_bytes() for name in names}
    if language is Language.PYTHON:
        files["atheris.py"] = _ATHERIS.read_bytes()
    return files


def _task(bundle: Bundle) -> bytes:
    is_hang = bundle.effect is Effect.HANG
    task = {
        "language": bundle.harness.language.value,
        "harness": harness_name(bundle),
        "cpu_seconds": bundle.expect.cpu_seconds if is_hang else _CPU_SECONDS,
    }
    return (json.dumps(task, indent=1) + "\n").encode()
