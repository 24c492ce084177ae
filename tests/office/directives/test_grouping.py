"""Sixty obligations are as many entries as there are things to do; nobody sees more by it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearhouse.errors import NotFound
from clearhouse.office.directives import grouping, queries
from clearhouse.office.directives.actions.evidence import hand_in
from clearhouse.office.directives.grouping import entries_of, entries_under
from clearhouse.office.directives.models import DirectiveRow, ObligationRow
from clearhouse.office.directives.shown_entries import entry_of
from clearhouse.office.inventories.models import System
from clearhouse.office.queue.inline import work_off
from clearhouse.protocol.roles import Role
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
from tests.office.findings.people import MIDDLEWARE, client_of
from tests.office.story import somebody

pytestmark = pytest.mark.django_db


def flawed(*packages: str, each: int = 1) -> None:
    """So many flaws of each of these packages, each mended by a later version than the last."""
    known(
        *(
            record(
                f"PYSEC-{package}-{number}", package, f"2.{number}",
                aliases=[f"CVE-2026-{abs(hash_of(package)) % 1000:03}{number:02}"],
            )
            for package in packages
            for number in range(each)
        )
    )  # fmt: skip


def hash_of(text: str) -> int:
    return sum(place * ord(one) for place, one in enumerate(text, 1))


def a_list(system: System, *packages: str) -> None:
    installed(hospital(), system, *(f"{one}==1.0" for one in packages))


def due_in(system: System, package: str, days: int) -> None:
    """Let what is asked for a package be due then, as if its table had said so."""
    at = NOW + timedelta(days=days)
    for one in ObligationRow.objects.filter(system=system).select_related("exposure"):
        if one.exposure.found[0]["package"] == package:
            one.due, one.rank = at, f"{at:%Y-%m-%dT%H:%M:%S.%f}"
            one.save()


def headings(now: datetime = NOW, **asked: Any) -> list[str]:
    return [entry_of(one, now).heading for one in entries_of(hospital(), now=now, **asked)[0]]


def test_what_one_update_of_one_package_on_one_system_mends_is_one_entry() -> None:
    ward, site = a_system(hospital(), "Ward"), a_system(hospital(), "Site")
    a_list(ward, "jinja2", "flask")
    a_list(site, "jinja2")
    flawed("jinja2", each=3)
    flawed("flask")
    in_force(agency())
    found, following = entries_of(hospital(), now=NOW)
    assert following is None
    told = {(one.system, one.package): (one.tally.count, one.flaws) for one in found}
    assert told == {
        (ward.name, "jinja2"): (3, 3), (ward.name, "flask"): (1, 1), (site.name, "jinja2"): (3, 3),
    }  # fmt: skip
    [jinja] = [one for one in found if (one.system, one.package) == (site.name, "jinja2")]
    shown = entry_of(jinja, NOW)
    assert shown.heading == "Update jinja2 to 2.2 or later"
    assert shown.why == "It has 1.0, with 3 known flaws."
    assert len({row.flaw for row in shown.rows}) == 3
    assert not shown.rest


def test_two_directives_that_ask_for_one_flaw_are_one_entry_with_two_obligations() -> None:
    system = a_system(hospital())
    a_list(system, "jinja2")
    flawed("jinja2")
    first = in_force(agency())
    in_force(agency(), "EO-14409-2c")
    [one], _ = entries_of(hospital(), now=NOW)
    assert (one.tally.count, one.flaws) == (2, 1)
    [one], _ = entries_of(hospital(), now=NOW, directive=first.name)
    assert (one.tally.count, one.flaws) == (1, 1)


def test_the_entry_that_is_due_first_stands_first_and_says_how_bad_it_is() -> None:
    system = a_system(hospital())
    a_list(system, "flask", "jinja2", "requests")
    known(kev())
    flawed("flask", "requests", each=2)
    known(record("PYSEC-1", "jinja2", aliases=["CVE-2000-1000"]))
    in_force(agency())
    for package, days in (("flask", 9), ("jinja2", -1), ("requests", 4)):
        due_in(system, package, days)
    found, _ = entries_of(hospital(), now=NOW)
    shown = [entry_of(one, NOW) for one in found]
    assert [one.package for one in found] == ["jinja2", "requests", "flask"]
    assert [one.tag.text for one in shown] == ["Overdue", "Open", "Open"]
    assert [one.tally.due for one in found] == [NOW + days * DAY for days in (-1, 4, 9)]
    assert "1 of the flaws is known to be exploited." in shown[0].more


def test_what_may_not_apply_says_which_answer_is_missing() -> None:
    system = a_system(hospital(), kind=["none"])
    a_list(system, "jinja2")
    flawed("jinja2", each=2)
    in_force(agency())
    [one], _ = entries_of(hospital(), now=NOW)
    shown = entry_of(one, NOW)
    assert "Say who can reach the system over a network." in shown.questions
    assert shown.unsure == "What you answer may move the date."
    ObligationRow.objects.filter(name=one.first[0].row.name).update(applies="maybe")
    [one], _ = entries_of(hospital(), now=NOW)
    assert entry_of(one, NOW).unsure.startswith("1 of 2 may not apply to you;")


def test_a_flaw_of_several_packages_names_every_update_that_it_asks_for() -> None:
    system = a_system(hospital())
    a_list(system, "jinja2", "jinja2-docs")
    both = record("PYSEC-1", "jinja2", aliases=["CVE-2026-1001"])
    second = record("PYSEC-2", "jinja2-docs", "3.0", aliases=["CVE-2026-1001"])
    known(both, second)
    in_force(agency())
    [one], _ = entries_of(hospital(), now=NOW)
    shown = entry_of(one, NOW)
    assert shown.heading == "Update jinja2 to 2.0 or later"
    assert "With it: Update jinja2-docs to 3.0 or later." in shown.more


def test_what_was_handed_in_is_counted_in_its_entry() -> None:
    system = a_system(hospital())
    a_list(system, "jinja2")
    flawed("jinja2", each=2)
    in_force(agency())
    hand_in(hospital(), obligations()[0].name, "removed", "It was unplugged.", now=NOW + DAY)
    [one], _ = entries_of(hospital(), now=NOW)
    assert "1 being examined of 2." in entry_of(one, NOW).more
    assert entry_of(one, NOW).tag.text == "Open"


def test_pages_of_entries_have_each_obligation_once_in_order_of_the_earliest_date() -> None:
    names = [f"package-{number}" for number in range(7)]
    ward, site = a_system(hospital(), "Ward"), a_system(hospital(), "Site")
    for system in (ward, site):
        a_list(system, *names)
    flawed(*names, each=2)
    in_force(agency())
    for number, name in enumerate(names):
        due_in(ward, name, 40 - number)
        due_in(site, name, 3 * number)
    whole, _ = entries_of(hospital(), now=NOW, most=100)
    assert len(whole) == 14
    dues = [one.tally.due for one in whole]
    assert dues == sorted(dues, key=lambda at: at or NOW + 1000 * DAY)
    for most in (1, 3, 5):
        found: list[tuple[str, str]] = []
        after: str | None = ""
        while after is not None:
            page, after = entries_of(hospital(), now=NOW, after=after, most=most)
            assert len(page) <= most
            found += [(one.system, one.package) for one in page]
        assert found == [(one.system, one.package) for one in whole]


def test_turning_the_page_goes_on_also_where_the_last_entry_is_done_meanwhile() -> None:
    names = [f"package-{number}" for number in range(4)]
    system = a_system(hospital())
    a_list(system, *names)
    flawed(*names)
    in_force(agency())
    for number, name in enumerate(names):
        due_in(system, name, number)
    first, after = entries_of(hospital(), now=NOW, most=2)
    assert after is not None
    done = [seen.row.pk for one in first for seen in one.first]
    ObligationRow.objects.filter(pk__in=done).update(state="completed")
    rest, _ = entries_of(hospital(), now=NOW, after=after, most=2)
    assert [one.package for one in first + rest] == names
    flat, after = queries.obligations_of(hospital(), after=first[-1].first[0].row.name)
    assert (len(flat), after) == (2, None)


@given(after=st.text(max_size=80))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_place_to_go_on_from(after: str) -> None:
    entries_of(hospital(), now=NOW, after=after.replace("\0", ""))


def asked_by(deed: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert deed()
    return len(asked)


def test_how_often_the_database_is_asked_does_not_grow_with_entries_and_obligations() -> None:
    viewer, authority = hospital(), agency()
    found = []
    for count in (1, 12):
        for title in ("Ward", "Site")[: 1 if count == 1 else 2]:
            names = [f"package-{title}-{number}".lower() for number in range(count)]
            system = a_system(viewer, f"{title} {count}")
            a_list(system, *names)
            flawed(*names, each=2)
        row = DirectiveRow.objects.first() or in_force(authority)
        work_off(NOW)
        found.append(
            (
                asked_by(lambda: entries_of(viewer, now=NOW)[0]),
                asked_by(lambda row=row: entries_of(viewer, now=NOW, directive=row.name)[0]),  # type: ignore[misc]
                asked_by(lambda row=row: entries_under(authority, row.name, now=NOW)[0]),  # type: ignore[misc]
            )
        )
    assert ObligationRow.objects.count() == 50
    assert found[0] == found[1]
    assert max(found[1]) <= 8


def test_more_than_an_entry_shows_is_on_a_page_of_its_own(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.MIDDLEWARE = MIDDLEWARE
    monkeypatch.setattr(grouping, "SHOWN", 2)
    system = a_system(hospital())
    a_list(system, "jinja2", "flask")
    flawed("jinja2", each=5)
    flawed("flask")
    made = in_force(agency())
    deployer, authority = client_of(hospital()), client_of(agency())
    for client, path in (
        (deployer, "/directives/"),
        (deployer, f"/directives/{made.name}/"),
        (authority, f"/directives/{made.name}/"),
    ):
        said = client.get(path).content.decode()
        [rest] = re.findall(r'href="([^"]*beside=[^"]*)"', said)
        shown = client.get(html.unescape(rest))
        assert shown.status_code == 200
        names = re.findall(r"/directives/obligations/(O-\w+)/", shown.content.decode())
        assert len(set(names)) == (5 if client is deployer else 6)
    other = client_of(somebody("bank", Role.DEPLOYER))
    name = obligations()[0].name
    assert other.get(f"/directives/obligations/?beside={name}").status_code == 404
    assert other.get(f"/directives/{made.name}/obligations/").status_code == 404


def place_names(row: DirectiveRow) -> list[tuple[str, str, int]]:
    found, _ = entries_under(agency(), row.name, now=NOW)
    return sorted((one.organisation, one.place, one.tally.count) for one in found)


def test_an_authority_has_one_entry_for_each_system_and_learns_of_no_package() -> None:
    for viewer, title in ((hospital(), "Ward"), (somebody("bank", Role.DEPLOYER), "Vault")):
        installed(viewer, a_system(viewer, title), "jinja2==1.0", "flask==1.0")
    flawed("jinja2", "flask", each=2)
    row = in_force(agency())
    assert place_names(row) == [("Bank", "Vault", 4), ("Hospital", "Ward", 4)]
    said = client_of(agency()).get(f"/directives/{row.name}/").content.decode()
    assert "jinja2" not in said
    with pytest.raises(NotFound):
        entries_under(somebody("office", Role.COORDINATOR), row.name, now=NOW)


def test_of_advice_an_authority_cannot_tell_systems_apart_until_something_is_handed_in() -> None:
    viewer = hospital()
    for title in ("Ward", "Site"):
        installed(viewer, a_system(viewer, title), "jinja2==1.0")
    flawed("jinja2", each=2)
    row = in_force(agency(), "EO-14409-2c")
    assert place_names(row) == [("Hospital", "", 4)]
    one = ObligationRow.objects.filter(system__title="Ward").first()
    assert one is not None
    hand_in(viewer, one.name, "accepted", "No fix is known.", now=timezone.now())
    assert place_names(row) == [("Hospital", "", 3), ("Hospital", "Ward", 1)]
    found, _ = entries_under(agency(), row.name, now=NOW)
    for entry in found:
        assert {each.system for each in entry.first} == {entry.place}
