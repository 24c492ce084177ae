"""What a run took and how it was made: the figures of a report, beside what decides.

Nothing is decided by this document.  Its digest stands in the determination, so that figures are
not exchanged afterwards; who has it makes the report without the run's logs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

from clearhouse.benchmark.bank import check_format, check_spelling
from clearhouse.benchmark.outcomes import Ending
from clearhouse.benchmark.plan import DIGEST
from clearhouse.errors import Invalid
from clearhouse.formats.json_value import JsonValue, decode
from clearhouse.ledger.entry import canonical

FORMAT: Final = "clearhouse-run/1"
#: Money in the record is in millionths of a US dollar.
MICRO_USD: Final = 1_000_000
_MOST_BYTES: Final = 32 << 20
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_COUNTS: Final = (
    "wall_ms", "working_ms", "tokens", "input_tokens", "output_tokens", "messages", "calls",
    "tool_errors", "leaks",
)  # fmt: skip
_FLAGS: Final = ("canary_recalled", "is_reference")
_MAY_BE_ABSENT: Final = ("usd_micro", "limit", "published", "transcript")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt's figures.

    ``wall_ms`` is time on the wall, ``working_ms`` the same without waiting for a busy model, both
    without the judge's.  ``tokens`` are of all kinds.  ``usd_micro`` is None where no prices were
    given.  ``calls`` are the model's of tools, ``tool_errors`` those that failed.  ``published`` is
    the day of the item's fix.  ``canary_recalled``: the model wrote a canary that it had not been
    shown.  ``is_reference``: what it handed in is the reference input, byte for byte.  ``leaks`` is
    how many of the texts it was given hold the input.  ``transcript`` is the transcript's digest.
    """

    item: str
    ending: Ending
    wall_ms: int
    working_ms: int
    tokens: int
    input_tokens: int
    output_tokens: int
    messages: int
    calls: int
    tool_errors: int
    leaks: int
    canary_recalled: bool
    is_reference: bool
    why: str
    usd_micro: int | None = None
    limit: str | None = None
    published: str | None = None
    transcript: str | None = None

    def __post_init__(self) -> None:
        counts = [getattr(self, key) for key in _COUNTS]
        if min([*counts, self.usd_micro or 0]) < 0:
            raise Invalid("an attempt's figures are not negative")
        if self.transcript is not None and not DIGEST.fullmatch(self.transcript):
            raise Invalid("a transcript's digest is sha256: and 64 hexadecimal digits")
        if self.published is not None:
            _day(self.published)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run of one submission.

    ``began`` and ``ended`` are in UTC.  ``sampling`` is what the model was called with beyond its
    provider's defaults.  ``trained_until`` is the last day of its training data, as its developer
    says.  ``environment`` is the machine, the sandbox and the versions.
    """

    model: str
    agent: str
    began: str
    ended: str
    prompts: str
    sampling: Mapping[str, str]
    environment: Mapping[str, str]
    attempts: tuple[Attempt, ...]
    trained_until: str | None = None

    def __post_init__(self) -> None:
        for moment in (self.began, self.ended):
            if not _MOMENT.fullmatch(moment):
                raise Invalid("a moment is written like 2026-01-31T12:00:00Z")
            datetime.fromisoformat(moment)
        if self.trained_until is not None:
            _day(self.trained_until)
        if not DIGEST.fullmatch(self.prompts):
            raise Invalid("the prompts' digest is sha256: and 64 hexadecimal digits")

    def __bytes__(self) -> bytes:
        """The document, in canonical form (RFC 8785)."""
        return canonical({"format": FORMAT, **_plain(self)})

    @classmethod
    def parse(cls, raw: bytes, where: str) -> RunRecord:
        """Read the document.  Raises :class:`Invalid` with the place, also for another spelling."""
        document = JsonValue(decode(raw, where, most_bytes=_MOST_BYTES), where)
        texts = ("model", "agent", "began", "ended", "prompts")
        tables = ("sampling", "environment")
        document.check_keys(("format", *texts, *tables, "attempts"), ("trained_until",))
        check_format(document, FORMAT)
        named: dict[str, Any] = {key: document.text_at(key) or "" for key in texts}
        named |= {key: _table(document, key) for key in tables}
        attempts = tuple(_attempt(one) for one in document.listed("attempts"))
        try:
            found = cls(**named, attempts=attempts, trained_until=document.text_at("trained_until"))
        except (Invalid, ValueError) as error:
            told = error.message if isinstance(error, Invalid) else "no such moment"
            raise Invalid(told, where=where) from None
        check_spelling(bytes(found), raw, where)
        return found


def _plain(record: RunRecord) -> dict[str, Any]:
    found = asdict(record)
    for one in found["attempts"]:
        one["ending"] = one["ending"].value
    return found


def _attempt(one: JsonValue) -> Attempt:
    one.check_keys(("item", "ending", "why", *_COUNTS, *_FLAGS), _MAY_BE_ABSENT)
    ending = one.text_at("ending")
    if ending not in list(Ending):
        raise one.wrong(f"an ending is one of {', '.join(Ending)}")
    flags: dict[str, Any] = {key: one.table()[key] for key in _FLAGS}
    if not all(isinstance(value, bool) for value in flags.values()):
        raise one.wrong("a flag is true or false")
    counts: dict[str, Any] = {key: one.integer_at(key) or 0 for key in _COUNTS}
    try:
        return Attempt(
            item=one.text_at("item") or "",
            ending=Ending(ending),
            why=one.text_at("why") or "",
            usd_micro=one.integer_at("usd_micro"),
            limit=one.text_at("limit"),
            published=one.text_at("published"),
            transcript=one.text_at("transcript"),
            **counts,
            **flags,
        )
    except Invalid as error:
        raise one.wrong(error.message) from None


def _table(document: JsonValue, key: str) -> dict[str, str]:
    found = document.get(key)
    if found is None:
        return {}
    values = ((name, found.text_at(name)) for name in found.table())
    return {name: value for name, value in values if value is not None}


def _day(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise Invalid("a day is written like 2026-01-31") from None
