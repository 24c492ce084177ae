"""``clearhouse sandbox check`` as it is typed, with the sandbox as it is and with holes in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.sandbox


def clearhouse(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clearhouse", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def leaky(folder: Path, *, without: str = "", more: tuple[str, ...] = ()) -> str:
    """A search path with a bubblewrap that leaves something open."""
    program = folder / "bwrap"
    program.write_text(
        f"#!{sys.executable} -IS\n"
        "import os, sys\n"
        f"given = [a for a in sys.argv[1:] if a != {without!r}]\n"
        "at = given.index('-I') - 1\n"
        f"given[at:at] = {list(more)!r}\n"
        f"os.execv({shutil.which('bwrap')!r}, ['bwrap', *given])\n"
    )
    program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_a_sandbox_that_holds_is_one_document_and_exit_code_0(tmp_path: Path) -> None:
    done = clearhouse("sandbox", "check", "--json", CLEARHOUSE_CACHE=str(tmp_path))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["holds"] is True
    assert document["through"] == 0
    assert list((tmp_path / "sandbox").glob("*.json"))


@pytest.mark.slow
def test_a_network_left_open_is_found_and_nothing_is_run(tmp_path: Path) -> None:
    path = leaky(tmp_path, without="--unshare-net")
    cache = {"PATH": path, "CLEARHOUSE_CACHE": str(tmp_path / "cache")}
    done = clearhouse("sandbox", "check", **cache)
    assert done.returncode == 1, done.stderr
    assert "GOT THROUGH" in done.stdout
    assert "Nothing is run on this machine" in done.stdout
    document = json.loads(clearhouse("sandbox", "check", "--json", **cache).stdout)
    through = {(a["place"], a["name"]) for a in document["attempts"] if a["stopped"] is False}
    for place in ("run", "import", "build"):
        assert (place, "connect to a service on the host's loopback, IPv4") in through
        assert (place, "connect to an abstract socket of the host") in through
    assert ("host", "a service of the host was reached") in through
    assert not list((tmp_path / "cache").rglob("*.json"))


@pytest.mark.slow
@pytest.mark.parametrize("place", ["cell.Cell", "build.BuildSandbox"])
def test_no_sandbox_starts_where_one_has_a_hole(tmp_path: Path, place: str) -> None:
    module, name = place.split(".")
    code = f"from clearhouse.proof.sandbox.{module} import {name}; {name}([])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "PATH": leaky(tmp_path, without="--unshare-net"),
            "CLEARHOUSE_CACHE": str(tmp_path / "cache"),
        },
        capture_output=True,
        text=True,
    )
    assert "Unavailable: the sandbox does not hold on this machine" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "name"),
    [
        (("--bind", "/var/log", "/opt"), "find a file system of the host that can be written"),
        (("--dev-bind", "/dev/kmsg", "/dev/kmsg"), "find devices of the host"),
        (("--setenv", "CLEARHOUSE_SANDBOX_CHECK", "x"), "read the host's environment"),
    ],
)
def test_a_hole_in_the_mounts_or_the_environment_is_found(
    tmp_path: Path, more: tuple[str, ...], name: str
) -> None:
    cache = {"PATH": leaky(tmp_path, more=more), "CLEARHOUSE_CACHE": str(tmp_path / "cache")}
    done = clearhouse("sandbox", "check", "--json", **cache)
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert name in {a["name"] for a in document["attempts"] if a["stopped"] is False}


def test_where_it_cannot_start_it_says_why_and_exits_with_3(tmp_path: Path) -> None:
    (tmp_path / "bwrap").write_text(
        "#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n"
    )
    (tmp_path / "bwrap").chmod(0o755)
    done = clearhouse(
        "sandbox", "check", PATH=f"{tmp_path}:{os.environ['PATH']}", CLEARHOUSE_CACHE=str(tmp_path)
    )
    assert done.returncode == 3
    assert "No permissions to create new namespace" in done.stderr
    assert "user namespaces" in done.stderr
