"""Findings without proof are held against cases, whichever came first."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from clearhouse.errors import Conflict
from clearhouse.formats.report import Location, Report
from clearhouse.office.cases.actions import opening
from clearhouse.office.cases.models import Case, Suggestion
from clearhouse.office.findings import actions as findings
from clearhouse.office.findings import queries as found
from clearhouse.office.findings.intake import of_report, parse_purl
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.roles import Role
from tests.office.story import NOW, proven, somebody, work_off

pytestmark = pytest.mark.django_db


def unproven(function: str = "remove_integer", slug: str = "floodgate") -> str:
    """A report without proof whose names were found; its finding."""
    report = Report(
        title=f"Denial of service in {function}",
        target=parse_purl("pkg:pypi/ecdsa@0.13.2"),
        weaknesses=(248,),
        locations=(Location("ecdsa/der.py", function),),
    )
    [one] = findings.submit(somebody(slug, Role.FINDER), [of_report(report)], now=NOW)
    with transaction.atomic():
        findings.ground(one.name, {"absent": [], "found": [], "undecided": []}, now=NOW)
    opening.place(one.name, now=NOW)
    return one.name


def test_a_report_that_comes_after_the_case_is_suggested_for_it() -> None:
    case = proven(somebody("hexfind", Role.FINDER))
    [one] = Suggestion.objects.filter(finding=unproven())
    assert one.case == Case.objects.get(name=case)
    assert "both name the function remove_integer" in one.reasons


def test_a_report_that_came_before_the_case_is_suggested_as_well() -> None:
    name = unproven()
    assert not Suggestion.objects.exists()
    case = proven(somebody("hexfind", Role.FINDER))
    [one] = Suggestion.objects.all()
    assert (one.finding, one.case) == (name, Case.objects.get(name=case))


def test_what_was_suggested_is_not_suggested_again() -> None:
    proven(somebody("hexfind", Role.FINDER))
    name = unproven()
    opening.place(name, now=NOW)
    assert Suggestion.objects.filter(finding=name).count() == 1


def test_a_report_about_another_place_is_not_suggested() -> None:
    proven(somebody("hexfind", Role.FINDER))
    Case.objects.update(weaknesses=[79])
    unproven("something_else")
    assert not Suggestion.objects.filter(score__gte=0.5).exists()


def test_a_suggestion_is_decided_once_and_joins_the_finding() -> None:
    office = somebody("office", Role.COORDINATOR)
    case = proven(somebody("hexfind", Role.FINDER))
    name = unproven()
    [one] = Suggestion.objects.all()
    opening.accept_suggestion(office, one.name, now=NOW)
    assert found.case_of(name) == case
    with pytest.raises(Conflict):
        opening.reject_suggestion(office, one.name, now=NOW)


def decisions() -> dict[str, str]:
    """What the ledger says of suggestions, by their names."""
    kinds = ("suggestion.accepted", "suggestion.rejected")
    return {one.subject: one.kind for one in entries_of(SYSTEM, kinds)}


def two_suggested() -> tuple[str, list[Suggestion]]:
    """A report that two cases are suggested for."""
    finder = somebody("hexfind", Role.FINDER)
    proven(finder)
    proven(finder, sample="CVE-2021-42771")
    Case.objects.update(package="pkg:pypi/ecdsa")
    name = unproven()
    suggested = list(Suggestion.objects.filter(finding=name).order_by("pk"))
    assert len(suggested) == 2
    return name, suggested


def test_what_is_rejected_because_another_was_accepted_stands_in_the_ledger() -> None:
    _, (first, second) = two_suggested()
    opening.accept_suggestion(somebody("office", Role.COORDINATOR), second.name, now=NOW)
    first.refresh_from_db()
    assert (first.state, first.decided_by) == ("rejected", "Office")
    assert decisions() == {second.name: "suggestion.accepted", first.name: "suggestion.rejected"}


def test_a_case_of_its_own_rejects_what_was_suggested() -> None:
    name, suggested = two_suggested()
    opening.open_unproven(somebody("office", Role.COORDINATOR), name, now=NOW)
    assert not Suggestion.objects.filter(state="open").exists()
    assert decisions() == {one.name: "suggestion.rejected" for one in suggested}


def test_a_report_that_was_withdrawn_is_put_into_no_case() -> None:
    office = somebody("office", Role.COORDINATOR)
    proven(somebody("hexfind", Role.FINDER))
    name = unproven()
    [one] = Suggestion.objects.all()
    findings.withdraw(somebody("floodgate"), name, now=NOW)
    with pytest.raises(Conflict, match="withdrawn"):
        opening.accept_suggestion(office, one.name, now=NOW)
    with pytest.raises(Conflict, match="withdrawn"):
        opening.open_unproven(office, name, now=NOW)
    assert found.case_of(name) == ""


def test_what_was_suggested_of_a_report_goes_when_it_is_withdrawn() -> None:
    proven(somebody("hexfind", Role.FINDER))
    name = unproven()
    work_off(only=[findings.PLACE])
    findings.withdraw(somebody("floodgate"), name, now=NOW)
    work_off(only=[findings.PLACE])
    [one] = Suggestion.objects.all()
    assert (one.state, one.decided_by) == ("rejected", "clearhouse")
    assert decisions() == {one.name: "suggestion.rejected"}


def test_a_new_case_is_compared_with_reports_and_older_cases_are_not() -> None:
    asked = []
    for number, older in enumerate((0, 6)):
        for place in range(older):
            Case.objects.create(
                name=f"CH-2026-{place}", title="Another", package="pkg:pypi/ecdsa", opened_at=NOW
            )
        for report in range(3):
            unproven(f"other_{number}_{report}")
        office = somebody("office", Role.COORDINATOR)
        name = unproven(f"first_{number}")
        with CaptureQueriesContext(connection) as queries:
            opening.open_unproven(office, name, now=NOW)
        asked.append(sum('FROM "findings_finding"' in one["sql"] for one in queries))
        Suggestion.objects.all().delete()
    assert asked[0] == asked[1]
