"""What time alone does: reminders at their stages, ends of directives, and the news of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clearhouse.office.directives.actions.clock import remind
from clearhouse.office.directives.actions.evidence import hand_in
from clearhouse.office.directives.actions.news import tell_waiting
from clearhouse.office.directives.models import DirectiveRow, Untold
from clearhouse.office.inventories.actions.feeding import look_again
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.ledgerbook.models import LedgerEntry
from clearhouse.office.notices.models import Notice
from clearhouse.office.queue.inline import work_off
from tests.office.directives.made import (
    DAY,
    NOW,
    a_minute,
    a_system,
    agency,
    hospital,
    in_force,
    installed,
    kev,
    known,
    obligations,
    record,
)
from tests.office.notices.made import passes, receiver, webhook

pytestmark = pytest.mark.django_db


def due_in_14_days() -> None:
    viewer = hospital()
    installed(viewer, a_system(viewer), "jinja2==1.0")
    vector = "CVSS:3.1/AV:N/AC:H/PR:L/UI:R/S:U/C:H/I:H/A:H"
    severity = [{"type": "CVSS_V3", "score": vector}]
    known(record("PYSEC-1", "jinja2", aliases=["CVE-2026-1001"], severity=severity), kev())
    in_force(agency())


def told() -> dict[str, Notice]:
    """What was told of directives: to whose obligations they are, and to who follows them."""
    rows = Notice.objects.filter(topic__startswith="directive:")
    return {one.topic.partition(":")[2].partition(":")[2]: one for one in rows}


def test_each_stage_is_told_once_and_the_authority_hears_of_what_is_late() -> None:
    due_in_14_days()
    [one] = obligations()
    assert one.next_at == NOW + 7 * DAY
    expected = [(6, 0, []), (7, 1, ["half"]), (7, 0, ["half"]), (14, 1, ["due", "half"]),
                (15, 1, ["day-late", "due", "half"])]  # fmt: skip
    for days, moved, reminded in expected:
        assert remind(NOW + days * DAY) == moved
        assert obligations()[0].reminded == reminded
    assert obligations()[0].state == "open", "time completes nothing"
    tell_waiting(NOW + 15 * DAY)
    assert set(told()) == {"", "followed"}
    assert "1 is overdue" in told()["followed"].headline
    assert not Untold.objects.exists()
    assert not list(contradictions())


def test_a_reminder_that_nobody_ran_for_is_the_last_one_only() -> None:
    due_in_14_days()
    assert remind(NOW + 60 * DAY) == 1
    assert obligations()[0].next_at is None
    assert remind(NOW + 61 * DAY) == 0


def test_news_of_many_obligations_are_one_notice_with_plain_words_that_ends() -> None:
    viewer = hospital()
    systems = [a_system(viewer, title) for title in ("Ward", "Laboratory")]
    for one in systems:
        installed(viewer, one, "jinja2==1.0", "flask==1.0")
    known(record("PYSEC-1", "jinja2"), record("PYSEC-2", "flask"))
    in_force(agency())
    tell_waiting(NOW)
    [notice] = told().values()
    assert notice.organisation_id == viewer.organisation
    assert "4 to do, the first by" in notice.headline
    assert "PYSEC-1 on Ward" in notice.where
    assert (notice.tlp, notice.urgency) == ("TLP:AMBER", "now")
    for one in systems:
        installed(viewer, one, "other==1.0", now=NOW + DAY)
    work_off(NOW + DAY)
    tell_waiting(NOW + DAY)
    notice.refresh_from_db()
    assert notice.ended_at == NOW + DAY


def test_the_authority_is_told_what_it_has_to_examine() -> None:
    due_in_14_days()
    hand_in(hospital(), obligations()[0].name, "removed", "Unplugged.", now=NOW)
    tell_waiting(NOW)
    assert "1 waits for you to examine what was handed in" in told()["followed"].headline
    assert "Unplugged" not in str(told()["followed"].__dict__)


def test_a_directive_ends_by_itself_on_its_day_and_what_was_open_is_withdrawn() -> None:
    due_in_14_days()
    row = DirectiveRow.objects.get()
    row.ends_at = NOW + 2 * DAY
    row.document = row.document | {"ends": (NOW + 2 * DAY).isoformat()}
    row.save()
    known(record("PYSEC-2", "jinja2"), now=NOW + 2 * DAY)
    look_again(NOW + 2 * DAY)
    work_off(NOW + 2 * DAY)
    assert [one.state for one in obligations()] == ["open"], "it asks nothing more"
    a_minute(NOW + 2 * DAY)
    work_off(NOW + 2 * DAY)
    assert [one.state for one in obligations()] == ["withdrawn"]
    assert DirectiveRow.objects.get().state == "ended"


def test_the_ledger_says_who_stands_how_and_nothing_of_what_it_is_about() -> None:
    due_in_14_days()
    hand_in(hospital(), obligations()[0].name, "accepted", "No fix is there.", now=NOW)
    leaves = b" ".join(bytes(one.leaf) for one in LedgerEntry.objects.all())
    for word in (b"CVE-2026-1001", b"jinja2", b"No fix", b"hospital", b"Patient records"):
        assert word not in leaves
    assert b'"obligation.hand-in"' in leaves


def test_a_receiver_that_was_told_what_to_do_is_told_once_that_it_is_done() -> None:
    viewer = hospital()
    system = a_system(viewer)
    with receiver() as there:
        webhook(viewer, there, now=NOW)
        installed(viewer, system, "jinja2==1.0")
        known(record("PYSEC-1", "jinja2", aliases=["CVE-2026-1001"]))
        in_force(agency())
        a_minute(NOW)
        passes(NOW + timedelta(hours=2))
        assert there.told[-1]["something_else_waits"], "it is TLP:AMBER"
        installed(viewer, system, "jinja2==2.0", now=NOW + DAY)
        work_off(NOW + DAY)
        a_minute(NOW + DAY)
        for days in (2, 3, 4):
            passes(NOW + days * DAY)
        ends = [one for one in there.told if one["something_else_is_over"]]
        assert len(ends) == 1
        assert not ends[0]["something_else_waits"]
