"""The figures: published ones for everybody, exact ones for the office."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from clearhouse.office.ledgerbook.queries import entries_of, first_entry_at
from clearhouse.office.oversight.figures import digest_of, document_of
from clearhouse.office.oversight.models import Followed, Publication
from clearhouse.office.oversight.passages import KINDS, passages
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.deficit import Interval, Milestone


def latest() -> Publication | None:
    """The figures that were published last."""
    return Publication.objects.order_by("-size").first()


@dataclass(frozen=True, slots=True)
class Recomputed:
    """Figures that were published, beside those that follow from the ledger now."""

    until: str
    published: str
    recomputed: str

    @property
    def agrees(self) -> bool:
        """Whether they are the same."""
        return self.published == self.recomputed


def recompute(viewer: Viewer) -> Iterator[Recomputed]:
    """Make every publication's figures again from the entries that they were made from."""
    viewer.must_coordinate()
    since = first_entry_at()
    for one in Publication.objects.order_by("size", "pk"):
        assert since is not None, "figures are published from entries"
        known = passages(entries_of(viewer, KINDS, below=one.size))
        again = digest_of(document_of(known, since=since, until=one.at))
        yield Recomputed(one.until, one.digest, again)


@dataclass(frozen=True, slots=True)
class Exact:
    """The counts and medians of the first ``size`` entries of the ledger, as of a moment."""

    at: datetime
    size: int
    counts: dict[Milestone, int]
    intervals: tuple[Interval, ...]


def exact(viewer: Viewer) -> Exact | None:
    """What was followed last, for who runs the office; None before the first time.

    It is read as it was kept: nothing is counted while somebody waits for a page.
    """
    viewer.must_coordinate()
    found = Followed.objects.first()
    if found is None:
        return None
    kept = found.figures
    return Exact(
        found.at,
        kept["size"],
        {one: kept["counts"][one.value] for one in Milestone},
        tuple(
            Interval(
                Milestone(one["start"]), Milestone(one["end"]), one["count"],
                None if one["median"] is None else timedelta(microseconds=one["median"]),
            )
            for one in kept["intervals"]
        ),
    )  # fmt: skip
