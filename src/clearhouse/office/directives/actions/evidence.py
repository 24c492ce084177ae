"""Evidence that needs a person: handed in by whose obligation it is, answered by the authority."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from clearhouse.errors import Invalid, NotFound, Refused
from clearhouse.office.directives.actions.change import Change
from clearhouse.office.directives.actions.deriving import mark
from clearhouse.office.directives.actions.noting import keep
from clearhouse.office.directives.models import ObligationRow
from clearhouse.office.directives.sight import MISSING, is_issuer, obligation_seen
from clearhouse.office.directives.stored import directive_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.directives.directive import Way
from clearhouse.protocol.directives.events import Accept, Event, HandIn, Refuse
from clearhouse.protocol.roles import Scope

#: What a person states, and the authority examines.
STATED: Final = (Way.REMOVED, Way.ACCEPTED)
#: What is handed in here, or found by itself with the system.
TAKEN: Final = (Way.INVENTORY, Way.VEX, *STATED)
LONGEST: Final = 2000
_REASON: Final = 1000


def hand_in(viewer: Viewer, name: str, way: str, text: str, *, now: datetime) -> ObligationRow:
    """State that the software was taken away, or ask the authority to leave it as it is.

    What a rule decides is not handed in here: a new inventory or a VEX statement is, with the
    system, and found by itself.  Raises :class:`NotFound`, :class:`Invalid`, :class:`Refused`.
    """
    viewer.needs(Scope.DIRECTIVES_WRITE)
    said = text.strip()
    if way not in STATED:
        raise Invalid(f"expected one of {', '.join(STATED)}", key="way")
    if not said or len(said) > LONGEST:
        raise Invalid(f"say what was done, or why, in at most {LONGEST} characters", key="text")
    with transaction.atomic():
        held = _held(viewer, name, now)
        if held.organisation_id != viewer.organisation:
            raise NotFound(MISSING)
        _apply(held, HandIn(Way(way)), viewer, now, text=said)
        return held


def answer(viewer: Viewer, name: str, verdict: str, reason: str, *, now: datetime) -> ObligationRow:
    """Accept what was handed in, or refuse it, for who issued the directive.

    Raises :class:`NotFound`, :class:`Invalid`, and :class:`Refused` where nothing waits.
    """
    viewer.needs(Scope.DIRECTIVES_WRITE)
    said = reason.strip()
    if verdict not in ("accept", "refuse"):
        raise Invalid("expected accept or refuse", key="verdict")
    if len(said) > _REASON:
        raise Invalid(f"expected at most {_REASON} characters", key="reason")
    with transaction.atomic():
        held = _held(viewer, name, now)
        if not is_issuer(viewer, held.directive):
            raise NotFound(MISSING)
        if viewer.key is not None:
            raise Refused("an API key cannot do this; sign in")
        event: Event = Accept(said) if verdict == "accept" else Refuse(said)
        _apply(held, event, viewer, now)
        return held


def _apply(
    held: ObligationRow, event: Event, viewer: Viewer, now: datetime, *, text: str = ""
) -> None:
    directive = directive_of(held.directive)
    keep([Change(held, directive, (event,), by=viewer.name[:200], text=text)], now=now)


def _held(viewer: Viewer, name: str, now: datetime) -> ObligationRow:
    """The obligation, held; its system is marked before, in the order of whoever looks at it."""
    seen, _, _ = obligation_seen(viewer, name)
    mark([seen.system_id], now=now)
    return (
        ObligationRow.objects.select_for_update(of=("self",))
        .select_related("directive")
        .get(pk=seen.pk)
    )
