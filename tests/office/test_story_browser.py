"""The whole way of a finding, by people who click and type: from its proof to what is public.

Nothing is reached past the pages: a browser for each person, an office as an operator starts it,
its own worker.  The samples are real, and so is the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from playwright.sync_api import Browser

from tests.office import browser
from tests.office.orgs.running import PASSWORD
from tests.office.postgresql import Server, postgresql
from tests.office.serving import Serving, prepared, served
from tests.office.story import SAMPLES, packed
from tests.office.walking import Person, somebody_at

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.sandbox]

__all__ = ["postgresql"]

VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N"
PATCH = SAMPLES / "patches" / "CVE-2019-14853" / "bad-signature.patch"
#: Running a proof and the releases of a package takes most of the time.
_RUN_SECONDS = 120


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Serving]:
    server: Server | None = (
        request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    )
    database = server.new_database() if server else ""
    made = prepared(tmp_path, DATABASE=database, SECOND_FACTOR="optional")
    with served(made):
        yield made


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with browser.browser() as made:
        yield made


def test_a_finding_goes_the_whole_way_by_clicks(
    office: Serving, chromium: Browser, tmp_path: Path
) -> None:
    everybody: list[Person] = []

    def at(name: str) -> Person:
        everybody.append(somebody_at(chromium, office.url, name))
        return everybody[-1]

    cora = _opens_the_office(at("Cora"))
    finn, sam, dora = _come_in(cora, at)
    _names_its_package(sam, cora)
    receipt = _hands_in(finn, tmp_path)
    title = _is_told(cora, sam, tmp_path)
    _judges(sam)
    _proposes(finn, title)
    _chooses(sam)
    _hands_on(cora, dora, title, tmp_path)
    _mends(sam)
    _publishes(cora, title)
    _everybody_reads_it(at("anybody"), title)
    for one in everybody:
        assert one.complaints == [], one.name
    assert office.run("ledger", "verify").returncode == 0
    checked = office.run("ledger", "check-receipt", str(receipt))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _opens_the_office(cora: Person) -> Person:
    cora.reads("Open this office")
    cora.types("Name of the organisation", "Example Clearinghouse")
    cora.types("Your name", "Cora Coordinator")
    cora.types("Your e-mail address", "cora@example.org")
    cora.types("Password", PASSWORD)
    cora.clicks("Open the office")
    return cora


def _come_in(cora: Person, at: Callable[[str], Person]) -> tuple[Person, Person, Person]:
    """The coordinator takes organisations in and gives each a link; a person of each joins."""
    guests = (
        ("Finn", "Hexfind", "Finder"),
        ("Sam", "Ecdsa Team", "Supplier"),
        ("Dora", "Valley Hospital", "Deployer"),
    )
    come = []
    for name, organisation, role in guests:
        cora.unfolds("Cora Coordinator")
        cora.clicks("All organisations")
        cora.types("Name", organisation, inside="main form")
        cora.ticks(f"{role}:", inside="main form")
        cora.clicks("Take in")
        email = f"{name.lower()}@example.org"
        invitation = "form[action$='/invitation/']"
        cora.types("E-mail address", email, inside=invitation)
        cora.ticks("May invite others", inside=invitation)
        cora.clicks("Invite", inside=invitation)
        cora.reads(f"Give this link to {email}")
        link = cora.page.locator(".usa-alert code").inner_text()
        guest = at(name)
        guest.reads("Vulnerabilities, proven and mended")
        guest.goes(link)
        guest.reads(f"Join {organisation}")
        guest.types("Your name", name)
        guest.types("Password", PASSWORD)
        guest.clicks("Join", inside="main form")
        guest.reads(organisation)
        come.append(guest)
    finn, sam, dora = come
    return finn, sam, dora


def _names_its_package(sam: Person, cora: Person) -> None:
    sam.unfolds("Sam")
    sam.clicks("Ecdsa Team", inside="header")
    sam.types("Package", "pkg:pypi/ecdsa", inside="form[action$='/package/']")
    sam.clicks("Add", inside="form[action$='/package/']")
    sam.reads("not yet")
    cora.unfolds("Cora Coordinator")
    cora.clicks("All organisations")
    cora.clicks("Ecdsa Team", inside="main")
    cora.clicks("Confirm")
    cora.reads("Done.")


def _hands_in(finn: Person, tmp_path: Path) -> Path:
    """Upload the proof, watch it run, and keep the receipt."""
    archive = tmp_path / "CVE-2019-14853.tar.gz"
    archive.write_bytes(packed("CVE-2019-14853"))
    finn.clicks("Findings", inside="header")
    finn.clicks("Report a vulnerability", inside="main")
    finn.clicks("Upload bundles")
    finn.attaches("Proof bundles", archive)
    finn.clicks("Upload", inside="main form")
    finn.clicks("F-", inside="main")
    finn.reads("What was shown", seconds=_RUN_SECONDS)
    finn.reads("remove_integer")
    return finn.downloads("Download the receipt", tmp_path, inside="main")


def _is_told(cora: Person, sam: Person, tmp_path: Path) -> str:
    """The queue says what is next; the supplier hears of it by its own terms."""
    cora.clicks("Queue", inside="header")
    cora.clicks("Tell the supplier", inside="main")
    title = cora.page.locator("h1").inner_text()
    cora.clicks("Ecdsa Team", inside="#participants")
    cora.reads("wants to hear so")
    cora.clicks("Tell it now")
    cora.reads("The supplier was told.")

    sam.clicks("Cases", inside="header")
    sam.clicks("A vulnerability in pkg:pypi/ecdsa", inside="main")
    sam.does_not_read(title)
    sam.clicks("I accept these terms")
    sam.reads("remove_integer")
    bundle = sam.downloads("The proof", tmp_path, inside="#report")
    assert bundle.read_bytes() == (tmp_path / "CVE-2019-14853.tar.gz").read_bytes()
    return title


def _judges(sam: Person) -> None:
    """The supplier says that it is valid, takes it on, and rates it."""
    for answer in ("It is valid", "We take it on"):
        sam.unfolds("Say where you stand")
        sam.ticks(answer)
        sam.clicks("Say so")
        sam.reads("Where you stand was noted.")
    sam.unfolds("Assess the severity")
    sam.types("CVSS vector", VECTOR)
    sam.clicks("Assess it")
    sam.reads("High 7.5", inside="#severity")


def _proposes(finn: Person, title: str) -> None:
    """The finder brings a patch, and it is run."""
    finn.clicks("Cases", inside="header")
    finn.clicks(title, inside="main")
    finn.unfolds("Propose a patch")
    finn.attaches("As a file", PATCH)
    finn.types("AI system that wrote it", "Hexfind patcher 2")
    finn.clicks("Propose it")
    finn.reads("The patch waits to be run.")


def _chooses(sam: Person) -> None:
    for _ in range(_RUN_SECONDS // 2):
        sam.page.reload()
        if sam.page.locator("summary", has_text="Choose it").count():
            break
        sam.page.wait_for_timeout(2_000)
    sam.unfolds("Choose it")
    sam.clicks("Choose this patch")
    sam.reads("The patch was chosen.")


def _hands_on(cora: Person, dora: Person, title: str, tmp_path: Path) -> None:
    """The office hands the chosen patch on to a hospital, which sees no proof."""
    cora.page.reload()
    cora.unfolds("Invite somebody else")
    cora.types("Organisation, by its short name", "valley-hospital", inside="#do-invite")
    cora.selects("As", "deployer", inside="#do-invite")
    cora.clicks("Invite", inside="#do-invite form")
    cora.reads("The invitation is there.")
    dora.clicks("Cases", inside="header")
    dora.clicks("A vulnerability in pkg:pypi/ecdsa", inside="main")
    dora.clicks("I accept these terms")
    dora.reads("No fix was handed on yet")
    cora.clicks("Queue", inside="header")
    cora.clicks("Distribute the patch", inside="main")
    cora.unfolds("Hand it on")
    cora.clicks("Hand it on", inside="#patches details[open] form")
    cora.reads("The patch was handed on.")
    dora.page.reload()
    dora.does_not_read("The proof")
    patch = dora.downloads("The patch", tmp_path, inside="#remedy")
    assert patch.read_bytes() == PATCH.read_bytes()


def _mends(sam: Person) -> None:
    sam.page.reload()
    sam.unfolds("Say how far your fix is")
    sam.ticks("A fix is ready")
    sam.clicks("Say so")
    sam.reads("Your fix was noted.")


def _publishes(cora: Person, title: str) -> None:
    cora.clicks("Queue", inside="header")
    cora.clicks("Publish", inside="main")
    cora.clicks("Write the advisory")
    cora.types("Summary", "Malformed signatures raise an exception that callers do not expect.")
    cora.types("References", "FIX https://example.org/fix The fix")
    cora.clicks("Keep the draft")
    cora.reads("Nothing is public by it.")
    cora.reads("CSAF 2.0: valid")
    cora.reads("OSV: valid")
    cora.clicks("Publish now")
    cora.reads("Published. The embargo is over for everybody.")


def _everybody_reads_it(anybody: Person, title: str) -> None:
    """Nobody has signed in here."""
    anybody.clicks("Advisories", inside="main")
    anybody.clicks(title, inside="main")
    anybody.reads("What to do")
    anybody.reads("7.5 High")
    documents = {}
    for kind in ("CSAF 2.0", "OSV"):
        link = anybody.page.get_by_role("link", name=kind, exact=True)
        documents[kind] = _json(anybody, str(link.get_attribute("href")))
    name = documents["CSAF 2.0"]["document"]["tracking"]["id"]
    osv = documents["OSV"]["id"]
    feeds = _json(anybody, "/.well-known/csaf/provider-metadata.json")
    [feed] = feeds["distributions"][0]["rolie"]["feeds"]
    listed = _json(anybody, urlsplit(feed["url"]).path)["feed"]["entry"]
    assert name in {one["id"] for one in listed}
    assert osv in requests.get(f"{anybody.url}/osv/modified_id.csv", timeout=10).text
    assert _json(anybody, f"/osv/{osv}.json") == documents["OSV"]
    anybody.clicks("Oversight", inside="header")
    anybody.reads("The vulnerability deficit")
    anybody.goes("/ledger/")
    anybody.reads("Ledger")


def _json(who: Person, path: str) -> dict[str, Any]:
    answer = requests.get(who.url + path, timeout=10)
    assert answer.status_code == requests.codes.ok, path
    found: dict[str, Any] = answer.json()
    return found


def test_who_opens_the_office_sets_up_a_second_factor_on_the_way(
    chromium: Browser, tmp_path: Path
) -> None:
    office = prepared(tmp_path)
    with served(office):
        cora = _opens_the_office(somebody_at(chromium, office.url, "Cora"))
        cora.reads("add an authenticator app or a security key before anything else")
        cora.clicks("Activate")
        cora.types("Password", PASSWORD)
        cora.clicks("Confirm")
        secret = cora.page.locator("#authenticator_secret").input_value()
        code = _shown_by_an_app(secret)
        cora.types("Authenticator code", code)
        cora.clicks("Activate")
        cora.reads("Unused codes")
        # From here on a session is worth what its factors are: this one began with a password.
        cora.clicks("Vulnerability Clearinghouse", inside="header")
        while _shown_by_an_app(secret) == code:
            cora.page.wait_for_timeout(1_000)
        cora.types("Code", _shown_by_an_app(secret))
        cora.clicks("Confirm")
        cora.clicks("Queue", inside="header")
        cora.reads("Nothing waits for the office")
        assert cora.complaints == []


def _shown_by_an_app(secret: str) -> str:
    """What an authenticator app shows now (RFC 6238), by the library's own arithmetic."""
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))
