"""A whole office as an operator starts it: ``clearhouse serve``, with a worker, in a home."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from clearhouse.errors import Unavailable
from tests.office import browser
from tests.office.orgs.running import free_port

_START_SECONDS = 60
#: What the office's processes take over from the tests'; its settings are given to it anew.
_KEPT = ("PATH", "PYTHONPATH", "HOME", "LANG", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_TOP = Path(__file__).parents[2]


@dataclass(frozen=True)
class Serving:
    """An office that answers at ``url``; ``environment`` is what its commands are run with."""

    url: str
    environment: Mapping[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``clearhouse`` beside it."""
        return subprocess.run(
            [sys.executable, "-m", "clearhouse", *arguments],
            env=dict(self.environment), capture_output=True, text=True, check=False,
        )  # fmt: skip


def environment(home: Path, port: int, **given: str) -> dict[str, str]:
    """The variables of an office; ``given`` are ``CLEARHOUSE_`` variables, without that part."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.startswith(("XDG_", "PIP_", "UV_", "NPM_", "npm_", "http", "no_"))
    }
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_TOP / "src"), kept.get("PYTHONPATH")]))
    own = {"HOME": str(home), "URL": f"http://localhost:{port}"} | given
    return kept | {f"CLEARHOUSE_{name}": value for name, value in own.items() if value}


def prepared(home: Path, **given: str) -> Serving:
    """An office that is not served yet; skips where the design system is missing."""
    try:
        browser.tool().make(home / "static")
    except Unavailable as error:
        pytest.skip(f"no design system: {error}")
    port = free_port()
    return Serving(f"http://localhost:{port}", environment(home, port, **given))


@contextmanager
def served(office: Serving, *, workers: int = 1) -> Iterator[None]:
    """Serve it, with processes that do its jobs."""
    address = office.url.replace("http://localhost", "127.0.0.1")
    command = ["serve", "--address", address, "--workers", str(workers)]
    log = Path(office.environment["CLEARHOUSE_HOME"]) / "serve.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "clearhouse", *command],
            env=dict(office.environment), stdout=out, stderr=out,
        )  # fmt: skip
        try:
            _wait(office.url, process, log)
            yield
        finally:
            process.terminate()
            process.wait(60)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            requests.get(f"{url}/.well-known/security.txt", timeout=30)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())
