"""The public page of the vulnerability deficit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clearhouse.errors import NotFound
from clearhouse.office.look.charts import Series, Stage, funnel, lines
from clearhouse.office.look.table import Column, Table
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.oversight import queries
from clearhouse.protocol.deficit import Milestone

_WORDS: Final = {
    Milestone.RECEIVED: "received",
    Milestone.PROVEN: "proven by running them",
    Milestone.REFUSED: "refused as not real",
    Milestone.JOINED: "joined as duplicates",
    Milestone.DISCLOSED: "disclosed to a supplier",
    Milestone.PATCHED: "patched",
    Milestone.PUBLISHED: "published",
}
_LEAVING: Final = frozenset({Milestone.REFUSED, Milestone.JOINED})
#: Lines that can be told apart on one chart.
_LINES: Final = (
    Milestone.RECEIVED, Milestone.PROVEN, Milestone.DISCLOSED, Milestone.PATCHED,
    Milestone.PUBLISHED,
)  # fmt: skip


@require_safe
def oversight(request: HttpRequest) -> HttpResponse:
    """What came in, what became of it, and how long it took."""
    viewer = viewer_in(request)
    found = queries.latest()
    context: dict[str, Any] = {"publication": found, "now": timezone.now()}
    if found is not None:
        document = found.document
        context |= {
            "funnel": funnel(
                "From received to published",
                [
                    Stage(_named(one, document), document["totals"][one.value],
                          leaves=one in _LEAVING)
                    for one in Milestone
                ],
            ),
            "lines": lines("Over time", _series(document["figures"])),
            "table": _table(document["figures"]),
            "medians": _medians(document["intervals"]),
            "least": document["least"],
        }  # fmt: skip
    known = queries.exact(viewer) if viewer.coordinates else None
    if known is not None:
        context["followed"] = known
        context["exact"] = Table(
            "For the office: exact counts",
            (Column("What"), Column("How many", number=True)),
            tuple((_WORDS[one], known.counts[one]) for one in Milestone),
        )
        context["exact_medians"] = Table(
            "For the office: exact medians",
            (Column("From"), Column("To"), Column("Days", number=True),
             Column("Findings", number=True)),
            tuple(
                (one.start.value, one.end.value,
                 "" if one.median is None else round(one.median.total_seconds() / 86_400, 1),
                 one.count)
                for one in known.intervals
            ),
        )  # fmt: skip
    return render(request, "oversight/oversight.html", context)


@require_safe
def figures(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's
    """The same as a document, with its digest and how much of the ledger it was made from."""
    found = queries.latest()
    if found is None:
        raise NotFound("no figures were published yet")
    document = {"figures": found.document, "digest": found.digest, "ledger_size": found.size}
    response = HttpResponse(json.dumps(document, indent=2), content_type="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def _series(rows: Sequence[Mapping[str, Any]]) -> list[Series]:
    """Sums so far, at the end of each run of weeks that is shown."""
    found = []
    for milestone in _LINES:
        so_far = 0
        points: list[tuple[datetime, float]] = []
        for row in rows:
            if row["milestone"] == milestone.value and row["count"] is not None:
                so_far += row["count"]
                points.append((_end_of(row["last"]), so_far))
        if points:
            found.append(Series(_WORDS[milestone], tuple(points)))
    return found


def _named(milestone: Milestone, document: Mapping[str, Any]) -> str:
    """The words for a stage; where the last weeks are withheld, they say so."""
    rows = [row for row in document["figures"] if row["milestone"] == milestone.value]
    is_withheld = any(row["count"] is None for row in rows)
    more = f", and up to {document['least'] - 1} more" if is_withheld else ""
    return f"{_WORDS[milestone]}{more}"


def _joined(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring weeks with nothing in them as one row."""
    found: list[dict[str, Any]] = []
    for row in rows:
        last = found[-1] if found else None
        is_nothing = row["count"] == 0
        if (
            last is not None
            and is_nothing
            and last["count"] == 0
            and last["milestone"] == row["milestone"]
        ):
            last["last"] = row["last"]
        else:
            found.append(dict(row))
    return found


def _end_of(week: str) -> datetime:
    year, _, number = week.partition("-W")
    return datetime.fromisocalendar(int(year), int(number), 7).replace(tzinfo=UTC)


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    return Table(
        "Every figure that is published",
        (Column("What"), Column("Weeks"), Column("How many", number=True)),
        tuple(
            (_WORDS[Milestone(row["milestone"])], _weeks(row),
             "withheld" if row["count"] is None else row["count"])
            for row in _joined(rows)
        ),
    )  # fmt: skip


def _medians(rows: Sequence[Mapping[str, Any]]) -> Table:
    return Table(
        "Median days from one step to the next",
        (Column("From"), Column("To"), Column("Weeks"), Column("Median days", number=True),
         Column("Findings, at least", number=True)),
        tuple(
            (row["start"], row["end"], _weeks(row), row["median_days"], row["at_least"])
            for row in rows
            if row["median_days"] is not None
        ),
        empty="Too few so far to say.",
    )  # fmt: skip


def _weeks(row: Mapping[str, Any]) -> str:
    first, last = row["first"], row["last"]
    return str(first) if first == last else f"{first} to {last}"
