"""The pages of cases, as each of those who take part gets them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape

import pytest
from django.core.files.base import ContentFile
from django.http import HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist
from django.test import Client, RequestFactory
from django.utils.html import escape

from clearhouse.errors import NotFound
from clearhouse.office.authorisation import Deed
from clearhouse.office.blobs import store
from clearhouse.office.cases import queries
from clearhouse.office.cases.actions import discussion, naming, patches, people, severity
from clearhouse.office.cases.forms import VERBS
from clearhouse.office.cases.models import Case, Suggestion
from clearhouse.office.cases.pages import acting, lists
from clearhouse.office.findings.queries import in_case
from clearhouse.office.orgs.models import User
from clearhouse.office.viewer import Viewer
from clearhouse.proof.door import parse_archive
from clearhouse.protocol.roles import Role
from clearhouse.protocol.tlp import Tlp
from tests.office.cases.made import Cast, at, busy, cast, full, opened, patch_verdict, reported
from tests.office.story import IN_A_YEAR, SAMPLES, somebody

pytestmark = pytest.mark.django_db


@pytest.fixture
def who() -> Cast:
    return cast()


def signed_in(viewer: Viewer) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=viewer.person or 0))
    return client


def page(viewer: Viewer, path: str, status: int = 200) -> str:
    answer = signed_in(viewer).get(path)
    assert answer.status_code == status, answer.content.decode()[:3000]
    return unescape(answer.content.decode())


def test_the_queue_says_what_the_office_does_next(who: Cast) -> None:
    case = opened(who)
    html = page(who.office, "/queue/")
    assert "Tell the supplier" in html
    assert f"/cases/{case.name}/#participants" in html


def test_everybody_who_takes_part_gets_a_page(who: Cast) -> None:
    case: Case = busy(who)
    for viewer in (who.office, who.finder, who.supplier, who.hospital, who.authority, who.observer):
        assert case.title in page(viewer, f"/cases/{case.name}/")


def test_only_the_office_has_a_queue(who: Cast) -> None:
    for viewer in (who.supplier, who.finder, who.hospital):
        with pytest.raises(NotFound):
            lists.queue(asking(viewer, "/queue/"))


def asking(viewer: Viewer, path: str) -> HttpRequest:
    request = RequestFactory().get(path)
    request.viewer = viewer  # type: ignore[attr-defined]
    return request


def send(viewer: Viewer, case: Case, verb: str, **data: object) -> HttpResponse:
    answer = signed_in(viewer).post(f"/cases/{case.name}/{verb}/", data)
    assert isinstance(answer, HttpResponse)
    return answer


def sent(viewer: Viewer, case: Case, verb: str, **data: object) -> str:
    answer = send(viewer, case, verb, **data)
    assert answer.status_code == 302, unescape(answer.content.decode())[:6000]
    return answer["Location"].removeprefix(f"/cases/{case.name}/")


def test_a_supplier_goes_from_the_invitation_to_a_released_fix_on_the_page(who: Cast) -> None:
    case = opened(who)
    html = page(who.office, f"/cases/{case.name}/?supplier=ecdsa-team")
    assert "Tell it now" in html
    assert sent(who.office, case, "tell", item="ecdsa-team") == "#participants"
    html = page(who.supplier, f"/cases/{case.name}/")
    assert "I accept these terms" in html
    assert case.title not in html
    sent(who.supplier, case, "answer", verdict="accept")
    html = page(who.supplier, f"/cases/{case.name}/")
    [finding] = in_case(case.name)
    assert f"clearhouse prove {finding.name}.tar.gz" in html
    assert "ecdsa/der.py remove_integer" in html
    for event in ("validate", "accept"):
        sent(who.supplier, case, "report-state", event=event)
    sent(who.supplier, case, "assess", vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N")
    diff = (SAMPLES / "patches/CVE-2019-14853/bad-signature.patch").read_text()
    sent(who.supplier, case, "propose-patch", text=diff.replace("\n", "\r\n"))
    patch = case.patches.get()
    assert store.read(patch.blob) == diff.encode()
    patches.judged(patch.name, patch_verdict(), now=at(1))
    assert sent(who.supplier, case, "choose-patch", item=patch.name) == "#patches"
    sent(who.office, case, "distribute", item=patch.name, tlp="TLP:GREEN")
    for event in ("F", "D"):
        sent(who.supplier, case, "fix-progress", event=event)
    case.refresh_from_db()
    patch.refresh_from_db()
    assert patch.tlp == "TLP:GREEN"
    assert case.participants.get(role="supplier").fix_deployed_at is not None


def test_the_office_runs_a_case_from_its_page(who: Cast) -> None:
    case = full(who)
    office, name = who.office, case.name
    sent(office, case, "ssvc", E="A", A="Y", TI="T", MWI="H")
    sent(office, case, "declare", introduced="0", fixed="0.13.3")
    sent(office, case, "describe", title="Another title", summary="Two\r\nlines")
    sent(office, case, "cve", cve="cve-2026-99999")
    sent(office, case, "lead", person=str(office.person))
    sent(
        office,
        case,
        "add-task",
        title="Call them",
        assignee="ecdsa-team",
        due_at="2027-03-01T12:30",
    )
    sent(office, case, "write", text="Hello", tlp="TLP:RED", addressed=["hexfind"])
    sent(office, case, "add-file", file=ContentFile(b"x", "x.txt"), tlp="TLP:AMBER")
    sent(office, case, "supplier-progress", item="ecdsa-team", event="F")
    somebody("extra", Role.OBSERVER)
    sent(office, case, "invite", organisation="extra", role="observer")
    proposal = case.proposals.get()
    sent(
        office,
        case,
        "decide-end",
        item=str(proposal.number),
        verdict="rejected",
        reason="Too long.",
    )
    sent(office, case, "propose-end", ends_at=IN_A_YEAR, reason="Longer.")
    sent(office, case, "collide", turn="rediscovered", reason="A post.")
    sent(office, case, "world", event="A", reason="A honeypot.")
    sent(office, case, "terminate", reason="Enough.")
    case.refresh_from_db()
    assert (case.title, case.cve, case.lead_id) == (
        "Another title",
        "CVE-2026-99999",
        office.person,
    )
    assert case.ssvc["names"] == ["Act"]
    assert case.embargo == "exited"
    task = case.tasks.get(title="Call them")
    assert task.due_at == datetime(2027, 3, 1, 12, 30, tzinfo=UTC)
    assert sent(who.supplier, case, "finish-task", item=task.name) == "#tasks"
    assert sent(office, case, "close", reason="All is out.") == "#findings"
    assert "All is out." in page(office, f"/cases/{name}/")
    assert "lead" in page(office, f"/cases/{name}/")


#: What is wrong, what was typed and has to come back, and the sentence that says why.
WRONG = [
    ("assess", {"vector": "CVSS:9/<x>", "reason": "As I <b>said</b>"}, "expected a CVSS vector"),
    ("cve", {"cve": "CVE-99"}, "expected a CVE id"),
    ("propose-end", {"ends_at": "2001-01-01T00:00", "reason": "Sooner"}, "lies in the past"),
    ("invite", {"organisation": "nobody-here", "role": "observer"}, "there is no organisation"),
    ("invite", {"organisation": "hospital", "role": "authority"}, "is no authority"),
    ("propose-patch", {"note": "It mends", "text": "no diff"}, ""),
    ("propose-patch", {"note": "It mends"}, "choose a file or paste"),
    ("close", {"reason": "Because"}, "an embargo is in force"),
    ("terminate", {"reason": " "}, "This field is required"),
    ("world", {"event": "Q", "reason": "Heard"}, "Select a valid choice"),
    ("write", {"text": "Hello there", "tlp": "TLP:PINK"}, "Select a valid choice"),
]


@pytest.mark.parametrize(("verb", "typed", "said"), WRONG)
def test_what_cannot_be_used_comes_back_with_what_was_typed(
    who: Cast, verb: str, typed: dict[str, str], said: str
) -> None:
    case = full(who)
    answer = send(who.office, case, verb, **typed)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert said in unescape(html)
    assert "This was not done" in html
    assert f'id="do-{verb}" open' in html
    for text in typed.values():
        assert escape(text).strip() in html


def test_verbs_that_a_role_does_not_have_are_not_found_and_not_shown(who: Cast) -> None:
    case = full(who)
    for role in ("finder", "supplier", "hospital", "authority", "observer", "stranger"):
        viewer = getattr(who, role)
        html = "" if role == "stranger" else page(viewer, f"/cases/{case.name}/")
        for verb, form in VERBS.items():
            if form.deed is not Deed.RUN:
                continue
            assert f'id="do-{verb}' not in html
            with pytest.raises(NotFound):
                acting.act(posting(viewer, verb), case.name, verb)
    with pytest.raises(NotFound):
        acting.act(posting(who.office, "burn"), case.name, "burn")


def posting(viewer: Viewer, verb: str) -> HttpRequest:
    request = RequestFactory().post(f"/{verb}/", {"reason": "because"})
    request.viewer = viewer  # type: ignore[attr-defined]
    return request


def test_nothing_is_done_by_looking(who: Cast) -> None:
    case = opened(who)
    for verb in VERBS:
        assert signed_in(who.office).get(f"/cases/{case.name}/{verb}/").status_code == 405


def test_downloads_are_files_of_no_kind_and_reach_only_who_sees_them(who: Cast) -> None:
    case = full(who)
    chosen = case.patches.exclude(chosen_at=None).get()
    patches.distribute(who.office, case.name, chosen.name, Tlp.AMBER, now=at(12))
    mine, other = in_case(case.name)
    file = case.files.get()
    to = f"/cases/{case.name}"
    readers = {
        f"{to}/findings/{mine.name}": "office supplier finder",
        f"{to}/findings/{other.name}/verdict": "office supplier other",
        f"{to}/patches/{chosen.name}": "office supplier finder other hospital",
        f"{to}/patches/{chosen.name}/note": "office supplier finder other hospital",
        f"{to}/patches/{chosen.name}/verdict": "office supplier finder other",
        f"{to}/files/{file.name}": "office supplier finder other",
    }
    everybody = [
        "office",
        "supplier",
        "finder",
        "other",
        "hospital",
        "authority",
        "observer",
        "stranger",
    ]
    for path, allowed in readers.items():
        for role in everybody:
            client = signed_in(getattr(who, role))
            if role not in allowed.split():
                assert is_hidden(client, path), (role, path)
                continue
            answer = client.get(path)
            assert answer.status_code == 200, (role, path)
            assert answer["Content-Type"] == "application/octet-stream"
            assert answer["X-Content-Type-Options"] == "nosniff"
            assert answer["Content-Disposition"].startswith('attachment; filename="')
            assert "/" not in answer["Content-Disposition"]
    bundle = signed_in(who.supplier).get(f"{to}/findings/{mine.name}").content
    assert parse_archive(bundle, where="it").id == "CVE-2019-14853"


def is_hidden(client: Client, path: str) -> bool:
    """Not found, in whichever form: the page of errors is another's."""
    try:
        return client.get(path).status_code == 404
    except TemplateDoesNotExist as missing:
        return str(missing) == "error.html"


def test_the_list_shows_and_finds_only_ones_own(who: Cast) -> None:
    case = opened(who)
    people.tell(who.office, case.name, "ecdsa-team", now=at(1))
    assert case.title in page(who.finder, "/cases/")
    invited = page(who.supplier, "/cases/")
    assert "A vulnerability in pkg:pypi/ecdsa" in invited
    assert case.title not in invited
    assert case.name in page(who.supplier, "/cases/?q=pkg:pypi/ecd&state=open")
    assert case.name not in page(who.supplier, "/cases/?q=DER")
    assert case.name not in page(who.supplier, "/cases/?state=closed")
    assert case.name in page(who.office, "/cases/?q=DER")
    assert case.name not in page(who.stranger, "/cases/")


def test_pages_of_the_list_follow_each_other_by_name(who: Cast) -> None:
    names = []
    for number in range(queries.PAGE + 2):
        made = Case.objects.create(
            name=f"CH-2026-{number:010}", title=f"T{number}", package="pkg:pypi/a", opened_at=at(0)
        )
        names.append(made.name)
    first = page(who.office, "/cases/")
    assert f"before={names[2]}" in first
    second = page(who.office, f"/cases/?before={names[2]}")
    assert names[1] in second
    assert names[0] in second
    assert names[2] not in second


def test_the_queue_decides_suggestions_and_opens_cases(who: Cast) -> None:
    case = opened(who)
    name = reported(who)
    suggestion = Suggestion.objects.get(finding=name)
    html = page(who.office, "/queue/")
    assert "both name the function remove_integer" in html
    office = signed_in(who.office)
    rejected = office.post(f"/queue/suggestions/{suggestion.name}/", {"verdict": "reject"})
    assert rejected["Location"] == "/queue/#suggestions"
    assert "remove_integer fails" in page(who.office, "/queue/")
    made = office.post(f"/queue/findings/{name}/")
    assert case.name not in made["Location"]
    assert Case.objects.count() == 2


def test_a_suggestion_is_accepted_on_the_page_of_its_case(who: Cast) -> None:
    case = opened(who)
    name = reported(who)
    suggestion = Suggestion.objects.get(finding=name)
    assert suggestion.name not in page(who.finder, f"/cases/{case.name}/")
    sent(who.office, case, "decide-suggestion", item=suggestion.name, verdict="accept")
    assert [one.name for one in in_case(case.name)][-1] == name
    answer = send(who.office, case, "decide-suggestion", item=suggestion.name, verdict="accept")
    assert answer.status_code == 422


def test_what_others_write_is_text_and_never_markup(who: Cast) -> None:
    case = full(who)
    bad = "<script>alert(1)</script><img src=x onerror=1>"
    discussion.post_message(who.finder, case.name, bad, Tlp.AMBER, now=at(12))
    naming.describe(who.office, case.name, bad, bad, now=at(12))
    discussion.add_task(who.office, case.name, bad, "ecdsa-team", None, now=at(12))
    severity.assess(
        who.finder, case.name, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H", bad, now=at(12)
    )
    html = signed_in(who.supplier).get(f"/cases/{case.name}/").content.decode()
    assert "<script>alert" not in html
    assert "<img" not in html
    assert html.count("&lt;script&gt;alert(1)") >= 4


def test_ids_on_a_full_page_are_unique(who: Cast) -> None:
    case = full(who)
    for viewer in (who.office, who.supplier, who.hospital):
        html = page(viewer, f"/cases/{case.name}/?supplier=ecdsa-team")
        ids = re.findall(r'\sid="([^"]*)"', html)
        assert sorted(set(ids)) == sorted(ids)
        for target in re.findall(r'href="#([^"]+)"', html):
            assert target in ids, target
