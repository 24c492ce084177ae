"""Sending to a receiver that an organisation has named, and to nothing behind the office's doors.

Whoever names a receiver chooses where this machine connects to (server-side request forgery, CWE
918).  1. Only https; plain http to this machine itself, where the office is a local one.  2. The
name is resolved here, and every address that it has is public.  3. The connection goes to the
address that was checked, with the name for TLS: what it resolves to a moment later does not
matter.  4. No redirect is followed, no proxy asked, and little of the answer read.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, urlsplit

from clearhouse import __version__
from clearhouse.errors import Invalid, Unavailable
from clearhouse.office.config import Config

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LONGEST: Final = 500
#: Seconds for each step, and for all of it.
_STEP_SECONDS: Final = 5.0
_WHOLE_SECONDS: Final = 15.0
_READ_BYTES: Final = 4096
#: Addresses of one name that are tried.
_TRIED: Final = 3
_HTTPS, _HTTP = 443, 80
#: The network that stands for IPv4 addresses inside of it and is routed (RFC 6052, 2.1).
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
#: Global unicast (RFC 4291, section 2.4): what is not in it is not public.
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
#: Networks that are not public whatever this version of Python's ipaddress says of them (IANA
#: Special-Purpose Address Registries; Python 3.11.7 has some of their addresses as global).
_SPECIAL: Final = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20"),
    )
)


class Reach(StrEnum):
    """Where receivers may be."""

    PUBLIC = "public"
    PUBLIC_OR_HERE = "public, or this machine"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said."""

    status: int

    @property
    def is_taken(self) -> bool:
        """Whether the message was taken (Standard Webhooks: any 2xx)."""
        return 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether it wants nothing more (Standard Webhooks: 410)."""
        return self.status == http.client.GONE


def reach_of(config: Config) -> Reach:
    """Where receivers may be for an office with that configuration."""
    return Reach.PUBLIC_OR_HERE if config.is_local else Reach.PUBLIC


def checked_address(text: str, reach: Reach) -> str:
    """A receiver's address as it is kept.  Raises :class:`Invalid`.

    Names are looked at when something is sent; here only what no name could make right.
    """
    if not 0 < len(text) <= _LONGEST or not text.isascii() or not text.isprintable() or " " in text:
        raise Invalid(f"expected an address of at most {_LONGEST} ASCII characters", key="address")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Invalid("this is no address", key="address") from None
    literal = _literal(host or "")
    here = (literal is not None and literal.is_loopback) or host == "localhost"
    if not host or parts.scheme not in ("https", "http"):
        raise Invalid("expected an address such as https://receiver.example/", key="address")
    if parts.scheme == "http" and not (here and reach is Reach.PUBLIC_OR_HERE):
        raise Invalid("expected https: others read along otherwise", key="address")
    if parts.username is not None or parts.password is not None or parts.fragment or port == 0:
        raise Invalid("expected a host, a port, a path and a query, nothing else", key="address")
    if literal is not None and not _may_connect(literal, reach):
        raise Invalid("this address is not a public one", key="address")
    return text


def post(address: str, headers: Mapping[str, str], body: bytes, reach: Reach) -> Answer:
    """Send one message.  Raises :class:`Unavailable` where it cannot be, saying why in a few words.

    The words name neither the address nor what the machine there said.
    """
    parts = urlsplit(checked_address(address, reach))
    port = parts.port or (_HTTPS if parts.scheme == "https" else _HTTP)
    try:
        with _connected(parts, port, reach) as connection:
            return _asked(connection, parts, port, headers, body)
    except ssl.SSLCertVerificationError:
        raise Unavailable("its certificate does not hold") from None
    except TimeoutError:
        raise Unavailable("it did not answer in time") from None
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"the connection failed ({type(error).__name__})") from None


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, and leads to no other one inside of it."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in _UNICAST:
            return False
    if any(address in one for one in _SPECIAL if one.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _may_connect(address: Address, reach: Reach) -> bool:
    if is_public(address):
        return True
    return reach is Reach.PUBLIC_OR_HERE and address.is_loopback


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _connected(parts: SplitResult, port: int, reach: Reach) -> socket.socket:
    """A connection to an address that was looked at, with TLS where it is asked for."""
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unavailable("its name is not known") from None
    addresses = [str(one[4][0]) for one in found]
    if not addresses or not all(_may_connect(_parsed(one), reach) for one in addresses):
        raise Unavailable("its name leads to an address that is not public")
    plain = _first_that_answers(addresses, port)
    if parts.scheme == "http":
        return plain
    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


def _first_that_answers(addresses: Sequence[str], port: int) -> socket.socket:
    """A connection to one of the addresses.  Raises OSError where none of three takes it."""
    for address in addresses[: _TRIED - 1]:
        with suppress(OSError):
            return socket.create_connection((address, port), timeout=_STEP_SECONDS)
    return socket.create_connection((addresses[-1], port), timeout=_STEP_SECONDS)


def _parsed(text: str) -> Address:
    return ipaddress.ip_address(text.partition("%")[0])


def _asked(
    open_socket: socket.socket, parts: SplitResult, port: int, headers: Mapping[str, str],
    body: bytes,
) -> Answer:  # fmt: skip
    """One request on the connection; who answers a byte at a time is cut off."""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    usual = port == (_HTTPS if parts.scheme == "https" else _HTTP)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    given = {
        "Host": f"{host}" if usual else f"{host}:{port}",
        "User-Agent": f"clearhouse/{__version__}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **headers,
    }
    is_late = threading.Event()

    def cut() -> None:
        is_late.set()
        with suppress(OSError):
            open_socket.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(_WHOLE_SECONDS, cut)
    timer.daemon = True
    timer.start()
    connection = http.client.HTTPConnection(parts.hostname or "", port)
    connection.sock = open_socket
    try:
        connection.putrequest("POST", path, skip_host=True, skip_accept_encoding=True)
        for name, value in given.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        try:
            response.read(_READ_BYTES)
        finally:
            response.close()
        return Answer(response.status)
    except (OSError, http.client.HTTPException):
        if is_late.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
