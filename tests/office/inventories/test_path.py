"""An inventory comes in, and what touches the system is told; records change, and so does that."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.exposure.documents import Document
from clearhouse.office.inventories import queries
from clearhouse.office.inventories.actions.feeding import look_again, take_in_documents
from clearhouse.office.inventories.actions.receiving import AT_ONCE_BYTES, receive
from clearhouse.office.inventories.actions.systems import (
    add_system,
    describe_system,
    retire_system,
)
from clearhouse.office.inventories.models import Component, Exposure, Inventory, System
from clearhouse.office.queue.inline import work_off
from clearhouse.office.viewer import PUBLIC, Viewer
from clearhouse.protocol.roles import Role
from tests.office.inventories.made import documented
from tests.office.story import somebody

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def record(identifier: str, package: str, *events: dict[str, str], **more: Any) -> Document:
    """An OSV record of a package on PyPI."""
    document = {
        "id": identifier,
        "modified": "2026-11-01T00:00:00Z",
        "summary": f"A flaw of {package}",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": package},
                "ranges": [{"type": "ECOSYSTEM", "events": list(events)}],
            }
        ],
    } | more
    return documented(document)


JINJA = record("PYSEC-1", "Jinja2", {"introduced": "0"}, {"fixed": "3.1.4"}, aliases=["CVE-2026-1"])


def hospital() -> Viewer:
    return somebody("hospital", Role.DEPLOYER)


def a_system(viewer: Viewer, title: str = "Patient records") -> System:
    return add_system(viewer, title, answers={}, now=NOW)


def flaws(system: System) -> list[str]:
    rows = Exposure.objects.filter(system=system, gone_at=None)
    return sorted(rows.values_list("flaw", flat=True))


def test_what_is_affected_is_told_at_once_with_what_decided_and_where_it_stands() -> None:
    viewer = hospital()
    take_in_documents([JINJA], now=NOW)
    system = a_system(viewer)
    made = receive(viewer, system.name, b"jinja2==3.1.3\nrequests==2.0\n", file="r.txt", now=NOW)
    assert (made.state, made.components, made.is_current) == ("read", 2, True)
    [one], _ = queries.exposures_of(viewer)
    assert (one.flaw, one.ids, one.answer) == ("CVE-2026-1", ["CVE-2026-1", "PYSEC-1"], "affected")
    [found] = one.found
    assert (found["package"], found["version"], found["fixed"]) == ("jinja2", "3.1.3", "3.1.4")
    assert (found["file"], found["place"]) == ("r.txt", "line 1")
    assert one.detected_at == NOW


def test_what_is_mended_is_over_and_stays_on_record() -> None:
    viewer = hospital()
    take_in_documents([JINJA], now=NOW)
    system = a_system(viewer)
    receive(viewer, system.name, b"jinja2==3.1.3\n", file="r.txt", now=NOW)
    receive(viewer, system.name, b"jinja2==3.1.4\n", file="r.txt", now=LATER)
    assert flaws(system) == []
    [gone] = queries.gone_of(viewer, system.name)
    assert (gone.gone_at, gone.detected_at) == (LATER, NOW)
    assert Inventory.objects.filter(is_current=True).count() == 1
    assert Component.objects.count() == 1


def test_what_stays_keeps_its_first_day_and_its_name_also_when_it_gets_a_cve() -> None:
    viewer = hospital()
    without = record("PYSEC-1", "Jinja2", {"introduced": "0"})
    take_in_documents([without], now=NOW)
    system = a_system(viewer)
    receive(viewer, system.name, b"jinja2==3.1.3\n", file="r.txt", now=NOW)
    name = Exposure.objects.get().name
    later = dict(json.loads(JINJA.raw), modified="2026-11-20T00:00:00Z")
    take_in_documents([documented(later)], now=LATER)
    assert look_again(LATER) == 1
    work_off(LATER)
    one = Exposure.objects.get()
    assert (one.name, one.flaw, one.detected_at) == (name, "CVE-2026-1", NOW)


def test_a_new_record_reaches_only_the_systems_that_have_its_package() -> None:
    viewer = hospital()
    first, second = a_system(viewer), a_system(viewer, "Web site")
    receive(viewer, first.name, b"jinja2==3.1.3\n", file="r.txt", now=NOW)
    receive(viewer, second.name, b"flask==3.0\n", file="r.txt", now=NOW)
    take_in_documents([JINJA], now=LATER)
    assert look_again(LATER) == 1
    work_off(LATER)
    assert (flaws(first), flaws(second)) == (["CVE-2026-1"], [])
    assert look_again(LATER) == 0
    assert take_in_documents([JINJA], now=LATER).count == 0, "the same record changes nothing"


def test_a_withdrawn_record_takes_its_flaw_back_and_an_older_one_changes_nothing() -> None:
    viewer = hospital()
    system = a_system(viewer)
    receive(viewer, system.name, b"jinja2==3.1.3\n", file="r.txt", now=NOW)
    older = dict(json.loads(JINJA.raw), modified="2025-01-01T00:00:00Z", summary="older")
    gone = dict(
        json.loads(JINJA.raw), modified="2026-11-20T00:00:00Z", withdrawn="2026-11-20T00:00:00Z"
    )
    for document, expected in (
        (json.loads(JINJA.raw), ["CVE-2026-1"]),
        (older, ["CVE-2026-1"]),
        (gone, []),
    ):
        take_in_documents([documented(document)], now=LATER)
        look_again(LATER)
        work_off(LATER)
        assert flaws(system) == expected


def test_what_cannot_be_identified_is_listed_with_what_to_do() -> None:
    viewer = hospital()
    system = a_system(viewer)
    listed = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "components": [
            {"type": "library", "name": "mystery", "version": "1"},
            {"type": "library", "name": "jinja2", "version": "3", "purl": "pkg:pypi/jinja2@3"},
        ],
    }
    made = receive(viewer, system.name, json.dumps(listed).encode(), file="sbom.json", now=NOW)
    assert (made.components, made.unidentified_count) == (1, 1)
    [one] = made.unidentified
    assert one["name"] == "mystery"
    assert one["reason"]
    assert one["suggestion"]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "is empty"),
        (b"\x00\x01", "NUL"),
        (b"\xff\xff\xff", "UTF-8"),
        (b"{}", "no known format"),
        (b'{"bomFormat":' + b"[" * 100_000, "nest"),
        (b"no list at all", "no known format"),
    ],
)
def test_what_is_no_list_is_refused_with_the_reason_and_nothing_is_kept(
    raw: bytes, reason: str
) -> None:
    viewer = hospital()
    system = a_system(viewer)
    with pytest.raises(Invalid, match=reason):
        receive(viewer, system.name, raw, file="sbom.json", now=NOW)
    assert not Inventory.objects.exists()


def test_a_large_list_is_kept_first_and_read_by_a_job_a_broken_one_is_refused_there() -> None:
    viewer = hospital()
    take_in_documents([JINJA], now=NOW)
    system = a_system(viewer)
    padding = b"# " + b"x" * 100 + b"\n"
    raw = b"jinja2==3.1.3\n" + padding * (AT_ONCE_BYTES // len(padding) + 1)
    made = receive(viewer, system.name, raw, file="large.txt", now=NOW)
    assert made.state == "received"
    work_off(LATER)
    made.refresh_from_db()
    assert (made.state, made.is_current) == ("read", True)
    assert flaws(system) == ["CVE-2026-1"]
    broken = receive(viewer, system.name, b"{" + raw, file="broken.json", now=LATER)
    work_off(LATER)
    broken.refresh_from_db()
    assert broken.state == "refused"
    assert broken.reason
    made.refresh_from_db()
    assert made.is_current, "what cannot be read takes nobody's place"


def test_a_list_that_was_sent_earlier_and_read_later_takes_no_newer_ones_place() -> None:
    viewer = hospital()
    system = a_system(viewer)
    padding = b"# " + b"x" * 100 + b"\n"
    raw = b"jinja2==3.1.3\n" + padding * (AT_ONCE_BYTES // len(padding) + 1)
    slow = receive(viewer, system.name, raw, file="large.txt", now=NOW)
    quick = receive(viewer, system.name, b"flask==3.0\n", file="small.txt", now=LATER)
    work_off(LATER)
    slow.refresh_from_db()
    quick.refresh_from_db()
    assert (slow.state, slow.is_current, quick.is_current) == ("read", False, True)


def test_a_retired_system_is_touched_by_nothing_and_takes_nothing() -> None:
    viewer = hospital()
    take_in_documents([JINJA], now=NOW)
    system = a_system(viewer)
    receive(viewer, system.name, b"jinja2==3.1.3\n", file="r.txt", now=NOW)
    retire_system(viewer, system.name, now=LATER)
    assert flaws(system) == []
    with pytest.raises(Conflict):
        receive(viewer, system.name, b"jinja2==3.1.3\n", file="r.txt", now=LATER)
    assert not Component.objects.exists()


def test_a_system_is_its_owners_alone() -> None:
    viewer = hospital()
    system = a_system(viewer)
    for other in (somebody("bank", Role.DEPLOYER), somebody("office", Role.COORDINATOR)):
        with pytest.raises(NotFound):
            receive(other, system.name, b"a==1\n", file="r.txt", now=NOW)
        with pytest.raises(NotFound):
            retire_system(other, system.name, now=NOW)
        assert queries.systems_of(other) == []
    with pytest.raises(Refused):
        a_system(PUBLIC)


def test_answers_are_those_of_the_questions_and_not_knowing_is_none() -> None:
    viewer = hospital()
    system = a_system(viewer)
    given = {"exposure": "internet", "kind": ["medical"], "mission": "unknown"}
    changed = describe_system(
        viewer, system.name, "Records", sector="healthcare", answers=given, now=LATER
    )
    assert changed.answers == {"exposure": "internet", "kind": ["medical"]}
    for wrong in ({"exposure": "moon"}, {"colour": "red"}, {"exposure": ["internet", "isolated"]}):
        with pytest.raises(Invalid):
            describe_system(viewer, system.name, "Records", answers=wrong, now=LATER)
    with pytest.raises(Invalid):
        describe_system(viewer, system.name, "Records", sector="space", answers={}, now=LATER)
