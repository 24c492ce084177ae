"""``clearhouse bench stand-in`` over HTTP: strangers and broken requests are told so."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.benchmark.making import folder_of

CREDENTIAL = "a-credential"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    items = folder_of(tmp_path_factory.mktemp("items"), "one")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    command = [sys.executable, "-m", "clearhouse", "bench", "stand-in", "--items", str(items),
               "--address", f"127.0.0.1:{number}", "--credential", CREDENTIAL]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as served:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", number)) == 0:
                    break
            time.sleep(0.1)
        yield number
        served.terminate()


def asked(port: int, body: bytes, credential: bytes = CREDENTIAL.encode()) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers: dict[str, str | bytes] = {
        "Authorization": b"Bearer " + credential,
        "Content-Type": "application/json",
    }
    connection.request("POST", "/v1/chat/completions", body, headers)
    found = connection.getresponse()
    answer = (found.status, found.read())
    connection.close()
    return answer


def test_it_answers_who_brings_the_credential(port: int) -> None:
    status, body = asked(port, b'{"model": "stand-in", "messages": []}')
    assert status == 200
    assert json.loads(body)["choices"][0]["message"]["tool_calls"]


@pytest.mark.parametrize("credential", [b"", b"another", b"\xff\xfe", CREDENTIAL.encode() + b"x"])
def test_who_brings_another_is_turned_away(port: int, credential: bytes) -> None:
    assert asked(port, b"{}", credential)[0] == 401


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b"[" * 100_000, b"{}", b'{"messages": [1]}', b'{"messages": {}}']
)
def test_what_is_no_request_is_told_so(port: int, body: bytes) -> None:
    status, said = asked(port, body)
    assert status == 400
    assert "message" in json.loads(said)["error"]


def test_its_help_says_what_it_is_for(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "clearhouse", "bench", "stand-in", "--items", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--credential" in done.stderr
