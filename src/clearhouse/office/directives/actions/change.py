"""What happens to one obligation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from clearhouse.office.directives.models import Evidence, ObligationRow
from clearhouse.office.inventories.present import Touching
from clearhouse.protocol.directives.directive import Demand, Directive
from clearhouse.protocol.directives.events import Event
from clearhouse.protocol.directives.obligation import News

OFFICE: Final = "clearhouse"


@dataclass(slots=True, eq=False)
class Change:
    """What happens to one obligation: events in their order; a new one has no key yet.

    ``touching`` and ``asked`` are what it rests on now, where it is there; ``by`` hands in or
    answers, ``text`` is what it says, ``reference`` what it rests on, ``document`` where that is
    kept.
    ``news`` and ``came`` are what follows; ``had_evidence`` is whether something waited before.
    """

    row: ObligationRow
    directive: Directive
    events: tuple[Event, ...]
    touching: Touching | None = None
    asked: Demand | None = None
    by: str = OFFICE
    text: str = ""
    reference: str = ""
    document: str = ""
    news: list[News] = field(default_factory=list)
    came: list[Evidence] = field(default_factory=list)
    had_evidence: bool = False
