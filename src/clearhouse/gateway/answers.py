"""What a model answers: the tokens it says it used, and the events of a stream.

Events are passed on as they are, as soon as they are whole (WHATWG HTML, "Server-sent events",
9.2.6).  The one that ends a stream is held until the use is on the disk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from clearhouse.protocol.grants import MOST, Call
from clearhouse.protocol.prices import Usage
from clearhouse.protocol.unusual_use import Finder

_BLANK: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_MOST_EVENT_BYTES: Final = 4 * 1024 * 1024
_ENDS: Final = re.compile(
    rb"^data: ?(?:\[DONE\]|\{\s*\"type\"\s*:\s*\""
    rb"(?:message_stop|response\.completed|response\.incomplete|response\.failed)\")",
    re.MULTILINE,
)
_NAMED_ENDS: Final = re.compile(
    rb"^event: ?(?:message_stop|response\.completed|response\.incomplete|response\.failed)\s*$",
    re.MULTILINE,
)
#: Where the text of a model's answer stands in an event.
_TEXT_KEYS: Final = ("content", "text", "delta", "partial_json", "arguments", "thinking",
                     "reasoning_content", "refusal")  # fmt: skip


def usage_in(raw: bytes) -> Usage | None:
    """The usage that a whole answer states; None where it does not, or not plainly."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return _usage(document.get("usage")) if isinstance(document, dict) else None


def _usage(stated: object) -> Usage | None:
    """The counts of an object ``usage`` of either API."""
    if not isinstance(stated, Mapping):
        return None
    read = _count(stated, "prompt_tokens", "input_tokens")
    written = _count(stated, "completion_tokens", "output_tokens")
    if read is None:
        return None
    if written is None:
        if "completion_tokens" in stated or "output_tokens" in stated:
            return None
        written = 0
    cached = _count(stated, "cache_creation_input_tokens") or 0
    again = _count(stated, "cache_read_input_tokens") or 0
    return Usage(read + again, written, cached)


def _count(stated: Mapping[Any, Any], *keys: str) -> int | None:
    for key in keys:
        found = stated.get(key)
        if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= MOST:
            return found
    return None


class Stream:
    """The events of one streamed answer.

    ``usage`` is what it has stated for good, None as long as it has not; ``final`` holds the event
    that ends it, with all that follows.  ``canary`` says whether a planted text has come by.
    """

    def __init__(self, call: Call, *, hides_usage: bool, canaries: Sequence[str] = ()) -> None:
        self._call = call
        self._hides = hides_usage
        self._stated: dict[str, Any] = {}
        self._complete = False
        self._buffer = b""
        self._gave_up = False
        self._canaries = canaries
        self._finders: dict[tuple[str | int, ...], Finder] = {}
        self.final = b""
        self.canary = False

    @property
    def usage(self) -> Usage | None:
        """What the stream has stated for good."""
        return _usage(self._stated) if self._complete else None

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes; those that can be passed on."""
        if self.final:
            self.final += piece[:_MOST_EVENT_BYTES]
            return b""
        if self._gave_up:
            return piece
        buffer = self._buffer + piece if self._buffer else piece
        out: list[bytes] = []
        at = 0
        for blank in _BLANK.finditer(buffer):
            event = buffer[at : blank.end()]
            at = blank.end()
            if _ENDS.search(event) or _NAMED_ENDS.search(event):
                self._read(event)
                self.final = buffer[at - len(event) :]
                self._buffer = b""
                return b"".join(out)
            if self._read(event):
                out.append(event)
        self._buffer = buffer[at:]
        if len(self._buffer) > _MOST_EVENT_BYTES:
            out.append(self._buffer)  # no such event is known: it passes, and is not understood
            self._buffer, self._gave_up, self._complete = b"", True, False
        return b"".join(out)

    def rest(self) -> bytes:
        """What came after the last whole event, once no more comes."""
        rest, self._buffer = self._buffer, b""
        return rest

    def _read(self, event: bytes) -> bool:
        """Learn from an event; whether the client sees it."""
        if b'"usage"' not in event and not self._canaries:
            return True
        document = _data(event)
        if not isinstance(document, dict):
            return True
        if self._canaries:
            self._look(document)
        match self._call:
            case Call.MESSAGES:
                return self._message(document)
            case Call.RESPONSES:
                response = document.get("response")
                ended = document.get("type") in (
                    "response.completed", "response.incomplete", "response.failed"
                )  # fmt: skip
                if ended and isinstance(response, dict) and isinstance(response.get("usage"), dict):
                    self._stated, self._complete = response["usage"], True
                return True
            case _:
                stated = document.get("usage")
                if isinstance(stated, dict):
                    self._stated, self._complete = stated, True
                    return not (self._hides and document.get("choices") == [])
                return True

    def _message(self, document: Mapping[str, Any]) -> bool:
        """Anthropic: what was read at the start, what was written, counted up, before the end."""
        message = document.get("message")
        start = document.get("type") == "message_start" and isinstance(message, dict)
        stated = message.get("usage") if start and message else document.get("usage")
        if isinstance(stated, dict):
            self._stated.update({key: one for key, one in stated.items() if one is not None})
            self._complete = self._complete or document.get("type") == "message_delta"
        return True

    def _look(self, document: Mapping[str, Any]) -> None:
        """Look for planted texts in what a model says, joined over its events."""
        for place, text in _texts(document, ()):
            finder = self._finders.setdefault(place, Finder(self._canaries))
            self.canary = finder.found_in(text.encode(errors="replace")) or self.canary


def _data(event: bytes) -> object:
    lines = event.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    text = b"\n".join(line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:"))
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _texts(
    value: object, place: tuple[str | int, ...], depth: int = 6
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The texts of an answer in an event, with the place by which pieces belong together."""
    if not depth:
        return
    if isinstance(value, list):
        for at, one in enumerate(value):
            yield from _texts(one, (*place, at), depth - 1)
    elif isinstance(value, dict):
        index = value.get("index", value.get("output_index"))
        here = (*place, index) if isinstance(index, int) else place
        for key, one in value.items():
            if isinstance(one, str):
                if key in _TEXT_KEYS:
                    yield (*here, key), one
            else:
                yield from _texts(one, (*here, key), depth - 1)
