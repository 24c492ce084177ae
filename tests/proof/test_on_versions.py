"""A proof on chosen versions of a small package, in the real sandbox, from a local index."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clearhouse.proof.absence import Outcome
from clearhouse.proof.door import open_bundle
from clearhouse.proof.on_versions import run_on
from clearhouse.proof.runners.choose import Workshop
from tests.proof.making import folder_of
from tests.proof.target.making import LocalIndex, Server, serving
from tests.proof.test_dating import BUNDLE, MANIFEST, Machine, publish

pytestmark = pytest.mark.sandbox

#: What a job of the office does, in a process that has this machine's index.
_SCRIPT = """
import json, sys
from pathlib import Path
from clearhouse.proof.door import open_bundle
from clearhouse.proof.on_versions import run_on
from clearhouse.proof.runners.choose import Workshop
with Workshop() as workshop:
    found = run_on(open_bundle(Path(sys.argv[1])), sys.argv[2:], workshop)
print(json.dumps(found.as_json()))
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def machine(tmp_path: Path, server: Server) -> Machine:
    publish(LocalIndex(server))
    return Machine(tmp_path, server)


def ran(machine: Machine, bundle: Path, *versions: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(bundle), *versions],
        env=machine.environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def outcomes(found: dict[str, Any]) -> dict[str, str]:
    return {one["version"]: one["outcome"] for one in found["versions"]}


def test_each_version_is_run_as_beside_a_boundary_and_no_other_is(
    machine: Machine, server: Server, tmp_path: Path
) -> None:
    bundle = folder_of(BUNDLE, tmp_path / "bundle")
    found = ran(
        machine, bundle, "1.0", "0.7.1", "1.2", "1.3.0", "0.1", "0.2", "7.7", "1.3+own", "junk"
    )
    assert outcomes(found) == {
        "1.0": "shows",
        "0.7.1": "does-not-show",
        "1.2": "does-not-show",
        "1.3.0": "does-not-show",
        "0.1": "unrunnable",
        "0.2": "inconclusive",
        "7.7": "not-listed",
        "1.3+own": "not-listed",
        "junk": "not-listed",
    }
    by_version = {one["version"]: one for one in found["versions"]}
    assert by_version["1.3.0"]["release"] == "1.3"
    assert by_version["0.7.1"]["poc_runs"] == 3
    [package] = by_version["0.7.1"]["packages"]
    assert package["purl"] == "pkg:pypi/demo@0.7.1"
    assert (found["package"], found["attacked"], found["grade"]) == (
        "pkg:pypi/demo", "1.1", "attributed"
    )  # fmt: skip
    assert "RecursionError" not in json.dumps(found), "nothing tells how the proof works"
    fetched = {path for path in server.asked if path.endswith(".whl")}
    assert not any("demo-0.5" in path or "demo-0.3" in path for path in fetched)


@pytest.mark.parametrize(
    "change",
    [
        {"poc.txt": b"[[[]]]"},
        {"proof.toml": MANIFEST.replace("demo@1.1", "demo@7.7").encode()},
        {"proof.toml": MANIFEST.replace("demo@1.1", "demo@0.1").encode()},
        {"proof.toml": MANIFEST.replace("demo@1.1", "nothing@1.1").encode()},
    ],
)
def test_a_proof_that_does_not_hold_says_nothing_of_any_version(
    machine: Machine, tmp_path: Path, change: dict[str, bytes]
) -> None:
    bundle = folder_of({**BUNDLE, **change}, tmp_path / "bundle")
    assert outcomes(ran(machine, bundle, "1.0", "1.3")) == {
        "1.0": "proof-fails",
        "1.3": "proof-fails",
    }


def test_a_proof_that_ships_its_source_is_about_no_release(tmp_path: Path) -> None:
    released = open_bundle(folder_of(BUNDLE, tmp_path / "bundle"))
    bundle = replace(released, target=replace(released.target, source="src"))
    with Workshop() as workshop:
        [one] = run_on(bundle, ["1.0", "1.0"], workshop).versions
    assert (one.version, one.outcome) == ("1.0", Outcome.NO_RELEASE)
