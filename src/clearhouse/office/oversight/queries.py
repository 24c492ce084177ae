"""The figures: published ones for everybody, those of this minute for the office."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from clearhouse.office.ledgerbook.queries import entries_of, first_entry_at
from clearhouse.office.oversight.figures import digest_of, document_of
from clearhouse.office.oversight.models import Publication
from clearhouse.office.oversight.passages import KINDS, passages
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.deficit import Interval, Milestone, counts, intervals


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


def exact(viewer: Viewer) -> tuple[dict[Milestone, int], tuple[Interval, ...]]:
    """The counts and medians of this minute, for who runs the office."""
    viewer.must_coordinate()
    known = list(passages(entries_of(viewer, KINDS)))
    return dict(counts(known)), intervals(known)
