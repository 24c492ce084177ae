"""The ways to hand something in, as every kind of viewer, with good and hostile input."""

from __future__ import annotations

import html
import io
import json
import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from clearhouse.office.findings.models import Commitment, Finding
from clearhouse.proof.door import open_bundle
from clearhouse.proof.zips import write_zip
from clearhouse.protocol import commitment
from tests.office.findings.people import (
    MIDDLEWARE,
    SAMPLE,
    client_of,
    everybody,
    handed_in,
    lines,
    report,
    reported,
)
from tests.office.story import SAMPLES, packed

pytestmark = pytest.mark.django_db
LABEL = "TLP:AMBER+STRICT"


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


def upload(name: str, data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "application/octet-stream")


PAGES = (
    "/findings/",
    "/findings/report/",
    "/findings/report/bundles/",
    "/findings/report/form/",
    "/findings/report/bulk/",
    "/findings/commitments/",
    "/findings/known/",
)


@pytest.mark.parametrize("address", PAGES)
def test_the_public_is_led_to_the_sign_in_and_everybody_else_sees_the_page(address: str) -> None:
    people = everybody()
    answer = client_of(None).get(address)
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (
        302,
        "/account/login/",
    )
    for one in (people.finder, people.other, people.supplier, people.office):
        answer = client_of(one).get(address)
        assert answer.status_code == 200
        assert "no-store" in answer.headers["Cache-Control"]


def test_the_list_has_ones_own_findings_and_the_offices_has_everybodys() -> None:
    people = everybody()
    found = handed_in(people.finder)
    for viewer, sees in ((people.finder, True), (people.office, True), (people.other, False)):
        assert (found.name in client_of(viewer).get("/findings/").content.decode()) is sees


def test_the_list_is_filtered_searched_and_turned_page_by_page() -> None:
    people = everybody()
    names = [reported(people.finder, title=f"Flaw number {n}").name for n in range(53)]
    handed_in(people.finder)
    browser = client_of(people.finder)
    first = browser.get("/findings/?state=checking").content.decode()
    assert first.count('data-label="State"') == 50
    following = re.search(r'href="([^"]*before=[^"]*)"', first)
    assert following is not None
    last = re.findall(r"F-[0-9A-Z]{10}", following[1])
    assert last, "an address tells no number from which findings of others can be counted"
    second = browser.get(html.unescape(following[1])).content.decode()
    assert [name in second for name in names[:4]] == [True, True, True, False]
    searched = browser.get("/findings/", {"text": "number 17"}).content.decode()
    assert searched.count('data-label="State"') == 1
    assert "Nothing fits" in browser.get("/findings/?text=nothing+like+it").content.decode()


@pytest.mark.parametrize(
    "query",
    ["state=x", "before=x", "before=-1", "before=99999999999999999999999", "text=%00", "text=%ff",
     "state=proven&before=1", "before=٣", "before=F-0000000000"],
)  # fmt: skip
def test_odd_questions_of_the_list_are_answered(query: str) -> None:
    assert client_of(everybody().finder).get(f"/findings/?{query}").status_code == 200


def test_several_bundles_are_taken_or_refused_each_on_its_own() -> None:
    people = everybody()
    browser = client_of(people.finder)
    files = [
        upload("good.tar.gz", packed(SAMPLE)),
        upload("other.tar.gz", packed("CVE-2016-6581")),
        upload("empty.zip", b""),
        upload("noise.zip", b"PK\x03\x04 is no archive"),
        upload("<script>.png", b"\x89PNG"),
    ]
    answer = browser.post("/findings/report/bundles/", {"uploads": files, "tlp": LABEL})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert Finding.objects.count() == 2
    assert all(one.name in text for one in Finding.objects.all())
    for name, why in (("empty.zip", "is empty"), ("noise.zip", "archive"), ("png", "neither")):
        row = re.search(rf"<tr><th[^>]*>[^<]*{re.escape(name)}.*?</tr>", text)
        assert row is not None, name
        assert why in row[0]
    assert "<script>.png" not in text
    again = browser.post(
        "/findings/report/bundles/", {"uploads": [upload("g.tgz", packed(SAMPLE))], "tlp": LABEL}
    )
    assert "1 was here already" in again.content.decode()
    assert Finding.objects.count() == 2


def test_where_nothing_is_taken_the_answer_says_so() -> None:
    answer = client_of(everybody().finder).post(
        "/findings/report/bundles/", {"uploads": [upload("a.zip", b"nothing")], "tlp": LABEL}
    )
    assert answer.status_code == 422
    assert Finding.objects.count() == 0


def test_a_form_without_a_file_is_given_back_with_what_was_typed() -> None:
    answer = client_of(everybody().finder).post(
        "/findings/report/bundles/", {"tlp": "TLP:GREEN", "commitment": "C-AAAAAAAAAA", "key": "x"}
    )
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "This field is required" in text
    assert "expected hexadecimal digits" in text
    assert 'value="C-AAAAAAAAAA"' in text


def test_a_commitment_is_opened_by_its_bundle_and_its_key() -> None:
    people = everybody()
    browser = client_of(people.finder)
    bundle = open_bundle(SAMPLES / "proofs" / SAMPLE)
    key = b"k" * 32
    value = commitment.commit(key, bytes.fromhex(bundle.digest.removeprefix("sha256:"))).hex()
    answer = browser.post("/findings/commitments/", {"value": value}, follow=True)
    made = Commitment.objects.get()
    assert made.name in answer.content.decode()
    sent = {"tlp": LABEL, "commitment": made.name, "key": key.hex()}
    address = "/findings/report/bundles/"
    other = upload("o.tar.gz", packed("CVE-2016-6581"))
    wrong = browser.post(address, sent | {"uploads": [other]})
    assert wrong.status_code == 422
    assert "does not open the commitment" in wrong.content.decode()
    stranger = client_of(people.other).post(
        address, sent | {"uploads": [upload("b.tar.gz", packed(SAMPLE))]}
    )
    assert stranger.status_code == 422
    both = [upload("b.tar.gz", packed(SAMPLE)), upload("c.tar.gz", packed(SAMPLE))]
    assert browser.post(address, sent | {"uploads": both}).status_code == 422
    right = browser.post(address, sent | {"uploads": [upload("b.tar.gz", packed(SAMPLE))]})
    found = Finding.objects.get()
    assert right.headers["Location"] == f"/findings/{found.name}/"
    assert (found.commitment, found.credit_at) == (made, made.at)


@pytest.mark.parametrize("value", ["", "x" * 64, "ab", "a" * 101, "\x00" * 64])
def test_what_is_no_commitment_is_refused(value: str) -> None:
    answer = client_of(everybody().finder).post("/findings/commitments/", {"value": value})
    assert answer.status_code == 422
    assert Commitment.objects.count() == 0


def test_lines_are_taken_one_by_one_and_each_reason_is_told() -> None:
    people = everybody()
    sent = lines(report(), report(titel="x")) + b"\nno json\n" + lines(report(title="Another"))
    answer = client_of(people.finder).post(
        "/findings/report/bulk/", {"uploads": [upload("many.ndjson", sent)], "tlp": LABEL}
    )
    text = html.unescape(answer.content.decode())
    assert answer.status_code == 200
    assert Finding.objects.count() == 2
    assert "many.ndjson, line 2" in text
    assert "did you mean 'title'?" in text
    assert "many.ndjson, line 4" in text
    assert "is not JSON" in text


def test_what_stands_in_one_upload_twice_is_taken_once() -> None:
    answer = client_of(everybody().finder).post(
        "/findings/report/bulk/",
        {"uploads": [upload("a.ndjson", lines(report(), report()))], "tlp": LABEL},
    )
    text = answer.content.decode()
    assert Finding.objects.count() == 1
    assert "1 taken in" in text
    assert "1 was here already" in text


def test_a_scanners_results_are_reports_about_the_package_that_was_named() -> None:
    result = {
        "message": {"text": "A query from input"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": "src/db.py"}}}],
    }
    log = {
        "version": "2.1.0",
        "runs": [
            {"tool": {"driver": {"name": "Scan"}}, "results": [result, {**result, "kind": "pass"}]}
        ],
    }
    answer = client_of(everybody().finder).post(
        "/findings/report/bulk/",
        {
            "uploads": [upload("scan.sarif", json.dumps(log).encode())],
            "purl": "pkg:pypi/example@1.0",
            "tlp": LABEL,
        },
    )
    found = Finding.objects.get()
    assert (found.kind, found.purl) == ("sarif", "pkg:pypi/example@1.0")
    assert "the rule found nothing wrong" in answer.content.decode()


def test_an_archive_of_bundles_is_taken_apart() -> None:
    folder = {
        f"deep/{SAMPLE}/{path.name}": path.read_bytes()
        for path in (SAMPLES / "proofs" / SAMPLE).iterdir()
    }
    data = write_zip(folder | {"b.tar.gz": packed("CVE-2016-6581"), "notes.txt": b"hello"})
    answer = client_of(everybody().finder).post(
        "/findings/report/bulk/", {"uploads": [upload("all.zip", data)], "tlp": LABEL}
    )
    assert Finding.objects.filter(kind="bundle").count() == 2
    assert "belongs to no bundle" in answer.content.decode()


@pytest.mark.parametrize("purl", ["ecdsa", "pkg:", "pkg:pypi/", "\x00", "pkg:pypi/a@1" * 60])
def test_what_is_no_package_url_is_refused_beside_its_field(purl: str) -> None:
    answer = client_of(everybody().finder).post(
        "/findings/report/bulk/",
        {"uploads": [upload("a.ndjson", lines(report()))], "purl": purl, "tlp": LABEL},
    )
    assert answer.status_code == 422
    assert Finding.objects.count() == 0


def typed(**changes: str) -> dict[str, str]:
    """The form for reports as a browser sends it."""
    return {
        "title": "Signatures are not checked",
        "target": "pkg:generic/example@1.2.3",
        "description": "The check accepts any.",
        "weaknesses": "CWE-347, cwe-20",
        "effect": "",
        "found_by": "Scout",
        "found_by_version": "2",
        "origin_id": "S-1",
        "tlp": LABEL,
        "place-TOTAL_FORMS": "2",
        "place-INITIAL_FORMS": "0",
        "place-0-file": "example/keys.py",
        "place-0-function": "verify",
        "place-0-line": "12",
        "place-1-file": "",
    } | changes


def test_a_typed_report_is_looked_up_at_once() -> None:
    people = everybody()
    browser = client_of(people.finder)
    answer = browser.post("/findings/report/form/", typed())
    found = Finding.objects.get()
    assert answer.headers["Location"] == f"/findings/{found.name}/"
    assert found.state == "unproven"  # of that type of package nothing is fetched
    assert found.weaknesses == [347, 20]
    assert found.locations == [{"file": "example/keys.py", "function": "verify", "line": 12}]
    assert (found.found_by, found.origin_id) == ("Scout 2", "S-1")
    shown = browser.get(f"/findings/{found.name}/").content.decode()
    assert "releases of type generic cannot be fetched" in shown
    again = browser.post("/findings/report/form/", typed(), follow=True)
    assert "was here already" in again.content.decode()
    assert Finding.objects.count() == 1


@pytest.mark.network
def test_a_report_of_what_does_not_exist_is_refused_with_what_is_missing() -> None:
    browser = client_of(everybody().finder)
    answer = browser.post(
        "/findings/report/form/", typed(target="pkg:pypi/ecdsa@0.13.2222"), follow=True
    )
    assert Finding.objects.get().state == "refused"
    assert "ecdsa has no release 0.13.2222" in answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "\u202eevil"}, "title"),
        ({"target": "ecdsa"}, "target"),
        ({"target": "pkg:pypi/ecdsa"}, "target"),
        ({"weaknesses": "seven"}, "weaknesses"),
        ({"weaknesses": "CWE-1," * 30}, "weaknesses"),
        ({"place-0-line": "0"}, "place-0-line"),
        ({"place-0-line": "9" * 400}, "place-0-line"),
        ({"place-0-file": ""}, "place-0-file"),
        ({"tlp": "TLP:PINK"}, "tlp"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(
    changes: dict[str, str], field: str
) -> None:
    answer = client_of(everybody().finder).post("/findings/report/form/", typed(**changes))
    text = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in text
    assert "The check accepts any." in text
    assert Finding.objects.count() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"place-TOTAL_FORMS": "x"},
        {"place-TOTAL_FORMS": "-1"},
        {"place-TOTAL_FORMS": "9" * 30},
        {"place-TOTAL_FORMS": "1000000"},
        {"place-0-file": "a\x00b"},
        {"found_by": "\x07"},
        {"effect": "\x00"},
        {"origin_id": "\u200b"},
        {"place-0-file": "\ud7ff" * 499},
    ],
)
def test_hostile_forms_are_answered(changes: dict[str, str]) -> None:
    answer = client_of(everybody().finder).post("/findings/report/form/", typed(**changes))
    assert answer.status_code in {302, 422}


def test_more_places_can_be_asked_for_and_nothing_typed_is_lost() -> None:
    browser = client_of(everybody().finder)
    answer = browser.post("/findings/report/form/", typed(more="1"))
    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'name="place-4-file"' in text
    assert 'value="verify"' in text
    assert "Signatures are not checked" in text
    assert "usa-error-message" not in text
    assert Finding.objects.count() == 0


def test_too_many_files_at_once_are_refused_as_a_page() -> None:
    browser = client_of(everybody().finder)
    files = [upload(f"{n}.zip", b"x") for n in range(21)]
    answer = browser.post("/findings/report/bundles/", {"uploads": files, "tlp": LABEL})
    assert answer.status_code == 400
    assert b"main-content" in answer.content


def test_forms_without_their_token_change_nothing() -> None:
    people = everybody()
    browser = client_of(people.finder)
    browser.handler.enforce_csrf_checks = True
    for address in PAGES[2:]:
        if address != "/findings/commitments/x":
            assert browser.post(address, {}).status_code == 403


def test_the_design_system_has_all_that_the_pages_ask_for() -> None:
    """No template of the room styles or scripts inline: the policy would stop it."""
    folder = Path(Finding.__module__.replace(".", "/")).parent
    root = Path(__file__).parents[3] / "src" / folder / "templates"
    texts = [one.read_text() for one in root.rglob("*.html")]
    assert texts
    assert not any(re.search(r"<style|\sstyle=|\son[a-z]+=|<script", text) for text in texts)


def test_a_large_upload_is_read_from_its_file(settings: Settings) -> None:
    settings.FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
    many = [report(title=f"Flaw {n}") for n in range(450)]
    answer = client_of(everybody().finder).post(
        "/findings/report/bulk/",
        {"uploads": [io.BytesIO(lines(*many, report(title="")))], "tlp": LABEL},
    )
    assert answer.status_code == 200
    assert Finding.objects.count() == 450
