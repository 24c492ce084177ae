"""Between rows and the values of :mod:`clearhouse.protocol.directives`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from clearhouse.formats.directive import read
from clearhouse.office.directives.models import DirectiveRow, ObligationRow
from clearhouse.protocol.directives.directive import Directive, Way
from clearhouse.protocol.directives.events import State
from clearhouse.protocol.directives.obligation import Move, Obligation, next_reminder

_NO_DATE: Final = "9999-12-31T23:59:59.999999"  # after every date, whatever the collation


def directive_of(row: DirectiveRow) -> Directive:
    """The directive that a row holds."""
    return read(row.document, row.name)


def digest_of(document: Mapping[str, Any]) -> str:
    """What tells a directive's document, for the ledger: SHA-256 over its canonical JSON."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def obligation_of(row: ObligationRow, directive: Directive) -> Obligation:
    """The obligation that a row holds."""
    return Obligation(
        start=row.start,
        due=row.due,
        ways=directive.ways,
        stages=directive.stages,
        state=State(row.state),
        handed_in_at=row.handed_in_at,
        way=Way(row.way) if row.way else None,
        reminded=frozenset(row.reminded),
        moves=tuple(_move(one) for one in row.moves),
    )


def put(row: ObligationRow, value: Obligation) -> None:
    """Write an obligation into its row; the caller saves it."""
    row.start, row.due, row.state = value.start, value.due, value.state.value
    row.handed_in_at = value.handed_in_at
    row.way = value.way.value if value.way is not None else ""
    row.reminded = sorted(value.reminded)
    row.moves = [
        {
            "at": time_text(one.at),
            "before": time_text(one.before),
            "after": time_text(one.after),
            "reason": one.reason,
        }
        for one in value.moves
    ]
    row.next_at = next_reminder(value)
    row.rank = (
        f"{value.due.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}" if value.due is not None else _NO_DATE
    )


#: The columns that :func:`put` writes.
COLUMNS: Final = (
    "start", "due", "state", "handed_in_at", "way", "reminded", "moves", "next_at", "rank",
)  # fmt: skip


def time_text(at: datetime | None) -> str | None:
    """A time as entries have it, in UTC."""
    return at.astimezone(UTC).isoformat() if at is not None else None


def _move(raw: Mapping[str, Any]) -> Move:
    return Move(
        datetime.fromisoformat(raw["at"]), _time(raw["before"]), _time(raw["after"]), raw["reason"]
    )


def _time(raw: str | None) -> datetime | None:
    return datetime.fromisoformat(raw) if raw is not None else None
