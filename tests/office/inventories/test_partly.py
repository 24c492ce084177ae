"""What a statement takes back in part, and pages that are turned while things change."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from clearhouse.office.inventories import queries, shown
from clearhouse.office.inventories.actions.feeding import take_in_documents
from clearhouse.office.inventories.actions.receiving import receive
from clearhouse.office.inventories.actions.stating import hand_in_statements
from clearhouse.office.inventories.actions.systems import add_system
from clearhouse.office.inventories.models import Exposure
from clearhouse.protocol.roles import Role
from tests.office.inventories.made import documented
from tests.office.story import somebody

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def record(identifier: str = "PYSEC-1") -> None:
    """A record of two packages."""
    affected = [
        {
            "package": {"ecosystem": "PyPI", "name": name},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}
            ],
        }
        for name, fixed in (("jinja2", "3.0"), ("flask", "2.0"))
    ]  # fmt: skip
    frame = {"id": identifier, "modified": "2026-11-01T00:00:00Z", "affected": affected}
    take_in_documents([documented(frame)], now=NOW)


def vex(product: str) -> bytes:
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1",
        "author": "Example", "timestamp": "2026-11-02T00:00:00Z", "version": 1,
        "statements": [
            {"vulnerability": {"name": "PYSEC-1"}, "products": [{"@id": product}],
             "status": "not_affected", "justification": "vulnerable_code_not_present"}
        ],
    }  # fmt: skip
    return json.dumps(document).encode()


def test_what_is_left_says_what_is_known_and_what_to_do() -> None:
    viewer = somebody("hospital", Role.DEPLOYER)
    record()
    system = add_system(viewer, "Records", answers={}, now=NOW)
    raw = {
        "bomFormat": "CycloneDX", "specVersion": "1.5",
        "components": [
            {"type": "library", "name": "jinja2", "version": "1", "purl": "pkg:pypi/jinja2@1"},
            {"type": "library", "name": "flask", "purl": "pkg:pypi/flask"},
        ],
    }  # fmt: skip
    receive(viewer, system.name, json.dumps(raw).encode(), file="s.json", now=NOW)
    assert Exposure.objects.get().answer == "affected"
    hand_in_statements(viewer, system.name, vex("pkg:pypi/jinja2"), file="v.json", now=NOW)
    one = Exposure.objects.get()
    assert (one.answer, one.statement) == ("undecided", None)
    assert (len(one.found), shown.where_of(one)) == (2, "flask")
    assert "jinja2" not in shown.to_do_of(one)
    hand_in_statements(viewer, system.name, vex("pkg:pypi/flask"), file="w.json", now=NOW)
    one = Exposure.objects.get()
    assert one.statement is not None
    assert one.answer == "affected"


def test_a_page_is_turned_behind_what_is_over_meanwhile() -> None:
    viewer = somebody("hospital", Role.DEPLOYER)
    for number in (1, 2, 3):
        record(f"PYSEC-{number}")
    system = add_system(viewer, "Records", answers={}, now=NOW)
    receive(viewer, system.name, b"flask==1\n", file="r.txt", now=NOW)
    [first], after = queries.exposures_of(viewer, most=1)
    assert after == first.name
    Exposure.objects.filter(pk=first.pk).update(gone_at=NOW)
    following, _ = queries.exposures_of(viewer, after=after)
    assert len(following) == 2
    rest, _ = queries.exposures_of(viewer, after=following[0].name)
    assert [one.name for one in rest] == [following[1].name]
