"""What a room tells an organisation: five plain parts under a headline."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from clearhouse.errors import Invalid
from clearhouse.proof.text import printable
from clearhouse.protocol.notices import Urgency
from clearhouse.protocol.tlp import Tlp

_TOPIC: Final = 200
_PAGE: Final = 300
_HEADLINE: Final = 200
#: Of each part: more is read on the page that the notice leads to.
_PART: Final = 4_000
_STORED_HEADLINE: Final = 300

PARTS: Final = (
    ("what", "What it is"),
    ("where", "Where you have it"),
    ("by_when", "By when"),
    ("to_do", "What to do"),
    ("if_not", "If you cannot"),
)
"""The parts of a notice and what they are called, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told.

    ``topic`` is the same for the same matter, and the caller's to choose: ``exposure:CVE-...``.
    The texts may come from anywhere (an advisory's title, an inventory's names): what could steer a
    reader is made visible, and what is too long is cut, so that telling never fails for them.
    ``page`` is a path of this office.  Raises :class:`Invalid` for a topic or a page that is none,
    and a time without a zone, which are mistakes of the caller.
    """

    topic: str
    urgency: Urgency
    tlp: Tlp
    headline: str
    what: str
    where: str
    by_when: str
    to_do: str
    if_not: str
    page: str = ""
    due_at: datetime | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.topic) <= _TOPIC or printable(self.topic) != self.topic:
            raise Invalid(f"expected a topic of 1 to {_TOPIC} characters", key="topic")
        is_path = self.page.startswith("/") and not self.page.startswith(("//", "/\\"))
        if self.page and not (is_path and len(self.page) <= _PAGE and self.page.isascii()
                              and self.page.isprintable() and " " not in self.page):  # fmt: skip
            raise Invalid("expected a path of this office", key="page")
        if self.due_at is not None and self.due_at.tzinfo is None:
            raise Invalid("expected a time with its zone", key="due_at")
        object.__setattr__(self, "headline", _line(self.headline))
        for name, _ in PARTS:
            object.__setattr__(self, name, _lines(getattr(self, name)))

    def columns(self) -> dict[str, Any]:
        """As a row holds it."""
        found: dict[str, Any] = {name: getattr(self, name) for name, _ in PARTS}
        return found | {
            "urgency": self.urgency.value, "tlp": self.tlp.value, "headline": self.headline,
            "page": self.page, "due_at": self.due_at,
        }  # fmt: skip


def digest_of(topic: str, columns: dict[str, Any]) -> str:
    """The digest of what was told, for the ledger: SHA-256 over its canonical JSON."""
    due = columns["due_at"]
    plain = columns | {
        "topic": topic,
        "due_at": due.astimezone(UTC).isoformat() if due is not None else None,
    }
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _line(text: str) -> str:
    shown = printable(" ".join(text[: _HEADLINE * 4].split()), limit=_HEADLINE)
    return (shown or "Something waits for you")[:_STORED_HEADLINE]


def _lines(text: str) -> str:
    cut = text[:_PART].replace("\r\n", "\n")
    shown = "\n".join(printable(one).rstrip() for one in cut.split("\n")).strip()
    return f"{shown}\n(cut here: the rest is on the page)" if len(text) > _PART else shown
