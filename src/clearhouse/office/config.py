"""What an office is told from outside: environment variables and the files they name."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

from clearhouse.errors import Invalid, Unavailable

_SECRET_BYTES: Final = 48
_SEED_BYTES: Final = 32
_SMTP: Final = 25
_RANDOM: Final = 4
#: Where ``clearhouse gateway serve`` listens when it is told nothing.
_LOCAL_GATEWAY: Final = "http://127.0.0.1:8700"


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one office.

    ``home`` holds what is not in the database: the default database itself and the keys.
    ``url`` is the address that people use.  ``is_local`` allows plain HTTP, for one machine.
    ``gateway`` is where holders of grants reach the gateway, empty where nobody has said.
    ``needs_second_factor`` asks it of everybody in an organisation that coordinates.
    ``mail`` is the host and port of a relay.  ``is_behind_proxy``: its own says who asks.
    """

    home: Path
    database: Mapping[str, Any]
    url: str
    gateway: str
    office: str
    contact: str
    is_local: bool
    secret: str | None
    oidc: Mapping[str, str]
    mail: tuple[str, int] | None
    mail_from: str
    is_behind_proxy: bool
    needs_second_factor: bool
    cna_org_id: str | None
    cna_short_name: str | None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Config:
        """Read the environment.  Raises :class:`Invalid` naming the variable that is wrong."""
        home = Path(
            environment.get("CLEARHOUSE_HOME")
            or Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "clearhouse"
        )
        url = _address(environment.get("CLEARHOUSE_URL", "http://localhost:8600"), "CLEARHOUSE_URL")
        parts = urlsplit(url)
        gateway = environment.get("CLEARHOUSE_GATEWAY_URL", "")
        if not gateway and parts.scheme == "http":
            gateway = _LOCAL_GATEWAY
        return cls(
            home=home.absolute(),
            database=_database(environment.get("CLEARHOUSE_DATABASE", ""), home.absolute()),
            url=url,
            gateway=_address(gateway, "CLEARHOUSE_GATEWAY_URL") if gateway else "",
            office=environment.get("CLEARHOUSE_OFFICE", "Vulnerability Clearinghouse"),
            contact=environment.get("CLEARHOUSE_CONTACT", f"{url}/contact"),
            is_local=parts.scheme == "http",
            secret=_secret(environment, "CLEARHOUSE_SECRET_KEY"),
            oidc=_oidc(environment),
            mail=_mail(environment.get("CLEARHOUSE_MAIL", "")),
            mail_from=environment.get("CLEARHOUSE_MAIL_FROM", "clearhouse@localhost"),
            needs_second_factor=_second_factor(environment, is_local=parts.scheme == "http"),
            is_behind_proxy=_is_behind_proxy(environment.get("CLEARHOUSE_BEHIND_PROXY", "")),
            cna_org_id=_org_id(environment.get("CLEARHOUSE_CNA_ORG_ID", "")),
            cna_short_name=environment.get("CLEARHOUSE_CNA_SHORT_NAME") or None,
        )

    @property
    def host(self) -> str:
        """The host name of the office's address."""
        return urlsplit(self.url).hostname or "localhost"

    @property
    def secret_file(self) -> Path:
        """Where the secret for sessions lies when the environment names none."""
        return self.home / "secret-key"

    @property
    def ledger_key_file(self) -> Path:
        """Where the ledger's signing key lies: 32 bytes in hexadecimal."""
        return self.home / "ledger-key"

    @property
    def seal_key_file(self) -> Path:
        """Where the key lies that seals proofs and files in the database."""
        return self.home / "seal-key"

    @property
    def static(self) -> Path:
        """Where collected static files lie."""
        return self.home / "static"

    def prepare(self) -> None:
        """Make the home and the keys that are not there yet, readable by the owner only.

        Raises :class:`Unavailable` where that cannot be done.
        """
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.static.mkdir(exist_ok=True)
            for path, size in (
                (self.secret_file, _SECRET_BYTES),
                (self.ledger_key_file, _SEED_BYTES),
                (self.seal_key_file, _SEED_BYTES),
            ):
                _make_secret(path, size)
        except OSError as error:
            raise Unavailable(
                f"{self.home} cannot be written ({error.strerror}); set CLEARHOUSE_HOME to a"
                " folder that can"
            ) from None

    def session_secret(self) -> str:
        """The secret that signs sessions: from the environment, the file, or one for now only."""
        if self.secret:
            return self.secret
        try:
            return self.secret_file.read_text().strip()
        except OSError:
            return secrets.token_urlsafe(_SECRET_BYTES)

    def ledger_seed(self) -> bytes:
        """The seed of the ledger's key.  Raises :class:`Unavailable` where it cannot be read."""
        return _read_key(self.ledger_key_file, "the ledger's key")

    def seal_key(self) -> bytes:
        """The key that seals what is kept.  Raises :class:`Unavailable`."""
        return _read_key(self.seal_key_file, "the key that seals proofs and files")


def _read_key(path: Path, what: str) -> bytes:
    key, cause = b"", None
    try:
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        cause = error
    if len(key) != _SEED_BYTES:
        raise Unavailable(
            f"{what} cannot be read from {path}; 'clearhouse office prepare' makes one where none"
            " was, and a backup of the office's home holds the old one"
        ) from cause
    return key


def current() -> Config:
    """The configuration of this process."""
    return Config.of(os.environ)


def _address(text: str, key: str) -> str:
    """An address without its last slash."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid("expected an address like https://office.example", key=key)
    return text.rstrip("/")


def _secret(environment: Mapping[str, str], name: str) -> str | None:
    """A secret by value or by file, as containers hand them in."""
    named = environment.get(f"{name}_FILE")
    if named:
        try:
            return Path(named).read_text().strip()
        except OSError as error:
            raise Invalid(f"{named} cannot be read", key=f"{name}_FILE") from error
    return environment.get(name)


def _second_factor(environment: Mapping[str, str], *, is_local: bool) -> bool:
    """Whether coordinators need one; only an office on one machine may do without."""
    key = "CLEARHOUSE_SECOND_FACTOR"
    match environment.get(key, "required"):
        case "required":
            return True
        case "optional" if is_local:
            return False
        case "optional":
            raise Invalid("only an office at an http address can go without", key=key)
        case _:
            raise Invalid("expected required or optional", key=key)


def _mail(text: str) -> tuple[str, int] | None:
    """The host and port of the machine that takes mail; 25 where no port is named."""
    if not text:
        return None
    host, _, port = text.partition(":")
    if not host or not (port or "25").isascii() or not (port or "25").isdecimal():
        raise Invalid("expected host:port", key="CLEARHOUSE_MAIL")
    return host, int(port or _SMTP)


def _is_behind_proxy(text: str) -> bool:
    """Only a plain yes: whoever may name its own address is counted under any."""
    if text not in ("", "0", "1"):
        raise Invalid("expected 1, or 0", key="CLEARHOUSE_BEHIND_PROXY")
    return text == "1"


def _org_id(text: str) -> str | None:
    """The identifier of a CVE numbering authority (CVE record format, ``uuid``)."""
    if not text:
        return None
    with suppress(ValueError):
        if UUID(text).version == _RANDOM:
            return str(UUID(text))
    raise Invalid("expected a UUID of version 4", key="CLEARHOUSE_CNA_ORG_ID")


def _oidc(environment: Mapping[str, str]) -> dict[str, str]:
    """An identity provider to sign in with; all of its three variables, or none."""
    issuer = environment.get("CLEARHOUSE_OIDC_ISSUER")
    if not issuer:
        return {}
    client = environment.get("CLEARHOUSE_OIDC_CLIENT_ID")
    secret = _secret(environment, "CLEARHOUSE_OIDC_CLIENT_SECRET")
    if not client or not secret:
        raise Invalid("needs a client id and a client secret as well", key="CLEARHOUSE_OIDC_ISSUER")
    name = environment.get("CLEARHOUSE_OIDC_NAME", "Single sign-on")
    return {"issuer": issuer, "client_id": client, "secret": secret, "name": name}


def _database(text: str, home: Path) -> dict[str, Any]:
    key = "CLEARHOUSE_DATABASE"
    if not text:
        return _sqlite(home / "clearhouse.sqlite3")
    parts = urlsplit(text)
    match parts.scheme:
        case "sqlite":
            return _sqlite(Path(unquote(parts.path)))
        case "postgresql" | "postgres":
            try:
                port = parts.port
            except ValueError:
                raise Invalid("the port is no number", key=key) from None
            return {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": unquote(parts.path.lstrip("/")),
                "USER": unquote(parts.username or ""),
                "PASSWORD": unquote(parts.password or ""),
                # A host in the query is the folder of a Unix socket.
                "HOST": _query(parts.query).get("host", parts.hostname or ""),
                "PORT": str(port or ""),
                "CONN_MAX_AGE": 60,
                "CONN_HEALTH_CHECKS": True,
            }
        case _:
            raise Invalid("expected sqlite:///path or postgresql://user@host/name", key=key)


def _query(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split("&") if part)
    return {name: unquote(value) for name, _, value in pairs}


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            # A transaction that will write says so at its start: two that found out later could
            # only fail each other (SQLite, "Isolation").
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": (
                "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA cache_size=-65536;"
                "PRAGMA temp_store=MEMORY;PRAGMA mmap_size=268435456;"
            ),
        },
    }


def _make_secret(path: Path, size: int) -> None:
    if not path.exists():
        write_once(path, secrets.token_hex(size))


def write_once(path: Path, text: str) -> None:
    """Write a file for the owner only, where there is none yet: whole, or not at all.

    Of several that do so at once one wins; what is killed half way leaves no half of a key.
    """
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(unfinished)
    finally:
        unfinished.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
