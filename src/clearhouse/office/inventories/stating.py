"""Which VEX statements there are about what touches a system: public ones, and its owner's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clearhouse.errors import Invalid
from clearhouse.exposure.documents import VEX, Document, of_bytes
from clearhouse.exposure.inventories import bom_links_of
from clearhouse.exposure.matching import Match
from clearhouse.exposure.touching import Touch
from clearhouse.exposure.vex import Stated, Statements
from clearhouse.formats.vex import Statement, VexDocument, purl_of
from clearhouse.office.blobs import store
from clearhouse.office.feeds.queries import statements_about
from clearhouse.office.inventories.models import Inventory, OwnStatements, System

_TEXT: Final = 500


@dataclass(frozen=True, slots=True)
class Stating:
    """Every statement that may count for a system, and what its inventory is of."""

    statements: Statements
    subject: str

    def on(self, match: Match) -> Stated:
        """What is stated of a match."""
        return self.statements.on(match, purl_of(self.subject) if self.subject else None)


def stated_of(system: System, touching: Sequence[Touch]) -> Stating:
    """The statements about the flaws that touch a system now."""
    current = Inventory.objects.filter(system=system, is_current=True).first()
    own = list(_own(system))
    public = statements_about({name for one in touching for name in one.ids})
    # Only a deployer's own document names components of its own list by their place in it.
    links = (
        bom_links_of(store.read(current.blob), current.file) if own and current is not None else {}
    )
    return Stating(Statements([*public, *own], links), current.subject if current else "")


def read_statements(raw: bytes, where: str) -> tuple[Statement, ...]:
    """The statements of a VEX document.  Raises :class:`Invalid` where it is none."""
    statements: list[Statement] = []
    for one in of_bytes(raw, where, VEX):
        if not isinstance(one, Document) or not isinstance(one.value, VexDocument):
            reason = "is no VEX document" if isinstance(one, Document) else one.reason
            raise Invalid(f"{reason}; known are OpenVEX, CSAF and CycloneDX", where=where)
        if one.problems:
            raise Invalid(str(one.problems[0]), where=where)
        statements += one.value.statements
    if not statements:
        raise Invalid("has no statements", where=where)
    return tuple(statements)


def told_of(one: Statement | None) -> dict[str, Any] | None:
    """A statement as it is shown beside what it is about."""
    if one is None:
        return None
    return {
        "claim": one.claim.value,
        "justification": one.justification[:_TEXT],
        "impact": one.impact[:_TEXT],
        "action": one.action[:_TEXT],
        "author": one.author[:_TEXT],
        "source": one.source[:_TEXT],
        "at": one.at.isoformat() if one.at is not None else None,
    }


def _own(system: System) -> Iterable[Statement]:
    rows = OwnStatements.objects.filter(system=system, withdrawn_at=None).order_by("at", "pk")
    for row in rows:
        yield from read_statements(store.read(row.blob), row.file)
