"""Third parties in a review: trusted partners and assessors, chosen by both sides.

Either side proposes, with the reason and the criteria that it goes by; those were published before
the review was submitted, so that none are made for one partner.  A party joins when both sides have
agreed; it agrees to the same terms and declares its conflicts of interest.  A conflict that it
declares is put before both sides again.  A partner's access begins after the government's and ends
with it (Executive Order, section 3(b)).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from clearhouse.errors import Invalid, Refused
from clearhouse.protocol.machine import Machine
from clearhouse.protocol.review import SIDES, Side
from clearhouse.protocol.window import Window, is_open


@dataclass(frozen=True, slots=True)
class Criteria:
    """By what partners are chosen, as published; ``version`` counts from 1."""

    version: int
    text: str
    published_at: datetime

    @property
    def digest(self) -> str:
        """``sha256:`` and the digest of version and text."""
        said = f"{self.version}\n{self.text}".encode()
        return f"sha256:{hashlib.sha256(said).hexdigest()}"


def criteria_for(published: Iterable[Criteria], submitted_at: datetime) -> Criteria:
    """The last criteria that were published before a review was submitted.

    Raises :class:`Refused` where there are none: partners are chosen by what everybody could read
    before.
    """
    before = [one for one in published if one.published_at < submitted_at]
    if not before:
        raise Refused("no criteria for partners were published before the review was submitted")
    return max(before, key=lambda one: one.version)


class Part(StrEnum):
    """What a third party is in a review."""

    PARTNER = "trusted-partner"
    ASSESSOR = "assessor"


class ChoiceState(StrEnum):
    """Where the choice of a third party stands."""

    PROPOSED = "proposed"
    AGREED = "agreed"  # by both sides; it is asked to join
    JOINED = "joined"  # it is bound by the terms
    REFUSED = "refused"
    REVOKED = "revoked"


class ChoiceEvent(StrEnum):
    """What happens to it."""

    AGREE = "agree"  # the later side does
    REFUSE = "refuse"
    JOIN = "join"
    CONFLICT = "conflict"  # it declares one: both sides look again
    REVOKE = "revoke"


_S, _E = ChoiceState, ChoiceEvent
CHOICE: Final = Machine(
    "the choice",
    _S.PROPOSED,
    {
        (_S.PROPOSED, _E.AGREE): _S.AGREED,
        (_S.PROPOSED, _E.REFUSE): _S.REFUSED,
        (_S.AGREED, _E.JOIN): _S.JOINED,
        (_S.AGREED, _E.CONFLICT): _S.PROPOSED,
        (_S.JOINED, _E.CONFLICT): _S.PROPOSED,
        (_S.PROPOSED, _E.REVOKE): _S.REVOKED,
        (_S.AGREED, _E.REVOKE): _S.REVOKED,
        (_S.JOINED, _E.REVOKE): _S.REVOKED,
    },
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A third party at a moment.

    ``conflicts`` is everything declared about it, by whoever; ``joined_at`` has a zone.
    """

    part: Part
    proposed_by: Side
    state: ChoiceState = ChoiceState.PROPOSED
    agreed_by: frozenset[Side] = frozenset()
    conflicts: tuple[str, ...] = ()
    joined_at: datetime | None = None


def propose(part: Part, *, by: Side, reason: str, conflicts: str) -> Choice:
    """Propose a party.  Whoever does agrees, and declares what conflicts it knows of."""
    if by not in SIDES:
        raise Refused("the developer or the office proposes")
    if not reason.strip():
        raise Invalid("say why, by the published criteria", key="reason")
    known = (conflicts.strip(),) if conflicts.strip() else ()
    return Choice(part, by, agreed_by=frozenset({by}), conflicts=known)


def agree(choice: Choice, *, by: Side, reason: str) -> Choice:
    """Agree to it, with the declared conflicts in view."""
    if by not in SIDES:
        raise Refused("the developer or the office agrees")
    if not reason.strip():
        raise Invalid("say why, by the published criteria", key="reason")
    if by in choice.agreed_by:
        raise Refused("you have agreed; the other side has not")
    CHOICE.after(choice.state, ChoiceEvent.AGREE)
    agreed = choice.agreed_by | {by}
    state = ChoiceState.AGREED if agreed >= SIDES else ChoiceState.PROPOSED
    return replace(choice, state=state, agreed_by=agreed)


def refuse(choice: Choice) -> Choice:
    """One side does not want it."""
    state = CHOICE.after(choice.state, ChoiceEvent.REFUSE)
    return replace(choice, state=state, agreed_by=frozenset())


def join(choice: Choice, *, conflicts: str, now: datetime) -> Choice:
    """The party agrees to the terms and declares its conflicts; none is an empty text.

    A conflict leads back to both sides: its access waits until each has agreed again.
    """
    joined = CHOICE.after(choice.state, ChoiceEvent.JOIN)
    if not conflicts.strip() or conflicts.strip() in choice.conflicts:
        return replace(choice, state=joined, joined_at=now)
    return declare(choice, conflicts)


def declare(choice: Choice, conflicts: str) -> Choice:
    """A conflict of interest is declared; nobody's agreement covers it yet."""
    if not conflicts.strip():
        raise Invalid("say what the conflict is", key="conflicts")
    state = CHOICE.after(choice.state, ChoiceEvent.CONFLICT)
    return replace(
        choice, state=state, agreed_by=frozenset(), joined_at=None,
        conflicts=(*choice.conflicts, conflicts.strip()),
    )  # fmt: skip


def revoke(choice: Choice) -> Choice:
    """Its access ends at once; either side may, alone, and the party itself may leave."""
    state = CHOICE.after(choice.state, ChoiceEvent.REVOKE)
    return replace(choice, state=state, agreed_by=frozenset())


def has_access(choice: Choice, window: Window, now: datetime) -> bool:
    """Whether a third party has access at a moment.

    1. Both sides agreed to it.  2. It joined, under the terms, by then.  3. The window is open.
    4. The government's access began before: a partner is never first.
    """
    if not choice.agreed_by >= SIDES:  # 1
        return False
    if choice.state is not ChoiceState.JOINED or choice.joined_at is None:  # 2
        return False
    if now < choice.joined_at or not is_open(window, now):  # 3
        return False
    return window.starts_at is not None and now > window.starts_at  # 4
