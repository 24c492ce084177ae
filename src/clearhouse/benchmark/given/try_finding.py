"""Run the inputs of a finding against /target, and say what happened.

This is a help, not the judge.  Usage: try [FOLDER], by default /work/finding
"""

import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
FINDING = Path("/work/finding")
CPU_SECONDS = 40.0
PROGRAMS = ("try_input.py", "inside.py", "inside.cjs", "atheris.py")


def main() -> None:
    """Try every poc and every control."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FINDING
    stated = tomllib.loads((folder / "proof.toml").read_text())
    harness = folder / stated["harness"]["file"]
    pocs = stated["input"]["poc"]
    inputs = [pocs] if isinstance(pocs, str) else list(pocs)
    expect = stated.get("expect", {})
    task = {
        "language": stated["harness"]["language"],
        "harness": f"harness{harness.suffix}",
        "cpu_seconds": expect.get("cpu_seconds", CPU_SECONDS),
    }
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        for name in PROGRAMS:
            if (HERE / name).is_file():
                shutil.copy(HERE / name, place)
        shutil.copy(harness, Path(place, task["harness"]))
        Path(place, "task.json").write_text(json.dumps(task))
        for name in [*inputs, *stated["input"]["controls"]]:
            sys.stdout.write(f"== {name}\n")
            sys.stdout.flush()
            subprocess.run(
                [sys.executable, "-I", "-B", Path(place, "try_input.py"), folder / name],
                check=False,
            )


main()
