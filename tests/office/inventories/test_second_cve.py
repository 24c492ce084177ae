"""A record with two CVEs: whatever is said of either reaches who has it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from clearhouse.office.inventories.actions.feeding import systems_touched_by, take_in_documents
from clearhouse.office.inventories.actions.receiving import receive
from clearhouse.office.inventories.models import Exposure
from tests.office.inventories.test_path import a_system, hospital, record

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 3, tzinfo=UTC)


def test_what_is_said_of_the_second_cve_of_a_record_reaches_its_systems() -> None:
    viewer = hospital()
    both = ["CVE-2020-11651", "CVE-2020-11110"]
    take_in_documents([record("SA-1", "Jinja2", {"introduced": "0"}, aliases=both)], now=NOW)
    system = a_system(viewer)
    receive(viewer, system.name, b"jinja2==3.1.3\n", file="r.txt", now=NOW)
    one = Exposure.objects.get()
    assert (one.flaw, one.ids) == ("CVE-2020-11110", [*sorted(both), "SA-1"])
    for said in (both[:1], both[1:], ["SA-1"], ["CVE-1", both[0]]):
        assert systems_touched_by(said) == {system.pk}
    assert systems_touched_by(["CVE-1"]) == systems_touched_by([]) == set()
