"""A list and a record that come in at once: neither misses the other, and nobody waits for ever."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from clearhouse.office.inventories.actions.feeding import look_again, take_in_documents
from clearhouse.office.inventories.actions.receiving import install, parse, receive
from clearhouse.office.inventories.actions.systems import add_system
from clearhouse.office.inventories.models import Exposure, Inventory, Release, System
from clearhouse.office.queue.inline import work_off
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role
from tests.office.inventories.made import documented
from tests.office.racing import needs_postgresql, overtaken_by
from tests.office.story import somebody

pytestmark = [pytest.mark.django_db(transaction=True), needs_postgresql]

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LIST = b"jinja2==1\n"


def record(identifier: str = "PYSEC-1") -> None:
    entry = {
        "package": {"ecosystem": "PyPI", "name": "jinja2"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
    }
    frame = {"id": identifier, "modified": "2026-11-01T00:00:00Z", "affected": [entry]}
    take_in_documents([documented(frame)], now=NOW)


def a_system(slug: str = "hospital") -> tuple[Viewer, System]:
    viewer = somebody(slug, Role.DEPLOYER)
    return viewer, add_system(viewer, "Records", answers={}, now=NOW)


def everything_is_found() -> None:
    look_again(NOW)
    work_off(NOW)
    assert Exposure.objects.filter(gone_at=None).count() == 1


def test_a_record_that_comes_while_a_list_is_matched() -> None:
    viewer, system = a_system()
    with overtaken_by(record) as meanwhile:
        receive(viewer, system.name, LIST, file="r.txt", now=NOW)
        assert meanwhile().error is None
    everything_is_found()


def test_a_list_that_comes_while_a_record_is_taken_in() -> None:
    viewer, system = a_system()
    deed = lambda: receive(viewer, system.name, LIST, file="r.txt", now=NOW)  # noqa: E731
    with overtaken_by(deed) as meanwhile:
        record()
        second = meanwhile()
    assert second.error is None
    everything_is_found()


def test_two_lists_of_the_same_new_packages_in_other_orders() -> None:
    names = [f"package-{number}" for number in range(1200)]
    first = "".join(f"{one}==1\n" for one in names).encode()
    second = "".join(f"{one}==1\n" for one in reversed(names)).encode()
    (one, system), (other, another) = a_system(), a_system("bank")
    made = receive(one, system.name, LIST, file="r.txt", now=NOW)
    deed = lambda: receive(other, another.name, second, file="r.txt", now=NOW)  # noqa: E731
    with overtaken_by(deed) as meanwhile:
        install(Inventory.objects.get(pk=made.pk), parse(first, "r.txt", ""), now=NOW)
        assert meanwhile().error is None
    assert Release.objects.count() == 1201


def test_two_loads_of_the_same_record() -> None:
    viewer, system = a_system()
    receive(viewer, system.name, LIST, file="r.txt", now=NOW)
    with overtaken_by(record) as meanwhile:
        record()
        assert meanwhile().error is None
    everything_is_found()
