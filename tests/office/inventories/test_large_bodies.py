"""Two gigabytes sent to an office that is served: refused, and its memory stays as it is."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from clearhouse.cli.office_client import OfficeClient
from tests.office.api.live import Live, live_office
from tests.office.orgs.running import PASSWORD

pytestmark = pytest.mark.slow

_BODY = 2 << 30
_CHUNK = bytes(1 << 20)
#: What the server's processes may grow by in all.
_MOST_GROWTH = 200 << 20
_SECONDS = 120
_BOUNDARY = "0123456789abcdef"
_GIVE_PASSWORDS = """
import sys
import django
django.setup()
from clearhouse.office.orgs.models import User
for user in User.objects.all():
    user.set_password(sys.argv[1])
    user.save()
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_office(tmp_path_factory.mktemp("office"), {"hospital": ["deployer"]}) as live:
        command = [sys.executable, "-W", "ignore", "-c", _GIVE_PASSWORDS, PASSWORD]
        subprocess.run(command, env=dict(live.environment), check=True, capture_output=True)
        yield live


@pytest.fixture(scope="module")
def system(office: Live) -> str:
    client = OfficeClient(office.url, office.keys["hospital"])
    made = client.post("/systems", b'{"title": "Records"}', "application/json")
    return str(made.content["name"])


def _status(pid: int, key: str) -> int:
    found = re.search(rf"^{key}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def _processes(top: int) -> list[int]:
    """A process and all below it."""
    found = [top]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").iterdir():
            found += [int(one) for one in (task / "children").read_text().split()]
    return found


class Watched:
    """How much the memory of an office's processes has grown, at its highest."""

    def __init__(self, office: Live) -> None:
        self._before = {one: _status(one, "VmRSS") for one in _processes(office.process)}

    def growth(self) -> int:
        """In bytes."""
        return 1024 * sum(
            max(0, _status(one, "VmHWM") - before) for one, before in self._before.items()
        )


def _sent(office: Live, head: list[str], begin: bytes = b"", *, framed: str = "") -> tuple[int, int]:
    """Send zeros until all is sent or no more is taken: the status, 0 for none, and the bytes."""
    address = urlsplit(office.url)
    lines = "\r\n".join([*head, f"Host: {address.netloc}", "Connection: close", "", ""])
    count = 0
    with socket.create_connection((str(address.hostname), int(address.port or 0)), _SECONDS) as to:
        try:
            to.sendall(lines.encode() + begin)
            while count < _BODY:
                part = b"%x\r\n%b\r\n" % (len(_CHUNK), _CHUNK) if framed else _CHUNK
                to.sendall(part)
                count += len(_CHUNK)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return _answered(to), count


def _answered(to: socket.socket) -> int:
    try:
        first = to.makefile("rb").readline()
    except ConnectionResetError:
        return 0
    return int(first.split()[1]) if first else 0


def test_probe(office: Live, system: str) -> None:
    bearer = f"Authorization: Bearer {office.keys['hospital']}"
    path = f"/api/systems/{system}/inventories"
    for head, framed in (
        ([f"POST {path} HTTP/1.1", bearer, f"Content-Length: {_BODY}"], ""),
        ([f"POST {path} HTTP/1.1", bearer, "Transfer-Encoding: chunked"], "y"),
        ([f"POST {path} HTTP/1.1", f"Content-Length: {_BODY}"], ""),
        ([f"POST {path} HTTP/1.1", bearer, f"Content-Type: multipart/form-data; boundary={_BOUNDARY}", f"Content-Length: {_BODY}"], ""),
    ):
        w = Watched(office)
        print(head[2:], _sent(office, head, framed=framed), w.growth() >> 20)
    session = requests.Session()
    page = session.get(f"{office.url}/account/login/").text
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)[1]
    r = session.post(f"{office.url}/account/login/", data={"csrfmiddlewaretoken": token, "login": "ada@hospital.example", "password": PASSWORD}, headers={"Referer": office.url})
    print(r.url, r.status_code, session.get(f"{office.url}/exposure/systems/{system}/").status_code)
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', session.get(f"{office.url}/exposure/systems/{system}/").text)[1]
    cookies = "; ".join(f"{k}={v}" for k, v in session.cookies.items())
    begin = (f"--{_BOUNDARY}\r\nContent-Disposition: form-data; name=\"csrfmiddlewaretoken\"\r\n\r\n{token}\r\n"
      f"--{_BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.json\"\r\nContent-Type: application/json\r\n\r\n").encode()
    w = Watched(office)
    print("page", _sent(office, [f"POST /exposure/systems/{system}/upload/ HTTP/1.1", f"Cookie: {cookies}", f"Content-Type: multipart/form-data; boundary={_BOUNDARY}", f"Content-Length: {_BODY + len(begin)}"], begin), w.growth() >> 20)
    assert 0
