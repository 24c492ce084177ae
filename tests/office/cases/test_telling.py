"""The supplier's own policy is applied before anything is sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Conflict, NotFound, Refused
from clearhouse.office.cases import queries
from clearhouse.office.cases.actions import opening, people, states, turns
from clearhouse.office.cases.models import Case, Suggestion
from clearhouse.office.cases.routes import WEEK, Policy, Telling, telling
from clearhouse.office.orgs.models import SupplierPolicy
from clearhouse.protocol.embargo import Consent
from clearhouse.protocol.report_management import ReportEvent
from clearhouse.protocol.roles import Role
from tests.office.cases.made import PACKAGE, Cast, at, cast, opened, proven, reported
from tests.office.story import NOW, somebody

DAY = timedelta(days=1)
days = st.integers(0, 400).map(lambda count: timedelta(days=count))


def policy(
    *,
    wants_public: bool = False,
    embargo: timedelta | None = None,
    pace: int | None = None,
    proof_required: bool = False,
) -> Policy:
    return Policy(
        "team", "Team", "in this office", wants_public, embargo, pace, proof_required, "CVSS", ""
    )


def told(
    said: Policy,
    *,
    ends_at: datetime | None = NOW + 90 * DAY,
    has_proof: bool = False,
    lately: tuple[datetime, ...] = (),
) -> Telling:
    return telling(said, has_proof=has_proof, told_lately=lately, ends_at=ends_at, now=NOW)


@given(days, days)
def test_the_shorter_of_both_periods_is_in_force_and_the_longer_proposed(
    office: timedelta, supplier: timedelta
) -> None:
    move = told(policy(embargo=supplier), ends_at=NOW + office)
    if supplier == timedelta(0):
        assert move.ends_embargo
        return
    if office == timedelta(0):
        return
    assert move.ends_at == NOW + min(office, supplier)
    assert move.proposed == (NOW + max(office, supplier) if office != supplier else None)
    assert move.agreed == (NOW + supplier if supplier < office else None)


def test_a_supplier_that_takes_proofs_only_is_told_of_proofs_only() -> None:
    said = policy(proof_required=True)
    assert "with a proof only" in told(said).refusal
    assert told(said, has_proof=True).refusal == ""


def test_a_supplier_without_a_word_on_it_gets_the_offices_period() -> None:
    move = told(policy())
    assert (move.refusal, move.agreed, move.proposed) == ("", None, None)
    assert move.ends_at == NOW + 90 * DAY


@pytest.mark.parametrize("said", [policy(wants_public=True), policy(embargo=timedelta(0))])
def test_public_at_once_ends_the_embargo(said: Policy) -> None:
    assert told(said).ends_embargo


def test_where_there_is_no_embargo_none_begins() -> None:
    assert told(policy(embargo=30 * DAY), ends_at=None).ends_at is None


@given(st.integers(0, 5), st.lists(st.integers(1, 6 * 24), max_size=8))
def test_no_more_than_its_pace_in_any_week(pace: int, hours: list[int]) -> None:
    lately = tuple(sorted(NOW - timedelta(hours=one) for one in hours))
    move = told(policy(pace=pace), lately=lately)
    assert bool(move.refusal) == (len(lately) >= pace)
    if move.refusal and pace:
        again = lately[-pace] + WEEK
        assert f"{again:%Y-%m-%d %H:%M} UTC" in move.refusal
        assert sum(one > again - WEEK for one in lately) < pace


# --- in the office --------------------------------------------------------------------------------


@pytest.fixture
def who(db: None) -> Cast:
    return cast()


def says(who: Cast, **said: Any) -> None:
    SupplierPolicy.objects.create(organisation_id=who.supplier.acting_for(), **said)


def after(case: Case) -> Case:
    case.refresh_from_db()
    return case


def test_the_page_shows_what_the_action_then_does(who: Cast) -> None:
    says(who, embargo_days=30, proof_required=True)
    case = opened(who)
    shown = queries.telling(who.office, case.name, "ecdsa-team", now=at(5))
    people.tell(who.office, case.name, "ecdsa-team", now=at(5))
    assert after(case).embargo_ends_at == shown.ends_at == at(5) + 30 * DAY
    assert case.embargo_because == "as a supplier asks in its policy"
    [proposed] = case.proposals.filter(state="open")
    assert proposed.ends_at == shown.proposed == at(5) + 90 * DAY


def test_a_policy_is_for_the_office_to_see(who: Cast) -> None:
    case = opened(who)
    with pytest.raises(NotFound):
        queries.telling(who.finder, case.name, "ecdsa-team", now=at(1))


def test_what_the_supplier_asked_for_still_holds_after_another_turn(who: Cast) -> None:
    says(who, embargo_days=30)
    case = opened(who)
    people.tell(who.office, case.name, "ecdsa-team", now=at(0))
    people.answer(who.supplier, case.name, "accept", now=at(1))
    states.name_fix_date(who.supplier, case.name, "On Friday.", now=at(2))
    assert after(case).embargo_ends_at == at(0) + 44 * DAY


def test_a_longer_period_is_a_proposal_and_nothing_more(who: Cast) -> None:
    says(who, embargo_days=120)
    case = opened(who)
    people.tell(who.office, case.name, "ecdsa-team", now=at(48))
    assert after(case).embargo_ends_at == at(48) + 90 * DAY
    assert case.embargo_because == "90 days since the supplier was told"
    assert [one.ends_at for one in case.proposals.all()] == [at(48) + 120 * DAY]


def test_the_same_period_needs_no_proposal(who: Cast) -> None:
    says(who, embargo_days=90)
    case = opened(who)
    people.tell(who.office, case.name, "ecdsa-team", now=at(48))
    assert after(case).embargo_ends_at == at(48) + 90 * DAY
    assert (case.embargo, case.proposals.count()) == ("active", 0)


def test_a_supplier_that_wants_everything_public_has_the_report_at_once(who: Cast) -> None:
    says(who, route=SupplierPolicy.Route.PUBLIC)
    case = opened(who)
    part = people.tell(who.office, case.name, "ecdsa-team", now=at(1))
    assert after(case).embargo == "exited"
    assert "Ecdsa" not in case.embargo_because
    assert part.report == "received"
    assert queries.view(who.supplier, case.name, now=at(2)).findings is not None


def test_a_supplier_at_its_pace_is_not_told_and_nothing_is_stored(who: Cast) -> None:
    says(who, pace=1)
    people.tell(who.office, opened(who).name, "ecdsa-team", now=at(0))
    second = Case.objects.get(name=proven(who.other, "CVE-2021-42771", signature="sig1:two").case)
    with pytest.raises(Refused):
        people.tell(who.office, second.name, "ecdsa-team", now=at(24))
    assert not second.participants.filter(role=Role.SUPPLIER).exists()
    assert after(second).told_at is None
    people.tell(who.office, second.name, "ecdsa-team", now=at(7 * 24))


def test_a_supplier_is_told_once_and_again_only_after_it_declined(who: Cast) -> None:
    case = opened(who)
    people.tell(who.office, case.name, "ecdsa-team", now=at(0))
    with pytest.raises(Conflict):
        people.tell(who.office, case.name, "ecdsa-team", now=at(1))
    people.answer(who.supplier, case.name, "decline", now=at(2))
    people.tell(who.office, case.name, "ecdsa-team", now=at(3))
    assert queries.view(who.supplier, case.name, now=at(4)).invitation is not None


def test_who_declined_and_is_told_again_without_an_embargo_has_the_report(who: Cast) -> None:
    case = opened(who)
    people.tell(who.office, case.name, "ecdsa-team", now=at(0))
    people.answer(who.supplier, case.name, "decline", now=at(1))
    turns.terminate(who.office, case.name, "It is enough.", now=at(2))
    part = people.tell(who.office, case.name, "ecdsa-team", now=at(3))
    assert (part.consent, part.report) == ("no-embargo", "received")
    assert queries.view(who.supplier, case.name, now=at(4)).findings is not None


def test_who_had_the_report_and_declined_goes_on_where_it_was(who: Cast) -> None:
    case = opened(who)
    people.tell(who.office, case.name, "ecdsa-team", now=at(0))
    people.answer(who.supplier, case.name, "accept", now=at(1))
    states.report_state(who.supplier, case.name, ReportEvent.VALIDATE, now=at(1))
    case.participants.update(consent=Consent.LAPSED)
    people.answer(who.supplier, case.name, "decline", now=at(2))
    turns.terminate(who.office, case.name, "It is enough.", now=at(3))
    part = people.tell(who.office, case.name, "ecdsa-team", now=at(4))
    assert (part.consent, part.report) == ("no-embargo", "valid")
    assert queries.view(who.supplier, case.name, now=at(5)).findings is not None


def test_a_guest_that_declined_sees_its_part_when_invited_without_an_embargo(who: Cast) -> None:
    case = opened(who)
    people.invite(who.office, case.name, "hospital", Role.DEPLOYER, now=at(0))
    people.answer(who.hospital, case.name, "decline", now=at(1))
    turns.terminate(who.office, case.name, "It is enough.", now=at(2))
    people.invite(who.office, case.name, "hospital", Role.DEPLOYER, now=at(3))
    assert queries.view(who.hospital, case.name, now=at(4)).title == case.title


def test_who_has_not_the_role_is_not_invited_into_it(who: Cast) -> None:
    case = opened(who)
    with pytest.raises(Refused):
        people.invite(who.office, case.name, "hospital", Role.AUTHORITY, now=at(1))
    with pytest.raises(Refused):
        people.tell(who.office, case.name, "hospital", now=at(1))


# --- closed cases -------------------------------------------------------------------------------


def closed(who: Cast) -> Case:
    case = opened(who)
    turns.terminate(who.office, case.name, "It is enough.", now=at(1))
    opening.close_case(who.office, case.name, "Nobody mends it.", now=at(2))
    return after(case)


def test_a_case_that_was_closed_is_open_again_once_it_is_proven_anew(who: Cast) -> None:
    case = closed(who)
    found = proven(who.other, hours=5)
    assert found.case == case.name
    assert (after(case).state, case.closed_because) == ("open", "")
    assert "reopened" in set(case.events.values_list("kind", flat=True))
    [task] = queries.tasks_of(who.office)
    assert task.title == f"Look at {found.name}: proven after the case was closed"
    assert [one.case for one in queries.queue(who.office, now=at(6))] == [case]


def test_a_report_without_proof_joins_a_closed_case_by_decision_and_leaves_it_closed(
    who: Cast,
) -> None:
    case = closed(who)
    [suggestion] = Suggestion.objects.filter(finding=reported(who))
    opening.accept_suggestion(who.office, suggestion.name, now=at(6))
    assert after(case).state == "closed"


# --- credit and duplicates ------------------------------------------------------------------------


def test_joined_duplicates_stand_in_the_order_of_their_commitments(who: Cast) -> None:
    case = opened(who)
    late = proven(who.other, hours=5)
    # It had committed to it before the first came in.
    type(late).objects.filter(pk=late.pk).update(credit_at=at(-3), case="")
    opening.place(late.name, now=at(6))
    view = queries.view(who.office, case.name, now=at(7))
    assert [one.organisation.slug for one in view.findings or ()] == ["otherlab", "hexfind"]
    credited = case.participants.get(organisation__slug="otherlab")
    assert credited.credit_at == at(-3)


def test_handing_in_a_finding_is_agreeing_even_after_declining(who: Cast) -> None:
    case = opened(who)
    people.invite(who.office, case.name, "otherlab", Role.FINDER, now=at(1))
    people.answer(who.other, case.name, "decline", now=at(2))
    proven(who.other, hours=3)
    assert queries.view(who.other, case.name, now=at(4)).own_findings


def test_a_report_without_proof_is_suggested_and_joins_only_by_decision(who: Cast) -> None:
    case = opened(who)
    name = reported(who)
    [suggestion] = Suggestion.objects.filter(finding=name)
    assert suggestion.case == case
    assert "both name the function remove_integer" in suggestion.reasons
    with pytest.raises(NotFound):
        queries.view(who.other, case.name, now=at(4))
    with pytest.raises(NotFound):
        opening.accept_suggestion(who.finder, suggestion.name, now=at(4))
    opening.accept_suggestion(who.office, suggestion.name, now=at(4))
    assert queries.view(who.other, case.name, now=at(5)).own_findings
    with pytest.raises(Conflict):
        opening.reject_suggestion(who.office, suggestion.name, now=at(5))


def test_a_case_of_reports_alone_is_not_sent_to_who_wants_proof(who: Cast) -> None:
    case = opening.open_unproven(who.office, reported(who), now=at(4))
    assert (case.package, case.signature) == (PACKAGE, None)
    says(who, proof_required=True)
    with pytest.raises(Refused):
        people.tell(who.office, case.name, "ecdsa-team", now=at(5))
    SupplierPolicy.objects.update(proof_required=False)
    people.tell(who.office, case.name, "ecdsa-team", now=at(5))
    assert somebody("ecdsa-team").acting_for() in set(
        case.participants.values_list("organisation", flat=True)
    )
