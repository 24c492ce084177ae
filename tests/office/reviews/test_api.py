"""A review from its draft to its end by HTTP alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.reviews.models import Review, ReviewLine
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope
from tests.office.api.caller import Caller, key_for, said
from tests.office.findings.people import MIDDLEWARE
from tests.office.reviews import made
from tests.office.reviews.made import MODEL, Cast

pytestmark = pytest.mark.django_db
SUBMISSION = {"model": MODEL, "purpose": "access", "contacts": "ada", "size": "medium"}


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


@pytest.fixture
def who() -> Cast:
    return made.cast()


def machine(viewer: Viewer) -> Caller:
    return Caller(key_for(viewer), viewer)


def test_the_whole_way(who: Cast) -> None:
    developer, office, partner = map(machine, (who.developer, who.office, who.partner))
    name = said(developer.post("/reviews", SUBMISSION))["name"]
    place = f"/reviews/{name}"
    assert said(developer.put(place, SUBMISSION | {"about": "For code."}))["submission"]["about"]
    said(office.get(place), 404)
    digest = said(developer.post(f"{place}/submit"))["terms"]["digest"]
    assert said(office.post(f"{place}/terms/agree", {"digest": digest}))["submission"][
        "state"
    ] == "agreed"  # fmt: skip
    text = {"subject": "data-retention", "text": "Gone within a day."}
    again = said(office.put(f"{place}/terms", text))["terms"]
    assert (again["office_agreed"], again["developer_agreed"]) == (True, False)
    said(developer.post(f"{place}/terms/agree", {"digest": digest}), 403)
    said(developer.post(f"{place}/terms/agree", {"digest": again["digest"]}))
    said(developer.post(f"{place}/window/propose", {"days": 31}), 422)
    said(developer.post(f"{place}/window/propose", {"days": 14}))
    said(office.post(f"{place}/window/agree"))
    party = {"organisation": "clinic-net", "part": "trusted-partner", "size": "large",
             "reason": "runs clinics"}  # fmt: skip
    [proposed] = said(office.post(f"{place}/parties", party))["parties"]
    said(partner.get(place), 404)
    answer = {"answer": "agree", "reason": "it does"}
    said(developer.post(f"{place}/parties/{proposed['name']}", answer))
    asked = said(partner.get(place))
    assert (asked["submission"], asked["clock"], asked["parties"]) == (None, None, None)
    assert MODEL not in str(asked)
    said(partner.post(f"{place}/join", {"digest": again["digest"]}))
    said(office.post(f"{place}/window/start"), 404)
    clock = said(developer.post(f"{place}/window/start"))["clock"]
    assert clock["government_has_access"]
    assert 13 * 86_400 < clock["seconds_left"] <= 14 * 86_400
    seen = said(partner.get(place))
    assert seen["has_access"]
    assert seen["clock"]["ends_at"] == clock["ends_at"]
    assert not said(developer.post(f"{place}/window/pause"))["clock"]["government_has_access"]
    said(office.post(f"{place}/window/resume"), 403)
    said(developer.post(f"{place}/window/resume"))
    sooner = timezone.now() + timedelta(days=2)
    said(office.post(f"{place}/window/shorten", {"ends_at": sooner.isoformat()}))
    loan = {"kind": "document", "what": "A card", "party": proposed["name"]}
    [lent] = said(developer.post(f"{place}/loans", loan))["loans"]
    ended = said(office.post(f"{place}/window/end"))
    assert ended["submission"]["state"] == "returning"
    said(developer.post(f"{place}/finish"), 403)
    said(partner.post(f"{place}/loans/{lent['name']}/return"))
    said(partner.post(f"{place}/loans/{lent['name']}/attest", {"statement": "Deleted."}))
    done = said(office.post(f"{place}/finish"))
    assert done["submission"]["state"] == "finished"
    assert [one["kind"] for one in done["timeline"]][-1] == "finished"
    entries = said(developer.get(f"/ledger/entries?subject={name}"))
    assert len(entries) >= len(done["timeline"])


def test_a_party_that_leaves_or_declares_sees_no_more(who: Cast) -> None:
    partner = machine(who.partner)
    for way, body in (("leave", {}), ("conflicts", {"conflicts": "We own shares."})):
        name = made.opened(who)
        made.joined(who, name)
        assert partner.post(f"/reviews/{name}/{way}", body).status_code == 204
        said(partner.get(f"/reviews/{name}"), 404)


def test_withdrawing_answers_the_developer_and_hides_it_from_all_others(who: Cast) -> None:
    name = made.opened(who, now=timezone.now())
    gone = said(machine(who.developer).post(f"/reviews/{name}/withdraw"))
    assert gone["submission"]["state"] == "withdrawn"
    assert not gone["clock"]["government_has_access"]
    said(machine(who.office).get(f"/reviews/{name}"), 404)
    assert said(machine(who.office).get("/reviews")) == []


def test_a_key_needs_its_scopes(who: Cast) -> None:
    name = made.opened(who)
    reads = Caller(key_for(who.developer, [Scope.REVIEWS_READ]))
    assert said(reads.get(f"/reviews/{name}"))["name"] == name
    said(reads.post(f"/reviews/{name}/withdraw"), 403)
    said(Caller(key_for(who.developer, [Scope.CASES_READ])).get("/reviews"), 403)


def test_the_figures_and_criteria_are_everybodys(who: Cast) -> None:
    assert said(Caller().get("/reviews/figures")) == {"reviews": [], "parties": []}
    assert said(Caller().get("/reviews/criteria"))[0]["version"] == 1


def test_the_roster_by_machine(who: Cast) -> None:
    office = machine(who.office)
    sent = {"person": who.office.person, "role": "PD-WRL-007", "available_until": "2030-01-01"}
    [row] = said(office.post("/reviews/roster", sent))
    assert (row["role"], row["available_until"]) == ("PD-WRL-007", "2030-01-01")
    said(machine(who.developer).get("/reviews/roster"), 404)


def test_rows_that_were_altered_behind_the_ledgers_back_are_found(who: Cast) -> None:
    name = made.opened(who)
    assert list(contradictions()) == []
    ReviewLine.objects.filter(kind="opened").update(kind="finished")
    Review.objects.filter(name=name).update(state="finished")
    assert {str(one).partition(": ")[2] for one in contradictions()} == {
        "the entry is review.opened of " + name, "it is finished without an entry",
    }  # fmt: skip


def test_no_answer_about_a_review_is_kept_to_be_given_again_after_a_withdrawal(who: Cast) -> None:
    name = made.submitted(who)
    digest = {"digest": made.digest(name)}
    found = machine(who.office).post(f"/reviews/{name}/terms/agree", digest, Idempotency_Key="k")
    assert said(found, 422)["key"] == "Idempotency-Key"
