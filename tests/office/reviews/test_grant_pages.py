"""Grants by hand: given with a token that is shown once, seen by their sides, held and ended."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from clearhouse.office.access.actions import open_endpoint
from clearhouse.office.access.book import OfficeBook
from clearhouse.office.access.models import AccessGrant, AccessUse
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.ledgerbook.models import LedgerEntry
from clearhouse.office.ledgerbook.queries import entries_about
from clearhouse.office.reviews.actions import access, submitting, windows
from clearhouse.office.reviews.models import Review
from clearhouse.protocol.partners import Part
from clearhouse.protocol.unusual_use import Rule
from tests.office.access.people import terms
from tests.office.findings.people import MIDDLEWARE, client_of
from tests.office.reviews import made
from tests.office.reviews.made import Cast
from tests.office.security.reviewing import member

pytestmark = pytest.mark.django_db
_TOKEN = re.compile(r"chg_[\w-]{43}")


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


@pytest.fixture
def who() -> Cast:
    return made.cast()


@pytest.fixture
def name(who: Cast) -> str:
    """A review that has run for a day, with a partner."""
    found = made.opened(who, now=timezone.now() - timedelta(days=1))
    made.joined(who, found, now=timezone.now() - timedelta(hours=1))
    return found


@pytest.fixture
def endpoint(who: Cast) -> str:
    prices = terms().prices
    owner = who.developer.acting_for()
    made_ = open_endpoint(who.developer, owner, terms(prices=prices), now=timezone.now())
    return made_.name


def form(endpoint: str, **changed: Any) -> dict[str, Any]:
    """What the page offers, and a network."""
    return {
        "to": "clinic-net", "models": [f"{endpoint} m"], "networks": "127.0.0.0/8\n::1/128",
        "requests": "100", "tokens": "20000", "money": "12.50", "requests_a_minute": "10",
        "tokens_a_minute": "5000", "streams": "2", "calls": ["messages", "models"],
    } | changed  # fmt: skip


def given(who: Cast, name: str, endpoint: str, to: str = "clinic-net") -> tuple[str, str]:
    """A grant, its name and its token."""
    issued = access.give_grant(
        who.developer, name, to, made.allowance(endpoint), now=timezone.now()
    )
    return issued.grant.name, issued.token


def used(grant: str, number: int = 1, **columns: Any) -> AccessUse:
    """A use of a grant, so many minutes ago."""
    at = timezone.now() - timedelta(minutes=number)
    return AccessUse.objects.create(
        **{"name": f"U-{number:016x}", "grant": AccessGrant.objects.get(name=grant),
           "begun_at": at, "ended_at": at, "call": "messages", "model": "m",
           "outcome": "answered", "address": "127.0.0.1", "requests": 1, "tokens": 30,
           "micros": 6_000, "request_digest": "ab" * 32, "response_digest": "cd" * 32} | columns
    )  # fmt: skip


def text_of(found: Any) -> str:
    """What a page says, without its marks."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.content.decode())))


def test_the_token_stands_in_the_answer_to_the_form_and_nowhere_else(
    who: Cast, name: str, endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    client = client_of(who.developer)
    found = client.post(f"/reviews/{name}/give-grant/", form(endpoint))
    assert found.status_code == 200, text_of(found)[-2000:]
    assert found["Cache-Control"] == "no-store"
    [token] = set(_TOKEN.findall(found.content.decode()))
    for line in (
        "OPENAI_BASE_URL=http://127.0.0.1:8700/v1", f"OPENAI_API_KEY={token}",
        "ANTHROPIC_BASE_URL=http://127.0.0.1:8700 ", f"ANTHROPIC_API_KEY={token}",
    ):  # fmt: skip
        assert f"export {line}" in text_of(found)
    grant = AccessGrant.objects.get()
    assert bytes(grant.token_digest) == OfficeBook().token_digest(token)
    assert (grant.requests, grant.tokens, grant.micros) == (100, 20_000, 12_500_000)
    assert grant.networks == ["127.0.0.0/8", "::1/128"]
    assert grant.calls == ["models", "messages"]
    assert grant.ends_at == Review.objects.get(name=name).ends_at
    later = [
        client.get(path)
        for path in (f"/reviews/{name}/", f"/reviews/{name}/grants/{grant.name}/", "/reviews/")
    ]
    leaves = b"".join(bytes(one.leaf) for one in LedgerEntry.objects.all())
    sessions = str([one.get_decoded() for one in Session.objects.all()])
    logged = "".join(one.getMessage() for one in caplog.records)
    for place in (*(one.content.decode() for one in later), sessions, str(leaves), logged):
        assert token not in place
    assert token not in str(found.headers) + str(found.cookies)
    assert list(contradictions()) == []


def test_the_form_offers_who_has_access_and_what_is_usual(
    who: Cast, name: str, endpoint: str
) -> None:
    made.chosen(
        who, name, "measurers", Part.ASSESSOR, now=timezone.now()
    )  # asked, and has not joined
    page = client_of(who.developer).get(f"/reviews/{name}/").content.decode()
    options = re.findall(r'<option value="([\w-]+)"', page.partition('id="give-grant-to"')[2])
    assert options[:2] == ["office", "clinic-net"]
    assert "measurers" not in options
    assert f'value="{endpoint} m"' in page
    assert 'value="500.00"' in page or 'value="500"' in page


def test_what_is_left_as_it_is_offered_gives_a_grant(who: Cast, name: str, endpoint: str) -> None:
    from clearhouse.office.reviews import queries
    from clearhouse.office.reviews.forms import Book

    view = queries.view(who.developer, name, now=timezone.now())
    offered = Book(who.developer, view).form("give-grant")
    assert offered is not None
    data = {one.name: one.value() for one in offered if one.value() is not None}
    sent = data | {"to": "office", "networks": "10.0.0.0/8"}
    found = client_of(who.developer).post(f"/reviews/{name}/give-grant/", sent)
    assert found.status_code == 200, text_of(found)[-2000:]
    assert AccessGrant.objects.get().party.slug == "office"


def test_without_an_endpoint_the_page_says_what_comes_first(who: Cast, name: str) -> None:
    said = text_of(client_of(who.developer).get(f"/reviews/{name}/"))
    assert "Before you give a grant, open an endpoint" in said


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"networks": ""}, "required"),
        ({"networks": "nowhere"}, "expected networks"),
        ({"models": []}, "required"),
        ({"models": ["E-0000000000 m"]}, "not one of the available"),
        ({"to": "measurers"}, "not one of the available"),
        ({"calls": []}, "required"),
        ({"requests": "0"}, "greater than or equal to 1"),
        ({"money": "1e30"}, "less than or equal"),
    ],
)
def test_what_allows_nothing_or_anything_comes_back_with_what_is_wrong(
    who: Cast, name: str, endpoint: str, changed: dict[str, Any], says: str
) -> None:
    found = client_of(who.developer).post(f"/reviews/{name}/give-grant/", form(endpoint, **changed))
    assert found.status_code == 422
    assert says in text_of(found)
    assert not AccessGrant.objects.exists()


def test_models_of_two_endpoints_take_two_grants(who: Cast, name: str, endpoint: str) -> None:
    other = open_endpoint(
        who.developer, who.developer.acting_for(), terms(), now=timezone.now()
    ).name
    found = client_of(who.developer).post(
        f"/reviews/{name}/give-grant/", form(endpoint, models=[f"{endpoint} m", f"{other} m"])
    )
    assert found.status_code == 422
    assert "Choose models of one endpoint" in text_of(found)


def test_who_manages_nothing_is_offered_no_grant_and_still_ends_them(
    who: Cast, name: str, endpoint: str
) -> None:
    grant, _ = given(who, name, endpoint)
    bob = client_of(member("lab"))
    page = text_of(bob.get(f"/reviews/{name}/"))
    assert "Give it and show the token" not in page
    assert bob.post(f"/reviews/{name}/give-grant/", form(endpoint)).status_code == 404
    assert bob.post(f"/reviews/{name}/revoke-grant/", {"item": grant}).status_code == 302
    assert AccessGrant.objects.get().revoked_at is not None


def test_each_side_holds_shortens_and_ends_it_and_only_the_developer_lets_it_go_on(
    who: Cast, name: str, endpoint: str
) -> None:
    grant, _ = given(who, name, endpoint)
    developer, office = client_of(who.developer), client_of(who.office)

    def press(client: Client, verb: str, **sent: str) -> int:
        return client.post(f"/reviews/{name}/{verb}/", {"item": grant, **sent}).status_code

    assert press(office, "pause-grant") == 302
    assert AccessGrant.objects.get().paused_at is not None
    assert press(office, "resume-grant") == 404
    assert press(developer, "resume-grant") == 302
    assert AccessGrant.objects.get().paused_at is None
    end = timezone.now() + timedelta(hours=3)
    assert press(office, "shorten-grant", ends_at=f"{end:%Y-%m-%dT%H:%M}") == 302
    assert AccessGrant.objects.get().ends_at <= end
    later = end + timedelta(days=1)
    assert press(developer, "shorten-grant", ends_at=f"{later:%Y-%m-%dT%H:%M}") == 422
    assert press(developer, "revoke-grant") == 302
    assert press(developer, "revoke-grant") == 302
    page = text_of(developer.get(f"/reviews/{name}/"))
    assert "Revoke this grant now" not in page
    assert page.count("A grant of Clinic-Net was revoked.") == 1
    assert press(client_of(who.partner), "pause-grant") == 404
    assert list(contradictions()) == []


def test_a_grant_of_another_review_is_not_there(who: Cast, name: str, endpoint: str) -> None:
    grant, _ = given(who, name, endpoint)
    other = made.opened(who, now=timezone.now())
    developer = client_of(who.developer)
    assert developer.get(f"/reviews/{other}/grants/{grant}/").status_code == 404
    found = developer.post(f"/reviews/{other}/revoke-grant/", {"item": grant})
    assert found.status_code == 404
    assert AccessGrant.objects.get().revoked_at is None


def test_the_developer_sees_who_has_access_and_what_they_did(
    who: Cast, name: str, endpoint: str
) -> None:
    grant, _ = given(who, name, endpoint)
    used(grant)
    AccessGrant.objects.update(spent_requests=1, spent_tokens=30, spent_micros=6_000)
    OfficeBook().alert(grant, Rule.VOLUME, "900 requests in an hour", timezone.now())
    said = text_of(client_of(who.developer).get(f"/reviews/{name}/"))
    for part in (
        "Who has access and what they did", "1 of 10", "30 of 10,000", "under 0.01 of 0.01",
        "Unusual use was noticed", "900 requests in an hour",
    ):  # fmt: skip
        assert part in said
    one = text_of(client_of(who.developer).get(f"/reviews/{name}/grants/{grant}/"))
    for part in ("messages", "answered", "127.0.0.1", "abababababab", "900 requests in an hour"):
        assert part in one


def test_a_party_sees_its_own_and_nobody_anothers(who: Cast, name: str, endpoint: str) -> None:
    own, _ = given(who, name, endpoint)
    governments, _ = given(who, name, endpoint, "office")
    used(own, 1, outcome="seen by the partner")
    used(governments, 2, outcome="seen by the government")
    partner, office = client_of(who.partner), client_of(who.office)
    mine = text_of(partner.get(f"/reviews/{name}/grants/{own}/"))
    assert "seen by the partner" in mine
    assert "127.0.0.1:9" not in mine  # where the developer's endpoint is
    assert governments not in partner.get(f"/reviews/{name}/").content.decode()
    assert partner.get(f"/reviews/{name}/grants/{governments}/").status_code == 404
    assert "seen by the government" in text_of(office.get(f"/reviews/{name}/grants/{governments}/"))
    theirs = text_of(office.get(f"/reviews/{name}/grants/{own}/"))
    assert "seen by the partner" not in theirs
    assert "not shown" in theirs
    for viewer in (who.assessor, who.stranger, None):
        assert client_of(viewer).get(f"/reviews/{name}/grants/{own}/").status_code == 404


def test_unusual_use_of_a_partners_grant_is_told_to_all_its_sides(
    who: Cast, name: str, endpoint: str
) -> None:
    grant, _ = given(who, name, endpoint)
    OfficeBook().alert(grant, Rule.CANARY, "a planted text stands in an answer", timezone.now())
    for viewer in (who.developer, who.partner, who.office):
        for path in (f"/reviews/{name}/", f"/reviews/{name}/grants/{grant}/"):
            assert "a planted text stands in an answer" in text_of(client_of(viewer).get(path))


def test_the_log_is_read_page_by_page_each_use_once(
    who: Cast, name: str, endpoint: str, django_assert_max_num_queries: Any
) -> None:
    grant, _ = given(who, name, endpoint)
    at = timezone.now()
    for number in range(120):  # many at the same moment
        used(grant, number, begun_at=at - timedelta(minutes=number // 40), outcome=f"n{number}!")
    client, path, seen = client_of(who.developer), f"/reviews/{name}/grants/{grant}/", []
    here = path
    for _ in range(3):
        with django_assert_max_num_queries(60):
            page = client.get(here).content.decode()
        seen += re.findall(r"n(\d+)!", page)
        following = re.search(r'href="(/reviews/[^"]+\?before=U-[0-9a-f]+)" rel="next"', page)
        here = following[1] if following else ""
    assert not here
    assert sorted(map(int, seen)) == list(range(120))
    assert client.get(f"{path}?before=U-nothing").status_code == 404


def test_contents_are_the_developers_alone_and_as_they_were_sealed(
    who: Cast, name: str, endpoint: str
) -> None:
    grant, _ = given(who, name, endpoint)
    use = used(grant, contents=b"age-encryption.org/v1 sealed")
    path = f"/reviews/{name}/grants/{grant}/contents/{use.name}"
    found = client_of(who.developer).get(path)
    assert found.content == b"age-encryption.org/v1 sealed"
    assert found["Content-Disposition"] == f'attachment; filename="{use.name}.json.age"'
    assert path in client_of(who.developer).get(f"/reviews/{name}/grants/{grant}/").content.decode()
    for viewer in (who.partner, who.office, who.stranger):
        assert client_of(viewer).get(path).status_code == 404
    assert (
        path not in client_of(who.partner).get(f"/reviews/{name}/grants/{grant}/").content.decode()
    )
    other, _ = given(who, name, endpoint, "office")
    assert client_of(who.developer).get(path.replace(grant, other)).status_code == 404


def test_after_a_withdrawal_nobody_but_the_developer_knows_of_the_grants(
    who: Cast, name: str, endpoint: str
) -> None:
    grants = [given(who, name, endpoint, to)[0] for to in ("office", "clinic-net")]
    for viewer, grant in zip((who.office, who.partner), grants, strict=True):
        assert entries_about(viewer, grant) != []
    submitting.withdraw(who.developer, name, now=timezone.now())
    for grant in grants:
        path = f"/reviews/{name}/grants/{grant}/"
        for viewer in (who.office, who.partner):
            assert client_of(viewer).get(path).status_code == 404
            assert entries_about(viewer, grant) == []
        assert "ended with the access" in text_of(client_of(who.developer).get(path))
        assert entries_about(who.developer, grant) != []


def test_a_pause_of_the_window_is_told_apart_from_the_grants_own(
    who: Cast, name: str, endpoint: str
) -> None:
    grant, _ = given(who, name, endpoint)
    windows.pause_window(who.office, name, now=timezone.now())
    said = text_of(client_of(who.partner).get(f"/reviews/{name}/grants/{grant}/"))
    assert "Paused with its window. Until" in said
    windows.end_window(who.office, name, now=timezone.now())
    said = text_of(client_of(who.partner).get(f"/reviews/{name}/grants/{grant}/"))
    assert "ended with the access Ended" in said
