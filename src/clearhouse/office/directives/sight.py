"""Who sees directives and obligations: the rows behind :mod:`clearhouse.office.authorisation`."""

from __future__ import annotations

from clearhouse.errors import NotFound
from clearhouse.office.authorisation import (
    DirectivePart,
    DirectiveStanding,
    ObligationPart,
    may_issue,
    parts_of_directive,
    parts_of_obligation,
)
from clearhouse.office.directives.models import DirectiveRow, ObligationRow
from clearhouse.office.directives.stored import directive_of
from clearhouse.office.ledgerbook.sight import may_see_by
from clearhouse.office.orgs.queries import acting_as
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.directives.directive import Directive, Force
from clearhouse.protocol.directives.selection import Applies
from clearhouse.protocol.roles import Scope
from clearhouse.protocol.sectors import Sector
from clearhouse.protocol.tlp import Tlp

MISSING = "there is no such thing here"
DIRECTIVE, OBLIGATION = "D-", "O-"


def addresses(directive: Directive, viewer: Viewer) -> bool:
    """Whether a directive addresses the viewer's organisation, or may."""
    if viewer.organisation is None:
        return False
    mine = acting_as(viewer)
    sectors = {one for one in Sector if one.value == mine.sector} or None
    return directive.audience.reaches(mine.slug, sectors).applies is not Applies.NO


def is_issuer(viewer: Viewer, row: DirectiveRow) -> bool:
    """Whether the viewer's organisation has issued a directive, and is an authority still."""
    mine = viewer.organisation
    return mine is not None and mine == row.issuer_id and may_issue(viewer)


def parts_seen(
    viewer: Viewer, row: DirectiveRow, directive: Directive, *, has_obligations: bool
) -> frozenset[DirectivePart]:
    """The parts of a directive that the viewer sees.

    Whoever has obligations under it reads it, also when it is not addressed any more.
    """
    standing = DirectiveStanding(
        is_issuer=is_issuer(viewer, row),
        is_addressed=has_obligations or addresses(directive, viewer),
        is_draft=row.state == DirectiveRow.State.DRAFT,
        tlp=Tlp.parse(row.tlp),
    )
    return parts_of_directive(viewer, standing)


def directive_seen(
    viewer: Viewer, name: str
) -> tuple[DirectiveRow, Directive, frozenset[DirectivePart]]:
    """A directive, and what the viewer sees of it.  Raises :class:`NotFound`."""
    row = DirectiveRow.objects.select_related("issuer").filter(name=name).first()
    if row is None:
        raise NotFound(MISSING)
    directive = directive_of(row)
    own = ObligationRow.objects.filter(directive=row, organisation=viewer.organisation)
    has_obligations = viewer.organisation is not None and own.exists()
    parts = parts_seen(viewer, row, directive, has_obligations=has_obligations)
    if not parts:
        raise NotFound(MISSING)
    _checks_scope(viewer)
    return row, directive, parts


def own_directive(viewer: Viewer, name: str) -> DirectiveRow:
    """A directive, for who issues it.  Raises :class:`NotFound`."""
    row = DirectiveRow.objects.filter(name=name).first()
    if row is None or not is_issuer(viewer, row):
        raise NotFound(MISSING)
    return row


def parts_of(viewer: Viewer, row: ObligationRow, directive: Directive) -> frozenset[ObligationPart]:
    """The parts of an obligation that the viewer sees."""
    mine = viewer.organisation
    return parts_of_obligation(
        is_owner=mine is not None and mine == row.organisation_id,
        is_issuer=is_issuer(viewer, row.directive),
        is_binding=directive.force is Force.BINDING,
        has_evidence=is_examined(row),
    )


def is_examined(row: ObligationRow) -> bool:
    """Whether something was handed in that a person examines, or has examined."""
    return any(not one.is_by_rule for one in row.evidence.all())


def obligation_seen(
    viewer: Viewer, name: str
) -> tuple[ObligationRow, Directive, frozenset[ObligationPart]]:
    """An obligation, and what the viewer sees of it.  Raises :class:`NotFound`."""
    row = (
        ObligationRow.objects.select_related(
            "directive__issuer", "organisation", "system", "exposure"
        )
        .filter(name=name)
        .first()
    )
    if row is None:
        raise NotFound(MISSING)
    directive = directive_of(row.directive)
    parts = parts_of(viewer, row, directive)
    if not parts:
        raise NotFound(MISSING)
    _checks_scope(viewer)
    return row, directive, parts


def _checks_scope(viewer: Viewer) -> None:
    if not viewer.is_public:
        viewer.needs(Scope.DIRECTIVES_READ)


@may_see_by
def _sees_entries(viewer: Viewer, subject: str) -> bool:
    """Entries about a directive are for its issuer, those about an obligation for its owner too."""
    mine = viewer.organisation
    if mine is None:
        return False
    if subject.startswith(DIRECTIVE):
        directive = DirectiveRow.objects.filter(name=subject).first()
        return directive is not None and is_issuer(viewer, directive)
    if subject.startswith(OBLIGATION):
        row = ObligationRow.objects.select_related("directive").filter(name=subject).first()
        return row is not None and (mine == row.organisation_id or is_issuer(viewer, row.directive))
    return False
