"""Child processes that read a release's text with a Python's own tools, within limits.

They parse and rewrite; they never import, compile to run, or execute anything of the release.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from clearhouse.proof.target.interpreter import Interpreter

CPU_SECONDS = 120
MEMORY_BYTES = 2 << 30

LIMITS = f"""
import json, resource, sys, warnings
warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_CPU, ({CPU_SECONDS}, {CPU_SECONDS}))
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY_BYTES}, {MEMORY_BYTES}))
"""
"""How every such process starts."""
_CONVERT = f"""{LIMITS}
import io, os, tokenize
from lib2to3.refactor import RefactoringTool, get_fixers_from_package
tool = RefactoringTool(get_fixers_from_package("lib2to3.fixes"))
done = []
for path in json.load(sys.stdin):
    try:
        with open(path, "rb") as stream:
            raw = stream.read()
        encoding = tokenize.detect_encoding(io.BytesIO(raw).readline)[0]
        text = io.TextIOWrapper(io.BytesIO(raw), encoding).read()
        new = str(tool.refactor_string(text + "\\n", path))[:-1]
    except Exception:
        continue
    if new != text:
        with open(path + ".2to3", "w", encoding=encoding, newline="") as stream:
            stream.write(new)
        os.replace(path + ".2to3", path)
        done.append(path)
json.dump(done, sys.stdout)
"""


def convert_to_python_3(files: Iterable[Path], interpreter: Interpreter) -> list[Path] | None:
    """Rewrite ``files`` by 2to3; those changed, or None where this Python has no 2to3.

    A changed file is a new one in the place of the old, whose other links keep what they had.
    Setuptools before version 58 did so for a release whose setup.py said ``use_2to3``.
    """
    answer = ask_python(_CONVERT, [str(path) for path in files], interpreter)
    return None if answer is None else [Path(path) for path in answer]


def ask_python(script: str, asked: object, interpreter: Interpreter) -> Any:  # noqa: ANN401 - JSON
    """Run our ``script``, JSON in and out; None where it failed or hit a limit."""
    try:
        answer = subprocess.run(
            [interpreter.executable, "-I", "-S", "-c", script],
            input=json.dumps(asked),
            capture_output=True,
            check=True,
            text=True,
            timeout=4 * CPU_SECONDS,
            env={},
        )
        return json.loads(answer.stdout)
    except (subprocess.SubprocessError, ValueError):
        return None
