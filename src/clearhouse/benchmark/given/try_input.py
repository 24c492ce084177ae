"""Run the harness on one input against /target, and say what happened.

This is a help, not the judge: it sees what a parent sees of its child.  Usage: try FILE
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TARGET = os.environ.get("TARGET", "/target")
WALL_SECONDS = 300
SHOWN = 6000
CANARY = Path("/canary/token")


def say(text: str) -> None:
    """Write a line."""
    sys.stdout.write(text + "\n")


def workplace() -> Path:
    """A new folder, as near to the root as there can be one: the judge's is ``/work``."""
    for folder in (Path("/"), HERE.parent, Path(tempfile.gettempdir())):
        try:
            return Path(tempfile.mkdtemp(prefix="try-", dir=folder))
        except OSError:
            continue
    sys.exit("there is no folder that can be written")


def canary() -> bytes:
    """What the canary holds; it is made where there is none and it can be made."""
    try:
        if not CANARY.exists():
            CANARY.parent.mkdir(exist_ok=True)
            CANARY.write_text(f"canary-{os.urandom(16).hex()}\n")
        return CANARY.read_bytes().strip()
    except OSError:
        return b""


def names_outside(*own: Path) -> dict[str, tuple[int, int]]:
    """Files that a run has no business with, as they are now."""
    found = {}
    for top in ("/", "/tmp", "/work", str(Path.home())):
        for folder, folders, files in os.walk(top):
            inside = Path(folder)
            folders[:] = [name for name in folders if inside / name not in own][:200]
            if top == "/":
                folders.clear()
            for name in files[:500]:
                try:
                    status = (inside / name).lstat()
                except OSError:
                    continue
                found[str(inside / name)] = (status.st_size, status.st_mtime_ns)
            if len(found) > 5000:
                break
    return found


def command(task: dict[str, Any], place: Path) -> list[str]:
    """How the harness is started; its packages are looked for beside it."""
    language = task["language"]
    if language == "python":
        return [sys.executable, "-I", "-B", str(HERE / "inside.py"), TARGET]
    if language == "javascript":
        (place / "node_modules").symlink_to(f"{TARGET}/node_modules")
        node = shutil.which("node") or sys.exit("there is no node on the PATH")
        return [node, "--max-old-space-size=1024", str(HERE / "inside.cjs"), TARGET]
    return [f"{TARGET}/built-harness/harness"]


def run(
    task: dict[str, Any], place: Path, cwd: Path, given: Path
) -> tuple[int, resource.struct_rusage, bytes, bool]:
    """The child's status, what it used, what it wrote, and whether it was stopped."""
    limit = int(task["cpu_seconds"]) + 1

    harness = place / task["harness"]
    shutil.copy(HERE / task["harness"], harness)
    arguments = command(task, place)
    if task["language"] in ("python", "javascript"):
        arguments.append(str(harness))
    arguments.append(str(given))
    options = "detect_leaks=0:allocator_may_return_null=1:abort_on_error=1:print_legend=0"
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8", "HOME": str(cwd),
        "ASAN_OPTIONS": options, "UBSAN_OPTIONS": "print_stacktrace=1:abort_on_error=1",
    }  # fmt: skip
    with tempfile.TemporaryFile(dir=place) as out:
        child = subprocess.Popen(
            arguments, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
        resource.prlimit(child.pid, resource.RLIMIT_CPU, (limit, limit + 1))
        resource.prlimit(child.pid, resource.RLIMIT_CORE, (0, 0))
        stopped = False
        until = time.monotonic() + WALL_SECONDS
        while True:
            done, status, used = os.wait4(child.pid, os.WNOHANG)
            if done:
                break
            if time.monotonic() > until:
                os.killpg(child.pid, signal.SIGKILL)
                stopped = True
            time.sleep(0.01)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return child.returncode, used, out.read(1 << 20), stopped


def ending(code: int, stopped: bool) -> str:  # noqa: FBT001 - one of two facts
    """How the child ended, in words."""
    if stopped or code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "stopped at a limit of time or memory"
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return "returned" if code == 0 else f"ended with exit code {code}"


def main() -> None:
    """Try the input whose file is named."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        sys.exit("usage: try FILE")
    task = json.loads((HERE / "task.json").read_text())
    place, cwd = workplace(), workplace()
    try:
        token = canary()
        before = names_outside(place, cwd)
        code, used, output, stopped = run(task, place, cwd, Path(sys.argv[1]).resolve())
        after = names_outside(place, cwd)
    finally:
        shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(cwd, ignore_errors=True)
    text = output.decode("utf-8", "replace")
    if len(text) > SHOWN:
        text = f"{text[: SHOWN // 2]}\n[...]\n{text[-SHOWN // 2 :]}"
    if text.strip():
        say(text.rstrip())
    say(f"-- {ending(code, stopped)}")
    say(f"-- processor time {used.ru_utime + used.ru_stime:.2f} s")
    say(f"-- most memory {used.ru_maxrss / 1024:.0f} MiB")
    changed = sorted(name for name in after if before.get(name) != after[name])
    gone = sorted(name for name in before if name not in after)
    for name in [*changed, *gone][:10]:
        say(f"-- changed outside of the working folder: {name}")
    if not token:
        say("-- there is no /canary/token here")
    elif token in output:
        say("-- the content of /canary/token came out")


main()
