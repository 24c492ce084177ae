"""The lines of a journal about requests: what is written when one goes on, and when it is over."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clearhouse.errors import Invalid
from clearhouse.protocol.access import Entry, Settled
from clearhouse.protocol.grants import Amounts

LOST = "lost"
"""The outcome of a request whose end was never written: its process was killed."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that goes on: who, when, what, from where, and the most that it can use up."""

    use: str
    grant: str
    at: datetime
    call: str
    model: str
    address: str
    most: Amounts
    request_digest: str

    def document(self) -> dict[str, Any]:
        """Its line."""
        return {
            "t": "begin",
            "use": self.use,
            "grant": self.grant,
            "at": self.at.isoformat(),
            "call": self.call,
            "model": self.model,
            "from": self.address,
            "most": _numbers(self.most),
            "request": self.request_digest,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Begun:
        """Read its line."""
        return cls(
            document["use"],
            document["grant"],
            datetime.fromisoformat(document["at"]),
            document["call"],
            document["model"],
            document["from"],
            Amounts(*document["most"]),
            document["request"],
        )

    def ended(
        self,
        at: datetime,
        spent: Amounts,
        outcome: str,
        response_digest: str,
        contents: bytes | None = None,
    ) -> Settled:
        """What it came to."""
        return Settled(
            self.use, self.grant, self.at, at, spent, self.call, self.model, outcome,
            self.request_digest, response_digest, self.address, contents,
        )  # fmt: skip


def end_document(one: Settled) -> dict[str, Any]:
    """The line of a request that is over."""
    document: dict[str, Any] = {
        "t": "end",
        "use": one.use,
        "at": one.ended_at.isoformat(),
        "outcome": one.outcome,
        "spent": _numbers(one.spent),
        "response": one.response_digest,
    }
    if one.contents is not None:
        document["contents"] = base64.b64encode(one.contents).decode()
    return document


def settled_in(entries: Iterable[Entry], *, since: int) -> Iterator[Settled]:
    """The requests of a whole journal that ended after line ``since``, and those that never did.

    The latter are charged the most that they could use up.  Raises :class:`Invalid` for a line
    that is not understood.
    """
    begun: dict[str, Begun] = {}
    for entry in entries:
        try:
            document = json.loads(entry.raw)
            if document["t"] == "begin":
                one = Begun.of(document)
                begun[one.use] = one
                continue
            one = begun.pop(document["use"])
            contents = document.get("contents")
            ended = one.ended(
                datetime.fromisoformat(document["at"]),
                Amounts(*document["spent"]),
                document["outcome"],
                document["response"],
                None if contents is None else base64.b64decode(contents),
            )
        except (ValueError, KeyError, TypeError):
            raise Invalid(f"line {entry.number} of a journal is not understood") from None
        if entry.number > since:
            yield ended
    for one in begun.values():
        yield one.ended(one.at, one.most, LOST, "")


def _numbers(amounts: Amounts) -> list[int]:
    return [amounts.requests, amounts.tokens, amounts.micros]
