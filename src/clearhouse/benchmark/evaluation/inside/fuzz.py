"""A plain fuzzer: changes benign inputs at random until the harness shows the effect.

``fuzz.py EFFECT SECONDS SEED`` runs ``/work/task/try`` on one changed input after the other and
leaves the first that shows the effect, as far as ``try`` can see it, at ``/work/answer``.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TASK, ANSWER = Path("/work/task"), Path("/work/answer")
WORDS = (
    b"\x00", b"\xff" * 4, b"../" * 8, b"/canary/token", b"A" * 4096, b"(" * 3000, b"[" * 20000,
    b"{" * 3000, b"<a>" * 3000, b"a" * 50000, b" " * 50000, b"\n" * 5000, b"9" * 400, b"-1",
    b"__class__", b"%s%n", b"\x7f\xff\xff\xff", b"\xe2\x80\xa8" * 500, b"=" * 5000, b"'\"",
)  # fmt: skip
LARGEST = 1 << 20


def changed(data: bytes, chance: random.Random) -> bytes:
    """One input with a few changes."""
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0 and data:
            at = chance.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
        elif kind == 1:
            data = data[:at] + chance.choice(WORDS) + data[at:]
        elif kind == 2:
            data = data[:at] + data[at + chance.choice((1, 4, 16, 64)) :]
        elif kind == 3:
            piece = data[at : at + chance.choice((1, 2, 8, 32))]
            data = data[:at] + piece * chance.choice((2, 64, 4096)) + data[at:]
        elif kind == 4:
            data = data[:at] + chance.randbytes(chance.choice((1, 4, 16))) + data[at:]
        else:
            data = data * chance.choice((2, 16, 256))
        data = data[:LARGEST]
    return data


def tried(data: bytes, folder: str) -> str:
    """What ``try`` says of an input."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        file.write(data)
        file.flush()
        done = subprocess.run([TASK / "try", file.name], capture_output=True, check=False)
    return done.stdout.decode("utf-8", "replace")


def shows(effect: str, said: str, expected: str, seconds: float) -> bool:
    """Whether that is the effect."""
    used = next((line for line in said.splitlines() if line.startswith("-- processor time")), "")
    cpu_s = float(used.split()[3]) if used else 0.0
    return {
        "crash": "-- ended by SIG" in said or "ERROR: AddressSanitizer" in said,
        "exception": "-- ended with exit code" in said and (not expected or expected in said),
        "hang": cpu_s >= seconds,
        "memory": "-- stopped at a limit" in said,
        "write-outside": "-- changed outside" in said,
        "read-outside": "-- the content of /canary/token came out" in said,
        "bypass": "SecurityGuaranteeBroken" in said,
    }.get(effect, False)


def main() -> None:
    """Try until something shows or the time is over."""
    effect, seconds, seed, expected = sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4]
    chance = random.Random(seed)
    task = json.loads((TASK / "task.json").read_text())
    seeds = [p.read_bytes() for p in sorted((TASK / "controls").rglob("*")) if p.is_file()]
    until = time.monotonic() + seconds
    count = 0
    with tempfile.TemporaryDirectory(dir="/work") as folder, ThreadPoolExecutor(2) as pool:
        while time.monotonic() < until:
            inputs = [changed(chance.choice(seeds or [b""]), chance) for _ in range(2)]
            for data, said in zip(
                inputs, pool.map(lambda d: tried(d, folder), inputs), strict=True
            ):
                count += 1
                if shows(effect, said, expected, task["cpu_seconds"]):
                    ANSWER.write_bytes(data)
                    sys.stdout.write(f"found after {count} inputs\n")
                    return
    sys.stdout.write(f"nothing in {count} inputs\n")


if __name__ == "__main__":
    os.chdir("/work")
    main()
