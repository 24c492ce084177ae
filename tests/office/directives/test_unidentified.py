"""What a list may name is not done: no obligation is met by a list that cannot be read whole."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clearhouse.office.directives.actions.evidence import answer, hand_in
from clearhouse.office.directives.models import Evidence
from clearhouse.office.inventories.actions.receiving import receive
from clearhouse.office.inventories.models import Exposure, System
from clearhouse.office.queue.inline import work_off
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.directives.directive import Way
from tests.office.directives.made import (
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
)
from tests.office.rolled_back import rolled_back

pytestmark = pytest.mark.django_db

_BOM = (
    b'{"bomFormat": "CycloneDX", "specVersion": "1.5", "components":'
    b' [{"type": "library", "name": "salt", "version": "3000"}]}'
)


def obliged() -> tuple[Viewer, System]:
    """A hospital that has to mend an affected package."""
    deployer = hospital()
    system = a_system(deployer)
    known(record("PYSEC-1", "salt", aliases=["CVE-2026-1001"]), kev("CVE-2026-1001"))
    in_force(agency())
    installed(deployer, system, "salt==1.0", "requests==1.0")
    work_off(NOW)
    [one] = obligations()
    assert (one.state, one.applies) == ("open", "yes")
    return deployer, system


@pytest.mark.parametrize(
    "raw", [_BOM, b"requests==1.0\nsalt>=1\n", b"requests==1.0\n-r more.txt\n", b"other\t1-1\n"]
)
def test_what_a_list_may_name_stays_open_and_may_apply(raw: bytes) -> None:
    deployer, system = obliged()
    receive(deployer, system.name, raw, file="new", distribution="Debian:12", now=NOW + DAY)
    work_off(NOW + DAY)
    [one] = obligations()
    assert (one.state, one.applies) == ("open", "maybe")
    assert "version" in one.unanswered
    assert not Evidence.objects.exists()
    installed(deployer, system, "salt==2.0", now=NOW + 2 * DAY)
    work_off(NOW + 2 * DAY)
    [one] = obligations()
    assert (one.state, one.way) == ("completed", "inventory")


def test_what_a_list_does_not_name_is_done_as_before() -> None:
    deployer, system = obliged()
    installed(deployer, system, "requests==1.0", "other>=1", now=NOW + DAY)
    work_off(NOW + DAY)
    [one] = obligations()
    assert (one.state, one.way) == ("completed", "inventory")


def test_a_record_that_is_withdrawn_meanwhile_lifts_it_and_is_no_evidence() -> None:
    deployer, system = obliged()
    installed(deployer, system, "requests==1.0", "salt>=1", now=NOW + DAY)
    work_off(NOW + DAY)
    later = {"modified": "2026-12-10T00:00:00Z", "withdrawn": "2026-12-10T00:00:00Z"}
    known(record("PYSEC-1", "salt", aliases=["CVE-2026-1001"], **later), now=NOW + DAY)
    installed(deployer, system, "requests==1.1", "salt>=1", now=NOW + 2 * DAY)
    work_off(NOW + 2 * DAY)
    [one] = obligations()
    assert one.state == "lifted"
    assert not Evidence.objects.exists()


def test_what_was_taken_off_the_network_is_not_seen_again_by_a_list_that_may_name_it() -> None:
    deployer, system = obliged()
    [one] = obligations()
    hand_in(deployer, one.name, "removed", "It is switched off.", now=NOW + DAY)
    issuer = agency()
    answer(issuer, one.name, "accept", "Seen.", now=NOW + DAY)
    installed(deployer, system, "requests==1.0", "salt>=1", now=NOW + 2 * DAY)
    work_off(NOW + 2 * DAY)
    [one] = obligations()
    assert (one.state, one.way) == ("completed", "removed")
    installed(deployer, system, "salt==1.0", now=NOW + 3 * DAY)
    work_off(NOW + 3 * DAY)
    assert obligations()[0].state == "open"


_LISTS = st.sampled_from(
    [
        ["salt==1.0"], ["salt==2.0"], ["requests==1.0", "salt>=1"], ["requests==1.0", "-e ."],
        ["requests==1.0"], ["requests==1.0", "-e git+https://example.org/s#egg=Salt"],
        ["salt==2.0", "salt>=1"], ["other\t1-1"],
    ]
)  # fmt: skip
_MAY_NAME = (
    ["requests==1.0", "salt>=1"], ["requests==1.0", "-e ."], ["salt==2.0", "salt>=1"],
    ["requests==1.0", "-e git+https://example.org/s#egg=Salt"],
)  # fmt: skip


@pytest.mark.slow
@given(st.lists(_LISTS, min_size=1, max_size=6))
@example([["requests==1.0", "salt>=1"], ["requests==1.0"]])
@settings(max_examples=30, deadline=None)
def test_nothing_is_met_by_a_list_that_may_name_it(lists: list[list[str]]) -> None:
    with rolled_back():
        deployer, system = obliged()
        for day, lines in enumerate(lists, 1):
            now = NOW + day * DAY
            was_open = Exposure.objects.filter(gone_at=None).exists()
            met = Evidence.objects.filter(way=Way.INVENTORY).count()
            receive(
                deployer, system.name, ("\n".join(lines) + "\n").encode(), file="list.txt",
                distribution="Debian:12" if "\t" in lines[0] else "", now=now,
            )  # fmt: skip
            work_off(now)
            if lines in _MAY_NAME or "\t" in lines[0]:
                assert Exposure.objects.filter(gone_at=None).exists() is was_open
                assert Evidence.objects.filter(way=Way.INVENTORY).count() == met
            standing = [one.state for one in obligations()]
            if Exposure.objects.filter(gone_at=None).exists():
                assert "open" in standing, (lists, standing)
