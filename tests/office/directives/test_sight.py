"""Who sees which part of a directive and of an obligation: each row of the tables."""

from __future__ import annotations

from itertools import product

import pytest

from clearhouse.office.authorisation import (
    DirectivePart,
    DirectiveStanding,
    ObligationPart,
    may_issue,
    parts_of_directive,
    parts_of_obligation,
)
from clearhouse.office.viewer import PUBLIC, SYSTEM, Viewer
from clearhouse.protocol.roles import Role, Scope
from clearhouse.protocol.tlp import Tlp

MEMBER = Viewer(1, frozenset({Role.DEPLOYER}), frozenset(Scope), "a member")
OFFICE = Viewer(2, frozenset({Role.COORDINATOR}), frozenset(Scope), "the office")
TEXT = frozenset({DirectivePart.TEXT})
COUNTED = TEXT | {DirectivePart.AUDIENCE, DirectivePart.COUNTS}


def parts(viewer: Viewer, tlp: Tlp, *standing: str) -> frozenset[DirectivePart]:
    return parts_of_directive(
        viewer,
        DirectiveStanding(
            is_issuer="issuer" in standing,
            is_addressed="addressed" in standing,
            is_draft="draft" in standing,
            tlp=tlp,
        ),
    )


@pytest.mark.parametrize("tlp", Tlp)
def test_a_draft_is_its_issuers_alone(tlp: Tlp) -> None:
    for viewer in (PUBLIC, MEMBER, OFFICE, SYSTEM):
        assert not parts(viewer, tlp, "draft")
        assert not parts(viewer, tlp, "draft", "addressed")
    assert parts(MEMBER, tlp, "draft", "issuer") == frozenset(DirectivePart)


@pytest.mark.parametrize("tlp", Tlp)
def test_what_is_issued_is_seen_by_its_issuer_the_office_and_whom_it_addresses(tlp: Tlp) -> None:
    assert parts(MEMBER, tlp, "issuer") == frozenset(DirectivePart)
    assert parts(OFFICE, tlp) == COUNTED
    assert parts(MEMBER, tlp, "addressed") == TEXT


@pytest.mark.parametrize(
    ("tlp", "public", "member"),
    [
        (Tlp.CLEAR, True, True),
        (Tlp.GREEN, False, True),
        (Tlp.AMBER, False, False),
        (Tlp.AMBER_STRICT, False, False),
        (Tlp.RED, False, False),
    ],
)
def test_others_read_it_as_far_as_its_label_reaches(tlp: Tlp, public: bool, member: bool) -> None:
    assert parts(PUBLIC, tlp) == (TEXT if public else frozenset())
    assert parts(MEMBER, tlp) == (TEXT if member else frozenset())


def test_an_obligation_is_its_owners_and_as_far_as_it_goes_the_issuers() -> None:
    for is_issuer, is_binding, has_evidence in product((True, False), repeat=3):
        own = parts_of_obligation(
            is_owner=True, is_issuer=is_issuer, is_binding=is_binding, has_evidence=has_evidence
        )
        assert own == frozenset(ObligationPart)
        seen = parts_of_obligation(
            is_owner=False, is_issuer=is_issuer, is_binding=is_binding, has_evidence=has_evidence
        )
        assert ObligationPart.WORK not in seen
        assert bool(seen) is is_issuer
        assert (ObligationPart.WHERE in seen) is (is_issuer and (is_binding or has_evidence))


@pytest.mark.parametrize("role", Role)
def test_authorities_and_the_office_issue(role: Role) -> None:
    viewer = Viewer(1, frozenset({role}), frozenset(Scope), "somebody")
    assert may_issue(viewer) is (role in (Role.AUTHORITY, Role.COORDINATOR))
