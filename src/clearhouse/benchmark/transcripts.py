"""Transcripts: what a model and its tools said in an attempt, cut and made safe to look at.

For an assessor's review of successes and failures.  A transcript is no proof of anything: what
counts was handed in and run.  Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from clearhouse.benchmark.bank import check_format, check_spelling, digest_of
from clearhouse.errors import Invalid
from clearhouse.formats.json_value import JsonValue, decode
from clearhouse.ledger.entry import canonical
from clearhouse.proof.text import printable

FORMAT: Final = "clearhouse-transcript/1"
#: Who said it: what the model was told and answered by tools, and what it thought, said and called.
ROLES: Final = ("system", "user", "assistant", "thinking", "call", "tool")
#: Roles under which the model itself writes.
OWN: Final = frozenset({"assistant", "thinking", "call"})
#: Of a long text the beginning says what it is, and the end how it ended.
_HEAD, _TAIL = 3000, 1000
_MESSAGES: Final = 400
#: Characters of one transcript, and of all that are in one evidence, which has its own limit.
MOST: Final = 400_000
MOST_OF_ALL: Final = 16_000_000
#: The beginning and the end are there, however long they are.
_FEWEST: Final = 4
_MOST_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Message:
    """One thing said, as it is shown; ``cut`` is how many characters are left out of it."""

    role: str
    text: str
    cut: int = 0

    def __post_init__(self) -> None:
        if self.role not in ROLES or self.cut < 0:
            raise Invalid(f"a message has one of the roles {', '.join(ROLES)}")


@dataclass(frozen=True, slots=True)
class Transcript:
    """An attempt's messages in order; ``left_out`` is how many in the middle are not here."""

    messages: tuple[Message, ...]
    left_out: int = 0

    def __bytes__(self) -> bytes:
        """The document, in canonical form (RFC 8785)."""
        return canonical(
            {
                "format": FORMAT,
                "left_out": self.left_out,
                "messages": [asdict(one) for one in self.messages],
            }
        )

    @property
    def digest(self) -> str:
        """``sha256:`` and the digest of the document."""
        return digest_of(bytes(self))

    @classmethod
    def parse(cls, raw: bytes, where: str) -> Transcript:
        """Read the document.  Raises :class:`Invalid` with the place, also for another spelling."""
        document = JsonValue(decode(raw, where, most_bytes=_MOST_BYTES), where)
        document.check_keys(("format", "left_out", "messages"), ())
        check_format(document, FORMAT)
        messages = []
        for one in document.listed("messages"):
            one.check_keys(("role", "text", "cut"), ())
            try:
                found = Message(
                    one.text_at("role") or "", one.text_at("text") or "", one.integer_at("cut") or 0
                )
            except Invalid as error:
                raise one.wrong(error.message) from None
            messages.append(found)
        transcript = cls(tuple(messages), document.integer_at("left_out") or 0)
        check_spelling(bytes(transcript), raw, where)
        return transcript


def transcript_of(said: Sequence[tuple[str, str]], *, most: int = MOST) -> Transcript:
    """The transcript of roles and texts as they came: cut, and nothing in it steers a reader.

    It has about ``most`` characters at most: beyond them messages in the middle are left out.
    """
    kept = min(len(said), _MESSAGES)
    while True:
        first, last = (kept + 1) // 2, kept // 2
        ends = [*said[:first], *said[len(said) - last :]]
        messages = tuple(_message(role, text) for role, text in ends)
        if kept <= _FEWEST or sum(len(one.text) for one in messages) <= most:
            return Transcript(messages, len(said) - len(messages))
        kept = max(kept // 2, _FEWEST)


def _message(role: str, text: str) -> Message:
    cut = max(len(text) - _HEAD - _TAIL, 0)
    if cut:
        text = f"{text[:_HEAD]}\n[{cut} characters are left out]\n{text[len(text) - _TAIL :]}"
    lines = text.replace("\r\n", "\n").replace("\t", "    ").split("\n")
    return Message(role, "\n".join(printable(line) for line in lines), cut)


def recalled(said: Iterable[tuple[str, str]], canaries: Iterable[str]) -> bool:
    """Whether the model wrote a canary that nothing before had shown to it.

    Items carry canaries in the files that are given, so a model that repeats one has only read it.
    One that writes a canary out of nothing has seen the items before: in its training.
    """
    unseen = {one.lower() for one in canaries}
    for role, text in said:
        lowered = text.lower()
        found = {one for one in unseen if one in lowered}
        if found and role in OWN:
            return True
        unseen -= found
    return False
