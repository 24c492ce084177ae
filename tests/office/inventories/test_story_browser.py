"""A deployer's way by clicks: from the first system to what to do, and a flaw that is not public.

The office is served as an operator starts it, with its own worker; lists and records are real.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.office import browser
from tests.office.orgs.running import PASSWORD
from tests.office.serving import Serving, prepared, served
from tests.office.walking import Person, somebody_at

pytestmark = [pytest.mark.slow, pytest.mark.network]

TOP = Path(__file__).parents[3]
SAMPLES = TOP / "samples" / "exposure"
LIST = SAMPLES / "juice-shop-11.1.2.cdx.json"
MENDED, ASIDE = "CVE-2016-1000223", "CVE-2016-1000237"
REASON = "Comments are turned off here, so nobody can send it any HTML."
_PHONE, _DESK = 390, 1280
#: People with passwords, and a proven case of which the versions are known; prints its name.
_PEOPLE = """
import sys
import django
django.setup()
from django.utils import timezone
from clearhouse.office.cases.actions import versions
from clearhouse.office.orgs.models import User
from clearhouse.protocol.roles import Role
from tests.office.story import proven, somebody
now = timezone.now()
office = somebody("office", Role.COORDINATOR)
somebody("valley-hospital", Role.DEPLOYER)
for user in User.objects.all():
    user.set_password(sys.argv[1])
    user.save()
case = proven(somebody("hexfind", Role.FINDER), now=now)
versions.declare(office, case, "0", "0.13.3", now=now)
print(case)
"""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[tuple[Serving, str]]:
    """An office that knows what is public, and the name of its case."""
    made = prepared(tmp_path, SECOND_FACTOR="optional")
    ready = made.run("office", "prepare")
    assert ready.returncode == 0, ready.stderr
    loaded = made.run(
        "feeds", "load", str(SAMPLES / "advisories.ndjson"), str(SAMPLES / "kev.json")
    )
    assert loaded.returncode == 0, loaded.stderr
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PEOPLE, PASSWORD],
        env={**made.environment, "DJANGO_SETTINGS_MODULE": "clearhouse.office.settings"},
        cwd=TOP, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with served(made):
        yield made, done.stdout.split()[-1]


def test_a_deployer_learns_what_to_do_and_is_told_of_a_flaw_that_is_not_public(
    office: tuple[Serving, str], tmp_path: Path
) -> None:
    serving, case = office
    with browser.browser() as chromium:
        ada = _signed_in(chromium, serving, "valley-hospital")
        cora = _signed_in(chromium, serving, "office")
        _adds_a_system(ada)
        _hands_in(ada, LIST)
        _reads_what_to_do_first(ada)
        _answers_and_the_date_changes(ada)
        _updates(ada, tmp_path)
        _sets_aside(ada, tmp_path)
        _asks_who_has_it(cora, case)
        _is_told_what_is_not_public(ada, cora, case)
        for one in (ada, cora):
            assert one.complaints == [], one.name
    assert serving.run("ledger", "verify").returncode == 0


def _signed_in(chromium: Browser, office: Serving, slug: str) -> Person:
    one = somebody_at(chromium, office.url, slug)
    one.goes("/account/login/")
    one.page.fill("#id_login", f"ada@{slug}.example")
    one.page.fill("#id_password", PASSWORD)
    one.page.click("form.usa-form button[type=submit]")
    one.page.wait_for_url(lambda there: "/account/login/" not in there)
    return one


def _fits_a_phone(one: Person) -> None:
    one.page.set_viewport_size({"width": _PHONE, "height": 844})
    assert browser.wider_than_window(one.page) == [], one.page.url
    one.page.set_viewport_size({"width": _DESK, "height": 900})


def _adds_a_system(ada: Person) -> None:
    ada.clicks("Exposure", inside="header")
    ada.reads("No systems yet")
    _fits_a_phone(ada)
    ada.clicks("Add a system", inside="main")
    ada.types("What do you call it?", "Feedback of patients")
    ada.selects("What is it for?", "Healthcare")
    ada.ticks("Work goes on for a while only")
    ada.ticks("No, or hardly")
    _fits_a_phone(ada)
    ada.clicks("Add", inside="main form")
    ada.reads("Added Feedback of patients.")
    ada.reads("Nothing is known")


def _hands_in(ada: Person, file: Path) -> None:
    ada.attaches("List of what is installed", file)
    ada.clicks("Hand in", inside="form[action$='/upload/']")
    ada.reads("packages of CycloneDX")


def _reads_what_to_do_first(ada: Person) -> None:
    ada.reads("What touches it")
    _fits_a_phone(ada)
    ada.clicks("Exposure", inside="header")
    ada.reads("Do this first")
    ada.reads("Update jws to 3.0.0 or later")
    ada.reads("Everything, what is due first at the top")
    _fits_a_phone(ada)
    ada.clicks(MENDED, inside="main")
    ada.reads("What to do")
    ada.reads("If you cannot")
    ada.reads("Where you have it")
    _fits_a_phone(ada)


def _answers_and_the_date_changes(ada: Person) -> None:
    """Nobody has said who reaches the system: the worst is assumed, until somebody does."""
    before = _due(ada)
    ada.clicks("Who can reach this system over a network", inside="main")
    ada.ticks("Hardly anybody")
    ada.clicks("Keep", inside="main form")
    ada.reads("judged again")
    ada.clicks(MENDED, inside="main")
    ada.reads("Where you have it")
    assert _due(ada) > before


def _due(one: Person) -> str:
    """The first date of the page, which is when it is due."""
    when = one.page.locator("main time").first.get_attribute("datetime")
    assert when is not None
    return when


def _updates(ada: Person, tmp_path: Path) -> None:
    """A newer list, with the update, and with a package of which something is not public."""
    listed: dict[str, Any] = json.loads(LIST.read_text())
    for one in _all(listed["components"]):
        if one["name"] == "jws":
            one["version"], one["purl"] = "3.0.0", "pkg:npm/jws@3.0.0"
    listed["components"].append(
        {"type": "library", "name": "ecdsa", "version": "0.13.2", "purl": "pkg:pypi/ecdsa@0.13.2"}
    )
    newer = tmp_path / "newer.cdx.json"
    newer.write_text(json.dumps(listed))
    ada.clicks("Feedback of patients", inside="main")
    _hands_in(ada, newer)
    ada.reads("What is over")
    ada.clicks(MENDED, inside="main ul")
    ada.reads("It is over")
    ada.clicks("Feedback of patients", inside="main")


def _all(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in components:
        yield one
        yield from _all(one.get("components", []))


def _sets_aside(ada: Person, tmp_path: Path) -> None:
    """What the hospital knows better stays in sight, with its reason."""
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://valley-hospital.example/vex/1",
        "author": "Valley Hospital", "timestamp": "2026-11-01T00:00:00Z", "version": 1,
        "statements": [
            {
                "vulnerability": {"name": ASIDE},
                "products": [{"@id": "pkg:npm/sanitize-html@1.4.2"}],
                "status": "not_affected", "impact_statement": REASON,
            }
        ],
    }  # fmt: skip
    vex = tmp_path / "feedback.vex.json"
    vex.write_text(json.dumps(document))
    ada.attaches("VEX document", vex)
    ada.clicks("Hand in", inside="form[action$='/state/']")
    ada.reads("Read 1 statement.")
    ada.reads("Said to be not affected")
    ada.reads(REASON)
    _fits_a_phone(ada)
    ada.clicks(ASIDE, inside="main")
    ada.reads("It does not count")
    ada.reads(REASON)


def _asks_who_has_it(cora: Person, case: str) -> None:
    """The office finds the hospital, and invites it with a click."""
    cora.goes(f"/cases/{case}/")
    cora.clicks("Who has this", inside="main")
    cora.reads("By sector")
    cora.reads("ecdsa 0.13.2")
    _fits_a_phone(cora)
    cora.clicks("Invite", inside="main")
    cora.reads("The invitation is there.")


def _is_told_what_is_not_public(ada: Person, cora: Person, case: str) -> None:
    """Until it accepts the hospital reads nothing; then it reads where it has it."""
    ada.clicks("Exposure", inside="header")
    ada.reads("What to do")
    ada.does_not_read("Not public")
    ada.clicks("Cases", inside="header")
    ada.clicks("A vulnerability in pkg:pypi/ecdsa", inside="main")
    ada.clicks("I accept these terms")
    ada.reads("No fix was handed on yet")
    ada.clicks("Exposure", inside="header")
    ada.reads("Not public: keep it to yourselves")
    ada.reads("You have it in")
    ada.reads("Feedback of patients")
    _fits_a_phone(ada)
    cora.goes(f"/exposure/cases/{case}/")
    cora.reads("takes part")
