"""Third parties are chosen by both sides, by criteria that were there before, and come second."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from clearhouse.errors import Invalid, Refused
from clearhouse.protocol.partners import (
    CHOICE,
    Choice,
    ChoiceEvent,
    ChoiceState,
    Criteria,
    Part,
    agree,
    criteria_for,
    declare,
    has_access,
    join,
    propose,
    refuse,
    revoke,
)
from clearhouse.protocol.review import Side
from clearhouse.protocol.window import end, pause
from tests.protocol.test_window import DAY, DEV, OFFICE, T0, running

_S, _E = ChoiceState, ChoiceEvent
EXPECTED = {
    _S.PROPOSED: {_E.AGREE: _S.AGREED, _E.REFUSE: _S.REFUSED, _E.REVOKE: _S.REVOKED},
    _S.AGREED: {_E.JOIN: _S.JOINED, _E.CONFLICT: _S.PROPOSED, _E.REVOKE: _S.REVOKED},
    _S.JOINED: {_E.CONFLICT: _S.PROPOSED, _E.REVOKE: _S.REVOKED},
    _S.REFUSED: {},
    _S.REVOKED: {},
}
SOON = T0 + timedelta(hours=1)


def proposed(by: Side = OFFICE) -> Choice:
    return propose(Part.PARTNER, by=by, reason="runs a hospital network", conflicts="")


def chosen() -> Choice:
    return agree(proposed(), by=DEV, reason="as published")


def joined() -> Choice:
    return join(chosen(), conflicts="", now=T0)


@pytest.mark.parametrize(("state", "event"), list(product(_S, _E)))
def test_every_state_and_event_moves_as_the_table_says_or_is_refused(
    state: ChoiceState, event: ChoiceEvent
) -> None:
    expected = EXPECTED[state].get(event)
    if expected is None:
        with pytest.raises(Refused, match="is not possible"):
            CHOICE.after(state, event)
    else:
        assert CHOICE.after(state, event) is expected


@pytest.mark.parametrize("by", [DEV, OFFICE])
def test_either_side_proposes_and_the_other_has_to_agree(by: Side) -> None:
    choice = proposed(by)
    with pytest.raises(Refused, match="the other side has not"):
        agree(choice, by=by, reason="again")
    other = OFFICE if by is DEV else DEV
    assert agree(choice, by=other, reason="fits").state is _S.AGREED


def test_nobody_is_proposed_or_agreed_to_without_a_reason_or_by_the_clock() -> None:
    with pytest.raises(Invalid, match="say why"):
        propose(Part.PARTNER, by=DEV, reason=" ", conflicts="")
    with pytest.raises(Invalid, match="say why"):
        agree(proposed(), by=DEV, reason="")
    for side in (Side.CLOCK,):
        with pytest.raises(Refused):
            propose(Part.PARTNER, by=side, reason="x", conflicts="")
        with pytest.raises(Refused):
            agree(proposed(), by=side, reason="x")


def test_there_is_no_access_before_both_have_agreed_and_the_party_has_joined() -> None:
    assert not has_access(proposed(), running(), SOON)
    assert not has_access(chosen(), running(), SOON)
    assert has_access(joined(), running(), SOON)


def test_a_partner_is_never_first() -> None:
    assert not has_access(joined(), running(), T0)
    assert has_access(joined(), running(), T0 + timedelta(microseconds=1))


def test_its_access_ends_with_the_window_with_a_pause_and_when_it_is_revoked() -> None:
    assert has_access(joined(), running(5), T0 + 5 * DAY - timedelta(microseconds=1))
    assert not has_access(joined(), running(5), T0 + 5 * DAY)
    assert not has_access(joined(), end(running(), now=SOON), SOON)
    assert not has_access(joined(), pause(running(), by=DEV, now=SOON), SOON)
    assert not has_access(revoke(joined()), running(), SOON)


def test_a_conflict_that_a_party_declares_is_put_before_both_sides_again() -> None:
    again = join(chosen(), conflicts="owns shares of the developer", now=T0)
    assert (again.state, again.agreed_by) == (_S.PROPOSED, frozenset())
    assert again.conflicts == ("owns shares of the developer",)
    for side in (DEV, OFFICE):
        assert not has_access(again, running(), SOON)
        again = agree(again, by=side, reason="small, and declared")
    back = join(again, conflicts="owns shares of the developer", now=T0)
    assert has_access(back, running(), SOON)


def test_a_conflict_that_comes_up_later_stops_the_access_at_once() -> None:
    later = declare(joined(), "has hired one of the reviewers")
    assert not has_access(later, running(), SOON)
    with pytest.raises(Invalid, match="what the conflict is"):
        declare(joined(), " ")


def test_a_refused_party_can_do_nothing() -> None:
    gone = refuse(proposed())
    with pytest.raises(Refused):
        join(gone, conflicts="", now=T0)
    with pytest.raises(Refused):
        agree(gone, by=DEV, reason="after all")


def test_criteria_have_to_be_published_before_the_review_was_submitted() -> None:
    first, second = Criteria(1, "a", T0), Criteria(2, "b", T0 + DAY)
    assert criteria_for([second, first], T0 + timedelta(hours=1)) == first
    assert criteria_for([first, second], T0 + 2 * DAY) == second
    for at in (T0, T0 - DAY):
        with pytest.raises(Refused, match="no criteria"):
            criteria_for([first, second], at)
    assert first.digest != second.digest != Criteria(2, "a", T0).digest
