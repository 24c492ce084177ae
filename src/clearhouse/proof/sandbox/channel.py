"""A running sandbox as the engine holds it: frames of JSON go in and come out, and it can be ended.

The other end is ``warden/warden.py`` or ``warden/foreman.py``.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import struct
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

from clearhouse.errors import Unavailable
from clearhouse.proof.closing import Closing
from clearhouse.proof.sandbox import bubblewrap
from clearhouse.proof.sandbox.bubblewrap import Bind

_MEGABYTE = 1 << 20
_FRAME_BYTES = 256 * _MEGABYTE
_ERROR_BYTES = 2000


class Channel(Closing):
    """One bubblewrap process.  Use as a context manager; it dies with the engine in any case.

    ``name`` is what messages call it, ``first`` the module that is its first process.  Whatever
    fails ends the sandbox and raises :class:`Unavailable`.
    """

    def __init__(
        self, name: str, first: str, binds: Sequence[Bind], runtime_folders: Sequence[str] = ()
    ) -> None:
        self._name = name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the sandbox
        try:
            self._process = bubblewrap.start(
                binds, runtime_folders, errors=self._errors, first=first
            )
        except BaseException:
            self._errors.close()
            raise

    @property
    def pid(self) -> int:
        """The process on the host that all others of this sandbox descend from."""
        return self._process.pid

    def write(self, message: Mapping[str, Any]) -> None:
        """Send one frame."""
        raw = json.dumps(message).encode()
        self.send(struct.pack("<I", len(raw)) + raw)

    def send(self, data: bytes) -> None:
        """Send plain bytes, as they follow a frame that announced them."""
        assert self._process.stdin is not None
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._process.stdin.write(rest) :]
        except OSError as error:
            raise self.failed("ended early") from error

    def read(self, seconds: float) -> dict[str, Any]:
        """Return the next frame, for which it has that many seconds."""
        deadline = time.monotonic() + seconds
        size = struct.unpack("<I", self._exactly(4, deadline))[0]
        if size > _FRAME_BYTES:
            raise self.failed("sent too much")
        message: dict[str, Any] = json.loads(self._exactly(size, deadline))
        return message

    def receive(self, size: int, seconds: float) -> bytes:
        """Return plain bytes that a frame announced."""
        return self._exactly(size, time.monotonic() + seconds)

    def failed(self, how: str) -> Unavailable:
        """End it; the error to raise, with what it wrote to its standard error."""
        code = self._process.poll()
        self._errors.seek(0)
        text = self._errors.read(_ERROR_BYTES).decode("utf-8", "replace").strip()
        self.close()
        return Unavailable(f"the {self._name} {how} (exit {code}): {text or 'it said nothing'}")

    def close(self) -> None:
        """End the sandbox and everything in it."""
        with contextlib.suppress(OSError):
            self._process.kill()
        with contextlib.suppress(OSError):
            self._process.communicate()
        self._errors.close()

    def _exactly(self, size: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        parts = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while len(parts) < size:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self.close()
                    raise Unavailable(f"the {self._name} does not answer")
                part = os.read(self._process.stdout.fileno(), min(size - len(parts), _MEGABYTE))
                if not part:
                    raise self.failed("ended")
                parts += part
        return bytes(parts)
