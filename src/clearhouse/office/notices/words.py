"""What a message says: for people as text, for receivers as JSON.  Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from clearhouse.office.notices.told import PARTS
from clearhouse.protocol.notices import Urgency
from clearhouse.protocol.tlp import Tlp

#: Of a part in a message; the page has all of it.
_SHORT: Final = 1_000
#: Of a message as a whole: what a receiver's server usually takes.
MOST_BYTES: Final = 200_000
_SUBJECT: Final = 150

SEALED: Final = "Something waits for you. What it is about does not stand here on purpose."


@dataclass(frozen=True, slots=True)
class Item:
    """A notice as it stands in a message, a feed or a bundle; ``page`` is a whole address."""

    name: str
    urgency: Urgency
    tlp: Tlp
    headline: str
    parts: tuple[tuple[str, str, str], ...]
    page: str
    revision: int
    told_at: datetime
    changed_at: datetime
    due_at: datetime | None
    acknowledged_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def title(self) -> str:
        """Its headline, and that it is over where it is."""
        return self.headline if self.ended_at is None else f"Over: {self.headline}"


@dataclass(frozen=True, slots=True)
class Letter:
    """What one message tells.

    ``sealed`` is how many notices wait that may not stand in it: whether there are any is said, and
    not how many.  ``more`` is how many it only counts.  ``over`` are matters that are over since
    its reader was told of them, and ``over_else`` whether there are others that do not stand here.
    """

    office: str
    organisation: str
    page: str
    items: Sequence[Item]
    sealed: int = 0
    more: int = 0
    over: Sequence[Item] = ()
    over_else: bool = False

    @property
    def says_something(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.items or self.sealed or self.more or self.over or self.over_else)


def parts_of(row: Any, *, most: int | None = None) -> tuple[tuple[str, str, str], ...]:  # noqa: ANN401 - a notice
    """The parts of a notice: key, what it is called, text; without those that are empty."""
    found = ((key, called, str(getattr(row, key))) for key, called in PARTS)
    return tuple((key, called, _cut(text, most)) for key, called, text in found if text)


def shortened(items: Iterable[Item]) -> list[Item]:
    """The items as they stand in a message."""
    return [
        replace(one, parts=tuple((k, called, _cut(text, _SHORT)) for k, called, text in one.parts))
        for one in items
    ]


def subject(letter: Letter) -> str:
    """The subject of the mail, on one line."""
    if not letter.items:
        if letter.sealed or letter.more or not letter.says_something:
            return f"{letter.office}: something waits for you"
        first = letter.over[0].title if letter.over else "something is over"
        return _cut(f"{letter.office}: {first}", _SUBJECT).replace("\n", " ")
    first = letter.items[0].headline
    count = len(letter.items) + letter.more
    text = first if count == 1 else f"{count} notices, first: {first}"
    return _cut(f"{letter.office}: {text}", _SUBJECT).replace("\n", " ")


def mail_text(letter: Letter) -> str:
    """The text of the mail."""
    while True:
        text = _mail_text(letter)
        if len(text.encode()) <= MOST_BYTES or not letter.items:
            return text
        letter = _smaller(letter)


def _mail_text(letter: Letter) -> str:
    if not letter.items and (letter.sealed or letter.more or not letter.says_something):
        return (
            f"{letter.office} has something for your organisation. Sign in to read it:\n\n"
            f"{letter.page}\n\n"
            "What it is about does not stand in this mail on purpose. Do not answer it; answer"
            " there.\n" + "".join(f"\n{one}\n" for one in _over(letter))
        )
    blocks = [f"{letter.office} for {letter.organisation}"]
    for place, one in enumerate(letter.items, 1):
        blocks.append(f"{place}. {one.headline}\n   ({one.tlp.value}, {one.urgency.meaning})")
        blocks += [f"{called}\n{text}" for _, called, text in one.parts]
        blocks.append(f"Read it and say that you have: {one.page}")
    if letter.more:
        blocks.append(f"And {letter.more} more on the page: {letter.page}")
    if letter.sealed:
        blocks.append(
            "Something else waits that does not stand in a mail on purpose. Sign in to read it:"
            f" {letter.page}"
        )
    blocks += _over(letter)
    blocks.append("Do not answer this mail; answer there.")
    return "\n\n".join(blocks) + "\n"


def _over(letter: Letter) -> list[str]:
    """What is over, a line each."""
    said = [f"{one.title}\n   There is nothing left to do: {one.page}" for one in letter.over]
    if letter.over_else:
        which = "Something else" if said else "Something"
        said.append(
            f"{which} that you were told of is over: there is nothing left to do about it. Which it"
            f" is stands on the page: {letter.page}"
        )
    return said


def webhook_body(letter: Letter, *, at: datetime) -> bytes:
    """The body of a webhook: ``type``, ``timestamp`` and ``data``, as Standard Webhooks asks."""
    while True:
        data: dict[str, Any] = {
            "organisation": letter.organisation,
            "notices": [document(one) for one in letter.items],
            "more": letter.more,
            "something_else_waits": bool(letter.sealed),
            "over": [document(one) for one in letter.over],
            "something_else_is_over": letter.over_else,
            "page": letter.page,
        }
        body = _json({"type": "notices.waiting", "timestamp": _time(at), "data": data})
        if len(body) <= MOST_BYTES or not letter.items:
            return body
        letter = _smaller(letter)


def trial_body(letter: Letter, *, at: datetime) -> bytes:
    """The body of a trial."""
    data = {"organisation": letter.organisation, "page": letter.page}
    return _json({"type": "notices.trial", "timestamp": _time(at), "data": data})


def document(one: Item) -> dict[str, Any]:
    """A notice for programs."""
    return {
        "name": one.name,
        "revision": one.revision,
        "urgency": one.urgency.value,
        "tlp": one.tlp.value,
        "headline": one.headline,
        **{key: text for key, _, text in one.parts},
        "due_at": _time(one.due_at) if one.due_at else None,
        "told_at": _time(one.told_at),
        "changed_at": _time(one.changed_at),
        "acknowledged_at": _time(one.acknowledged_at) if one.acknowledged_at else None,
        "ended_at": _time(one.ended_at) if one.ended_at else None,
        "page": one.page,
    }


def plain(one: Item) -> str:
    """A notice for people."""
    blocks = [one.title, f"{one.tlp.value}, told {_time(one.changed_at)}"]
    if one.ended_at is not None:
        blocks.append(f"There is nothing left to do: it is over since {_time(one.ended_at)}.")
    blocks += [f"{called}\n{text}" for _, called, text in one.parts]
    if one.page:
        blocks.append(one.page)
    return "\n\n".join(blocks)


def _smaller(letter: Letter) -> Letter:
    return replace(letter, items=letter.items[:-1], more=letter.more + 1)


def _cut(text: str, most: int | None) -> str:
    return text if most is None or len(text) <= most else f"{text[: most - 1]}…"


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True).encode()


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
