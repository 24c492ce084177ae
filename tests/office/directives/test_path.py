"""BOD 26-04 is issued; who it addresses has obligations with dates; a new inventory meets them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from clearhouse.errors import Conflict, Invalid, NotFound
from clearhouse.office.authorisation import DirectivePart
from clearhouse.office.directives import queries
from clearhouse.office.directives.actions.deriving import mark, mark_all
from clearhouse.office.directives.actions.evidence import answer, hand_in
from clearhouse.office.directives.actions.issuing import audience_of, discard, draft, end, issue
from clearhouse.office.directives.models import DirectiveRow, Evidence, ObligationRow
from clearhouse.office.directives.sight import directive_seen, obligation_seen
from clearhouse.office.inventories.actions.stating import (
    hand_in_statements,
    withdraw_statements,
)
from clearhouse.office.inventories.actions.systems import describe_system, retire_system
from clearhouse.office.inventories.models import Exposure, System
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.queue.inline import work_off
from clearhouse.protocol.roles import Role
from tests.office.directives.made import (
    ANSWERS,
    DAY,
    NOW,
    a_system,
    agency,
    hospital,
    in_force,
    installed,
    kev,
    known,
    obligations,
    record,
    vex,
)
from tests.office.story import somebody

pytestmark = pytest.mark.django_db

FLAW = record("PYSEC-1", "jinja2", aliases=["CVE-2026-1001"])

#: Attacks take over the system, and need somebody to help them: 14 days where anybody reaches it.
SCORED = record(
    "PYSEC-1",
    "jinja2",
    aliases=["CVE-2026-1001"],
    severity=[
        {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:H/PR:L/UI:R/S:U/C:H/I:H/A:H"},
    ],
)


def test_what_was_issued_asks_for_each_flaw_on_each_system_of_whom_it_addresses() -> None:
    viewer, other = hospital(), somebody("bank", Role.DEPLOYER)
    for each in (viewer, other):
        installed(each, a_system(each), "jinja2==1.0", "flask==1.0")
    known(FLAW)
    in_force(agency(), organisations=["hospital"])
    [one] = obligations()
    assert (one.organisation_id, one.flaw, one.state) == (
        viewer.organisation,
        "CVE-2026-1001",
        "open",
    )
    assert one.due is not None
    assert one.because.startswith("BOD 26-04: ")
    assert not list(contradictions())


def test_a_new_inventory_without_it_completes_it_by_rule_and_one_with_it_opens_it_again() -> None:
    viewer = hospital()
    system = a_system(viewer)
    installed(viewer, system, "jinja2==1.0")
    known(FLAW)
    in_force(agency())
    installed(viewer, system, "jinja2==2.0", now=NOW + DAY)
    work_off(NOW + DAY)
    [one] = obligations()
    assert (one.state, one.way, one.handed_in_at) == ("completed", "inventory", NOW + DAY)
    [said] = Evidence.objects.all()
    assert (said.verdict, said.by) == ("accepted", "clearhouse")
    assert said.reference.startswith("IN-")
    installed(viewer, system, "jinja2==1.5", now=NOW + 2 * DAY)
    work_off(NOW + 2 * DAY)
    [one] = obligations()
    assert (one.state, one.way, one.start) == ("open", "", NOW + 2 * DAY)
    assert "seen again" in one.moves[-1]["reason"]
    assert not list(contradictions())


def test_a_statement_that_it_is_not_affected_meets_it_as_long_as_it_stands() -> None:
    viewer = hospital()
    system = a_system(viewer)
    installed(viewer, system, "jinja2==1.0")
    known(FLAW)
    in_force(agency())
    raw = vex("CVE-2026-1001", "jinja2", "1.0")
    made = hand_in_statements(viewer, system.name, raw, file="vex.json", now=NOW + DAY)
    work_off(NOW + DAY)
    [one] = obligations()
    assert (one.state, one.way) == ("completed", "vex")
    assert "St. Anna states: not affected" in Evidence.objects.get().reason
    withdraw_statements(viewer, made.name, now=NOW + 2 * DAY)
    work_off(NOW + 2 * DAY)
    assert obligations()[0].state == "open"
    assert not list(contradictions())


def test_a_record_that_was_corrected_lifts_it() -> None:
    viewer = hospital()
    system = a_system(viewer)
    installed(viewer, system, "jinja2==1.0")
    known(FLAW)
    in_force(agency())
    known(
        record(
            "PYSEC-1", "jinja2", "0.9", aliases=["CVE-2026-1001"], modified="2026-12-01T00:00:00Z"
        ),
        now=NOW + DAY,
    )
    work_off(NOW + DAY)
    [one] = obligations()
    assert (one.state, one.way) == ("lifted", "")
    assert not Evidence.objects.exists()


def test_an_answer_of_the_owner_moves_the_date_with_its_reason() -> None:
    viewer = hospital()
    system = a_system(viewer)
    installed(viewer, system, "jinja2==1.0")
    known(SCORED, kev())
    in_force(agency())
    [before] = obligations()
    assert before.due == NOW + 14 * DAY
    describe_system(
        viewer, system.name, "Records", answers=ANSWERS | {"exposure": "isolated"}, now=NOW + DAY
    )
    work_off(NOW + DAY)
    [after] = obligations()
    assert after.due is None
    assert "next scheduled upgrade" in after.because
    [move] = after.moves
    assert move["reason"] == after.because
    assert not list(contradictions())


def calm_system() -> Callable[..., System]:
    """A system whose one obligation may wait for an upgrade; what is given says of it what else."""
    viewer = hospital()
    calm = {"exposure": "isolated", "mission": "goes-on"}
    system = a_system(viewer, **calm)
    installed(viewer, system, "jinja2==1.0")
    known(SCORED, kev())
    in_force(agency())
    return partial(describe_system, viewer, system.name, "Records", answers=calm)


def test_a_planned_upgrade_gives_a_date_to_what_may_wait_for_it() -> None:
    described = calm_system()
    assert [one.due for one in obligations()] == [None]
    day = (NOW + 30 * DAY).date()
    described(next_upgrade=day, now=NOW)
    work_off(NOW)
    [one] = obligations()
    assert one.due is not None
    assert (one.due.date(), one.because) == (day, "at the next scheduled upgrade")
    assert Exposure.objects.get().due == one.due
    described(now=NOW)
    work_off(NOW)
    assert [one.due for one in obligations()] == [None]
    assert not list(contradictions())


def test_another_upgrade_does_not_put_off_what_waited_for_one_that_is_over() -> None:
    described = calm_system()
    day = (NOW + 30 * DAY).date()
    described(next_upgrade=day, now=NOW)
    for later in (day + 30 * DAY, None):
        described(next_upgrade=later, now=NOW + 31 * DAY)
        work_off(NOW + 31 * DAY)
        [one] = obligations()
        assert one.due is not None
        assert (one.due, one.due.date()) == (Exposure.objects.get().due, day)


def test_a_listing_in_kev_brings_the_date_nearer() -> None:
    viewer = hospital()
    installed(viewer, a_system(viewer), "jinja2==1.0")
    known(SCORED, kev())
    in_force(agency())
    known(kev("CVE-2026-1001", added="2026-12-12"), now=NOW + 2 * DAY)
    work_off(NOW + 2 * DAY)
    [one] = obligations()
    assert one.due == NOW + 3 * DAY
    assert one.forensic
    assert [move["reason"] for move in one.moves] == [one.because]


def test_what_a_person_states_waits_for_the_authority_and_a_refusal_opens_it_again() -> None:
    viewer, authority = hospital(), agency()
    system = a_system(viewer)
    installed(viewer, system, "jinja2==1.0")
    known(FLAW)
    in_force(authority)
    [one] = obligations()
    hand_in(viewer, one.name, "removed", "It was unplugged.", now=NOW + DAY)
    assert obligations()[0].state == "evidence-handed-in"
    with pytest.raises(Invalid, match="say why"):
        answer(authority, one.name, "refuse", "", now=NOW + DAY)
    answer(authority, one.name, "refuse", "It answers still.", now=NOW + DAY)
    assert obligations()[0].state == "open"
    hand_in(viewer, one.name, "accepted", "No fix is known.", now=NOW + 2 * DAY)
    with pytest.raises(Invalid, match="say why"):
        answer(authority, one.name, "accept", "", now=NOW + 2 * DAY)
    answer(authority, one.name, "accept", "Until March.", now=NOW + 2 * DAY)
    [one] = obligations()
    assert (one.state, one.way) == ("completed", "accepted")
    installed(viewer, system, "jinja2==1.0", now=NOW + 3 * DAY)
    work_off(NOW + 3 * DAY)
    assert obligations()[0].state == "completed", "what was agreed to holds"
    assert [e.verdict for e in Evidence.objects.order_by("pk")] == ["refused", "accepted"]
    assert not list(contradictions())


def test_what_was_taken_off_the_network_is_open_again_where_a_newer_inventory_has_it() -> None:
    viewer, authority = hospital(), agency()
    system = a_system(viewer)
    installed(viewer, system, "jinja2==1.0")
    known(FLAW)
    in_force(authority)
    [one] = obligations()
    hand_in(viewer, one.name, "removed", "It was unplugged.", now=NOW + DAY)
    answer(authority, one.name, "accept", "", now=NOW + DAY)
    known(record("PYSEC-2", "jinja2"), now=NOW + 2 * DAY)
    work_off(NOW + 2 * DAY)
    assert [each.state for each in obligations()] == ["completed", "open"]
    installed(viewer, system, "jinja2==1.0", now=NOW + 3 * DAY)
    work_off(NOW + 3 * DAY)
    assert [each.state for each in obligations()] == ["open", "open"]


def test_a_retired_system_is_stated_once_and_examined() -> None:
    viewer, authority = hospital(), agency()
    system = a_system(viewer)
    installed(viewer, system, "jinja2==1.0")
    known(FLAW)
    in_force(authority)
    retire_system(viewer, system.name, now=NOW + DAY)
    work_off(NOW + DAY)
    [one] = obligations()
    assert (one.state, one.way) == ("evidence-handed-in", "removed")
    answer(authority, one.name, "refuse", "It is reached still.", now=NOW + DAY)
    for days in (2, 3):
        mark([system.pk], now=NOW + days * DAY)
        mark_all(NOW + days * DAY)
        work_off(NOW + days * DAY)
    assert obligations()[0].state == "open"
    assert Evidence.objects.count() == 1
    assert not list(contradictions())


def test_an_ended_directive_asks_no_more_and_what_was_met_stays_met() -> None:
    viewer, authority = hospital(), agency()
    system = a_system(viewer)
    installed(viewer, system, "jinja2==1.0", "flask==1.0")
    known(FLAW, record("PYSEC-2", "flask"))
    row = in_force(authority)
    installed(viewer, system, "flask==1.0", now=NOW + DAY)
    work_off(NOW + DAY)
    end(authority, row.name, "Replaced by another.", now=NOW + 2 * DAY)
    work_off(NOW + 2 * DAY)
    assert {one.flaw: one.state for one in obligations()} == {
        "CVE-2026-1001": "closed",
        "PYSEC-2": "withdrawn",
    }
    installed(viewer, system, "jinja2==1.0", now=NOW + 3 * DAY)
    work_off(NOW + 3 * DAY)
    assert ObligationRow.objects.count() == 2
    assert not list(contradictions())
    with pytest.raises(Conflict):
        end(authority, row.name, "Again.", now=NOW + 3 * DAY)


def test_a_flaw_that_gets_another_name_stays_one_obligation() -> None:
    viewer = hospital()
    system = a_system(viewer)
    installed(viewer, system, "jinja2==1.0")
    known(record("PYSEC-1", "jinja2"))
    in_force(agency())
    known(
        record("PYSEC-1", "jinja2", aliases=["CVE-2026-1001"], modified="2026-12-01T00:00:00Z"),
        now=NOW + DAY,
    )
    work_off(NOW + DAY)
    [one] = obligations()
    assert (one.flaw, one.state) == ("CVE-2026-1001", "open")


def test_two_flaws_that_turn_out_to_be_one_are_one_obligation() -> None:
    viewer = hospital()
    system = a_system(viewer)
    installed(viewer, system, "jinja2==1.0")
    known(record("PYSEC-1", "jinja2"), record("GHSA-1", "jinja2"))
    in_force(agency())
    assert len(obligations()) == 2
    known(
        record("PYSEC-1", "jinja2", aliases=["GHSA-1"], modified="2026-12-01T00:00:00Z"),
        now=NOW + DAY,
    )
    work_off(NOW + DAY)
    assert sorted(one.state for one in obligations()) == ["lifted", "open"]
    assert not list(contradictions())
    installed(viewer, system, "jinja2==2.0", now=NOW + 2 * DAY)
    work_off(NOW + 2 * DAY)
    assert sorted(one.state for one in obligations()) == ["completed", "lifted"]


def test_a_system_of_unknown_kind_may_be_meant_and_is_asked() -> None:
    viewer = hospital()
    system = a_system(viewer, exposure="internet")
    installed(viewer, system, "jinja2==1.0")
    known(FLAW)
    in_force(agency(), "EO-14409-2a")
    [one] = obligations()
    assert one.applies == "maybe"
    assert set(one.unanswered) >= {"kind"}
    assert one.due == NOW + timedelta(days=30)
    describe_system(viewer, system.name, "Records", answers=ANSWERS, now=NOW + DAY)
    work_off(NOW + DAY)
    assert obligations()[0].state == "lifted"


def test_only_authorities_and_the_office_issue_and_only_what_is_theirs() -> None:
    audience = audience_of(everybody="yes")
    for one in (hospital(), somebody("finder", Role.FINDER)):
        with pytest.raises(NotFound):
            draft(one, "CISA-BOD-26-04", audience, now=NOW)
    made = draft(somebody("office", Role.COORDINATOR), "EO-14409-2c", audience, now=NOW)
    with pytest.raises(NotFound):
        issue(agency(), made.name, now=NOW)
    with pytest.raises(Invalid):
        audience_of()
    discard(somebody("office", Role.COORDINATOR), made.name, now=NOW)
    assert not DirectiveRow.objects.exists()


def test_others_hand_in_and_answer_nothing() -> None:
    viewer = hospital()
    system = a_system(viewer)
    installed(viewer, system, "jinja2==1.0")
    known(FLAW)
    in_force(agency())
    [one] = obligations()
    strangers = [somebody("bank", Role.DEPLOYER), somebody("office", Role.COORDINATOR)]
    for other in (*strangers, agency()):
        with pytest.raises(NotFound):
            hand_in(other, one.name, "removed", "Gone.", now=NOW)
    for other in (*strangers, viewer):
        with pytest.raises(NotFound):
            answer(other, one.name, "accept", "So be it.", now=NOW)


def test_two_flaws_that_turn_out_to_be_one_are_due_when_the_first_was() -> None:
    viewer, later = hospital(), NOW + 20 * DAY
    system = a_system(viewer)
    installed(viewer, system, "jinja2==1.0")
    known(kev())
    known(record("GHSA-1", "jinja2"))
    in_force(agency(), now=NOW)
    [first] = obligations()
    assert first.due is not None
    assert first.due < later
    known(record("PYSEC-2", "jinja2", aliases=["CVE-2026-1001"]), now=later)
    work_off(later)
    joined = record("GHSA-1", "jinja2", aliases=["CVE-2026-1001"], modified="2026-12-20T00:00:00Z")
    known(joined, now=later)
    work_off(later)
    [one] = [each for each in obligations() if each.state == "open"]
    assert (one.flaw, one.due) == ("CVE-2026-1001", first.due), "it is overdue still"


def test_who_is_no_authority_any_more_examines_nothing_and_sees_nobodys_obligations() -> None:
    viewer = hospital()
    installed(viewer, a_system(viewer), "jinja2==1.0")
    known(SCORED, kev())
    authority = agency()
    made = in_force(authority)
    [one] = obligations()
    hand_in(viewer, one.name, "removed", "Unplugged.", now=NOW)
    assert [each.row for each in queries.waiting_for(authority)] == [one]
    before = replace(authority, roles=frozenset({Role.OBSERVER}))
    assert queries.waiting_for(before) == []
    with pytest.raises(NotFound):
        answer(before, one.name, "accept", "It is gone.", now=NOW)
    with pytest.raises(NotFound):
        obligation_seen(before, one.name)
    _, _, parts = directive_seen(before, made.name)
    assert parts == {DirectivePart.TEXT}
    assert answer(authority, one.name, "accept", "It is gone.", now=NOW).state == "completed"
