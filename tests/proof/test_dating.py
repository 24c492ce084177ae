"""Histories of a small package with a known past, in the real sandbox, from a local index."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clearhouse.proof.sandbox.gate import require_checked_sandbox
from clearhouse.proof.target import cache_root
from tests.proof.making import folder_of
from tests.proof.target.making import LocalIndex, Server, day, serving, wheel

pytestmark = pytest.mark.sandbox

PARSE = """\
def parse(text):
    if text.startswith("["):
        return [parse(text[1:-1])]
    return []
"""
BROKEN = "def parse(text):\n    print 'parsing'\n    return []\n"
FIXED = PARSE.replace("def parse(text):\n", "def parse(text):\n    text = text[:40]\n")
REFUSING = PARSE.replace(
    "def parse(text):\n",
    "def parse(text):\n    if len(text) > 40:\n        raise ValueError(text)\n",
)
MISSING = "def other(text):\n    return []\n"

#: Release, days after the first, its module.
PAST: tuple[tuple[str, int, str], ...] = (
    ("0.1", 0, BROKEN),
    ("0.2", 1, MISSING),
    ("0.3", 2, FIXED),
    ("0.4", 3, PARSE),
    ("0.5", 4, PARSE),
    ("0.6", 5, BROKEN),
    ("0.7", 6, PARSE),
    ("0.7.1", 40, FIXED),  # a backport
    ("1.0", 20, PARSE),
    ("1.1", 21, PARSE),
    ("1.2", 41, REFUSING),
    ("1.3", 42, FIXED),
)
MANIFEST = """\
[proof]
format = 1
id = "DEMO-1"
title = "Deeply nested lists exhaust the stack"
effect = "exception"
cwe = [674]

[target]
purl = "pkg:pypi/demo@1.1"
fixed = "1.2"

[harness]
language = "python"
file = "harness.py"

[input]
poc = "poc.txt"
controls = ["control.txt"]

[expect]
type = "RecursionError"
"""
BUNDLE: Mapping[str, bytes] = {
    "proof.toml": MANIFEST.encode(),
    "harness.py": b"import demo\n\n\ndef TestOneInput(data):\n    demo.parse(data.decode())\n",
    "poc.txt": b"[" * 3000 + b"]" * 3000,
    "control.txt": b"[[]]",
}
ADVISORY = {
    "id": "ADV-1",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Demo"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.3"}]},
            ],
        }
    ],
}


def publish(index: LocalIndex, past: tuple[tuple[str, int, str], ...] = PAST) -> None:
    for version, days, module in past:
        file = wheel("demo", version, {"demo/__init__.py": module})
        index.add("demo", file, day("2020-01-01") + timedelta(days=days))


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return folder_of(BUNDLE, tmp_path / "bundle")


class Machine:
    """A user's machine: a cache, a configured index, and the command."""

    def __init__(self, folder: Path, server: Server) -> None:
        # The sandbox was tried out on this machine: not again for each empty cache.
        require_checked_sandbox()
        shutil.copytree(cache_root() / "sandbox", folder / "cache" / "sandbox")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PIP_")},
            "CLEARHOUSE_CACHE": str(folder / "cache"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": f"{server.url}/simple/",
        }

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "clearhouse", "history", *map(str, arguments)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str | Path) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err

    def document(self, *arguments: str | Path) -> dict[str, Any]:
        code, out, err = self.run(*arguments, "--json")
        assert (code, err) == (0, "")
        found: dict[str, Any] = json.loads(out)
        return found


@pytest.fixture
def machine(tmp_path: Path, server: Server) -> Machine:
    publish(LocalIndex(server))
    return Machine(tmp_path, server)


STATUSES = {
    "0.1": "unrunnable",
    "0.2": "inconclusive",
    "0.3": "clean",
    "0.4": "affected",
    "0.5": "affected",
    "0.6": "unrunnable",
    "0.7": "affected",
    "0.7.1": "clean",
    "1.0": "affected",
    "1.1": "affected",
    "1.2": "refused",
    "1.3": "clean",
}
RANGES = [
    {"introduced": "0.4", "fixed": "0.7.1"},
    {"introduced": "1.0", "fixed": "1.2"},
]


def test_the_past_is_found_and_remembered(machine: Machine, server: Server, bundle: Path) -> None:
    everything = machine.document(bundle, "--all")
    assert {one["version"]: one["status"] for one in everything["versions"]} == STATUSES
    assert all(one["run"] for one in everything["versions"])
    assert everything["ranges"] == RANGES
    assert [(one["version"], one["inside_a_range"]) for one in everything["unknown"]] == [
        ("0.1", False), ("0.2", False), ("0.6", True),
    ]  # fmt: skip
    assert everything["verdict"]["grade"] == "attributed"
    # Asked again, everything is remembered: the same document, and nothing is downloaded.
    server.asked.clear()
    assert machine.document(bundle, "--all") == everything
    assert server.asked == []
    # A search runs fewer releases and comes to the same.
    searched = machine.document(bundle, "--every", "9")
    assert searched["ranges"] == RANGES
    assert searched["versions_run"] <= everything["versions_run"]
    for one in searched["versions"]:
        assert one["run"] is ("not run" not in one["why"])
        assert not one["run"] or one["status"] == STATUSES[one["version"]]


def test_an_advisory_is_held_against_the_runs(
    machine: Machine, bundle: Path, tmp_path: Path
) -> None:
    advisory = tmp_path / "advisory.json"
    advisory.write_text(json.dumps(ADVISORY))
    compared = machine.document(bundle, "--compare", advisory)["comparison"]
    assert compared["advisory"] == "ADV-1"
    told = [(one["versions"], one["declared"], one["executed"]) for one in compared["differences"]]
    assert told == [
        (["0.3"], "affected", "clean"),
        (["0.7.1"], "affected", "clean"),
        (["1.2"], "affected", "refused"),
    ]
    assert "ValueError" in compared["differences"][2]["evidence"]
    assert [one["versions"] for one in compared["undecided"]] == [["0.1", "0.2"], ["0.6"]]


def test_people_read_a_line_for_each_release_and_a_summary(machine: Machine, bundle: Path) -> None:
    code, out, err = machine.run(bundle)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split()[:2] == ["affected", "1.1"]
    assert "affected      0.4 until before 0.7.1" in lines
    assert "affected      1.0 until before 1.2" in lines
    assert "Not known, though the ranges span them: 0.6 (unrunnable)." in lines
    assert any(line.startswith("Not affected means: by this bundle's inputs") for line in lines)
    assert "\x1b" not in out
    assert "█" not in out


def test_a_proof_that_does_not_hold_dates_nothing(machine: Machine, tmp_path: Path) -> None:
    harmless = folder_of({**BUNDLE, "poc.txt": b"[[[]]]"}, tmp_path / "harmless")
    code, out, _ = machine.run(harmless, "--json")
    document = json.loads(out)
    assert code == 1
    assert document["problem"].startswith("on 1.1, the version attacked, the proof does not hold")
    assert (document["ranges"], document["osv"]) == ([], None)
    assert [one["version"] for one in document["versions"] if one["run"]] == ["1.1"]
    assert all(one["status"] == "inconclusive" for one in document["versions"] if not one["run"])


def test_what_stands_in_the_harness_alone_dates_nothing(machine: Machine, tmp_path: Path) -> None:
    cheat = (
        b"import demo\n\n\ndef TestOneInput(data):\n    demo.parse('[]')\n"
        b"    if len(data) > 100:\n        raise RecursionError('too deep')\n"
    )
    code, out, _ = machine.run(folder_of({**BUNDLE, "harness.py": cheat}, tmp_path / "c"), "--json")
    assert code == 1
    assert json.loads(out)["ranges"] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("demo@1.1", "demo@7.7"), "the registry has no release 7.7 of demo"),
        (("demo@1.1", "nothing@1.1"), "no configured index has a Python package named nothing"),
    ],
)
def test_a_package_that_is_not_there_is_bad_input(
    machine: Machine, tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    manifest = MANIFEST.replace(*change).encode()
    code, out, err = machine.run(folder_of({**BUNDLE, "proof.toml": manifest}, tmp_path / "b"))
    assert (code, out) == (2, "")
    assert message in err


def test_an_attacked_version_that_cannot_run_here_is_said(machine: Machine, tmp_path: Path) -> None:
    manifest = MANIFEST.replace("demo@1.1", "demo@0.1").encode()
    code, _, err = machine.run(folder_of({**BUNDLE, "proof.toml": manifest}, tmp_path / "b"))
    assert code == 3
    assert "0.1, the version attacked, cannot be run here" in err
    assert "SyntaxError" in err


def _descendants(pid: int) -> set[int]:
    """Processes whose ancestry leads to ``pid``."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1])
    found: set[int] = set()
    while grown := {p for p, parent in parents.items() if parent in found | {pid}} - found:
        found |= grown
    return found


@pytest.mark.slow
def test_a_killed_history_loses_nothing_that_it_told_and_leaves_nothing_behind(
    machine: Machine, bundle: Path, tmp_path: Path
) -> None:
    process = machine.start(bundle, "--all", "--jobs", "1")
    assert process.stdout is not None
    told = [process.stdout.readline().split()[:2] for _ in range(4)]
    family = _descendants(process.pid)
    assert family
    process.send_signal(signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + 10
    while alive := {pid for pid in family if _lives(pid)}:
        assert time.monotonic() < deadline, f"still there: {alive}"
        time.sleep(0.05)
    assert all(STATUSES[version] == status for status, version in told)
    # The next one has those remembered, and ends as if nothing had happened.
    document = machine.document(bundle, "--all")
    assert {one["version"]: one["status"] for one in document["versions"]} == STATUSES
    assert not list((tmp_path / "cache").rglob("unfinished/*/*"))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
