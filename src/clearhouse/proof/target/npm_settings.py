"""Where the user's npm looks for packages, asked of npm itself.

npm does not print its tokens, so those are read from the files that it names.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from clearhouse.errors import Unavailable
from clearhouse.proof.node import find_node
from clearhouse.proof.target.model import Reason, TargetUnavailable
from clearhouse.proof.target.store import key_of
from clearhouse.proof.target.web import Access, Credential

_VARIABLE = re.compile(r"\$\{([^}]+)\}")


@dataclass(frozen=True, slots=True)
class NpmSettings:
    """The registry, those of single scopes, and how to reach them."""

    registry: str
    scopes: tuple[tuple[str, str], ...]
    """Scope (with its ``@``) and registry."""
    access: Access

    @property
    def identity(self) -> str:
        """A short digest of the addresses."""
        return key_of("npm", self.registry, *(f"{name}={url}" for name, url in self.scopes))[:12]

    def registry_for(self, name: str) -> str:
        """Return the registry of a package."""
        scope = name.partition("/")[0] if name.startswith("@") else ""
        return dict(self.scopes).get(scope, self.registry)


@cache
def npm_settings() -> NpmSettings:
    """Ask npm for its configuration, once for each process.

    Raises TargetUnavailable with NO_CLIENT when npm cannot be run.
    """
    try:
        npm = find_node().npm
    except Unavailable as error:
        raise TargetUnavailable(Reason.NO_CLIENT, error.message) from error
    try:
        # In the root folder no project's own .npmrc has a say.
        answer = subprocess.run(
            [*npm, "config", "list", "--json"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            cwd="/",
        )
        options: dict[str, Any] = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        message = "npm cannot read its configuration: run `npm config list` to see why"
        raise TargetUnavailable(Reason.NO_CLIENT, message) from error
    files = (options.get("globalconfig"), options.get("userconfig"))
    texts = [_text(Path(name)) for name in files if isinstance(name, str)]
    return settings_from(options, "\n".join(texts), os.environ)


def settings_from(
    options: Mapping[str, Any], rc: str, environment: Mapping[str, str]
) -> NpmSettings:
    """Read npm's options and the text of its ``.npmrc`` files, later lines winning."""
    cafile = options.get("cafile")
    proxies = {
        "https": options.get("https-proxy") or options.get("proxy"),
        "http": options.get("http-proxy") or options.get("proxy"),
    }
    registry = str(options["registry"])
    insecure = (urlsplit(registry).hostname or "",) if options.get("strict-ssl") is False else ()
    return NpmSettings(
        registry=registry.rstrip("/") + "/",
        scopes=tuple(
            (key.removesuffix(":registry"), str(value).rstrip("/") + "/")
            for key, value in sorted(options.items())
            if key.startswith("@") and key.endswith(":registry")
        ),
        access=Access(
            verify=cafile if isinstance(cafile, str) and cafile else True,
            insecure_hosts=insecure,
            proxies=tuple((kind, str(url)) for kind, url in proxies.items() if url),
            timeout=30.0,
            credentials=tuple(_credentials(_options_in(rc, environment))),
        ),
    )


def _options_in(rc: str, environment: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in rc.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith(("#", ";")):
            plain = value.strip().strip("\"'")
            found[name.strip()] = _VARIABLE.sub(
                lambda match: environment.get(match[1], match[0]), plain
            )
    return found


def _credentials(options: Mapping[str, str]) -> list[Credential]:
    """Read ``//host/path/:_authToken``, ``:_auth`` or ``:username`` with ``:_password``."""
    found: list[Credential] = []
    for name, value in options.items():
        place, _, kind = name.rpartition(":")
        prefix = place.removeprefix("//")
        if not place.startswith("//"):
            continue
        if kind == "_authToken":
            found.append(Credential(prefix, f"Bearer {value}"))
        elif kind == "_auth":
            found.append(Credential(prefix, f"Basic {value}"))
        elif kind == "username" and f"{place}:_password" in options:
            password = base64.b64decode(options[f"{place}:_password"]).decode()
            pair = base64.b64encode(f"{value}:{password}".encode()).decode()
            found.append(Credential(prefix, f"Basic {pair}"))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
