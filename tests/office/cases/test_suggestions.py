"""Findings without proof are held against cases, whichever came first."""

from __future__ import annotations

import pytest
from django.db import transaction

from clearhouse.errors import Conflict
from clearhouse.formats.report import Location, Report
from clearhouse.office.cases.actions import opening
from clearhouse.office.cases.models import Case, Suggestion
from clearhouse.office.findings import actions as findings
from clearhouse.office.findings import queries as found
from clearhouse.office.findings.intake import of_report, parse_purl
from clearhouse.protocol.roles import Role
from tests.office.story import NOW, proven, somebody

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
