"""Python 2 in an old release: found by its syntax, converted only where the release says so.

Setuptools before version 58 ran 2to3 over a release whose setup.py said ``use_2to3``. That is a
rewriting of text which runs nothing of the release, so it is done here too, in a child process
with limits. Other Python 2 code is left as it is.
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
"""How every child process starts that reads a release's text."""
_COMPILE = f"""{LIMITS}
problems = {{}}
for path in json.load(sys.stdin):
    try:
        with open(path, "rb") as stream:
            compile(stream.read(), path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        problems[path] = "line %s: %s" % (getattr(error, "lineno", "?"), str(error)[:200])
json.dump(problems, sys.stdout)
"""
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


def syntax_problems(files: Iterable[Path], interpreter: Interpreter) -> dict[Path, str] | None:
    """Return what keeps each of ``files`` from compiling; None where that could not be told."""
    answer = _ask(_COMPILE, files, interpreter)
    return None if answer is None else {Path(path): text for path, text in answer.items()}


def convert_to_python_3(files: Iterable[Path], interpreter: Interpreter) -> list[Path] | None:
    """Rewrite ``files`` by 2to3; those changed, or None where this Python has no 2to3."""
    answer = _ask(_CONVERT, files, interpreter)
    return None if answer is None else [Path(path) for path in answer]


def _ask(script: str, files: Iterable[Path], interpreter: Interpreter) -> Any:  # noqa: ANN401 - JSON
    try:
        answer = subprocess.run(
            [interpreter.executable, "-I", "-S", "-c", script],
            input=json.dumps([str(path) for path in files]),
            capture_output=True,
            check=True,
            text=True,
            timeout=4 * CPU_SECONDS,
            env={},
        )
        return json.loads(answer.stdout)
    except (subprocess.SubprocessError, ValueError):
        return None
