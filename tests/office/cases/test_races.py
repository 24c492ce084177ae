"""Two that decide on the same thing at once: one goes after the other, and looks again."""

from __future__ import annotations

import pytest

from clearhouse.errors import Conflict, NotFound, Refused
from clearhouse.office.cases.actions import clock, discussion, naming, opening, people
from clearhouse.office.cases.actions.journal import held
from clearhouse.office.cases.models import Case, CaseEvent, Participant, Suggestion
from clearhouse.office.findings import actions as findings
from clearhouse.office.findings.queries import Finding
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.orgs.models import SupplierPolicy
from clearhouse.office.orgs.queries import hold
from clearhouse.protocol.embargo import Consent
from clearhouse.protocol.roles import Role
from clearhouse.protocol.tlp import Tlp
from tests.office.cases.made import Cast, at, cast, opened, proven, reported
from tests.office.racing import needs_postgresql, overtaken_by
from tests.office.story import NOW

pytestmark = [pytest.mark.django_db(transaction=True), needs_postgresql]


@pytest.fixture
def who(transactional_db: None) -> Cast:
    return cast()


def test_a_report_that_is_being_withdrawn_is_not_put_into_a_case(who: Cast) -> None:
    case = opened(who)
    name = reported(who)
    [one] = Suggestion.objects.filter(finding=name)
    with overtaken_by(
        lambda: opening.accept_suggestion(who.office, one.name, now=at(5))
    ) as meanwhile:
        findings.withdraw(who.other, name, now=at(4))
        accepted = meanwhile()
    assert isinstance(accepted.error, Conflict)
    assert not case.participants.filter(organisation=who.other.acting_for()).exists()


def test_no_case_is_opened_for_a_report_that_is_being_withdrawn(who: Cast) -> None:
    name = reported(who)
    with overtaken_by(lambda: opening.open_unproven(who.office, name, now=at(5))) as meanwhile:
        findings.withdraw(who.other, name, now=at(4))
        made = meanwhile()
    assert isinstance(made.error, Conflict)
    assert not Case.objects.exists()


def test_a_proven_finding_that_is_being_withdrawn_joins_nothing(who: Cast) -> None:
    found = proven(who.finder)
    Case.objects.all().delete()
    Finding.objects.filter(pk=found.pk).update(case="")
    with overtaken_by(lambda: opening.place(found.name, now=at(5))) as meanwhile:
        findings.withdraw(who.finder, found.name, now=at(4))
        assert meanwhile().error is None
    assert not Case.objects.exists()


def test_a_supplier_is_not_told_of_two_cases_at_once_beyond_its_pace(who: Cast) -> None:
    SupplierPolicy.objects.create(
        organisation_id=who.supplier.acting_for(), pace=1, proof_required=False
    )
    first = opened(who)
    second = Case.objects.get(name=proven(who.other, "CVE-2021-42771", signature="sig1:two").case)
    with overtaken_by(
        lambda: people.tell(who.office, second.name, "ecdsa-team", now=at(1))
    ) as meanwhile:
        people.tell(who.office, first.name, "ecdsa-team", now=at(1))
        told = meanwhile()
    assert isinstance(told.error, Refused)
    assert Participant.objects.filter(role=Role.SUPPLIER).count() == 1


def test_who_declined_meanwhile_does_nothing_more_in_a_case(who: Cast) -> None:
    case = opened(who)
    people.tell(who.office, case.name, "ecdsa-team", now=at(0))
    people.answer(who.supplier, case.name, "accept", now=at(1))
    with overtaken_by(
        lambda: discussion.post_message(who.supplier, case.name, "Hello", Tlp.AMBER, now=at(3))
    ) as meanwhile:
        held(case.pk)
        case.participants.filter(role=Role.SUPPLIER).update(consent=Consent.DECLINED)
        wrote = meanwhile()
    assert isinstance(wrote.error, NotFound)


def test_who_writes_a_line_of_a_case_and_who_holds_it_do_not_wait_for_each_other(
    who: Cast,
) -> None:
    case = opened(who)
    with overtaken_by(
        lambda: discussion.post_message(who.office, case.name, "Hello", Tlp.AMBER, now=at(3))
    ) as meanwhile:
        # As the job that judges a patch: it holds the ledger, and names the case.
        entry = record("case.test", case.name, {}, now=at(2))
        CaseEvent.objects.create(case=case, at=NOW, kind="test", by="", text="", entry=entry.index)
        wrote = meanwhile()
    assert wrote.error is None


def test_who_names_an_organisation_and_who_holds_it_do_not_wait_for_each_other(who: Cast) -> None:
    case = opened(who)

    def change() -> None:
        hold(who.supplier.acting_for())
        record("organisation.test", "ecdsa-team", {}, now=at(2))

    with overtaken_by(change) as meanwhile:
        people.invite(who.office, case.name, "hospital", Role.DEPLOYER, now=at(2))
        Participant.objects.create(
            case=case, organisation_id=who.supplier.acting_for(), role=Role.OBSERVER,
            report="start",
        )  # fmt: skip
        changed = meanwhile()
    assert changed.error is None


def test_the_clock_holds_all_that_is_due_before_it_writes(who: Cast) -> None:
    early, late = opened(who), proven(who.other, "CVE-2021-42771", signature="sig1:two").case
    people.tell(who.office, late, "ecdsa-team", now=at(0))
    Case.objects.filter(pk=early.pk).update(embargo_ends_at=at(24))
    with overtaken_by(lambda: clock.tick(at(24 * 31))) as meanwhile:
        held(Case.objects.get(name=late).pk)
        ticked = meanwhile()
        naming.set_cve(who.office, late, "CVE-2026-1234", now=at(3))
    assert ticked.error is None
    assert set(Participant.objects.filter(role=Role.SUPPLIER).values_list("silent_since")) == {
        (at(24 * 31),)
    }


def test_a_coordinator_that_rejects_and_one_that_accepts_another_do_not_wait_for_each_other(
    who: Cast,
) -> None:
    opened(who)
    proven(who.finder, "CVE-2021-42771", signature="sig1:two")
    Case.objects.update(package="pkg:pypi/ecdsa")
    name = reported(who)
    first, second = Suggestion.objects.filter(finding=name).order_by("pk")
    with overtaken_by(
        lambda: opening.accept_suggestion(who.office, second.name, now=at(5))
    ) as meanwhile:
        Suggestion.objects.select_for_update().get(pk=first.pk)
        accepted = meanwhile()
        opening.reject_suggestion(who.office, first.name, now=at(5))
    assert accepted.error is None
