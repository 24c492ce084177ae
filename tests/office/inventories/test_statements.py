"""A deployer's own VEX: how much of it counts for a system, and that none goes out of sight."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Final

import pytest
from django.test import Client
from pytest_django import Settings

from clearhouse.errors import Refused
from clearhouse.office.inventories import queries
from clearhouse.office.inventories.actions import stating
from clearhouse.office.inventories.actions.feeding import take_in_documents
from clearhouse.office.inventories.actions.receiving import receive
from clearhouse.office.inventories.actions.stating import (
    MOST_BYTES,
    MOST_BYTES_IN_ALL,
    hand_in_statements,
    withdraw_statements,
)
from clearhouse.office.inventories.actions.systems import add_system
from clearhouse.office.inventories.models import Exposure, OwnStatements, System
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role
from tests.office.findings.people import MIDDLEWARE, client_of
from tests.office.inventories.made import documented
from tests.office.racing import needs_postgresql, overtaken_by
from tests.office.story import somebody

NOW: Final = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def a_system() -> tuple[Viewer, System]:
    viewer = somebody("hospital", Role.DEPLOYER)
    return viewer, add_system(viewer, "Records", answers={}, now=NOW)


def vex(*flaws: str, size: int = 0) -> bytes:
    """A statement that none of these affects jinja2 1, as OpenVEX, of at least that size."""
    made = json.dumps(
        {
            "@context": "https://openvex.dev/ns/v0.2.0",
            "@id": "https://hospital.example/vex/1",
            "author": "St. Anna",
            "timestamp": "2026-11-01T00:00:00Z",
            "version": 1,
            "statements": [
                {
                    "vulnerability": {"name": one},
                    "products": [{"@id": "pkg:pypi/jinja2@1"}],
                    "status": "not_affected",
                    "justification": "vulnerable_code_not_in_execute_path",
                }
                for one in flaws or ("CVE-2026-1",)
            ],
        }
    ).encode()
    return made + b" " * (size - len(made))


def hand_in(viewer: Viewer, system: System, raw: bytes) -> OwnStatements:
    return hand_in_statements(viewer, system.name, raw, file="vex.json", now=NOW)


@pytest.mark.django_db
def test_documents_of_a_system_are_refused_beyond_what_is_read_at_each_match() -> None:
    viewer, system = a_system()
    whole = MOST_BYTES_IN_ALL // MOST_BYTES
    made = [hand_in(viewer, system, vex(size=MOST_BYTES)) for _ in range(whole)]
    with pytest.raises(Refused, match=r"at most 16 MiB .*, and it has 16\.0 MiB; take some back"):
        hand_in(viewer, system, vex())
    assert OwnStatements.objects.count() == whole
    withdraw_statements(viewer, made[0].name, now=NOW)
    hand_in(viewer, system, vex())
    other = add_system(viewer, "Web site", answers={}, now=NOW)
    hand_in(viewer, other, vex(size=MOST_BYTES))


@pytest.mark.django_db
def test_so_many_documents_are_refused_however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stating, "MOST", 2)
    viewer, system = a_system()
    for _ in range(2):
        hand_in(viewer, system, vex())
    with pytest.raises(Refused, match="at most 2 documents"):
        hand_in(viewer, system, vex())


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_two_documents_that_come_at_once_do_not_pass_the_limit_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = vex()
    monkeypatch.setattr(stating, "MOST_BYTES_IN_ALL", len(raw) + 1)
    viewer, system = a_system()
    with overtaken_by(lambda: hand_in(viewer, system, raw)) as meanwhile:
        hand_in(viewer, system, raw)
        second = meanwhile()
    assert isinstance(second.error, Refused)
    assert OwnStatements.objects.count() == 1


def set_aside(count: int) -> tuple[Viewer, System, list[str]]:
    """A system of which so many flaws are said to be not affected."""
    viewer, system = a_system()
    flaws = [f"CVE-2026-{number:04}" for number in range(1000, 1000 + count)]
    package = {"ecosystem": "PyPI", "name": "jinja2"}
    reach = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]
    take_in_documents(
        [
            documented(
                {
                    "id": one,
                    "modified": "2026-11-01T00:00:00Z",
                    "affected": [{"package": package, "ranges": reach}],
                }
            )
            for one in flaws
        ],
        now=NOW,
    )
    receive(viewer, system.name, b"jinja2==1\n", file="r.txt", now=NOW)
    hand_in(viewer, system, vex(*flaws))
    return viewer, system, flaws


@pytest.mark.django_db
def test_what_was_set_aside_is_read_page_by_page_to_its_end() -> None:
    viewer, system, flaws = set_aside(7)
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        rows, after = queries.set_aside_of(viewer, system.name, after=after, most=3)
        assert len(rows) <= 3
        found += [one.flaw for one in rows]
    assert sorted(found) == flaws
    rows, after = queries.set_aside_of(viewer, system.name, most=3)
    Exposure.objects.filter(pk=rows[-1].pk).update(statement=None)
    rest, _ = queries.set_aside_of(viewer, system.name, after=after or "")
    assert len(rest) == 4, "what counts again meanwhile does not begin the list anew"


def links(client: Client, path: str) -> list[str]:
    found = client.get(path)
    assert found.status_code == 200
    said = found.content.decode().replace("&amp;", "&")
    return re.findall(r'href="(\?[^"]*)" rel="next"', said)


@pytest.mark.django_db
def test_the_page_of_a_system_turns_one_list_and_leaves_the_other_where_it_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MIDDLEWARE = MIDDLEWARE
    viewer, system, flaws = set_aside(queries.PAGE + 2)
    client, path = client_of(viewer), f"/exposure/systems/{system.name}/"
    [onward] = links(client, path)
    assert onward.endswith("#aside")
    said = client.get(path + onward).content.decode()
    assert sum(one in said for one in flaws) == 2
    kept = links(client, f"{path}?after=EX-1")
    assert all("after=EX-1" in one for one in kept)
