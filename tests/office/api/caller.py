"""Machines that call the API, each with a key of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.test import Client
from django.utils import timezone

from clearhouse.office.orgs.actions.keys import make_api_key
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role, Scope
from tests.office.story import somebody

_JSON: Final = "application/json"


def key_for(viewer: Viewer, scopes: Sequence[Scope] = tuple(Scope)) -> str:
    """A key of the viewer's organisation."""
    now = timezone.now()
    made = make_api_key(
        viewer, viewer.acting_for(), name="a machine", scopes=scopes,
        expires_at=now + timedelta(days=1), now=now,
    )  # fmt: skip
    return made.text


@dataclass(frozen=True)
class Caller:
    """Somebody who calls the API; without a key, the public."""

    key: str = ""
    viewer: Viewer | None = None

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return ({"Authorization": f"Bearer {self.key}"} if self.key else {}) | more

    def get(self, path: str, **headers: str) -> Any:
        return Client().get(f"/api{path}", headers=self._headers(headers))

    def post(
        self, path: str, body: Any = None, *, kind: str = "application/json", **headers: str
    ) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Client(raise_request_exception=False).post(
            f"/api{path}", data=data, content_type=kind, headers=self._headers(named)
        )

    def put(self, path: str, body: Any) -> Any:
        is_file = isinstance(body, bytes)
        data, kind = (body, "application/octet-stream") if is_file else (json.dumps(body), _JSON)
        return Client().put(f"/api{path}", data, kind, headers=self._headers({}))

    def delete(self, path: str) -> Any:
        return Client().delete(f"/api{path}", headers=self._headers({}))


def caller(slug: str, *roles: Role, scopes: Sequence[Scope] = tuple(Scope)) -> Caller:
    """An organisation with those roles, and a key of it."""
    viewer = somebody(slug, *roles)
    return Caller(key_for(viewer, scopes), viewer)


def said(response: Any, status: int = 200) -> Any:
    """The JSON of an answer that has to have that status."""
    assert response.status_code == status, response.content[:2000]
    return json.loads(response.content)
