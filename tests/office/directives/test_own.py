"""Directives of an authority's own: by the form, and from a document."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from clearhouse.errors import Invalid, NotFound
from clearhouse.formats.directive import parse, write
from clearhouse.office.directives.actions.issuing import draft_from, draft_own, issue
from clearhouse.office.directives.models import DirectiveRow
from clearhouse.office.directives.stored import directive_of
from clearhouse.office.inventories.actions.receiving import receive
from clearhouse.office.queue.inline import work_off
from clearhouse.protocol.directives.conditions import (
    AnySystem,
    AnyVulnerability,
    CriticalityAtLeast,
    EpssAtLeast,
    Exposed,
    InKev,
    InPackage,
    Named,
    OfKind,
    OfWeakness,
    Package,
    PubliclyExposed,
    SeverityAtLeast,
)
from clearhouse.protocol.directives.deadlines import Bod2604Table, DaysFrom, FixedDate, Start
from clearhouse.protocol.directives.directive import Audience, Directive, Force, Way
from clearhouse.protocol.directives.selection import Systems, Vulnerabilities
from clearhouse.protocol.severity import Severity
from clearhouse.protocol.system_questions import Kind
from tests.office.directives.made import (
    DAY,
    NOW,
    a_system,
    agency,
    hospital,
    installed,
    known,
    obligations,
    record,
)
from tests.office.directives.test_pages import text_of
from tests.office.findings.people import MIDDLEWARE, client_of

pytestmark = pytest.mark.django_db
OWN: Final = "/directives/new/own/"
FILE: Final = "/directives/new/file/"
SAMPLE: Final = Path(__file__).parents[3] / "samples" / "exposure" / "directive.json"
FORM: Final[dict[str, Any]] = {
    "title": "Mend template engines", "key": "NCSC-2026-07", "basis": "The law, section 4",
    "force": "advice", "actions": "Update it.\r\n\r\nElse take it off the network.",
    "rule": "days", "days": "14", "start": "detection", "ways": ["inventory", "vex"],
    "everybody": "on", "tlp": "TLP:CLEAR", "delay_days": "0",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


def drafted(client: Client, **more: Any) -> Directive:
    answer = client.post(OWN, FORM | more)
    assert answer.status_code == 302, answer.content.decode()
    return directive_of(DirectiveRow.objects.get(name=str(answer["Location"]).split("/")[-2]))


def test_what_the_form_asks_is_what_each_organisation_is_obliged_to() -> None:
    deployer = hospital()
    system = a_system(deployer)
    installed(deployer, system, "jinja2==1.0", "flask==1.0")
    known(record("PYSEC-1", "jinja2"), record("PYSEC-2", "flask"))
    authority = client_of(agency())
    drafted(authority, packages="pkg:pypi/Jinja2\n")
    row = DirectiveRow.objects.get()
    page = text_of(authority, f"/directives/{row.name}/")
    assert "flaws of jinja2 (PyPI)" in page
    assert "Else take it off the network." in page
    issue(agency(), row.name, now=NOW)
    work_off(NOW)
    [one] = obligations()
    assert one.flaw == "PYSEC-1"
    assert one.due == NOW + 14 * DAY
    assert str(row) == "Mend template engines"
    assert directive_of(DirectiveRow.objects.get()).issuer == agency().name


def test_packages_of_a_distribution_are_selected_whatever_its_release() -> None:
    deployer = hospital()
    system = a_system(deployer)
    listed = b"jinja2\t2.0-1\n"
    receive(deployer, system.name, listed, file="l", distribution="Debian:12", now=NOW)
    affected = [
        {
            "package": {"ecosystem": "Debian:12", "name": "jinja2"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0"}]}],
        }
    ]
    known(record("DSA-1", "jinja2", affected=affected))
    drafted(client_of(agency()), packages="pkg:deb/debian/jinja2")
    issue(agency(), DirectiveRow.objects.get().name, now=NOW)
    work_off(NOW)
    assert [one.flaw for one in obligations()] == ["DSA-1"]


def test_flaws_of_a_weakness_are_selected_and_where_none_is_published_it_may_apply() -> None:
    deployer = hospital()
    installed(deployer, a_system(deployer), "a==1.0", "b==1.0", "c==1.0")
    known(
        record("PYSEC-1", "a", database_specific={"cwe_ids": ["CWE-79", "CWE-20"]}),
        record("PYSEC-2", "b", database_specific={"cwe_ids": ["CWE-89"]}),
        record("PYSEC-3", "c"),
    )
    drafted(client_of(agency()), weaknesses="CWE-79")
    issue(agency(), DirectiveRow.objects.get().name, now=NOW)
    work_off(NOW)
    asked = {one.flaw: (one.applies, one.unanswered) for one in obligations()}
    assert asked == {"PYSEC-1": ("yes", []), "PYSEC-3": ("maybe", ["weaknesses"])}


def test_every_field_narrows_and_none_asks_for_everything() -> None:
    client = client_of(agency())
    every = drafted(client)
    assert every.vulnerabilities == Vulnerabilities(((AnyVulnerability(),),))
    assert every.systems == Systems(((AnySystem(),),))
    assert every.deadline == DaysFrom(Start.DETECTION, 14)
    assert (every.force, every.ways) == (Force.ADVICE, frozenset({Way.INVENTORY, Way.VEX}))
    assert every.actions == ("Update it.", "Else take it off the network.")
    narrow = drafted(
        client, in_kev="on", severity="high", epss="10", names="CVE-2026-1\nCVE-2026-2",
        packages="pkg:npm/%40acme/left\npkg:maven/a.b/c", weaknesses="CWE-79\ncwe-1321",
        kinds=["medical", "none"],
        reach=["yes", "unknown"], criticality="H", rule="date", date="2027-02-28",
        ends="2027-12-31", force="binding", delay_days="7",
    )  # fmt: skip
    [flaws], [systems] = narrow.vulnerabilities.any_of, narrow.systems.any_of
    assert set(flaws) == {
        InKev(), SeverityAtLeast(Severity.HIGH), EpssAtLeast(0.1),
        Named(frozenset({"CVE-2026-1", "CVE-2026-2"})), OfWeakness(frozenset({79, 1321})),
        InPackage(frozenset({Package("npm", "@acme/left"), Package("Maven", "a.b:c")})),
    }  # fmt: skip
    assert set(systems) == {
        OfKind(frozenset({Kind.MEDICAL, Kind.NONE})),
        PubliclyExposed(frozenset({Exposed.YES, Exposed.UNKNOWN})),
        CriticalityAtLeast("H"),
    }
    assert narrow.deadline == FixedDate(datetime(2027, 3, 1, tzinfo=UTC))
    assert narrow.ends == datetime(2028, 1, 1, tzinfo=UTC)
    assert narrow.in_force - narrow.issued == 7 * DAY
    assert drafted(client, rule="bod-26-04").deadline == Bod2604Table()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title": " "}, "This field is required"),
        ({"actions": "\n \n"}, "This field is required"),
        ({"packages": "jinja2"}, "jinja2 is no package URL that inventories name"),
        ({"packages": "pkg:pypi/salt@3000"}, "a directive selects packages, not their versions"),
        ({"names": "hello world"}, "hello world is no identifier as CVE-2026-1001 is"),
        ({"title": "a\u202eb"}, "without signs that do not show"),
        ({"sectors": ["water"]}, "it addresses everybody, or some: choose one of the two"),
        ({"start": "kev-listing"}, "what CISA has not listed has no such day"),
        ({"rule": "date", "date": "2020-01-01"}, "the day by which it is due is past"),
        ({"packages": "pkg:generic/a"}, "is no package URL that inventories name"),
        ({"packages": "pkg:pypi/a\n" * 1001}, "expected at most 1000 lines"),
        ({"weaknesses": "79"}, "79 is no weakness as CWE-79 is"),
        ({"names": "C" * 501}, "lines of 500 characters"),
        ({"days": ""}, "say how many days, and counted from what"),
        ({"start": ""}, "say how many days, and counted from what"),
        ({"days": "0"}, "greater than or equal to 1"),
        ({"rule": "date"}, "say which date"),
        ({"rule": "date", "date": "31.2.2027"}, "Enter a valid date"),
        ({"epss": "101"}, "less than or equal to 100"),
        ({"ways": []}, "This field is required"),
        ({"ways": ["magic"]}, "Select a valid choice"),
        ({"ends": "2001-01-01"}, "that is before the directive is issued"),
        ({"ends": "9999-12-31"}, "expected a year from 2000 to 2100"),
        ({"rule": "date", "date": "9999-12-31"}, "expected a year from 2000 to 2100"),
        ({"everybody": ""}, "say whom it addresses"),
        ({"delay_days": "366"}, "less than or equal to 365"),
        ({"title": "a\0b"}, "Null characters are not allowed"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field_and_nothing_is_kept(
    wrong: dict[str, Any], said: str
) -> None:
    answer = client_of(agency()).post(OWN, FORM | wrong)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not DirectiveRow.objects.exists()


def sent(client: Client, raw: bytes) -> Any:
    form = {"tlp": "TLP:GREEN", "document": SimpleUploadedFile("mine.json", raw)}
    return client.post(FILE, form)


def test_a_document_becomes_a_draft_with_its_own_delay() -> None:
    answer = sent(client_of(agency()), SAMPLE.read_bytes())
    assert answer.status_code == 302
    row = DirectiveRow.objects.get()
    made = directive_of(row)
    whole = parse(SAMPLE.read_bytes(), "sample")
    assert (row.state, row.tlp, row.delay_days) == ("draft", "TLP:GREEN", 7)
    assert made.key == f"EXAMPLE-2026-01/{row.name}"
    assert (made.vulnerabilities, made.systems) == (whole.vulnerabilities, whole.systems)
    issue(agency(), row.name, now=NOW)
    dated = directive_of(DirectiveRow.objects.get())
    assert (dated.issued, dated.in_force) == (NOW, NOW + 7 * DAY)
    assert dated.issuer == agency().name


def test_what_the_api_gives_can_be_handed_in_again() -> None:
    authority = client_of(agency())
    drafted(authority, in_kev="on")
    first = directive_of(DirectiveRow.objects.get())
    assert sent(authority, json.dumps(write(first)).encode()).status_code == 302
    again = directive_of(DirectiveRow.objects.order_by("pk")[1])
    assert (again.vulnerabilities, again.actions) == (first.vulnerabilities, first.actions)


SAID: Final = json.loads(SAMPLE.read_bytes())


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "The submitted file is empty"),
        (b"{", "JSON"),
        (b"\xff\xfe{}", "mine.json"),
        (b"[" * 100_000, "mine.json"),
        (b'{"a":' * 2_000 + b"1" + b"}" * 2_000, "mine.json"),
        (json.dumps(SAID | {"format": "x"}).encode(), "expected clearhouse-directive/1"),
        (json.dumps(SAID | {"more": 1}).encode(), "more"),
        (json.dumps(SAID | {"audience": {}}).encode(), "say whom it addresses"),
        (json.dumps(SAID | {"vulnerabilities": []}).encode(), "say which flaws it is about"),
        (json.dumps(SAID | {"systems": []}).encode(), "say which flaws it is about"),
        (json.dumps(SAID | {"in_force": "2028-01-01T00:00:00Z"}).encode(), "0 to 365 days"),
        (json.dumps(SAID | {"in_force": "2001-01-01T00:00:00Z"}).encode(), "before the directive"),
        (b" " * 1_000_001, "mine.json"),
    ],
)
def test_a_document_that_is_none_is_refused_in_words(raw: bytes, said: str) -> None:
    answer = sent(client_of(agency()), raw)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not DirectiveRow.objects.exists()


def test_nobody_else_drafts_one() -> None:
    whole = parse(SAMPLE.read_bytes(), "sample")
    with pytest.raises(NotFound):
        draft_own(hospital(), whole, now=NOW)
    with pytest.raises(NotFound):
        draft_from(hospital(), SAMPLE.read_bytes(), "sample", now=NOW)
    assert client_of(hospital()).get(OWN).status_code == 404
    assert client_of(hospital()).get(FILE).status_code == 404


def test_one_that_reaches_nobody_is_not_drafted() -> None:
    whole = parse(SAMPLE.read_bytes(), "sample").addressed_to(Audience())
    with pytest.raises(Invalid, match="say whom it addresses"):
        draft_own(agency(), whole, now=NOW)


def test_one_whose_end_has_come_is_not_issued() -> None:
    ending = replace(parse(SAMPLE.read_bytes(), "sample"), ends=NOW - DAY)
    before = NOW - 30 * DAY
    row = draft_own(agency(), ending, now=before)
    with pytest.raises(Invalid, match="before the directive is issued"):
        issue(agency(), row.name, now=NOW)
    DirectiveRow.objects.update(document=write(replace(ending, ends=ending.in_force)))
    client = client_of(agency())
    assert client.post(f"/directives/{row.name}/issue/").status_code == 302
    assert "that is before the directive is issued" in text_of(client, f"/directives/{row.name}/")
    assert DirectiveRow.objects.get().state == "draft"
