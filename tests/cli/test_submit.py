"""``clearhouse submit`` and ``known`` against a whole office on the loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from clearhouse.cli.exits import ExitCode
from clearhouse.cli.main import main
from clearhouse.cli.office_client import OfficeClient, checked_key, checked_url
from clearhouse.cli.parcels import LINES_TOGETHER, Parcel, parcels
from clearhouse.errors import Conflict, Invalid, Refused, Unavailable
from clearhouse.protocol.commitment import commit
from tests.office.api.live import Live, live_office

SAMPLES = Path(__file__).parents[2] / "samples/proofs"
KEY = "chk_0123456789_" + "a" * 43


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_office(tmp_path_factory.mktemp("office")) as live:
        yield live


@pytest.fixture
def key_file(office: Live, tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(office.keys["hexfind"] + "\n")
    return path


def _lines(path: Path, count: int, word: str) -> Path:
    path.write_text(
        "".join(json.dumps({"title": f"{word} {number}"}) + "\n" for number in range(count))
    )
    return path


def _results(text: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.slow
def test_folders_reports_logs_and_lines_arrive_and_are_repeated(
    office: Live, key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "findings"
    folder.mkdir()
    (folder / "proof").symlink_to(SAMPLES / "CVE-2019-14853")
    (folder / "report.json").write_text('{"title": "One"}')
    log = {
        "version": "2.1.0",
        "runs": [{"tool": {"driver": {"name": "scan"}},
                  "results": [{"ruleId": "R", "message": {"text": "Overflow"}}]}],
    }  # fmt: skip
    (folder / "scan.sarif").write_text(json.dumps(log))
    _lines(folder / "many.ndjson", 5, "many")
    command = ["submit", str(folder), "--to", office.url, "--key-file", str(key_file), "--json"]
    assert main(command) == ExitCode.HOLDS
    first = _results(capsys.readouterr().out)
    assert {one["status"] for one in first} == {"accepted"}
    assert len(first) == 8
    assert main(command) == ExitCode.HOLDS
    shown = capsys.readouterr()
    again = _results(shown.out)
    assert {one["status"] for one in again} == {"repeated"}
    assert [one["name"] for one in again] == [one["name"] for one in first]
    assert office.keys["hexfind"] not in shown.out + shown.err


@pytest.mark.slow
def test_what_is_refused_stops_nothing_else_and_shows_in_the_exit_code(
    office: Live, key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, good = tmp_path / "bad.json", tmp_path / "good.json"
    bad.write_text('{"headline": "x"}')
    good.write_text('{"title": "Good"}')
    odd = tmp_path / "odd.bin"
    odd.write_bytes(b"\x00\x01")
    command = ["submit", str(bad), str(odd), str(good), "--to", office.url]
    assert main([*command, "--key-file", str(key_file), "--json"]) == ExitCode.BAD_INPUT
    found = _results(capsys.readouterr().out)
    assert [one["status"] for one in found] == ["refused", "refused", "accepted"]
    assert "headline" in found[0]["reason"]


@pytest.mark.slow
def test_ten_thousand_lines_arrive_and_a_second_run_sends_only_what_is_new(
    office: Live, key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = _lines(tmp_path / "many.ndjson", 10_000, "bulk")
    memory = tmp_path / "memory"
    command = ["submit", str(lines), "--to", office.url, "--key-file", str(key_file), "--json"]
    assert main([*command, "--resume", str(memory)]) == ExitCode.HOLDS
    found = _results(capsys.readouterr().out)
    assert len({one["name"] for one in found}) == 10_000
    assert found[-1]["where"].endswith("line 10000")
    # As a process that was ended leaves it: the last requests are not remembered.
    memory.write_text("".join(memory.read_text().splitlines(keepends=True)[:3]) + "0123")
    assert main([*command, "--resume", str(memory)]) == ExitCode.HOLDS
    again = _results(capsys.readouterr().out)
    assert [one["status"] for one in again[:3]] == ["sent-before"] * 3
    assert len(again) == 3 + 2 * LINES_TOGETHER
    assert {one["status"] for one in again[3:]} == {"repeated"}


@pytest.mark.slow
def test_a_commitment_is_opened(
    office: Live, key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = OfficeClient(office.url, office.keys["hexfind"])
    report = tmp_path / "report.json"
    report.write_text('{"title": "Promised"}')
    from clearhouse.formats.report import read_report

    digest = bytes.fromhex(read_report(report.read_bytes(), "it").digest)
    value = json.dumps({"value": commit(b"s" * 32, digest).hex()}).encode()
    name = client.post("/commitments", value, "application/json").content["name"]
    secret = tmp_path / "secret"
    secret.write_text((b"s" * 32).hex())
    command = ["submit", str(report), "--to", office.url, "--key-file", str(key_file), "--json"]
    assert main([*command, "--commitment", f"{name}:{secret}"]) == ExitCode.HOLDS
    [found] = _results(capsys.readouterr().out)
    assert client.get(f"/findings/{found['name']}").content["commitment"] == name


@pytest.mark.slow
def test_it_is_asked_blind_whether_something_is_known(
    office: Live, key_file: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("CLEARHOUSE_API_KEY", office.keys["otherlab"])
    command = ["known", "--package", "pkg:pypi/asked@1.0", "--to", office.url]
    assert main(command) == ExitCode.DOES_NOT_HOLD
    assert capsys.readouterr().out == "not-known\n"
    other = OfficeClient(office.url, office.keys["hexfind"])
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    claim = json.dumps({"package": "pkg:pypi/asked", "until": until}).encode()
    other.post("/scans", claim, "application/json")
    assert main([*command, "--json"]) == ExitCode.DOES_NOT_HOLD
    assert json.loads(capsys.readouterr().out) == {"answer": "being-scanned"}


@pytest.mark.slow
def test_four_at_the_same_time_with_one_idempotency_key_are_done_once(office: Live) -> None:
    until = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    start = threading.Barrier(4)
    found: list[requests.Response] = []

    def ask() -> None:
        start.wait()
        found.append(
            requests.post(
                f"{office.url}/api/scans",
                json={"package": "pkg:pypi/at-once", "until": until},
                headers={
                    "Authorization": f"Bearer {office.keys['hexfind']}",
                    "Idempotency-Key": "at-once",
                },
                timeout=60,
            )
        )

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [one.status_code for one in found] == [200] * 4
    assert len({one.content for one in found}) == 1
    assert sum("Idempotency-Replayed" in one.headers for one in found) == 3


@pytest.mark.slow
def test_a_key_that_is_none_ends_it_at_once(
    office: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("CLEARHOUSE_API_KEY", KEY)
    report = tmp_path / "report.json"
    report.write_text('{"title": "One"}')
    assert main(["submit", str(report), "--to", office.url]) == ExitCode.DOES_NOT_HOLD
    shown = capsys.readouterr()
    assert "not known here" in shown.err
    assert KEY not in shown.out + shown.err


class _Scripted(BaseHTTPRequestHandler):
    """Answers as it is told, one after the other, and counts."""

    answers: list[tuple[int, dict[str, str], bytes]]
    seen: list[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).seen.append(self.headers["Authorization"])
        status, headers, body = type(self).answers.pop(0)
        if not status:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name above
        pass


@contextmanager
def _answering(
    *answers: tuple[int, dict[str, str], bytes],
) -> Iterator[tuple[str, type[_Scripted]]]:
    made = type("Made", (_Scripted,), {"answers": list(answers), "seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), made) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", made
        finally:
            server.shutdown()
            thread.join()


JSON = {"Content-Type": "application/json"}


def test_it_waits_as_long_as_it_is_told_and_tries_again() -> None:
    waits: list[float] = []
    script: tuple[tuple[int, dict[str, str], bytes], ...] = (
        (429, {"Retry-After": "7"}, b""),
        (503, {}, b""),
        (0, {}, b""),
        (200, JSON, b'{"ok": 1}'),
    )
    with _answering(*script) as (url, made):
        client = OfficeClient(url, KEY, pause=waits.append)
        assert client.post("/x", b"{}", "application/json").content == {"ok": 1}
    assert waits == [7.0, 2.0, 4.0]
    assert made.seen == [f"Bearer {KEY}"] * 4


def test_it_gives_up_in_the_end_and_says_so() -> None:
    waits: list[float] = []
    with _answering(*[(503, {}, b"")] * 7) as (url, _):
        client = OfficeClient(url, KEY, pause=waits.append)
        with pytest.raises(Unavailable, match="503, 7 times"):
            client.post("/x", b"{}", "application/json")
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Refused), (403, Refused), (409, Conflict), (422, Invalid)]
)
def test_problems_become_errors_of_the_family(status: int, kind: type[Exception]) -> None:
    body = b'{"detail": "it is so", "where": "the bundle"}'
    problem = {"Content-Type": "application/problem+json"}
    with _answering((status, problem, body)) as (url, _), pytest.raises(kind, match="it is so"):
        OfficeClient(url, KEY).post("/x", b"{}", "application/json")


def test_a_redirect_is_not_followed_with_the_key() -> None:
    elsewhere = (307, {"Location": "http://127.0.0.1:1/"}, b"")
    with _answering(elsewhere) as (url, made), pytest.raises(Unavailable, match="307"):
        OfficeClient(url, KEY).post("/x", b"{}", "application/json")
    assert len(made.seen) == 1


@pytest.mark.parametrize(
    "url", ["office.example", "http://office.example", "ftp://x", "https://a:b@office.example"]
)
def test_a_key_does_not_travel_in_the_clear(url: str) -> None:
    with pytest.raises(Invalid):
        checked_url(url)


@pytest.mark.parametrize("url", ["https://office.example/", "http://localhost:1", "http://[::1]"])
def test_an_address_loses_its_last_slash(url: str) -> None:
    assert checked_url(url) == url.rstrip("/")


@pytest.mark.parametrize("text", ["", "secret", "chk_a b", "chk_\x00", "chk_é"])
def test_what_is_no_key_is_said_so_without_showing_it(text: str) -> None:
    with pytest.raises(Invalid) as said:
        checked_key(text)
    assert not text or text not in str(said.value).replace("chk_", "", 1) or text == "chk_"


def test_lines_of_a_file_are_sent_so_many_together(tmp_path: Path) -> None:
    path = tmp_path / "many.ndjson"
    path.write_bytes(b"{}\n" * (LINES_TOGETHER + 1) + b"{}")
    found = [one for one in parcels(path, "auto") if isinstance(one, Parcel)]
    assert [one.first_line for one in found] == [1, LINES_TOGETHER + 1]
    assert found[1].data == b"{}\n{}\n"


def test_a_folder_is_packed_the_same_each_time() -> None:
    [first], [again] = (list(parcels(SAMPLES / "CVE-2019-14853", "auto")) for _ in range(2))
    assert isinstance(first, Parcel)
    assert first == again
    assert first.kind == "bundle"
