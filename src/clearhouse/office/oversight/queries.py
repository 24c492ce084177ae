"""The figures: published ones for everybody, those of this minute for the office."""

from __future__ import annotations

from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.oversight.models import Publication
from clearhouse.office.oversight.passages import KINDS, passages
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.deficit import Interval, Milestone, counts, intervals


def latest() -> Publication | None:
    """The figures that were published last."""
    return Publication.objects.order_by("-size").first()


def exact(viewer: Viewer) -> tuple[dict[Milestone, int], tuple[Interval, ...]]:
    """The counts and medians of this minute, for who runs the office."""
    viewer.must_coordinate()
    known = list(passages(entries_of(viewer, KINDS)))
    return dict(counts(known)), intervals(known)
