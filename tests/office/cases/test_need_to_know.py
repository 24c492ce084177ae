"""What a viewer of a case is given, for every role, consent and state of the embargo."""

from __future__ import annotations

import json
from itertools import product

import pytest

from clearhouse.errors import Invalid, NotFound
from clearhouse.office.authorisation import INVITED, SEEN_BY, Part
from clearhouse.office.cases import queries
from clearhouse.office.cases.actions import discussion, patches, people
from clearhouse.office.cases.models import Case, Participant
from clearhouse.office.cases.queries import CaseView
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.embargo import Consent, EmbargoState
from clearhouse.protocol.roles import Role
from clearhouse.protocol.tlp import Tlp
from tests.office.cases.made import SECRET, STACK, Cast, at, cast, full, opened
from tests.office.story import somebody

pytestmark = pytest.mark.django_db
#: The fields of a view, and the part that each belongs to.
FIELDS = {
    "letters": Part.SUMMARY,
    "participants": Part.PARTICIPANTS,
    "findings": Part.REPORT,
    "history": Part.VERSIONS,
    "assessments": Part.SEVERITY,
    "leading": Part.SEVERITY,
    "patches": Part.PATCHES,
    "proposals": Part.PARTICIPANTS,
    "messages": Part.DISCUSSION,
    "files": Part.DISCUSSION,
    "tasks": Part.TASKS,
    "timeline": Part.TIMELINE,
    "suggestions": Part.TRIAGE,
    "suppliers": Part.TRIAGE,
}
BLANK: dict[str, tuple[Part, object]] = {
    "summary": (Part.SUMMARY, ""),
    "weaknesses": (Part.SUMMARY, []),
    "effect": (Part.SUMMARY, ""),
    "cve": (Part.SUMMARY, ""),
    "signature": (Part.PROOF, None),
    "history": (Part.VERSIONS, ""),
    "affected": (Part.VERSIONS, None),
    "declared": (Part.VERSIONS, []),
    "ssvc": (Part.SEVERITY, {}),
}
ROLES = (Role.SUPPLIER, Role.FINDER, Role.DEPLOYER, Role.OBSERVER, Role.AUTHORITY)


@pytest.fixture
def who() -> Cast:
    return cast()


def seen_by(viewer: Viewer, case: Case) -> CaseView:
    return queries.view(viewer, case.name, now=at(20))


def said(view: CaseView) -> str:
    """Everything that a view holds, as text."""
    things: list[object] = [view.title, view.letters, view.history, view.steps]
    things += [view.verdicts]
    things += [view.case.__dict__]
    for some in (
        view.participants, view.findings, view.own_findings, view.assessments, view.patches,
        [view.remedy], view.proposals, view.tasks, view.timeline,
    ):  # fmt: skip
        things += [one.__dict__ for one in some or () if one is not None]
    things += [one.item.__dict__ for one in [*(view.messages or ()), *(view.files or ())]]
    return json.dumps(things, default=str)


def test_parts_that_are_not_seen_are_none_for_every_role_consent_and_embargo(who: Cast) -> None:
    case = full(who)
    newcomer = somebody("newcomer", *ROLES)
    part = Participant(case=case, organisation_id=newcomer.acting_for(), report="start")
    for role, consent, embargo in product(ROLES, Consent, EmbargoState):
        Case.objects.filter(pk=case.pk).update(embargo=embargo)
        part.role, part.consent = role.value, consent.value
        part.save()
        if consent is Consent.DECLINED:
            with pytest.raises(NotFound):
                seen_by(newcomer, case)
            continue
        embargoed = embargo.in_force or embargo is EmbargoState.PROPOSED
        expected = SEEN_BY[role] if consent is Consent.SIGNATORY or not embargoed else INVITED
        view = seen_by(newcomer, case)
        assert view.parts == expected
        for field, needs in FIELDS.items():
            assert (getattr(view, field) is not None) == (needs in expected), (role, field)
        for field, (needs, blank) in BLANK.items():
            is_blank = getattr(view.case, field) == blank
            assert is_blank == (needs not in expected), (role, consent, embargo, field)
        assert bool(view.verdicts) == (Part.PROOF in expected)
        assert (view.title == case.title) == (Part.SUMMARY in expected)


def test_who_is_invited_sees_the_invitation_alone_and_who_declined_nothing(who: Cast) -> None:
    case = opened(who)
    people.tell(who.office, case.name, "ecdsa-team", now=at(1))
    view = seen_by(who.supplier, case)
    assert view.parts == INVITED
    assert view.invitation is not None
    assert [step.anchor for step in view.steps] == ["invitation"]
    text = said(view)
    for hidden in (case.title, SECRET, "Hexfind"):
        assert hidden not in text
    assert [one.title for one in queries.page_of(who.supplier)[0]] == [view.title]
    people.answer(who.supplier, case.name, "decline", now=at(2))
    with pytest.raises(NotFound) as hidden_one:
        seen_by(who.supplier, case)
    with pytest.raises(NotFound) as missing:
        queries.view(who.supplier, "CH-2026-0000000000", now=at(3))
    assert str(hidden_one.value) == str(missing.value)
    assert queries.page_of(who.supplier)[0] == []


def test_a_finder_learns_no_other_finders_name_and_no_deployers(who: Cast) -> None:
    case = full(who)
    discussion.post_message(who.other, case.name, "I found it too.", Tlp.AMBER, now=at(12))
    text = said(seen_by(who.finder, case))
    assert "Hexfind" in text
    assert "Ecdsa-Team" in text
    for name in ("Otherlab", "Hospital", "Agency", "Auditor"):
        assert name not in text
    assert "a finder" in text


def test_a_supplier_meets_finders_and_not_those_who_run_its_software(who: Cast) -> None:
    text = said(seen_by(who.supplier, full(who)))
    assert "Otherlab" in text
    assert SECRET in text
    for name in ("Hospital", "Agency", "Auditor"):
        assert name not in text


@pytest.mark.parametrize("role", ["hospital", "authority", "observer"])
def test_who_does_not_work_on_it_learns_nobodys_name_nor_how_the_flaw_shows(
    who: Cast, role: str
) -> None:
    case = full(who)
    viewer = getattr(who, role)
    text = said(seen_by(viewer, case)).replace(viewer.name, "")
    names = ("Hexfind", "Otherlab", "Ecdsa-Team", "Hospital", "Agency", "Auditor")
    for hidden in (*(name for name in names if name != viewer.name), SECRET, STACK):
        assert hidden not in text, hidden


def test_a_finder_sees_the_versions_but_not_what_dating_them_showed_of_the_proof(
    who: Cast,
) -> None:
    case = full(who)
    assert STACK in said(seen_by(who.supplier, case))
    view = seen_by(who.finder, case)
    assert view.history is not None
    assert view.history["versions"][0]["version"] == "0.8"
    assert STACK not in json.dumps(view.history)


def test_who_declined_is_named_to_the_office_alone(who: Cast) -> None:
    case = full(who)
    somebody("second-team", Role.SUPPLIER)
    people.tell(who.office, case.name, "second-team", now=at(12))
    second = somebody("second-team")
    people.answer(second, case.name, "decline", now=at(13))
    assert "has declined" in said(seen_by(who.office, case))
    for viewer in (who.supplier, who.finder, who.observer):
        view = seen_by(viewer, case)
        assert all(one.consent != "declined" for one in view.participants or ())
        assert "declined" not in said(view)


def test_writing_to_somebody_does_not_tell_whether_it_takes_part(who: Cast) -> None:
    case = full(who)
    answers = set()
    for slug in ("otherlab", "hospital", "stranger"):
        with pytest.raises(Invalid) as error:
            discussion.post_message(who.finder, case.name, "hi", Tlp.AMBER, [slug], now=at(12))
        answers.add(str(error.value).replace(slug, "it"))
    assert len(answers) == 1


def test_a_red_message_reaches_those_it_is_addressed_to(who: Cast) -> None:
    case = full(who)
    red = "For your eyes only."
    assert red in said(seen_by(who.supplier, case))
    assert red in said(seen_by(who.office, case))
    assert red not in said(seen_by(who.finder, case))


def test_a_deployer_gets_the_patch_that_was_handed_on_and_not_the_inputs_that_break_others(
    who: Cast,
) -> None:
    case = full(who)
    chosen = case.patches.exclude(chosen_at=None).get()
    refused = case.patches.get(chosen_at=None)
    for name in (chosen.name, refused.name):
        with pytest.raises(NotFound):
            queries.patch_for(who.hospital, case.name, name)
    patches.distribute(who.office, case.name, chosen.name, Tlp.AMBER, now=at(12))
    got = queries.patch_for(who.hospital, case.name, chosen.name)
    assert queries.patch_verdict(got) is None
    assert got.by == "a finder"
    view = seen_by(who.hospital, case)
    assert view.remedy is not None
    assert [step.what for step in view.steps] == ["Install the fix"]
    with pytest.raises(NotFound):
        queries.patch_for(who.hospital, case.name, refused.name)


def test_a_supplier_sees_its_own_state_and_not_that_of_another(who: Cast) -> None:
    case = full(who)
    second = somebody("second-team", Role.SUPPLIER)
    people.tell(who.office, case.name, "second-team", now=at(12))
    assert seen_by(who.supplier, case).letters == "Vfdpxa"
    assert seen_by(who.office, case).letters == "vfdpxa"
    people.answer(second, case.name, "decline", now=at(13))
    assert seen_by(who.office, case).letters == "Vfdpxa"


def test_an_invitation_takes_nothing_from_what_one_is_bound_by(who: Cast) -> None:
    both = somebody("both", Role.FINDER, Role.SUPPLIER)
    case = opened(Cast(**{**vars(who), "finder": both}))
    people.tell(who.office, case.name, "both", now=at(1))
    view = seen_by(both, case)
    assert view.standing is not None
    assert view.standing.role is Role.FINDER
    assert view.invitation is not None
    people.answer(both, case.name, "decline", now=at(2))
    assert seen_by(both, case).parts == SEEN_BY[Role.FINDER]


def test_the_number_of_queries_of_a_case_does_not_grow_with_what_is_in_it(
    who: Cast, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    case = full(who)
    for number in range(12):
        slug = f"clinic-{number}"
        viewer = somebody(slug, Role.DEPLOYER)
        people.invite(who.office, case.name, slug, Role.DEPLOYER, now=at(12))
        people.answer(viewer, case.name, "accept", now=at(13))
        discussion.post_message(
            who.office, case.name, "n", Tlp.AMBER, ["ecdsa-team"], now=at(14)
        )  # fmt: skip
    with django_assert_max_num_queries(25):  # type: ignore[operator]
        seen_by(who.office, case)
