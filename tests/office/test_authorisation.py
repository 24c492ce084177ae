"""Who sees and does what, row by row: the tables say it, and these tests say it again."""

from __future__ import annotations

from itertools import product

import pytest

from clearhouse.office.authorisation import (
    DONE_BY,
    DONE_IN_REVIEW,
    INVITED,
    MEETS,
    SEEN_BY,
    SEEN_IN_REVIEW,
    Deed,
    Part,
    ReviewDeed,
    ReviewPart,
    ReviewStanding,
    Standing,
    may,
    may_in_review,
    may_read,
    meets,
    part_about,
    parts_of_review,
    parts_seen,
    sees_finding,
)
from clearhouse.office.viewer import EVERY_SCOPE, PUBLIC, SYSTEM, Viewer
from clearhouse.protocol.embargo import Consent
from clearhouse.protocol.partners import ChoiceState
from clearhouse.protocol.review import ReviewState
from clearhouse.protocol.roles import Role
from clearhouse.protocol.tlp import Tlp

OFFICE = Viewer(1, frozenset({Role.COORDINATOR}), EVERY_SCOPE, "Office")
STANDINGS = [
    Standing(role, consent, is_embargoed)
    for role, consent, is_embargoed in product(Role, Consent, (True, False))
]
NOBODY = {Role.ASSESSOR, Role.DEVELOPER, Role.TRUSTED_PARTNER}
#: The tables of need to know, as letters: one column for each part, x where it is seen.
PARTS = list(Part)
SEEN = {
    #                        inv sum clk rep prf ver sev pat rem dis tsk par tim tri
    Role.COORDINATOR:       " x   x   x   x   x   x   x   x   x   x   x   x   x   x ",
    Role.SUPPLIER:          " x   x   x   x   x   x   x   x   x   x   x   x   x   . ",
    Role.FINDER:            " x   x   x   .   .   x   x   x   x   x   x   x   x   . ",
    Role.DEPLOYER:          " x   x   x   .   .   x   x   .   x   .   x   .   .   . ",
    Role.OBSERVER:          " x   x   x   .   .   .   .   .   .   .   .   .   x   . ",
    Role.AUTHORITY:         " x   x   x   .   .   x   x   .   .   .   .   .   x   . ",
    Role.ASSESSOR:          " .   .   .   .   .   .   .   .   .   .   .   .   .   . ",
    Role.DEVELOPER:         " .   .   .   .   .   .   .   .   .   .   .   .   .   . ",
    Role.TRUSTED_PARTNER:   " .   .   .   .   .   .   .   .   .   .   .   .   .   . ",
}  # fmt: skip
DEEDS = list(Deed)
DONE = {
    #                       ans run rep emb wri ass pat tsk
    Role.COORDINATOR:      " x   x   x   x   x   x   x   x ",
    Role.SUPPLIER:         " x   .   x   x   x   x   x   x ",
    Role.FINDER:           " .   .   .   x   x   x   x   x ",
    Role.DEPLOYER:         " x   .   x   .   .   .   .   x ",
    Role.OBSERVER:         " x   .   .   .   .   .   .   . ",
    Role.AUTHORITY:        " x   .   .   .   .   .   .   . ",
    Role.ASSESSOR:         " .   .   .   .   .   .   .   . ",
    Role.DEVELOPER:        " .   .   .   .   .   .   .   . ",
    Role.TRUSTED_PARTNER:  " .   .   .   .   .   .   .   . ",
}  # fmt: skip


def acting(role: Role, organisation: int = 7) -> Viewer:
    return Viewer(organisation, frozenset({role}), EVERY_SCOPE, role.value)


@pytest.mark.parametrize("role", Role)
def test_a_bound_participant_sees_the_parts_of_its_row_and_no_others(role: Role) -> None:
    marks = dict(zip(PARTS, SEEN[role].split(), strict=True))
    seen = {part for part, mark in marks.items() if mark == "x"}
    assert SEEN_BY[role] == seen
    bound = Standing(role, Consent.SIGNATORY, is_embargoed=True)
    assert parts_seen(acting(Role.FINDER), bound) == seen


@pytest.mark.parametrize("role", Role)
def test_a_bound_participant_does_the_deeds_of_its_row_and_no_others(role: Role) -> None:
    marks = dict(zip(DEEDS, DONE[role].split(), strict=True))
    done = {deed for deed, mark in marks.items() if mark == "x"}
    assert DONE_BY[role] == done
    bound = Standing(role, Consent.SIGNATORY, is_embargoed=True)
    possible = {deed for deed in Deed if may(acting(Role.FINDER), deed, bound)}
    assert possible == done - {Deed.ANSWER_INVITATION}


@pytest.mark.parametrize("standing", STANDINGS)
def test_only_who_is_bound_or_free_sees_more_than_the_invitation(standing: Standing) -> None:
    expected = SEEN_BY[standing.role]
    if standing.consent is Consent.DECLINED:
        expected = frozenset()
    elif standing.is_embargoed and standing.consent is not Consent.SIGNATORY:
        expected = INVITED
    assert parts_seen(acting(Role.FINDER), standing) == expected


@pytest.mark.parametrize("standing", STANDINGS)
def test_who_is_not_bound_does_nothing_but_answer(standing: Standing) -> None:
    for deed in Deed:
        allowed = may(acting(Role.DEPLOYER), deed, standing)
        if standing.role is Role.COORDINATOR and deed is Deed.ANSWER_INVITATION:
            assert not allowed  # the office asks, and is not asked
        elif deed is Deed.ANSWER_INVITATION:
            assert allowed == (standing.consent in (Consent.INVITED, Consent.LAPSED))
        elif not standing.is_bound:
            assert not allowed


def test_an_invitation_shows_the_package_and_the_clock_alone() -> None:
    assert {Part.INVITATION, Part.CLOCK} == INVITED


def test_the_public_and_who_does_not_take_part_see_and_do_nothing() -> None:
    bound = Standing(Role.SUPPLIER, Consent.SIGNATORY, is_embargoed=False)
    for viewer, standing in ((PUBLIC, bound), (PUBLIC, None), (acting(Role.SUPPLIER), None)):
        assert parts_seen(viewer, standing) == frozenset()
        assert not any(may(viewer, deed, standing) for deed in Deed)
        assert not meets(viewer, standing, Role.SUPPLIER)


def test_the_office_sees_and_does_all() -> None:
    for viewer in (OFFICE, SYSTEM):
        assert parts_seen(viewer, None) == frozenset(Part)
        assert all(may(viewer, deed, None) for deed in Deed)
        assert all(meets(viewer, None, role) for role in Role)


@pytest.mark.parametrize(("own", "other"), list(product(Role, Role)))
def test_whom_a_participant_meets(own: Role, other: Role) -> None:
    met = {
        Role.SUPPLIER: {Role.SUPPLIER, Role.FINDER},
        Role.FINDER: {Role.SUPPLIER},
        Role.COORDINATOR: set(Role),
    }
    standing = Standing(own, Consent.SIGNATORY, is_embargoed=True)
    assert meets(acting(Role.OBSERVER), standing, other) == (other in met.get(own, set()))
    assert MEETS[own] == met.get(own, set())


def test_nobody_is_met_before_accepting() -> None:
    invited = Standing(Role.SUPPLIER, Consent.INVITED, is_embargoed=True)
    assert not meets(acting(Role.SUPPLIER), invited, Role.FINDER)


@pytest.mark.parametrize("role", Role)
def test_lines_that_name_somebody_are_read_by_those_who_meet_it(role: Role) -> None:
    part = part_about(role)
    for own in Role:
        if part in SEEN_BY[own]:
            assert role in MEETS[own]


@pytest.mark.parametrize(
    ("label", "author", "addressed", "is_participant", "reads"),
    [
        (Tlp.RED, None, {7}, True, True),
        (Tlp.RED, None, {8}, True, False),
        (Tlp.RED, None, set(), True, False),
        (Tlp.RED, 7, {8}, True, True),
        (Tlp.AMBER_STRICT, None, set(), True, True),
        (Tlp.AMBER_STRICT, None, {8}, True, False),
        (Tlp.AMBER_STRICT, None, {7}, True, True),
        (Tlp.AMBER, None, set(), True, True),
        (Tlp.AMBER, None, set(), False, False),
        (Tlp.AMBER, None, {8}, True, False),
        (Tlp.GREEN, None, set(), False, True),
        (Tlp.CLEAR, None, set(), False, True),
    ],
)
def test_a_label_decides_who_reads(
    label: Tlp, author: int | None, addressed: set[int], is_participant: bool, reads: bool
) -> None:
    viewer = acting(Role.SUPPLIER, 7)
    to = frozenset(addressed)
    assert may_read(
        viewer, label, author=author, addressed=to, is_participant=is_participant
    ) == reads  # fmt: skip
    assert may_read(OFFICE, label, author=author, addressed=to, is_participant=False)
    outside = may_read(PUBLIC, label, author=author, addressed=to, is_participant=True)
    assert outside == (label is Tlp.CLEAR)


@pytest.mark.parametrize("standing", [None, *STANDINGS])
def test_a_finding_is_its_finders_the_offices_and_the_suppliers_who_are_bound(
    standing: Standing | None,
) -> None:
    assert sees_finding(acting(Role.FINDER, 7), finder=7, standing=standing)
    assert sees_finding(OFFICE, finder=7, standing=standing)
    if standing is None or standing.role is Role.COORDINATOR:
        return
    others = sees_finding(acting(standing.role, 8), finder=7, standing=standing)
    assert others == (standing.role is Role.SUPPLIER and standing.is_bound)
    assert not sees_finding(PUBLIC, finder=7, standing=standing)


REVIEW_PARTS = list(ReviewPart)
SEEN_THERE = {
    #                        inv sum clk ter con par loa own gra own sea pro att tim
    Role.DEVELOPER:         " x   x   x   x   x   x   x   x   x   x   x   x   .   x ",
    Role.COORDINATOR:       " x   x   x   x   x   x   x   x   x   x   x   x   x   x ",
    Role.ASSESSOR:          " x   x   x   x   x   .   .   x   .   x   .   x   x   . ",
    Role.TRUSTED_PARTNER:   " x   x   x   x   .   .   .   x   .   x   .   .   .   . ",
}  # fmt: skip
REVIEW_DEEDS = list(ReviewDeed)
DONE_THERE = {
    #                        own giv agr run joi tak bac ass
    Role.DEVELOPER:         " x   x   x   .   .   .   .   . ",
    Role.COORDINATOR:       " .   .   x   x   .   .   x   x ",
    Role.ASSESSOR:          " .   .   .   .   .   x   x   x ",
    Role.TRUSTED_PARTNER:   " .   .   .   .   .   x   x   . ",
}  # fmt: skip
THIRD = (Role.ASSESSOR, Role.TRUSTED_PARTNER)


@pytest.mark.parametrize("role", Role)
def test_who_takes_part_in_a_review_sees_and_does_what_its_row_says(role: Role) -> None:
    nothing, none = ". " * len(REVIEW_PARTS), ". " * len(REVIEW_DEEDS)
    seen = {
        part
        for part, letter in zip(
            REVIEW_PARTS, SEEN_THERE.get(role, nothing).split(), strict=True
        )
        if letter == "x"
    }  # fmt: skip
    done = {
        deed
        for deed, letter in zip(REVIEW_DEEDS, DONE_THERE.get(role, none).split(), strict=True)
        if letter == "x"
    }
    assert SEEN_IN_REVIEW[role] == seen
    assert DONE_IN_REVIEW[role] == done
    joined = ReviewStanding(role, ReviewState.OPEN, ChoiceState.JOINED)
    assert parts_of_review(joined) == seen
    assert {deed for deed in ReviewDeed if may_in_review(deed, joined)} == done


@pytest.mark.parametrize(
    ("state", "choice", "role"), list(product(ReviewState, ChoiceState, THIRD))
)
def test_a_third_party_sees_a_review_only_while_both_sides_want_it_there(
    state: ReviewState, choice: ChoiceState, role: Role
) -> None:
    standing = ReviewStanding(role, state, choice)
    hidden = state in (ReviewState.DRAFTED, ReviewState.WITHDRAWN)
    if not hidden and choice is ChoiceState.JOINED:
        assert parts_of_review(standing) == SEEN_IN_REVIEW[role]
    elif not hidden and choice is ChoiceState.AGREED:
        assert parts_of_review(standing) == {ReviewPart.INVITATION, ReviewPart.TERMS}
        assert [d for d in ReviewDeed if may_in_review(d, standing)] == [ReviewDeed.JOIN]
    else:
        assert parts_of_review(standing) == frozenset()
        assert not any(may_in_review(deed, standing) for deed in ReviewDeed)


@pytest.mark.parametrize("role", [Role.COORDINATOR, *THIRD])
@pytest.mark.parametrize("state", [ReviewState.DRAFTED, ReviewState.WITHDRAWN])
def test_of_a_withdrawn_review_others_see_what_they_have_to_give_back_and_no_more(
    role: Role, state: ReviewState
) -> None:
    choice = None if role is Role.COORDINATOR else ChoiceState.JOINED
    gone = ReviewStanding(role, state, choice)
    holding = ReviewStanding(role, state, choice, holds=True)
    assert parts_of_review(gone) == frozenset()
    assert not any(may_in_review(deed, gone) for deed in ReviewDeed)
    assert parts_of_review(holding) == {ReviewPart.OWN_LOANS}
    assert [d for d in ReviewDeed if may_in_review(d, holding)] == [ReviewDeed.GIVE_BACK]


@pytest.mark.parametrize("state", ReviewState)
def test_the_developer_sees_and_ends_its_own_review_in_every_state(state: ReviewState) -> None:
    own = ReviewStanding(Role.DEVELOPER, state)
    assert parts_of_review(own) == frozenset(ReviewPart) - {ReviewPart.ATTEMPTS}
    assert may_in_review(ReviewDeed.OWN, own)


def test_who_is_nothing_in_a_review_sees_and_does_nothing() -> None:
    assert parts_of_review(None) == frozenset()
    assert not any(may_in_review(deed, None) for deed in ReviewDeed)
