"""osv-scanner and ``clearhouse match`` on the same inventory: both answers, and the time of each.

``python -m benchmarks.exposure_scanner OSV_SCANNER`` with the path of its binary, offline: its
database is made of the shared advisories for PyPI.  The inventory has 2,000 components: versions
at and beside the bounds of advisories, spread over their packages.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks import exposure_fleet as fleet

_COMPONENTS = 2_000

Said: TypeAlias = tuple[str, str, str]
"""Name and version of a component, and a flaw that touches it."""


def main(scanner: str) -> None:
    """Print a line for each tool, and what only one of them says."""
    if fleet.ADVISORIES is None:
        print("No advisories: set CLEARHOUSE_SHARED to the folder of shared test data.")
        return
    with tempfile.TemporaryDirectory(prefix="clearhouse-bench-") as name:
        folder = Path(name)
        inventory = folder / "bom.json"
        inventory.write_text(json.dumps(_bom()))
        database = folder / "osv-scanner" / "PyPI"
        database.mkdir(parents=True)
        with (
            gzip.open(fleet.ADVISORIES, "rt") as lines,
            zipfile.ZipFile(database / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for line in lines:
                archive.writestr(f"{json.loads(line)['id']}.json", line)
        theirs = _theirs(scanner, inventory, folder)
        answers = _ours(inventory, database / "all.zip")
        ours = set(answers)
    counts = (len(ours & theirs), len(ours - theirs), len(theirs - ours))
    print("both {}, only ours {}, only theirs {}".format(*counts))
    open_ones = sum(answers[one] == "undecided" for one in ours - theirs)
    print(f"of only ours {open_ones} undecided: the version has no place in the order")
    for one in sorted(ours - theirs):
        if answers[one] == "affected":
            print(f"only ours: {' '.join(one)}")
    for one in sorted(theirs - ours):
        print(f"only theirs: {' '.join(one)}")


def _bom() -> dict[str, Any]:
    spots = sorted(
        (name, version)
        for name, versions in fleet.versions_of(list(fleet.advisories())).items()
        for version in versions
    )
    chosen = spots[:: len(spots) // _COMPONENTS][:_COMPONENTS]
    components = [
        {"type": "library", "name": name, "version": version, "purl": f"pkg:pypi/{name}@{version}"}
        for name, version in chosen
    ]
    return {"bomFormat": "CycloneDX", "specVersion": "1.4", "version": 1, "components": components}


def _theirs(scanner: str, inventory: Path, folder: Path) -> set[Said]:
    options = ["--experimental-offline", "--format", "json", "--sbom", str(inventory)]
    environment = {**os.environ, "OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY": str(folder)}
    done = _timed("osv-scanner", [scanner, *options], environment)
    return {
        (entry["package"]["name"], entry["package"]["version"], _name(one["ids"] + one["aliases"]))
        for result in done["results"]
        for entry in result["packages"]
        for one in entry["groups"]
    }


def _ours(inventory: Path, archive: Path) -> dict[Said, str]:
    command = [sys.executable, "-m", "clearhouse", "match", "--json"]
    command += ["--inventory", str(inventory), "--advisories", str(archive)]
    done = _timed("clearhouse match", command, dict(os.environ))
    return {
        (one["package"]["name"], one["package"]["version"], _name(one["ids"])): one["answer"]
        for one in done["matches"]
    }


def _name(names: list[str]) -> str:
    """One name of a flaw: its first CVE, or the first of all."""
    return min(names, key=lambda one: (not one.startswith("CVE-"), one))


def _timed(tool: str, command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    wall = time.perf_counter() - began
    if not done.stdout.startswith("{"):
        raise SystemExit(f"{tool}: {done.stderr[-2000:]}")
    print(f"{tool}: {wall:.2f} s")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main(sys.argv[1])
