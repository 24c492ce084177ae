"""How many asked and how many got it: from the ledger alone, so that anyone who holds it can check.

A review counts when it is over and never before: what was withdrawn was never counted.  A
withdrawal after that takes it from everybody's sight and changes no figure, for a figure that
changes would be a trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clearhouse.ledger.entry import Entry
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.viewer import SYSTEM, Viewer
from clearhouse.protocol.evenness import (
    Asked,
    Block,
    Over,
    Row,
    Size,
    blocks,
    by_sector,
    by_size,
    tallied,
)
from clearhouse.protocol.roles import Scope

#: The kinds of entries that are counted: reviews, and third parties in them.
REVIEW_OVER: Final = "review.over"
PARTY_OVER: Final = "review.party-over"


@dataclass(frozen=True, slots=True)
class Published:
    """What everybody may see: of reviews by their developers, of third parties by themselves."""

    reviews: tuple[Block, ...]
    parties: tuple[Block, ...]

    @property
    def count(self) -> int:
        """How many reviews are shown."""
        return sum(one.count for one in self.reviews)


@dataclass(frozen=True, slots=True)
class Exact:
    """The exact tables, for the office."""

    review_sectors: tuple[Row, ...]
    review_sizes: tuple[Row, ...]
    party_sectors: tuple[Row, ...]


def overs(entries: Iterable[Entry]) -> Iterator[Over]:
    """The requests that entries tell of.  Pure: whoever has the ledger recomputes it."""
    for one in entries:
        facts = one.facts
        asked = Asked(str(facts["sector"]), Size(str(facts["size"])), got=facts["got"] is True)
        yield Over(asked, one.at, timedelta(hours=int(str(facts["hours"]))))


def published_figures(*, now: datetime) -> Published:
    """What everybody may see now: the quarters that are over."""
    return Published(
        blocks(overs(entries_of(SYSTEM, (REVIEW_OVER,))), now),
        blocks(overs(entries_of(SYSTEM, (PARTY_OVER,))), now),
    )


def exact_figures(viewer: Viewer) -> Exact:
    """The exact tables: for the office."""
    viewer.must_coordinate()
    viewer.needs(Scope.REVIEWS_READ)
    reviews = [one.asked for one in overs(entries_of(viewer, (REVIEW_OVER,)))]
    parties = [one.asked for one in overs(entries_of(viewer, (PARTY_OVER,)))]
    return Exact(
        tallied(reviews, by_sector), tallied(reviews, by_size), tallied(parties, by_sector)
    )
