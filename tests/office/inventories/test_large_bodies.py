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
_FORM = f"multipart/form-data; boundary={_BOUNDARY}"
_END = f"\r\n--{_BOUNDARY}--\r\n".encode()
#: Too large, or hung up without a word.
_REFUSED = (413, 0)
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


def _sent(
    office: Live, head: list[str], begin: bytes = b"", *, body: int = _BODY, wrap: bytes = b"%b"
) -> tuple[int, int]:
    """Send zeros until all is sent or no more is taken: the status, 0 for none, and the bytes."""
    address = urlsplit(office.url)
    lines = "\r\n".join([*head, f"Host: {address.netloc}", "Connection: close", "", ""])
    count = 0
    with socket.create_connection((str(address.hostname), int(address.port or 0)), _SECONDS) as to:
        try:
            to.sendall(lines.encode() + begin)
            while count < body:
                to.sendall(wrap % _CHUNK)
                count += len(_CHUNK)
            to.sendall(_END)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return _answered(to), count


def _answered(to: socket.socket) -> int:
    try:
        first = to.makefile("rb").readline()
    except ConnectionResetError:
        return 0
    return int(first.split()[1]) if first else 0


def _posting(path: str, *more: str) -> list[str]:
    return [f"POST {path} HTTP/1.1", *more]


@pytest.mark.parametrize("form", ["", f"Content-Type: {_FORM}"], ids=["body", "form"])
def test_the_api_refuses_it_before_it_is_read(form: str, office: Live, system: str) -> None:
    bearer = f"Authorization: Bearer {office.keys['hospital']}"
    path = f"/api/systems/{system}/inventories"
    head = _posting(path, bearer, f"Content-Length: {_BODY}", *filter(None, [form]))
    watched = Watched(office)
    status, sent = _sent(office, head)
    assert status in _REFUSED
    assert sent < _BODY
    assert watched.growth() < _MOST_GROWTH


def test_a_body_that_never_says_its_length_is_not_read(office: Live, system: str) -> None:
    bearer = f"Authorization: Bearer {office.keys['hospital']}"
    path = f"/api/systems/{system}/inventories"
    watched = Watched(office)
    wrap = b"%x\r\n" % len(_CHUNK) + b"%b\r\n"
    status, sent = _sent(office, _posting(path, bearer, "Transfer-Encoding: chunked"), wrap=wrap)
    assert status in {*_REFUSED, 422}
    assert sent < _BODY
    assert watched.growth() < _MOST_GROWTH


@pytest.mark.parametrize("action", ["upload", "state"])
def test_the_page_refuses_it_before_it_is_read(action: str, office: Live, system: str) -> None:
    head, begin = _form(office, system, action)
    length = f"Content-Length: {len(begin) + _BODY + len(_END)}"
    watched = Watched(office)
    status, sent = _sent(office, [*head, length], begin)
    assert status in _REFUSED
    assert sent < _BODY
    assert watched.growth() < _MOST_GROWTH


@pytest.mark.exhaustive
@pytest.mark.parametrize("action", ["upload", "state"])
def test_what_a_form_may_have_and_no_list_is_refused_in_little_memory(
    action: str, office: Live, system: str
) -> None:
    head, begin = _form(office, system, action)
    body = 512 << 20
    length = f"Content-Length: {len(begin) + body + len(_END)}"
    watched = Watched(office)
    status, sent = _sent(office, [*head, length], begin, body=body)
    assert (status, sent) == (422, body)
    assert watched.growth() < _MOST_GROWTH


def _form(office: Live, system: str, action: str) -> tuple[list[str], bytes]:
    """The head of a form that a signed-in person sends, and how its body begins."""
    session = requests.Session()
    login = f"{office.url}/account/login/"
    given = {"login": "ada@hospital.example", "password": PASSWORD}
    given["csrfmiddlewaretoken"] = _token(session, login)
    session.post(login, data=given, headers={"Referer": login}, timeout=_SECONDS)
    place = f"/exposure/systems/{system}/"
    token = _token(session, office.url + place)
    cookies = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
    parts = (
        ("csrfmiddlewaretoken", "", token),
        ("file" if action == "upload" else "statements", '; filename="x.json"', ""),
    )
    begin = "\r\n".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{text}'
        for name, more, text in parts
    )
    return _posting(f"{place}{action}/", f"Cookie: {cookies}", f"Content-Type: {_FORM}"), (
        begin.encode()
    )


def _token(session: requests.Session, url: str) -> str:
    page = session.get(url, timeout=_SECONDS)
    assert page.ok, url
    found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert found is not None, url
    return found[1]
