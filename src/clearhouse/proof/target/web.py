"""Reading from a registry: one session, credentials only for where they belong, clear errors."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import url2pathname

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.utils import get_netrc_auth
from urllib3.util import Retry

from clearhouse.proof.target.model import Reason, TargetUnavailable

SIZE_LIMIT = 2 << 30
"""Bytes of one downloaded file."""
CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Credential:
    """What to send to one place, and nowhere else."""

    prefix: str
    """``host[:port]/path`` that the credential is for, as npm writes it, without the scheme."""
    header: str
    """The value of the Authorization header."""


@dataclass(frozen=True, slots=True)
class Access:
    """How the user's client reaches its registry."""

    verify: str | Literal[True] = True
    """A file of certificate authorities, or the system's own choice."""
    insecure_hosts: tuple[str, ...] = ()
    """Hosts whose certificate the user chose not to check."""
    client_certificate: str | None = None
    proxies: tuple[tuple[str, str], ...] = ()
    timeout: float = 30.0
    """Seconds for connecting and between two pieces of an answer."""
    credentials: tuple[Credential, ...] = ()


class NotThere(Exception):
    """The address answered that there is nothing (404 or 410)."""


class Denied(TargetUnavailable):
    """The address answered that we may not (401 or 403)."""


class Web:
    """Downloads for one registry, usable from several threads."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._local = threading.local()

    def session(self) -> requests.Session:
        """Return this thread's session."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._open()
        return session

    def get(self, url: str, *, accept: str = "*/*") -> requests.Response:
        """Read an answer whole.

        Raises NotThere, or TargetUnavailable with UNREACHABLE.
        """
        try:
            answer = self.session().get(
                url, headers={"Accept": accept}, timeout=self._access.timeout
            )
        except requests.RequestException as error:
            raise unreachable(url, error) from error
        check(answer)
        return answer

    def download(self, url: str, destination: Path) -> None:
        """Write what is at ``url`` to the new file ``destination``.

        Raises NotThere, or TargetUnavailable with UNREACHABLE.
        """
        try:
            with self.session().get(url, stream=True, timeout=self._access.timeout) as answer:
                check(answer)
                written = 0
                with destination.open("xb") as target:
                    for chunk in answer.iter_content(CHUNK):
                        written += len(chunk)
                        if written > SIZE_LIMIT:
                            message = f"{_shown(url)} is larger than {SIZE_LIMIT} bytes"
                            raise TargetUnavailable(Reason.UNSAFE_ARCHIVE, message)
                        target.write(chunk)
        except requests.RequestException as error:
            raise unreachable(url, error) from error

    def _open(self) -> requests.Session:
        session = requests.Session()
        retry = Retry(
            total=3, backoff_factor=0.3, status_forcelist=(502, 503, 504), raise_on_status=False
        )
        session.mount("https://", HTTPAdapter(max_retries=retry))
        session.mount("http://", HTTPAdapter(max_retries=retry))
        session.verify = self._access.verify
        for host in self._access.insecure_hosts:
            for end in ("/",) if ":" in host else ("/", ":"):
                session.mount(f"https://{host}{end}", _Unverified(max_retries=retry))
        session.cert = self._access.client_certificate
        session.proxies.update(dict(self._access.proxies))
        session.auth = _Authorization(self._access.credentials)
        session.headers["User-Agent"] = "clearhouse"
        return session


class _Unverified(HTTPAdapter):
    """For hosts that the user's own client is told to trust without a certificate."""

    def cert_verify(self, conn: object, url: str, verify: object, cert: object) -> None:  # noqa: ARG002
        super().cert_verify(conn, url, verify=False, cert=cert)  # type: ignore[no-untyped-call]


class _Authorization(AuthBase):
    def __init__(self, credentials: tuple[Credential, ...]) -> None:
        # The most specific address first, as npm and pip choose.
        self._credentials = sorted(credentials, key=lambda one: -len(one.prefix))

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        split = urlsplit(request.url or "")
        place = f"{split.hostname}{f':{split.port}' if split.port else ''}{split.path}"
        for credential in self._credentials:
            if place.startswith(credential.prefix):
                request.headers["Authorization"] = credential.header
                return request
        if login := get_netrc_auth(request.url or ""):
            request.prepare_auth(login)
        return request


def check(answer: requests.Response) -> None:
    """Raise for an answer that is not the thing asked for."""
    if answer.status_code in {404, 410}:
        raise NotThere
    if answer.status_code in {401, 403}:
        message = (
            f"{_shown(answer.url)} wants other credentials (status {answer.status_code}):"
            " set them as for pip or npm"
        )
        raise Denied(Reason.UNREACHABLE, message)
    if not answer.ok:
        message = f"{_shown(answer.url)} answered with status {answer.status_code}: try again later"
        raise TargetUnavailable(Reason.UNREACHABLE, message)


def unreachable(url: str, error: Exception) -> TargetUnavailable:
    """Return the error for an address that cannot be reached."""
    message = (
        f"{_shown(url)} cannot be reached ({type(error).__name__}): check the network,"
        " or the index and proxy that pip or npm is configured with"
    )
    return TargetUnavailable(Reason.UNREACHABLE, message)


def without_login(url: str) -> str:
    """Return ``url`` without a user name and password in it."""
    split = urlsplit(url)
    return urlunsplit(split._replace(netloc=split.netloc.rpartition("@")[2]))


def local_path(url: str) -> Path | None:
    """Return the path that a ``file:`` address or a bare path names; None for other addresses."""
    split = urlsplit(url)
    if split.scheme == "file":
        return Path(url2pathname(split.path))
    return None if split.scheme else Path(unquote(url))


def _shown(url: str) -> str:
    split = urlsplit(without_login(url))
    return f"{split.scheme}://{split.netloc}{split.path}"
