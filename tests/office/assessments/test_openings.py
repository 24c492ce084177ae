"""Openings of a plan's sealed set: each an entry of the ledger, and none is taken back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from clearhouse.benchmark.openings import Occasion, Opening, next_opening
from clearhouse.errors import Conflict, Invalid, NotFound
from clearhouse.office.assessments import queries
from clearhouse.office.assessments.actions.plans import note_openings
from clearhouse.office.assessments.cross_checks import committed_plans
from clearhouse.office.assessments.kinds import SET_OPENED
from clearhouse.office.assessments.models import SetOpening
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.viewer import SYSTEM
from tests.office.assessments import made
from tests.office.reviews.made import at, cast

pytestmark = pytest.mark.django_db
SET = "5e" * 32


def chain(*reasons: str) -> bytes:
    found: list[Opening] = []
    for why in reasons:
        occasion = Occasion("Ann", why, datetime(2026, 11, 1, tzinfo=UTC))
        found.append(next_opening(occasion, ["a", "b"], of=SET, before=found, key=b"key"))
    return b"".join(one.line() for one in found)


def test_each_opening_is_noted_once_and_counted_for_everybody() -> None:
    who = cast()
    plan = made.committed(who.office)
    assert len(note_openings(who.office, plan.name, chain("drawn"), now=at(1))) == 1
    assert len(note_openings(who.office, plan.name, chain("drawn", "run"), now=at(2))) == 1
    assert note_openings(who.office, plan.name, chain("drawn", "run"), now=at(3)) == []
    assert queries.plan_named(plan.name).openings == 2
    assert len(list(entries_of(SYSTEM, (SET_OPENED,)))) == 2
    assert [one.why for one in queries.openings_of(who.office, plan.name)] == ["drawn", "run"]
    assert list(committed_plans()) == []


def test_a_record_from_which_a_line_was_taken_is_refused() -> None:
    who = cast()
    plan = made.committed(who.office)
    note_openings(who.office, plan.name, chain("drawn", "run"), now=at(1))
    for other in (chain("drawn"), chain("another", "run")):
        with pytest.raises(Conflict, match="does not begin with them"):
            note_openings(who.office, plan.name, other, now=at(2))
    for broken in (b"", b"{}\n", chain("drawn")[:-5], chain("drawn", "run")[10:]):
        with pytest.raises(Invalid):
            note_openings(who.office, plan.name, broken, now=at(2))


def test_only_the_office_notes_and_reads_them() -> None:
    who = cast()
    plan = made.committed(who.office)
    with pytest.raises(NotFound):
        note_openings(who.developer, plan.name, chain("drawn"), now=at(1))
    with pytest.raises(NotFound):
        queries.openings_of(who.assessor, plan.name)


def test_an_opening_that_was_removed_from_the_database_is_found() -> None:
    who = cast()
    plan = made.committed(who.office)
    note_openings(who.office, plan.name, chain("drawn"), now=at(1))
    SetOpening.objects.all().delete()
    [one] = committed_plans()
    assert "is gone" in str(one)
