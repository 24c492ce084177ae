"""Talking to an office's API: with patience, and without ever showing the key."""

from __future__ import annotations

import ipaddress
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from clearhouse import __version__
from clearhouse.errors import (
    ClearhouseError,
    Conflict,
    Invalid,
    NotFound,
    Refused,
    Unavailable,
)
from clearhouse.proof.text import printable

KEY_VARIABLE: Final = "CLEARHOUSE_API_KEY"
URL_VARIABLE: Final = "CLEARHOUSE_URL"
_PREFIX: Final = "chk_"
#: Waits of 1, 2, 4, ... seconds, or as long as the office says: about a minute in all.
_ATTEMPTS: Final = 7
_LONGEST_WAIT: Final = 60.0
_TRY_AGAIN: Final = frozenset({429, 502, 503, 504})
#: To connect, and between two parts of an answer: bulk is answered when all of it is kept.
_TIMEOUT: Final = (10, 600)
_ERRORS: Final[Mapping[int, type[ClearhouseError]]] = {
    400: Invalid,
    401: Refused,
    403: Refused,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
}


class _Bearer(AuthBase):
    """The key as a header; an object of its own, so that no netrc file takes its place."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


@dataclass(frozen=True, slots=True)
class Answer:
    """What the office said."""

    status: int
    body: bytes
    content: Any


class OfficeClient:
    """One office, and one key for it.

    ``pause`` waits so many seconds; ``say`` is told why it waits.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        pause: Callable[[float], None] = time.sleep,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._url = checked_url(url)
        self._session = requests.Session()
        self._session.auth = _Bearer(checked_key(key))
        self._session.headers["User-Agent"] = f"clearhouse/{__version__}"
        self._pause = pause
        self._say = say

    def get(self, path: str) -> Answer:
        """Ask.  Raises the error family for what the office refuses."""
        return self._send("GET", path, b"", {}, {})

    def post(
        self,
        path: str,
        body: bytes,
        media_type: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Hand in.  Send only what is safe to send twice: an answer may be lost."""
        sent = {"Content-Type": media_type, **(headers or {})}
        return self._send("POST", path, body, query or {}, sent)

    def put(self, path: str, body: bytes, media_type: str) -> Answer:
        """Put in the place of what is there."""
        return self._send("PUT", path, body, {}, {"Content-Type": media_type})

    def _send(
        self, method: str, path: str, body: bytes, query: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> Answer:  # fmt: skip
        why = ""
        for attempt in range(_ATTEMPTS):
            wait = min(2.0**attempt, _LONGEST_WAIT)
            try:
                found = self._session.request(
                    method, f"{self._url}/api{path}", data=body or None, params=dict(query),
                    headers=dict(headers), timeout=_TIMEOUT, allow_redirects=False,
                )  # fmt: skip
            except (requests.ConnectionError, requests.Timeout) as error:
                why = f"{self._host} cannot be reached ({type(error).__name__})"
            except requests.RequestException as error:
                raise Unavailable(
                    f"{self._host} cannot be asked ({type(error).__name__})"
                ) from None
            else:
                if found.status_code not in _TRY_AGAIN:
                    return _answer(found, self._host)
                why = f"{self._host} answered {found.status_code}"
                wait = _wait_said(found.headers.get("Retry-After"), wait)
            if attempt + 1 < _ATTEMPTS:
                self._say(f"{why}; trying again in {wait:g} s")
                self._pause(wait)
        raise Unavailable(f"{why}, {_ATTEMPTS} times; what was accepted before is kept")

    @property
    def _host(self) -> str:
        return urlsplit(self._url).netloc


def _wait_said(text: str | None, otherwise: float) -> float:
    if text and text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_WAIT)
    return otherwise


def _answer(found: requests.Response, host: str) -> Answer:
    """The answer, or the error that its problem document stands for (RFC 9457)."""
    is_json = "json" in found.headers.get("Content-Type", "")
    is_lines = "ndjson" in found.headers.get("Content-Type", "")
    content: Any = None
    if is_json and not is_lines:
        try:
            content = found.json()
        except ValueError:
            raise Unavailable(f"{host} answered with what is no JSON") from None
    if 200 <= found.status_code < 300:
        return Answer(found.status_code, found.content, content)
    detail = content.get("detail") if isinstance(content, dict) else None
    sentence = printable(str(detail or f"{host} answered {found.status_code}"), limit=500)
    kind = _ERRORS.get(found.status_code)
    if kind is None:
        raise Unavailable(sentence)
    if kind is Invalid and isinstance(content, dict):
        where, key = (content.get(name) for name in ("where", "key"))
        raise Invalid(
            sentence,
            where=printable(str(where), limit=200) if where else None,
            key=printable(str(key), limit=100) if key else None,
        )
    raise kind(sentence)


def checked_url(text: str) -> str:
    """An office's address without its last slash.

    Raises :class:`Invalid`, also where the key would travel in the clear to another machine.
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise Invalid("expected an address such as https://office.example", key="--to")
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        raise Invalid("expected https: over http anybody on the way reads the key", key="--to")
    return text.rstrip("/")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def checked_key(text: str) -> str:
    """A key as a manager of the organisation was shown it.  Raises :class:`Invalid`."""
    key = text.strip()
    if not key.startswith(_PREFIX) or not key.isascii() or not key.isprintable() or " " in key:
        raise Invalid(f"expected an API key, which begins with {_PREFIX}", key="API key")
    return key


def key_from(key_file: Path | None) -> str:
    """The key: from the file, else from the environment.  Raises :class:`Invalid`."""
    if key_file is None:
        key = os.environ.get(KEY_VARIABLE)
        if not key:
            raise Invalid(f"give --key-file, or set {KEY_VARIABLE}", key="API key")
        return key
    try:
        return key_file.read_text(encoding="ascii")
    except (OSError, ValueError):
        raise Invalid("cannot be read as a key", where=printable(str(key_file))) from None
