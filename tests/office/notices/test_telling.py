"""What an organisation is told, told again, acknowledged, and what is over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.notices import actions, queries
from clearhouse.office.notices.models import Channel, Delivery, Notice
from clearhouse.office.notices.queries import Shelf
from clearhouse.office.notices.told import PARTS, Told
from clearhouse.office.viewer import PUBLIC, SYSTEM, Viewer
from clearhouse.proof.text import printable
from clearhouse.protocol.notices import Urgency
from clearhouse.protocol.roles import Role, Scope
from clearhouse.protocol.tlp import Tlp
from tests.office.notices.made import NOW, SECRET, at, hospital, passes, tell, told
from tests.office.notices.made import Receiver as Receiver_
from tests.office.notices.made import webhook as webhook_
from tests.office.story import somebody

pytestmark = pytest.mark.django_db


def test_the_same_matter_told_again_is_the_same_notice_and_nothing_new() -> None:
    viewer = hospital()
    first = tell(viewer)
    again = tell(viewer, now=at(hours=1))
    assert (again.pk, again.revision, again.changed_at) == (first.pk, 1, NOW)
    assert Notice.objects.count() == 1


def test_a_matter_told_differently_waits_for_its_reader_again() -> None:
    viewer = hospital()
    first = tell(viewer)
    actions.acknowledge(viewer, first.name, now=at(hours=1))
    changed = tell(viewer, by_when="Today", now=at(hours=2))
    assert (changed.pk, changed.revision, changed.changed_at) == (first.pk, 2, at(hours=2))
    assert changed.acknowledged_at is None
    assert queries.counts(viewer)[Shelf.WAITING] == 1


def test_what_is_over_waits_no_more_and_comes_back_when_it_is_told_again() -> None:
    viewer = hospital()
    tell(viewer)
    for hours in (1, 2):
        over = actions.end(viewer.acting_for(), "exposure:CVE-2026-1", now=at(hours=hours))
        assert over is not None
        assert over.ended_at == at(hours=1)
    assert queries.counts(viewer) == {
        Shelf.WAITING: 0, Shelf.ACKNOWLEDGED: 0, Shelf.ENDED: 1,
    }  # fmt: skip
    assert actions.end(viewer.acting_for(), "never told", now=NOW) is None
    assert tell(viewer, now=at(hours=3)).ended_at is None


def test_what_was_rolled_back_was_told_to_nobody(receiver: Receiver_) -> None:
    viewer = hospital()
    webhook_(viewer, receiver)
    with transaction.atomic():
        tell(viewer)
        transaction.set_rollback(True)
    passes(at(minutes=5))
    assert not Notice.objects.exists()
    assert receiver.told == []


def test_a_notice_is_its_organisations_alone() -> None:
    viewer, other = hospital(), somebody("other-hospital", Role.DEPLOYER)
    office = somebody("office", Role.COORDINATOR)
    made = tell(viewer)
    for looker in (other, office):
        with pytest.raises(NotFound):
            queries.notice(looker, made.name)
        with pytest.raises(NotFound):
            actions.acknowledge(looker, made.name, now=NOW)
        assert queries.notices(looker, Shelf.WAITING) == []
    with pytest.raises(Refused):
        queries.notices(PUBLIC, Shelf.WAITING)
    assert queries.notice(viewer, made.name).headline == made.headline


def test_the_office_sees_counts_and_states_and_nothing_of_what_it_is_about() -> None:
    viewer, office = hospital(), somebody("office", Role.COORDINATOR)
    tell(viewer, tlp=Tlp.RED)
    [seen] = queries.overview(office)
    assert (seen.slug, seen.waiting, seen.acknowledged) == ("valley-hospital", 1, 0)
    assert SECRET not in repr(seen)
    with pytest.raises(NotFound):
        queries.overview(viewer)


def test_a_machine_acknowledges_with_its_scope_only() -> None:
    viewer = hospital()
    made = tell(viewer)
    may = frozenset({Scope.NOTICES_READ})
    machine = Viewer(viewer.organisation, viewer.roles, may, "a machine", key=1)
    with pytest.raises(Refused, match="notices:write"):
        actions.acknowledge(machine, made.name, now=NOW)
    writes = replace(machine, scopes=frozenset({Scope.NOTICES_WRITE}))
    assert actions.acknowledge(writes, made.name, now=NOW).acknowledged_at == NOW


def test_what_was_told_differently_meanwhile_is_not_acknowledged_unread() -> None:
    viewer = hospital()
    made = tell(viewer)
    tell(viewer, to_do="Install 2.4.2.", now=at(minutes=1))
    with pytest.raises(Conflict, match="read it again"):
        actions.acknowledge(viewer, made.name, revision=1, now=at(minutes=2))
    actions.acknowledge(viewer, made.name, revision=2, now=at(minutes=2))


def test_the_most_urgent_come_first_and_of_those_the_newest() -> None:
    viewer = hospital()
    for place, urgency in enumerate((Urgency.DIGEST, Urgency.NOW, Urgency.SOON, Urgency.NOW)):
        tell(viewer, f"t:{place}", urgency=urgency, now=at(minutes=place))
    shown = queries.notices(viewer, Shelf.WAITING)
    assert [one.topic for one in shown] == ["t:3", "t:1", "t:2", "t:0"]


def test_the_ledger_has_each_decision_and_no_word_of_what_was_told() -> None:
    viewer = hospital()
    made = tell(viewer)
    actions.acknowledge(viewer, made.name, now=at(hours=1))
    actions.end(viewer.acting_for(), made.topic, now=at(hours=2))
    kinds = ("notice.told", "notice.acknowledged", "notice.ended")
    entries = list(entries_of(SYSTEM, kinds))
    assert [one.kind for one in entries] == list(kinds)
    assert not [one for one in entries if SECRET in str(one.facts) or "CVE" in str(one.facts)]
    assert list(contradictions()) == []


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("headline", "Nothing to do", "another text"),
        ("tlp", "TLP:CLEAR+", "another text"),
        ("topic", "another", "another text"),
        ("entry", 10_000, "without an entry"),
        ("acknowledged_at", NOW, "disagree on who has read it"),
    ],
)
def test_a_row_that_was_altered_is_found(column: str, value: object, says: str) -> None:
    tell(hospital())
    Notice.objects.update(**{column: value})
    assert any(says in str(one) for one in contradictions())


def test_a_notice_that_was_taken_away_is_found() -> None:
    tell(hospital())
    Notice.objects.all().delete()
    assert any("is gone" in str(one) for one in contradictions())


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_text_can_be_told_and_shows_nothing_that_steers_a_reader(
    headline: str, text: str
) -> None:
    made = told(headline=headline, what=text)
    assert made.headline
    assert printable(made.headline) == made.headline
    assert "\n" not in made.headline
    for name, _ in PARTS:
        shown = getattr(made, name)
        assert printable(shown.replace("\n", " ")) == shown.replace("\n", " ")
        shown.encode()


def test_huge_texts_are_cut_and_say_so() -> None:
    made = told(headline="h" * 100_000, what="w" * 1_000_000)
    assert len(made.headline) <= 300
    assert len(made.what) < 5_000
    assert made.what.endswith("on the page)")


@pytest.mark.parametrize(
    "wrong",
    [
        {"topic": ""},
        {"topic": "x" * 201},
        {"topic": "a\nb"},
        {"page": "https://evil.example/"},
        {"page": "//evil.example/"},
        {"page": "/\\evil.example"},
        {"page": "/a b"},
        {"page": "/" + "x" * 300},
        {"due_at": NOW.replace(tzinfo=None)},
    ],
)
def test_what_only_a_mistake_of_the_caller_can_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        told(**wrong)  # type: ignore[arg-type] # topic among others


def test_an_organisation_without_channels_gets_the_usual_one_only_where_mail_is_sent(
    settings: Settings,
) -> None:
    viewer = hospital()
    tell(viewer)
    assert not Channel.objects.exists()
    settings.CONFIG = replace(settings.CONFIG, mail=("127.0.0.1", 25))
    tell(viewer, "another")
    channel = Channel.objects.get()
    assert (channel.kind, channel.address, channel.state) == ("mail", "", "active")
    actions.remove(viewer, channel.name, now=NOW)
    tell(viewer, "a third")
    assert not Channel.objects.filter(removed_at=None).exists(), "removed is not brought back"
    assert not Delivery.objects.exists()


def test_told_is_a_value() -> None:
    assert told() == told()
    assert isinstance(told(), Told)
