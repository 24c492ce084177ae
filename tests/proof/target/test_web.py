"""Credentials go where they belong; errors say what to do and never show a secret."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from clearhouse.proof.target import Reason, TargetUnavailable
from clearhouse.proof.target.web import Access, Credential, NotThere, Web, local_path
from tests.proof.target.making import Server, serving


def _place(server: Server) -> str:
    return urlsplit(server.url).netloc


def test_a_credential_goes_to_its_place_only(server: Server) -> None:
    server.put("/private/x", "")
    server.put("/public/x", "")
    web = Web(Access(credentials=(Credential(f"{_place(server)}/private/", "Bearer t"),)))
    web.get(f"{server.url}/private/x")
    web.get(f"{server.url}/public/x")
    assert [headers.get("authorization") for headers in server.headers] == ["Bearer t", None]


def test_the_most_specific_credential_wins(server: Server) -> None:
    server.put("/a/b/x", "")
    place = _place(server)
    credentials = (Credential(f"{place}/", "Bearer wide"), Credential(f"{place}/a/b/", "Bearer b"))
    Web(Access(credentials=credentials)).get(f"{server.url}/a/b/x")
    assert server.headers[0]["authorization"] == "Bearer b"


def test_a_host_that_only_starts_alike_gets_no_credential(server: Server) -> None:
    server.put("/x", "")
    host, _, port = _place(server).partition(":")
    web = Web(Access(credentials=(Credential(f"{host}:{port[:-1]}/", "Bearer t"),)))
    web.get(f"{server.url}/x")
    assert "authorization" not in server.headers[0]


def test_a_redirect_to_another_host_does_not_carry_the_credential_along(server: Server) -> None:
    with serving() as other:
        other.put("/x", "got it")
        # The handler has no redirects: a 30x answer with its Location as a header of the kind.
        server.routes["/x"] = (302, f"text/plain\r\nLocation: {other.url}/x", b"")
        web = Web(Access(credentials=(Credential(f"{_place(server)}/", "Bearer t"),)))
        assert web.get(f"{server.url}/x").text == "got it"
        assert "authorization" not in other.headers[0]


@pytest.mark.parametrize("status", [404, 410])
def test_a_missing_thing_is_not_there(server: Server, status: int) -> None:
    server.routes["/x"] = (status, "text/plain", b"")
    with pytest.raises(NotThere):
        Web(Access()).get(f"{server.url}/x")


@pytest.mark.parametrize(("status", "advice"), [(401, "credentials"), (500, "try again")])
def test_an_error_says_what_to_do_without_the_secret(
    server: Server, status: int, advice: str
) -> None:
    server.routes["/x"] = (status, "text/plain", b"")
    address = server.url.replace("http://", "http://me:hunter2@")
    with pytest.raises(TargetUnavailable, match=advice) as caught:
        Web(Access()).get(f"{address}/x?token=hunter2")
    assert caught.value.reason is Reason.UNREACHABLE
    assert "hunter2" not in str(caught.value)


def test_a_server_that_is_gone_is_unreachable(tmp_path: Path) -> None:
    with serving() as server:
        url = server.url
    with pytest.raises(TargetUnavailable, match="check the network") as caught:
        Web(Access(timeout=2)).download(f"{url}/x", tmp_path / "x")
    assert caught.value.reason is Reason.UNREACHABLE


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("file:///a/b%20c", Path("/a/b c")),
        ("/wheels", Path("/wheels")),
        ("https://a.invalid/x", None),
    ],
)
def test_local_addresses_are_told_from_others(address: str, expected: Path | None) -> None:
    assert local_path(address) == expected
