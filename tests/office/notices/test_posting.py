"""A receiver's address leads out, and to nothing behind the office's doors."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import pytest

from clearhouse.errors import Invalid, Unavailable
from clearhouse.office.notices import posting
from clearhouse.office.notices.posting import Reach, checked_address, is_public, post
from tests.office.notices.made import Receiver

_PRIVATE = (
    "0.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.1", "127.0.0.1", "127.255.255.254",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.0.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "100::1", "2001:db8::1",
    "2001:0:7f00:1::", "2002:7f00:1::", "2002:a00:1::1", "fc00::1", "fd12:3456::1", "fe80::1",
    "fec0::1", "ff02::1",
)  # fmt: skip
_PUBLIC = ("1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101")


@pytest.mark.parametrize("address", _PRIVATE)
def test_no_address_of_these_networks_is_a_public_one(address: str) -> None:
    assert not is_public(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(Invalid):
        checked_address(f"https://{host}/hook", Reach.PUBLIC)


@pytest.mark.parametrize("address", _PUBLIC)
def test_these_are(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", ["10.0.0.1", "192.168.0.1", "169.254.169.254", "[fe80::1]"])
def test_a_local_office_reaches_this_machine_and_no_other_private_one(address: str) -> None:
    with pytest.raises(Invalid):
        checked_address(f"https://{address}/", Reach.PUBLIC_OR_HERE)
    checked_address("http://127.0.0.1:8000/", Reach.PUBLIC_OR_HERE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://receiver.example/",
        "ftp://receiver.example/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "https://",
        "https:///path",
        "https://user:word@receiver.example/",
        "https://receiver.example/#part",
        "https://receiver.example:99999/",
        "https://receiver.example:0/",
        "https://receiver.example/a b",
        "https://receiver.example/\r\nHost: evil",
        "https://receiver.example/\x00",
        "https://b\u00fccher.example/",
        "https://[::1",
        "https://receiver.example/" + "x" * 500,
        "receiver.example",
    ],
)
def test_what_is_no_receivers_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        checked_address(text, Reach.PUBLIC)


@pytest.mark.parametrize("host", ["localhost", "127.1", "127.0.1"])
def test_a_name_that_leads_to_this_machine_is_found_when_it_is_resolved(
    host: str, receiver: Receiver
) -> None:
    port = receiver.url.split(":")[2].split("/")[0]
    url = checked_address(f"https://{host}:{port}/", Reach.PUBLIC)
    with pytest.raises(Unavailable, match="not public"):
        post(url, {}, b"{}", Reach.PUBLIC)
    assert receiver.got == []


def test_a_name_that_led_elsewhere_when_it_was_added_is_looked_at_again() -> None:
    with pytest.raises(Invalid):
        post("http://10.0.0.1/", {}, b"", Reach.PUBLIC_OR_HERE)


def test_host_path_and_query_arrive_as_they_are(receiver: Receiver) -> None:
    url = receiver.url.replace("127.0.0.1", "localhost")
    answer = post(url, {"webhook-id": "NM-1"}, b'{"a":1}', Reach.PUBLIC_OR_HERE)
    assert answer.is_taken
    [(headers, body)] = receiver.got
    assert headers["host"] == url.split("/")[2]
    assert headers["user-agent"].startswith("clearhouse/")
    assert body == b'{"a":1}'
    assert "cookie" not in headers
    assert "authorization" not in headers


@contextmanager
def answering(raw: bytes, *, pause: float = 0.0) -> Iterator[str]:
    """A server that says something to whoever connects, a byte at a time where it pauses."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            one, _ = server.accept()
            with one:
                one.recv(65536)
                try:
                    for place in range(len(raw)) if pause else (None,):
                        one.sendall(raw if place is None else raw[place : place + 1])
                        time.sleep(pause)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join(5)


@pytest.mark.parametrize(
    "raw",
    [b"", b"no http\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200,
     b"HTTP/1.1 200 " + b"x" * 100_000],
    ids=["nothing", "no http", "no status", "too many headers", "a line without end"],
)  # fmt: skip
def test_an_answer_that_is_none_is_a_failure_in_few_words(raw: bytes) -> None:
    with answering(raw) as url, pytest.raises(Unavailable, match="connection failed"):
        post(url, {}, b"{}", Reach.PUBLIC_OR_HERE)


def test_a_large_answer_is_not_read_to_its_end() -> None:
    with answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10_000_000) as url:
        assert post(url, {}, b"{}", Reach.PUBLIC_OR_HERE).status == 200


def test_who_answers_a_byte_at_a_time_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "_WHOLE_SECONDS", 0.5)
    began = time.monotonic()
    with answering(b"HTTP/1.1 200 OK\r\nx: y\r\n" * 5, pause=0.1) as url:
        with pytest.raises(Unavailable, match="in time"):
            post(url, {}, b"{}", Reach.PUBLIC_OR_HERE)
        assert time.monotonic() - began < 3


def test_who_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "_STEP_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(Unavailable, match="in time"):
            post(url, {}, b"{}", Reach.PUBLIC_OR_HERE)


def test_a_certificate_that_does_not_hold_is_refused(receiver: Receiver) -> None:
    url = receiver.url.replace("http:", "https:")  # no TLS there at all
    with pytest.raises(Unavailable):
        post(url, {}, b"{}", Reach.PUBLIC_OR_HERE)
