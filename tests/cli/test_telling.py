"""A run tells an office of its attempts; one that is away holds up nothing and learns the rest."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from clearhouse.benchmark.evaluation.choosing_source import Finished
from clearhouse.benchmark.outcomes import Ending, Outcome
from clearhouse.cli.office_client import OfficeClient
from clearhouse.cli.telling import Telling

KEY = "chk_0123456789_" + "a" * 43


class _Office(BaseHTTPRequestHandler):
    """Takes attempts up to so many at once, as an office does, while it is there."""

    there: bool
    told: list[int]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        numbers = [one["number"] for one in asked["attempts"]]
        status, body = (200, b"{}") if type(self).there else (409, b'{"detail": "not now"}')
        if len(numbers) > 1000:
            status, body = 422, b'{"detail": "too many"}'
        if status == 200:
            type(self).told += numbers
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name above
        pass


@contextmanager
def _office() -> Iterator[tuple[type[_Office], Telling]]:
    kind = type("Office", (_Office,), {"there": True, "told": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        yield kind, Telling(OfficeClient(url, KEY, pause=lambda _: None), "A-ONE")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _finished(number: int) -> Finished:
    return Finished(number, Outcome(f"item-{number}", Ending.FAILED), 1, 2, 3)


def test_what_could_not_be_told_is_told_with_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    with _office() as (office, telling):
        office.there = False
        telling.of(_finished(1))
        assert "attempt 1 was not told: not now" in capsys.readouterr().err
        office.there = True
        telling.of(_finished(2))
        telling.of(_finished(3))
        assert office.told == [1, 2, 3]


def test_more_than_an_office_takes_at_once_is_told_piece_by_piece() -> None:
    with _office() as (office, telling):
        telling._untold += [_finished(number) for number in range(1, 2500)]
        telling.of(_finished(2500))
        assert office.told == list(range(1, 2501))
