"""An office at an https address: Django finds nothing to say, and the guide names all settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

_TOP = Path(__file__).parents[2]
_OFFICE = _TOP / "src/clearhouse/office"
_VARIABLE = re.compile(r"CLEARHOUSE_[A-Z_]+[A-Z]")


def test_django_finds_nothing_to_warn_of_in_production(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if "CLEARHOUSE" not in name}
    environment |= {
        "PYTHONPATH": str(_TOP / "src"),
        "CLEARHOUSE_HOME": str(tmp_path),
        "CLEARHOUSE_URL": "https://office.example.org",
        "CLEARHOUSE_BEHIND_PROXY": "1",
    }
    manage = [sys.executable, "-m", "clearhouse", "office", "manage"]
    check = [*manage, "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(check, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout


def test_the_guide_for_operators_names_every_variable_and_no_other() -> None:
    read = {
        name
        for path in (*_OFFICE.rglob("*.py"), *(_TOP / "src/clearhouse/cli").glob("*.py"))
        for name in _VARIABLE.findall(path.read_text())
    }
    # Not for operators: a shell's completion, the traceback of a bug, the finder's own key, and
    # what a rehearsal's model asks for.
    read -= {
        "CLEARHOUSE_COMPLETE", "CLEARHOUSE_DEBUG", "CLEARHOUSE_API_KEY",
        "CLEARHOUSE_STAND_IN_CREDENTIAL",
    }  # fmt: skip
    guide = (_TOP / "docs/how-to/operators.md").read_text()
    rows = re.findall(r"^\| (`CLEARHOUSE_.*?) \|", guide, re.MULTILINE)
    told = {name for row in rows for name in _VARIABLE.findall(row)}
    secret = {"CLEARHOUSE_SECRET_KEY", "CLEARHOUSE_OIDC_CLIENT_SECRET"}
    assert told == read | {f"{name}_FILE" for name in secret}
