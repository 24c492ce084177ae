"""What moves and ends embargoes: every state with every event, and the clock's rules on cases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.cases import queries
from clearhouse.office.cases.actions import clock, discussion, opening, people, states, turns
from clearhouse.office.cases.models import Case, Participant, Proposal
from clearhouse.protocol.case_state import CaseEvent
from clearhouse.protocol.disclosure_clock import Turn
from clearhouse.protocol.embargo import Consent, EmbargoState
from clearhouse.protocol.roles import Role
from tests.office.cases.made import Cast, at, busy, cast, opened, proven

pytestmark = pytest.mark.django_db
DAY = 24


@pytest.fixture
def who() -> Cast:
    return cast()


def told(who: Cast) -> Case:
    case = opened(who)
    people.tell(who.office, case.name, "ecdsa-team", now=at(0))
    people.answer(who.supplier, case.name, "accept", now=at(1))
    case.refresh_from_db()
    return case


def now_in(case: Case) -> str:
    case.refresh_from_db()
    return case.embargo


def propose(who: Cast, case: Case, days: float, *, hours: float = 2) -> Proposal:
    ends = at(days * DAY)
    return turns.propose_end(who.finder, case.name, ends, "A talk.", now=at(hours))


def decide(who: Cast, case: Case, made: Proposal, verdict: str, *, hours: float = 3) -> None:
    turns.decide_proposal(who.office, case.name, made.number, verdict, "", now=at(hours))


def test_a_case_begins_under_an_embargo_of_the_usual_length(who: Cast) -> None:
    case = opened(who)
    assert (case.embargo, case.embargo_ends_at) == ("active", at(90 * DAY))
    assert case.told_at is None


#: What each state makes of each thing that is done to it; an error where it is not possible.
MOVES: list[tuple[EmbargoState, str, EmbargoState | type[Exception]]] = [
    (EmbargoState.NONE, "propose", EmbargoState.PROPOSED),
    (EmbargoState.NONE, "terminate", Conflict),
    (EmbargoState.PROPOSED, "propose", EmbargoState.PROPOSED),
    (EmbargoState.PROPOSED, "accept", EmbargoState.ACTIVE),
    (EmbargoState.PROPOSED, "reject", EmbargoState.NONE),
    (EmbargoState.PROPOSED, "terminate", Conflict),
    (EmbargoState.PROPOSED, "public", EmbargoState.NONE),
    (EmbargoState.ACTIVE, "propose", EmbargoState.REVISE),
    (EmbargoState.ACTIVE, "terminate", EmbargoState.EXITED),
    (EmbargoState.ACTIVE, "public", EmbargoState.EXITED),
    (EmbargoState.ACTIVE, "attacked", EmbargoState.ACTIVE),
    (EmbargoState.REVISE, "propose", EmbargoState.REVISE),
    (EmbargoState.REVISE, "accept", EmbargoState.ACTIVE),
    (EmbargoState.REVISE, "reject", EmbargoState.ACTIVE),
    (EmbargoState.REVISE, "terminate", EmbargoState.EXITED),
    (EmbargoState.REVISE, "public", EmbargoState.EXITED),
    (EmbargoState.REVISE, "exploit", EmbargoState.EXITED),
    (EmbargoState.REVISE, "attacked", EmbargoState.REVISE),
    (EmbargoState.EXITED, "propose", Refused),
    (EmbargoState.EXITED, "terminate", Conflict),
    (EmbargoState.EXITED, "public", EmbargoState.EXITED),
]


@pytest.mark.parametrize(("state", "deed", "expected"), MOVES)
def test_every_state_and_event(
    who: Cast, state: EmbargoState, deed: str, expected: EmbargoState | type[Exception]
) -> None:
    case = told(who)
    waiting = None
    if state in (EmbargoState.PROPOSED, EmbargoState.REVISE):
        waiting = propose(who, case, 60)
    Case.objects.filter(pk=case.pk).update(embargo=state)

    def world(letter: CaseEvent) -> Callable[[], object]:
        return lambda: states.world_event(who.office, case.name, letter, "seen", now=at(4))

    deeds: dict[str, Callable[[], object]] = {
        "propose": lambda: propose(who, case, 50),
        "terminate": lambda: turns.terminate(who.office, case.name, "enough", now=at(4)),
        "accept": lambda: decide(who, case, waiting or Proposal(), "accepted"),
        "reject": lambda: decide(who, case, waiting or Proposal(), "rejected"),
        "public": world(CaseEvent.PUBLIC),
        "exploit": world(CaseEvent.EXPLOIT_PUBLIC),
        "attacked": world(CaseEvent.ATTACKS),
    }
    if isinstance(expected, EmbargoState):
        deeds[deed]()
        assert now_in(case) == expected
    else:
        with pytest.raises(expected):
            deeds[deed]()
        assert now_in(case) == state


def test_the_end_of_an_embargo_rejects_what_was_proposed_and_binds_nobody(who: Cast) -> None:
    case = told(who)
    made = propose(who, case, 60)
    people.invite(who.office, case.name, "hospital", Role.DEPLOYER, now=at(3))
    turns.terminate(who.office, case.name, "It is enough.", now=at(4))
    made.refresh_from_db()
    assert made.state == "rejected"
    assert queries.view(who.hospital, case.name, now=at(5)).title == case.title


def test_a_later_end_asks_everybody_again_but_who_proposed_it(who: Cast) -> None:
    case = busy(who)
    decide(who, case, propose(who, case, 120, hours=7), "accepted", hours=8)
    consents = dict(case.participants.values_list("organisation__slug", "consent"))
    assert consents.pop("hexfind") == Consent.SIGNATORY
    assert set(consents.values()) == {Consent.LAPSED}
    view = queries.view(who.supplier, case.name, now=at(9))
    assert view.findings is None
    assert [step.what for step in view.steps] == ["Accept or decline the new terms"]
    people.answer(who.supplier, case.name, "accept", now=at(10))
    assert queries.view(who.supplier, case.name, now=at(10)).findings is not None


def test_a_shorter_end_asks_nobody(who: Cast) -> None:
    case = told(who)
    decide(who, case, propose(who, case, 20), "accepted")
    assert now_in(case) == "active"
    assert case.embargo_ends_at == at(20 * DAY)
    assert set(case.participants.values_list("consent", flat=True)) == {Consent.SIGNATORY}


def test_of_two_proposals_one_is_accepted_and_the_other_still_waits(who: Cast) -> None:
    case = told(who)
    Case.objects.filter(pk=case.pk).update(embargo=EmbargoState.NONE)
    first, second = propose(who, case, 20), propose(who, case, 30)
    decide(who, case, first, "accepted")
    assert now_in(case) == "revise"
    decide(who, case, second, "rejected")
    assert now_in(case) == "active"
    with pytest.raises(Conflict):
        decide(who, case, second, "accepted")


def test_an_end_that_is_over_by_the_time_it_is_decided_is_refused(who: Cast) -> None:
    case = told(who)
    made = propose(who, case, 2)
    with pytest.raises(Refused):
        decide(who, case, made, "accepted", hours=3 * DAY)
    with pytest.raises(Invalid):
        propose(who, case, 0.01, hours=5)


def test_only_the_office_decides_and_ends(who: Cast) -> None:
    case = told(who)
    made = propose(who, case, 20)
    with pytest.raises(NotFound):
        turns.decide_proposal(who.supplier, case.name, made.number, "accepted", "", now=at(3))
    with pytest.raises(NotFound):
        turns.terminate(who.supplier, case.name, "no", now=at(3))


# --- the clock ------------------------------------------------------------------------------------


def test_time_ends_an_embargo_once_and_asks_the_office_to_publish(who: Cast) -> None:
    case = told(who)
    clock.tick(at(90 * DAY) - timedelta(seconds=1))
    assert now_in(case) == "active"
    assert clock.end_what_is_over(at(90 * DAY)) == 1
    assert clock.end_what_is_over(at(90 * DAY)) == 0
    assert now_in(case) == "exited"
    assert "Publish: the embargo has ended" in case.tasks.values_list("title", flat=True)
    [first, *_] = queries.queue(who.office, now=at(91 * DAY))
    assert (first.step.what, first.step.anchor) == ("Publish", "publish")


def test_silence_is_noted_once_after_thirty_days_without_a_word(who: Cast) -> None:
    case = opened(who)
    people.tell(who.office, case.name, "ecdsa-team", now=at(0))
    assert clock.notice_silence(at(30 * DAY) - timedelta(seconds=1)) == 0
    assert clock.notice_silence(at(30 * DAY)) == 1
    assert clock.notice_silence(at(31 * DAY)) == 0
    steps = queries.view(who.office, case.name, now=at(31 * DAY)).steps
    assert steps[0].what == "Reach the supplier another way"
    people.answer(who.supplier, case.name, "accept", now=at(32 * DAY))
    steps = queries.view(who.office, case.name, now=at(32 * DAY)).steps
    assert "Reach the supplier another way" not in {one.what for one in steps}


def test_who_declined_is_not_silent_and_another_way_is_looked_for(who: Cast) -> None:
    case = opened(who)
    people.tell(who.office, case.name, "ecdsa-team", now=at(0))
    people.answer(who.supplier, case.name, "decline", now=at(1))
    assert clock.notice_silence(at(60 * DAY)) == 0
    steps = queries.view(who.office, case.name, now=at(2)).steps
    assert steps[0].what == "Find another way to a fix"


def test_another_finder_shortens_the_embargo_with_its_reason(who: Cast) -> None:
    case = told(who)
    proven(who.other, hours=2 * DAY)
    case.refresh_from_db()
    assert case.embargo_ends_at == at(32 * DAY)
    assert case.embargo_because == "30 days since somebody else found it"


def test_the_same_finder_again_shortens_nothing(who: Cast) -> None:
    case = told(who)
    again = proven(who.finder, "CVE-2021-42771", hours=2)
    assert again.case == case.name
    case.refresh_from_db()
    assert case.embargo_ends_at == at(90 * DAY)


@pytest.mark.parametrize(
    ("turn", "days"), [(Turn.REDISCOVERED, 30), (Turn.LEAKED, 0), (Turn.FIX_PUBLIC, 0)]
)
def test_a_collision_moves_the_end_also_before_anybody_is_told(
    who: Cast, turn: Turn, days: int
) -> None:
    case = opened(who)
    states.collide(who.office, case.name, turn, "seen in a chat", now=at(2))
    case.refresh_from_db()
    assert case.embargo_ends_at == at(2 + days * DAY)
    assert case.told_at is None


def test_attacks_bring_the_end_forward_also_before_anybody_is_told(who: Cast) -> None:
    case = opened(who)
    states.world_event(who.office, case.name, CaseEvent.ATTACKS, "a honeypot", now=at(2))
    case.refresh_from_db()
    assert case.embargo_ends_at == at(2 + 7 * DAY)
    assert case.embargo == "active"


def test_the_grace_for_a_coming_fix_is_given_once_to_a_supplier(who: Cast) -> None:
    case = told(who)
    with pytest.raises(NotFound):
        states.name_fix_date(who.finder, case.name, "Soon.", now=at(2))
    states.name_fix_date(who.supplier, case.name, "On Friday.", now=at(2))
    case.refresh_from_db()
    assert case.embargo_ends_at == at(104 * DAY)
    with pytest.raises(Refused):
        states.name_fix_date(who.supplier, case.name, "On Monday.", now=at(3))
    assert case.turns.count() == 1


def test_a_deployer_moves_no_clock(who: Cast) -> None:
    case = busy(who)
    with pytest.raises(NotFound):
        states.name_fix_date(who.hospital, case.name, "We patch on Friday.", now=at(8))


def test_an_agreed_end_keeps_its_reason_when_a_fix_is_coming(who: Cast) -> None:
    case = told(who)
    decide(who, case, propose(who, case, 60), "accepted")
    states.name_fix_date(who.supplier, case.name, "On Friday.", now=at(4))
    case.refresh_from_db()
    assert case.embargo_ends_at == at(74 * DAY)
    assert case.embargo_because.startswith("agreed by the participants, and 14 days more")


# --- the world ------------------------------------------------------------------------------------


def test_what_is_public_makes_the_vendor_aware_and_more_can_be_recorded(who: Cast) -> None:
    case = opened(who)
    people.tell(who.office, case.name, "ecdsa-team", now=at(1))
    states.world_event(who.office, case.name, CaseEvent.PUBLIC, "a talk", now=at(2))
    assert Participant.objects.get(case=case, role="supplier").aware_at == at(2)
    states.world_event(who.office, case.name, CaseEvent.ATTACKS, "seen", now=at(3))
    assert queries.view(who.office, case.name, now=at(4)).letters == "VfdPxA"


def test_a_case_without_any_supplier_can_become_public_and_attacked(who: Cast) -> None:
    case = opened(who)
    for letter in (CaseEvent.PUBLIC, CaseEvent.ATTACKS, CaseEvent.EXPLOIT_PUBLIC):
        states.world_event(who.office, case.name, letter, "seen", now=at(2))
    assert queries.view(who.office, case.name, now=at(4)).letters == "VfdPXA"
    with pytest.raises(Refused):
        states.world_event(who.office, case.name, CaseEvent.PUBLIC, "again", now=at(5))


def test_an_exploit_that_is_public_makes_the_flaw_public_with_it(who: Cast) -> None:
    case = told(who)
    states.world_event(who.office, case.name, CaseEvent.EXPLOIT_PUBLIC, "seen", now=at(2))
    assert queries.view(who.office, case.name, now=at(4)).letters == "VfdPXa"
    assert now_in(case) == "exited"


def test_a_case_is_not_closed_under_an_embargo(who: Cast) -> None:
    case = told(who)
    with pytest.raises(Refused):
        opening.close_case(who.office, case.name, "done", now=at(2))
    turns.terminate(who.office, case.name, "It is out.", now=at(3))
    opening.close_case(who.office, case.name, "done", now=at(4))
    with pytest.raises(Conflict):
        opening.close_case(who.office, case.name, "done", now=at(5))
    assert queries.view(who.office, case.name, now=at(6)).steps == []


def test_a_proposed_end_is_noted_in_utc_whatever_zone_it_came_in(who: Cast) -> None:
    case = told(who)
    ends = datetime(2026, 12, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    made = turns.propose_end(who.finder, case.name, ends, "A talk.", now=at(2))
    assert made.ends_at.utcoffset() == timedelta(0)
    line = case.events.get(kind="end-proposed")
    assert "2026-11-30 19:30 UTC" in line.text


@pytest.mark.parametrize(
    "ends",
    [
        at(2) + timedelta(days=2 * 365, seconds=1),
        datetime.max.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    ],
)
def test_an_end_far_away_is_not_proposed(who: Cast, ends: datetime) -> None:
    case = told(who)
    with pytest.raises(Invalid) as refused:
        turns.propose_end(who.finder, case.name, ends, "A talk.", now=at(2))
    assert refused.value.key == "ends_at"
    assert not case.proposals.exists()


def test_a_task_is_due_within_ten_years(who: Cast) -> None:
    case = opened(who)
    last = datetime.fromisoformat("9999-12-31T23:59:00-12:00")
    with pytest.raises(Invalid, match="ten years"):
        discussion.add_task(who.office, case.name, "Look at it", "", last, now=at(1))
