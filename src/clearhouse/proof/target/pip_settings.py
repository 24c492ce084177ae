"""Where the user's pip looks for packages, asked of pip itself.

The default index is pip's own as well: no registry is named here.
"""

from __future__ import annotations

import ast
import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from clearhouse.proof.target.model import Reason, TargetUnavailable
from clearhouse.proof.target.store import key_of
from clearhouse.proof.target.web import Access, Credential, without_login

_DEFAULT_INDEX = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
_SECTIONS = ("global", "install", ":env:")
"""Later ones win, as in ``pip install``."""


@dataclass(frozen=True, slots=True)
class PipSettings:
    """The index addresses, without credentials, and how to reach them."""

    indexes: tuple[str, ...]
    find_links: tuple[str, ...]
    access: Access

    @property
    def identity(self) -> str:
        """A short digest of the addresses."""
        return key_of("pip", *self.indexes, "", *self.find_links)[:12]


@cache
def pip_settings() -> PipSettings:
    """Ask pip for its configuration, once for each process.

    Raises TargetUnavailable with NO_CLIENT when there is no pip and no index is named.
    """
    return settings_from(_configured(), _ask_default_index)


def settings_from(options: dict[str, str], default_index: Callable[[], str]) -> PipSettings:
    """Read pip's options (long names without dashes) as pip does."""
    addresses: list[str] = []
    if options.get("no-index", "").lower() not in {"1", "true", "yes", "on"}:
        addresses.append(options.get("index-url") or default_index())
        addresses.extend(options.get("extra-index-url", "").split())
    timeout = options.get("timeout") or options.get("default-timeout") or "15"
    proxy = options.get("proxy")
    return PipSettings(
        indexes=tuple(without_login(address).rstrip("/") + "/" for address in addresses),
        find_links=tuple(options.get("find-links", "").split()),
        access=Access(
            verify=options.get("cert") or True,
            insecure_hosts=tuple(options.get("trusted-host", "").split()),
            client_certificate=options.get("client-cert"),
            proxies=(("http", proxy), ("https", proxy)) if proxy else (),
            timeout=float(timeout),
            credentials=tuple(
                credential for address in addresses if (credential := _login(address))
            ),
        ),
    )


def _login(address: str) -> Credential | None:
    split = urlsplit(address)
    if split.username is None:
        return None
    pair = f"{unquote(split.username)}:{unquote(split.password or '')}".encode()
    place = split.netloc.rpartition("@")[2]
    return Credential(f"{place}/", "Basic " + base64.b64encode(pair).decode())


def _configured() -> dict[str, str]:
    python = _python_with_pip()
    if python is None:
        return _from_environment()
    listed = subprocess.run(
        [python, "-m", "pip", "config", "list"], capture_output=True, text=True, timeout=60
    )
    if listed.returncode != 0:
        problem = (listed.stderr.strip().splitlines() or ["no message"])[-1]
        message = f"pip cannot read its configuration: {problem}"
        raise TargetUnavailable(Reason.NO_CLIENT, message)
    return parse_listing(listed.stdout)


def parse_listing(listing: str) -> dict[str, str]:
    """Read what ``pip config list`` prints, the section that wins for each option."""
    options: dict[str, str] = {}
    for section in _SECTIONS:
        for line in listing.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(f"{section}."):
                options[name.removeprefix(f"{section}.")] = str(ast.literal_eval(value))
    return options


def _from_environment() -> dict[str, str]:
    return {
        name.removeprefix("PIP_").lower().replace("_", "-"): value
        for name, value in os.environ.items()
        if name.startswith("PIP_")
    }


@cache
def _python_with_pip() -> str | None:
    """Return a Python that has pip: this one, the one it was made from, or the system's."""
    for python in (sys.executable, Path(sys.base_prefix) / "bin" / "python3", "python3"):
        found = shutil.which(python)
        if (
            found
            and subprocess.run([found, "-c", "import pip"], capture_output=True).returncode == 0
        ):
            return found
    return None


def _ask_default_index() -> str:
    python = _python_with_pip()
    answer = python and subprocess.run(
        [python, "-c", _DEFAULT_INDEX], capture_output=True, text=True, timeout=60
    )
    if not answer or answer.returncode != 0:
        message = "no package index is known: install pip, or set PIP_INDEX_URL"
        raise TargetUnavailable(Reason.NO_CLIENT, message)
    return answer.stdout.strip()
