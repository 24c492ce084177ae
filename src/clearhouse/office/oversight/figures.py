"""The document of the oversight page: made from passages, the same for whoever makes it.  Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from clearhouse.protocol.deficit import (
    LEAST,
    Every,
    Passage,
    published,
    published_intervals,
    totals,
)

EVERY: Final = Every.WEEK


def document_of(passages: Iterable[Passage], *, since: datetime, until: datetime) -> dict[str, Any]:
    """The figures for everybody, up to the last week that is over."""
    known = list(passages)
    figures = published(known, every=EVERY, since=since, until=until)
    spans = published_intervals(known, every=EVERY, since=since, until=until)
    return {
        "format": 1,
        "since": EVERY.period(since),
        "until": EVERY.period(until),
        "every": EVERY.value,
        "least": LEAST,
        "totals": {milestone.value: count for milestone, count in totals(figures).items()},
        "figures": [
            {"milestone": one.milestone.value, "first": one.first, "last": one.last,
             "count": one.count}
            for one in figures
        ],
        "intervals": [
            {"start": one.start.value, "end": one.end.value, "first": one.first,
             "last": one.last, "at_least": one.at_least, "median_days": one.days}
            for one in spans
        ],
    }  # fmt: skip


def digest_of(document: Mapping[str, Any]) -> str:
    """``sha256:`` over the canonical JSON of the figures."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
