"""What a deployer waits for after an upload, and a coordinator after "who has this?".

The lists are made of the packages that the shared advisories name, with real versions; an office of
its own is filled in a temporary folder.  ``CLEARHOUSE_BENCH_SYSTEMS`` is how many systems of 1,000
packages it has.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

SYSTEMS: Final = int(os.environ.get("CLEARHOUSE_BENCH_SYSTEMS", "1000"))
SHARED: Final = Path(
    os.environ.get("CLEARHOUSE_SHARED") or Path(__file__).resolve().parents[2] / "shared"
)
_PACKAGES: Final = 1000
_LIST: Final = 2000
_RUNS: Final = 5
_SCORES: Final = 300_000
_NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)


def table() -> Iterator[str]:
    """Markdown lines, from a process with an office of its own."""
    if not (SHARED / "data" / "advisories").is_dir():
        yield "Not measured: there are no shared advisories here (CLEARHOUSE_SHARED)."
        return
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        environment = {
            **os.environ, "CLEARHOUSE_DATABASE": "", "CLEARHOUSE_HOME": folder,
            "CLEARHOUSE_SECOND_FACTOR": "optional",
        }  # fmt: skip
        command = [sys.executable, "-m", "benchmarks.office_exposure"]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        yield from done.stdout.splitlines()


def _lists(size: int, seed: int) -> Iterator[dict[str, str]]:
    """Packages of PyPI that advisories name, with one of the versions that they name."""
    import gzip

    known: dict[str, list[str]] = {}
    with gzip.open(SHARED / "data" / "advisories" / "pypi.ndjson.gz") as stream:
        for line in stream:
            for one in json.loads(line)["affected"]:
                versions = known.setdefault(one["package"]["name"], [])
                versions += one.get("versions", [])
    named = sorted((name, versions) for name, versions in known.items() if versions)
    chance = random.Random(seed)  # noqa: S311 - the same lists each time
    for number in range(size):
        # One of eight packages is one that some advisory names, as in real inventories.
        if number % 8:
            name, version = f"package-{chance.randrange(20_000)}", f"{number % 9}.{number % 7}"
        else:
            name, versions = chance.choice(named)
            version = chance.choice(versions)
        yield {
            "type": "library", "name": name, "version": version,
            "purl": f"pkg:pypi/{name}@{version}",
        }  # fmt: skip


def _bom(size: int, seed: int) -> bytes:
    components = list(_lists(size, seed))
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": components}
    return json.dumps(document).encode()


def _epss(folder: Path, day: str) -> Path:
    """An edition of EPSS as large as those of late 2026, which scores the flaws of the lists."""
    import gzip

    chance = random.Random(day)  # noqa: S311 - the same scores each time
    known: set[str] = set()
    with gzip.open(SHARED / "data" / "advisories" / "pypi.ndjson.gz") as stream:
        for line in stream:
            known |= {one for one in json.loads(line).get("aliases", ()) if one.startswith("CVE-")}
    others = (f"CVE-{2000 + n % 27}-{900_000 + n}" for n in range(_SCORES - len(known)))
    path = folder / f"epss_scores-{day}.csv.gz"
    with gzip.open(path, "wt") as lines:
        lines.write(f"#model_version:v2025.03.14,score_date:{day}T00:00:00+0000\n")
        lines.write("cve,epss,percentile\n")
        for one in sorted((*known, *others)):
            lines.write(f"{one},{chance.random():.5f},{chance.random():.5f}\n")
    return path


def _timed(act: Callable[[], Any], runs: int) -> tuple[float, float, Any]:
    """Median and longest of so many runs in seconds, and what the last one gave."""
    taken, found = [], None
    for _ in range(runs):
        began = time.perf_counter()
        found = act()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken), max(taken), found


def main() -> None:
    """Fill the office, measure, print."""
    from django.db.models import F

    from clearhouse.cli.django_setup import migrate, set_up

    set_up()
    migrate()
    from clearhouse.exposure.vulnerabilities import read
    from clearhouse.office.inventories import queries
    from clearhouse.office.inventories.actions import feeding, receiving, systems
    from clearhouse.office.inventories.models import Component, Exposure, System
    from clearhouse.office.inventories.touched import holders_of
    from clearhouse.office.orgs.actions import (
        add_member,
        create_first_coordinator,
        create_organisation,
    )
    from clearhouse.office.orgs.queries import viewer_of
    from clearhouse.office.viewer import SYSTEM
    from clearhouse.protocol.roles import Role

    create_first_coordinator(
        organisation="Office", name="Cora", email="cora@example.org",
        password=secrets.token_hex(16), now=_NOW,
    )  # fmt: skip
    viewers = []
    for number in range(max(1, SYSTEMS // 10)):
        made = create_organisation(
            SYSTEM, name=f"Deployer {number}", slug=f"d{number}", roles=(Role.DEPLOYER,), now=_NOW
        )
        user = add_member(
            SYSTEM, made.pk, email=f"d{number}@example.org", name="Dora",
            password=secrets.token_hex(16), is_manager=True, now=_NOW,
        )  # fmt: skip
        viewers.append(viewer_of(user, made.pk))

    began = time.perf_counter()
    loaded = feeding.load(SHARED / "data" / "advisories", clock=lambda: _NOW)
    wall = time.perf_counter() - began
    print("| what | measured |")
    print("| --- | --- |")
    print(f"| `feeds load`, {loaded.position:,} OSV records | {wall:.1f} s |")

    began = time.perf_counter()
    for number in range(SYSTEMS):
        viewer = viewers[number % len(viewers)]
        one = systems.add_system(viewer, f"System {number}", answers={}, now=_NOW)
        raw = _bom(_PACKAGES, number)
        receiving.receive(viewer, one.name, raw, file="sbom.json", now=_NOW)
    wall = time.perf_counter() - began
    rows = Component.objects.count()
    open_ = Exposure.objects.filter(gone_at=None).count()
    print(
        f"| {SYSTEMS:,} lists of {_PACKAGES:,} packages ({rows:,} rows), {open_:,} exposures"
        f" | {wall / SYSTEMS * 1000:.0f} ms each |"
    )

    for what, day in (("the first edition", "2026-11-21"), ("the next day's", "2026-11-22")):
        path = _epss(Path(os.environ["CLEARHOUSE_HOME"]), day)
        began = time.perf_counter()
        loaded = feeding.load(path, clock=lambda: _NOW)
        wall = time.perf_counter() - began
        again = System.objects.filter(revision__gt=F("matched")).count()
        print(
            f"| `feeds load`, {loaded.position:,} scores of EPSS, {what}"
            f" | {wall:.1f} s; {again:,} systems are looked at again |"
        )

    viewer = viewers[0]
    target = systems.add_system(viewer, "Measured", answers={}, now=_NOW)
    bodies = iter([_bom(_LIST, 10_000_000 + number) for number in range(_RUNS)])
    median, longest, made_ = _timed(
        lambda: receiving.receive(viewer, target.name, next(bodies), file="sbom.json", now=_NOW),
        _RUNS,
    )
    count = Exposure.objects.filter(system=target, gone_at=None).count()
    print(
        f"| a list of {made_.components:,} packages: taken in, read, matched, judged ({count}"
        f" flaws) | {median:.2f} s, longest {longest:.2f} s |"
    )
    median, longest, _ = _timed(lambda: queries.exposures_of(viewer), _RUNS)
    print(f"| its owner's first page of exposures | {median * 1000:.0f} ms |")
    median, longest, _ = _timed(lambda: queries.remedies_of(viewer, most=3), _RUNS)
    print(f"| its owner's three things to do first | {median * 1000:.0f} ms |")
    for package, what in (("django", "a package that many have"), ("ecdsa", "one that few have")):
        flaw = read(
            {
                "id": "X",
                "affected": [
                    {
                        "package": {"ecosystem": "PyPI", "name": package},
                        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
                    }
                ],
            },
            "made",
        )
        [asked] = flaw.affected
        median, longest, found = _timed(lambda asked=asked: list(holders_of(asked)), _RUNS)
        print(
            f'| "who has this?", {what}: {len(found):,} of {rows:,} rows'
            f" | {median * 1000:.0f} ms, longest {longest * 1000:.0f} ms |"
        )


if __name__ == "__main__":
    main()
