"""People who are told something, a receiver of webhooks and a relay for mail, both on loopback."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from clearhouse.office.notices import actions
from clearhouse.office.notices.actions import sending
from clearhouse.office.notices.actions.channels import MadeChannel
from clearhouse.office.notices.models import Channel, Notice
from clearhouse.office.notices.told import Told
from clearhouse.office.queue.inline import work_off
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.notices import Urgency
from clearhouse.protocol.roles import Role
from clearhouse.protocol.tlp import Tlp
from tests.office.story import somebody

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
#: Words of a notice that stand nowhere else.
SECRET = "libsecretparser"


def at(**later: float) -> datetime:
    return NOW + timedelta(**later)


def hospital() -> Viewer:
    return somebody("valley-hospital", Role.DEPLOYER)


def told(topic: str = "exposure:CVE-2026-1", **changes: Any) -> Told:
    given: dict[str, Any] = {
        "topic": topic,
        "urgency": Urgency.NOW,
        "tlp": Tlp.CLEAR,
        "headline": f"Update {SECRET} on 2 systems",
        "what": f"{SECRET} reads past the end of a message.",
        "where": "radiology-3, lab-1",
        "by_when": "Before 4 November 2026",
        "to_do": "Install 2.4.1.",
        "if_not": "Take them off the network.",
        "page": "/inventories/",
    }
    return Told(**given | changes)


def tell(viewer: Viewer, topic: str = "exposure:CVE-2026-1", **changes: Any) -> Notice:
    now = changes.pop("now", NOW)
    return actions.tell(viewer.acting_for(), told(topic, **changes), now=now)


def passes(now: datetime) -> None:
    """What the timer and the workers do at a moment, as often as they have something to do."""
    sending.look_for_due(now)
    work_due(now)


def work_due(now: datetime) -> None:
    from clearhouse.office.queue.actions import reclaim

    kinds = [sending.GATHER, sending.SEND]
    reclaim(now)
    while work_off(now, only=kinds):
        reclaim(now)


@dataclass
class Receiver:
    """A server that notes what it was sent, and answers what it is told to."""

    url: str
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    before: list[Callable[[], None]] = field(default_factory=list)
    after: list[Callable[[], None]] = field(default_factory=list)
    """What is done before, and after, an answer."""

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    @property
    def told(self) -> list[dict[str, Any]]:
        """What was no trial."""
        return [one["data"] for one in self.bodies if one["type"] == "notices.waiting"]


@contextmanager
def receiver() -> Iterator[Receiver]:
    made = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            for deed in made.before:
                deed()
            self.send_response(made.status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.end_headers()
            for deed in made.after:
                deed()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name above
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        made.url = f"http://127.0.0.1:{server.server_port}/hook?a=b"
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


class Relay(socketserver.ThreadingTCPServer):
    """An SMTP server (RFC 5321) as far as a client needs one; refuses recipients in ``refuses``."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.recipients: list[list[str]] = []
        self.refuses: set[str] = set()
        super().__init__(("127.0.0.1", 0), _Session)

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(one, policy=policy.default) for one in self.raw]

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        relay = cast("Relay", self.server)
        self._say("220 here")
        wanted: list[str] = []
        while line := self.rfile.readline(2000).decode("utf-8", "replace").strip():
            verb = line.upper().partition(" ")[0]
            if verb == "RCPT":
                address = line.partition("<")[2].partition(">")[0]
                if address in relay.refuses:
                    self._say("550 nobody")
                    continue
                wanted.append(address)
                self._say("250 ok")
            elif verb == "DATA":
                self._say("354 go on")
                relay.raw.append(self._data())
                relay.recipients.append(wanted)
                wanted = []
                self._say("250 taken")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _data(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def relay() -> Iterator[Relay]:
    with Relay() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def webhook(viewer: Viewer, there: Receiver, *, now: datetime = NOW) -> MadeChannel:
    """A receiver that has taken its trial, and is sent to from then on."""
    made = actions.add_channel(viewer, Channel.Kind.WEBHOOK, there.url, now=now)
    work_due(now)
    made.channel.refresh_from_db()
    return made


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
