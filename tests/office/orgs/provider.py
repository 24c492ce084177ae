"""The smallest honest identity provider: OpenID Connect Core 1.0, the code flow of section 3.1.

It knows one client and one person at a time, asks that person nothing, and checks what providers
check: the client's secret, the address to return to, PKCE (RFC 7636), that a code is used once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256


@dataclass(frozen=True)
class Person:
    """Who is signed in at the provider."""

    subject: str
    email: str
    confirmed: bool | str


@dataclass
class Provider:
    """What the provider remembers."""

    url: str
    client: str = "clearhouse"
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    person: Person = Person("nobody", "nobody@example.org", confirmed=False)
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, Person] = field(default_factory=dict)

    def configuration(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0, section 3."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def keys(self) -> dict[str, Any]:
        """RFC 7517."""
        public = self.key.public_key().public_numbers()
        size = (public.n.bit_length() + 7) // 8
        one = {
            "kty": "RSA",
            "kid": "1",
            "alg": "RS256",
            "use": "sig",
            "n": _encoded(public.n.to_bytes(size, "big")),
            "e": _encoded(public.e.to_bytes(3, "big")),
        }
        return {"keys": [one]}

    def authorise(self, asked: dict[str, str]) -> str | None:
        """Where the browser goes next, with a code; None where the client is not known."""
        if asked.get("client_id") != self.client or "openid" not in asked.get("scope", ""):
            return None
        if asked.get("code_challenge_method") != "S256":
            return None
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def exchange(self, sent: dict[str, str]) -> dict[str, Any] | None:
        """A token for a code."""
        asked = self.codes.pop(sent.get("code", ""), None)
        challenge = _encoded(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or not secrets.compare_digest(sent.get("client_secret", ""), self.secret)
            or sent.get("redirect_uri") != asked["redirect_uri"]
            or challenge != asked["code_challenge"]
        ):
            return None
        token = secrets.token_urlsafe(16)
        self.tokens[token] = self.person
        now = int(time.time())
        claims = {**_claims(self.person), "iss": self.url, "aud": self.client}
        claims |= {"iat": now, "exp": now + 300}
        if "nonce" in asked:
            claims["nonce"] = asked["nonce"]
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self.signed(claims),
        }

    def signed(self, claims: dict[str, Any]) -> str:
        """RFC 7515, RS256."""
        head = _encoded(json.dumps({"alg": "RS256", "kid": "1", "typ": "JWT"}).encode())
        text = f"{head}.{_encoded(json.dumps(claims).encode())}"
        return f"{text}.{_encoded(self.key.sign(text.encode(), PKCS1v15(), SHA256()))}"


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider that listens on the loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made = Provider(f"http://127.0.0.1:{server.server_address[1]}")
    _Handler.provider = made
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
        match parts.path:
            case "/.well-known/openid-configuration":
                self._json(self.provider.configuration())
            case "/keys":
                self._json(self.provider.keys())
            case "/authorize":
                self._leave(self.provider.authorise(asked))
            case "/userinfo":
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                person = self.provider.tokens.get(token)
                self._json(_claims(person) if person else None)
            case _:
                self._json(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        sent = {key: values[0] for key, values in parse_qs(body).items()}
        self._json(self.provider.exchange(sent) if self.path == "/token" else None)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name above
        pass

    def _leave(self, url: str | None) -> None:
        if url is None:
            self._json(None)
            return
        self.send_response(302)
        self.send_header("Location", url)
        self.end_headers()

    def _json(self, answer: dict[str, Any] | None) -> None:
        body = json.dumps(answer or {"error": "invalid_request"}).encode()
        self.send_response(200 if answer else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _claims(person: Person) -> dict[str, Any]:
    return {"sub": person.subject, "email": person.email, "email_verified": person.confirmed}


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
