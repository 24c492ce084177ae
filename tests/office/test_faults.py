"""What an office says while its database is away or its disk is full, and what it keeps."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest

from tests.office.kills import Office, served
from tests.office.postgresql import Server, postgresql

__all__ = ["postgresql"]

pytestmark = pytest.mark.slow

_MIB = 1 << 20
_PASSWORD = "correct horse battery staple"
_PERSON = f"""
import django
django.setup()
from tests.office.story import somebody
from clearhouse.office.orgs.models import User
from clearhouse.protocol.roles import Role
somebody("hexfind", Role.FINDER)
ada = User.objects.get(email="ada@hexfind.example")
ada.set_password({_PASSWORD!r})
ada.save()
"""


def _asked(office: Office, path: str, *, body: bytes | None = None, key: str = "") -> Any:
    """Status, headers and text of an answer."""
    request = Request(f"http://127.0.0.1:{office.port}{path}", body)
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    if body is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with build_opener().open(request, timeout=60) as found:
            return found.status, found.headers, found.read().decode()
    except HTTPError as error:
        return error.code, error.headers, error.read().decode()


def _report(number: int, characters: int = 0) -> bytes:
    return json.dumps({"title": f"Report {number}", "description": "x" * characters}).encode()


def test_while_the_database_is_away_each_answer_says_so_and_then_all_goes_on(
    postgresql: Server, tmp_path: Path
) -> None:
    with served(tmp_path, postgresql.new_database()) as office:
        key = office.run("tests.office.kept", "finder").strip()
        status, _, text = _asked(office, "/api/findings/report", body=_report(1), key=key)
        assert status == 201, text
        postgresql.stop()
        try:
            for path in ("/account/login/", "/api/findings", "/ledger/"):
                status, headers, text = _asked(office, path, key=key if "api" in path else "")
                if status == 200:  # shown without a look into the database
                    continue
                assert status == 503, (path, text)
                assert "The database does not answer" in text
                assert int(headers["Retry-After"]) > 0
                assert "Traceback" not in text
            status, headers, text = _asked(office, "/api/findings/report", body=_report(2), key=key)
            assert (status, headers["Content-Type"]) == (503, "application/problem+json")
        finally:
            postgresql.start_again()
        until = time.monotonic() + 30
        while time.monotonic() < until:
            status, _, text = _asked(office, "/api/findings/report", body=_report(2), key=key)
            if status == 201:
                break
            time.sleep(0.2)
        assert status == 201, text
        while int(office.run("tests.office.kept", "open")):
            time.sleep(0.5)
        assert office.stop() == 0
        log = office.log.read_text()
        assert "the database does not answer" in log
        assert "Traceback" not in log
        assert len(json.loads(office.run("tests.office.kept", "report"))["findings"]) == 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB: the files of pages take a third of it."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_on_a_full_disk_what_was_accepted_is_kept_and_the_rest_is_refused(
    small_disk: Path,
) -> None:
    filler = small_disk / "filler"
    with served(small_disk, "") as office:
        key = office.run("tests.office.kept", "finder").strip()
        left = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
        filler.write_bytes(bytes(max(0, left - 4 * _MIB)))
        accepted, refused = [], 0
        for number in range(400):
            body = _report(number, 60_000)
            status, _, text = _asked(office, "/api/findings/report", body=body, key=key)
            if status == 201:
                accepted.append(json.loads(text)["name"])
                continue
            assert status == 503, text
            assert "not taken" in text
            refused += 1
            if refused == 5:
                break
        assert accepted
        assert refused == 5
        assert "disk is full" in office.log.read_text()
        filler.unlink()
        status, _, text = _asked(office, "/api/findings/report", body=_report(1000), key=key)
        assert status == 201, text
        while int(office.run("tests.office.kept", "open")):
            time.sleep(0.5)
        assert office.stop() == 0
        kept = json.loads(office.run("tests.office.kept", "report"))
        names = {one["name"] for one in kept["findings"]}
        assert names == {*accepted, json.loads(text)["name"]}
        assert all(one["is_readable"] for one in kept["findings"])
        assert "everything fits" in office.run("clearhouse", "ledger", "verify")
        assert "Traceback" not in office.log.read_text()


def test_no_secret_is_in_the_log_of_an_office(postgresql: Server, tmp_path: Path) -> None:
    with served(tmp_path, postgresql.new_database()) as office:
        key = office.run("tests.office.kept", "finder").strip()
        office.python(_PERSON)
        wrong_key = f"{key[:-4]}wron"
        for path in ("/", "/account/login/", "/ledger/", "/nowhere", f"/nowhere?key={key}",
                     f"/api/findings?key={key}", "/api/nowhere"):  # fmt: skip
            for used in ("", key, wrong_key):
                _asked(office, path, key=used)
        _asked(office, "/api/findings/report", body=_report(1), key=key)
        _asked(office, "/api/findings/report", body=b"{", key=key)
        answers = [_signed_in(office, password) for password in ("wrong passphrase", _PASSWORD)]
        assert answers == [False, True]
        postgresql.restart()
        for path in ("/", "/api/findings"):
            _asked(office, path, key=key)
        assert office.stop() == 0
        log = office.log.read_text()
        assert "Not Found: /nowhere" in log, "the log says what was asked"
        secrets = [key, key.rpartition("_")[2], wrong_key, _PASSWORD, "wrong passphrase"]
        secrets += [path.read_text().strip() for path in tmp_path.glob("*-key")]
        assert len(secrets) == 8
        assert [one for one in secrets if one in log] == []


def _signed_in(office: Office, password: str) -> bool:
    """Sign in by the form, as a browser does."""
    jar = CookieJar()
    browser = build_opener(HTTPCookieProcessor(jar))
    page = f"http://localhost:{office.port}/account/login/"
    text = browser.open(page, timeout=60).read().decode()
    token = text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    form = {"csrfmiddlewaretoken": token, "login": "ada@hexfind.example", "password": password}
    request = Request(page, urlencode(form).encode(), {"Referer": page})
    with suppress(HTTPError):  # a form that is shown again
        browser.open(request, timeout=60).close()
    return any(cookie.name == "sessionid" for cookie in jar)
