"""Directives for those whom they reach, obligations for whose they are, compliance for issuers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Min, Q, QuerySet

from clearhouse.errors import NotFound
from clearhouse.office.authorisation import DirectivePart, ObligationPart, may_issue
from clearhouse.office.directives import entries
from clearhouse.office.directives.models import ACTIVE, DirectiveRow, Evidence, ObligationRow
from clearhouse.office.directives.sight import (
    MISSING,
    directive_seen,
    parts_of,
    parts_seen,
)
from clearhouse.office.directives.stored import directive_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.directives.directive import Directive
from clearhouse.protocol.directives.events import State
from clearhouse.protocol.directives.selection import Applies
from clearhouse.protocol.roles import Scope

PAGE: Final = 50
_DONE: Final = (State.COMPLETED.value, State.CLOSED.value)


@dataclass(frozen=True, slots=True)
class Counts:
    """How obligations stand; ``overdue``, ``examined`` and ``may_apply`` are among those open."""

    open: int = 0
    overdue: int = 0
    examined: int = 0
    done: int = 0
    may_apply: int = 0
    next_due: datetime | None = None

    @property
    def asked(self) -> int:
        """How much is asked, or was and is done."""
        return self.open + self.done


@dataclass(frozen=True, slots=True)
class Listed:
    """A directive in a list, with how one's own obligations stand."""

    row: DirectiveRow
    directive: Directive
    parts: frozenset[DirectivePart]
    mine: Counts


@dataclass(frozen=True, slots=True)
class Compliance:
    """How the obligations of one organisation stand."""

    organisation: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Seen:
    """An obligation and the parts of it that its viewer sees; what is not seen is empty."""

    row: ObligationRow
    directive: Directive
    parts: frozenset[ObligationPart]

    @property
    def flaw(self) -> str:
        """Which flaw, where that is seen."""
        return self.row.flaw if ObligationPart.WHERE in self.parts else ""

    @property
    def system(self) -> str:
        """What its owner calls the system, where that is seen."""
        return self.row.system.title if ObligationPart.WHERE in self.parts else ""

    @property
    def evidence(self) -> Sequence[Evidence]:
        """What was handed in, where that is seen, the latest first."""
        if ObligationPart.EVIDENCE not in self.parts:
            return ()
        return sorted(self.row.evidence.all(), key=lambda one: -one.pk)


def directives_of(viewer: Viewer, *, now: datetime) -> list[Listed]:
    """Every directive that the viewer sees, those in force first, the newest first."""
    if not viewer.is_public:
        viewer.needs(Scope.DIRECTIVES_READ)
    mine = _mine(viewer, now)
    found = []
    for row in DirectiveRow.objects.select_related("issuer").order_by("-made_at", "-pk"):
        directive = directive_of(row)
        parts = parts_seen(viewer, row, directive, has_obligations=row.pk in mine)
        if parts:
            found.append(Listed(row, directive, parts, mine.get(row.pk, Counts())))
    order = (DirectiveRow.State.ISSUED, DirectiveRow.State.DRAFT, DirectiveRow.State.ENDED)
    return sorted(found, key=lambda one: order.index(DirectiveRow.State(one.row.state)))


def obligations_of(
    viewer: Viewer, *, directive: str = "", beside: str = "", after: str = "", most: int = PAGE
) -> tuple[list[Seen], str | None]:
    """What is asked of the viewer's organisation, by due date; and where to go on.

    ``beside``: only what stands in one entry with that obligation; see :mod:`.entries`.
    """
    viewer.needs(Scope.DIRECTIVES_READ)
    found = ObligationRow.objects.filter(organisation=viewer.acting_for())
    if beside:
        found = entries.beside(entries.with_packages(found), beside, entries.PACKAGE)
    if directive:
        row, _, _ = directive_seen(viewer, directive)
        found = found.filter(directive=row)
    return _page(viewer, found, after, most)


def done_of(viewer: Viewer, directive: DirectiveRow, *, most: int = PAGE) -> list[Seen]:
    """What the viewer's organisation has done, or need not do, the latest first."""
    viewer.needs(Scope.DIRECTIVES_READ)
    rows = _whole().filter(organisation=viewer.acting_for(), directive=directive)
    over = rows.exclude(state__in=ACTIVE).order_by("-changed_at", "-pk")[:most]
    return [_seen(viewer, one, {}) for one in over]


def counts_of(viewer: Viewer, name: str, *, now: datetime) -> Counts:
    """How one's own obligations under a directive stand."""
    row, _, _ = directive_seen(viewer, name)
    return _mine(viewer, now).get(row.pk, Counts())


def compliance_of(viewer: Viewer, name: str, *, now: datetime) -> list[Compliance]:
    """How each organisation stands, those with most that is late first.

    For who issued the directive, and for the office.  Raises :class:`NotFound`.
    """
    row, _, parts = directive_seen(viewer, name)
    if DirectivePart.COUNTS not in parts:
        raise NotFound(MISSING)
    rows = (
        ObligationRow.objects.filter(directive=row)
        .values("organisation__name", "organisation")
        .annotate(**_tally(now))
    )
    found = [
        Compliance(one["organisation__name"], _counts(one))
        for one in rows.order_by("organisation__name", "organisation")
    ]
    return sorted(found, key=lambda one: (-one.counts.overdue, -one.counts.open))


def obligations_under(
    viewer: Viewer, name: str, *, beside: str = "", after: str = "", most: int = PAGE
) -> tuple[list[Seen], str | None]:
    """What is open under a directive, by due date, for who issued it; and where to go on.

    Which flaw on which system stands there only where :func:`parts_of` lets it.
    """
    row, directive, parts = directive_seen(viewer, name)
    if DirectivePart.OBLIGATIONS not in parts:
        raise NotFound(MISSING)
    found = ObligationRow.objects.filter(directive=row)
    if beside:
        placed = entries.with_places(found, viewer, directive)
        found = entries.beside(placed, beside, entries.PLACE)
    return _page(viewer, found, after, most)


def waiting_for(viewer: Viewer, *, most: int = PAGE) -> list[Seen]:
    """What was handed in and waits for the viewer's organisation to examine it, oldest first."""
    viewer.needs(Scope.DIRECTIVES_READ)
    if not may_issue(viewer):
        return []
    rows = _whole().filter(directive__issuer=viewer.acting_for(), state=State.HANDED_IN)
    return [_seen(viewer, one, {}) for one in rows.order_by("handed_in_at", "pk")[:most]]


def tally_of(row: DirectiveRow, *, organisation: int | None, now: datetime) -> Counts:
    """How obligations under a directive stand, of one organisation or of all: for the office."""
    found = ObligationRow.objects.filter(directive=row)
    if organisation is not None:
        found = found.filter(organisation=organisation)
    return _counts(found.aggregate(**_tally(now)))


def first_of(row: DirectiveRow, organisation: int, *, most: int) -> list[ObligationRow]:
    """What an organisation has to do first under a directive: for the office."""
    open_ = _whole().filter(directive=row, organisation=organisation, state=State.OPEN)
    return list(open_.order_by("rank", "name")[:most])


def seen_of(viewer: Viewer, row: ObligationRow, directive: Directive) -> Seen:
    """An obligation as its viewer sees it."""
    return Seen(row, directive, parts_of(viewer, row, directive))


def seen_among(viewer: Viewer, keys: Collection[int]) -> list[Seen]:
    """Of the obligations with these keys those that the viewer sees, by due date."""
    read: dict[int, Directive] = {}
    rows = _whole().filter(pk__in=keys).order_by("rank", "name")
    seen = (_seen(viewer, one, read) for one in rows)
    return [one for one in seen if one.parts]


def _page(
    viewer: Viewer, found: QuerySet[ObligationRow], after: str, most: int
) -> tuple[list[Seen], str | None]:
    """Those that are open, after the one of that name, also where it is over meanwhile."""
    last = found.filter(name=after).values_list("rank", "name").first() if after else None
    found = found.filter(state__in=ACTIVE)
    if last is not None:
        found = found.filter(Q(rank__gt=last[0]) | Q(rank=last[0], name__gt=last[1]))
    keys = list(found.order_by("rank", "name").values_list("pk", flat=True)[: most + 1])
    seen = seen_among(viewer, keys[:most])
    return seen, (seen[-1].row.name if len(keys) > most else None)


def _seen(viewer: Viewer, row: ObligationRow, read: dict[int, Directive]) -> Seen:
    if row.directive_id not in read:
        read[row.directive_id] = directive_of(row.directive)
    return seen_of(viewer, row, read[row.directive_id])


def _whole() -> QuerySet[ObligationRow]:
    return ObligationRow.objects.select_related(
        "directive__issuer", "organisation", "system", "exposure"
    ).prefetch_related("evidence")


def _mine(viewer: Viewer, now: datetime) -> Mapping[int, Counts]:
    if viewer.organisation is None:
        return {}
    rows = (
        ObligationRow.objects.filter(organisation=viewer.organisation)
        .values("directive")
        .annotate(**_tally(now))
    )
    return {one["directive"]: _counts(one) for one in rows.order_by("directive")}


def _tally(now: datetime) -> dict[str, Count | Min]:
    active = Q(state__in=ACTIVE)
    return {
        "open_": Count("pk", filter=active),
        "overdue": Count("pk", filter=Q(state=State.OPEN, due__lt=now)),
        "examined": Count("pk", filter=Q(state=State.HANDED_IN)),
        "done": Count("pk", filter=Q(state__in=_DONE)),
        "may_apply": Count("pk", filter=active & Q(applies=Applies.MAYBE)),
        "next_due": Min("due", filter=Q(state=State.OPEN)),
    }


def _counts(one: Mapping[str, object]) -> Counts:
    names = ("open_", "overdue", "examined", "done", "may_apply", "next_due")
    return Counts(*(one[name] for name in names))  # type: ignore[arg-type]  # as _tally names them
