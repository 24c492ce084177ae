"""The office runs a published case's proof on just what is installed, and that is evidence."""

from __future__ import annotations

import json

import pytest

from clearhouse.errors import Conflict, NotFound, Refused
from clearhouse.office.advisories import actions as advisories
from clearhouse.office.blobs import store
from clearhouse.office.blobs.models import Blob
from clearhouse.office.cases.actions import versions
from clearhouse.office.cases.actions.naming import set_cve
from clearhouse.office.directives.actions import proving
from clearhouse.office.directives.actions.evidence import hand_in
from clearhouse.office.directives.actions.issuing import end
from clearhouse.office.directives.models import DirectiveRow, Evidence, ProofRun
from clearhouse.office.directives.proofs import PROVE, document_for, job_of, offer_of
from clearhouse.office.directives.stored import directive_of
from clearhouse.office.inventories.actions.receiving import receive
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.queue import actions as queue
from clearhouse.office.queue import inline
from clearhouse.office.queue.models import Job
from clearhouse.proof.absence import Outcome, concluded
from clearhouse.protocol.directives.directive import Way
from clearhouse.protocol.roles import Role
from tests.office.directives.made import (
    DAY,
    NOW,
    agency,
    installed,
    known,
    record,
)
from tests.office.directives.proved import (
    CVE,
    obliged,
    only,
    published,
    ran,
    under_embargo,
    work_off,
)
from tests.office.story import proven, somebody

pytestmark = pytest.mark.django_db
State = ProofRun.State


def test_that_the_effect_shows_on_no_installed_version_meets_the_obligation_by_rule() -> None:
    viewer, _ = obliged()
    case = published()
    run = proving.ask(viewer, only().name, now=NOW + DAY)
    assert run.installed == [["PyPI", "ecdsa", "0.13.3"]]
    assert Job.objects.get(key=job_of(run)).lane.name == f"organisation:{viewer.organisation}"
    document = ran(run, NOW + 2 * DAY)
    one = only()
    assert (one.state, one.way, one.handed_in_at) == ("completed", "proof", NOW + DAY)
    said = Evidence.objects.get()
    assert (said.verdict, said.by, said.at) == ("accepted", "clearhouse", NOW + 2 * DAY)
    assert said.reference == f"{case} {document['digest']}"
    assert "0.13.3" not in said.text + said.reason
    kept = json.loads(store.read(said.document))
    assert set(concluded(kept).values()) == {Outcome.ABSENT}
    assert not list(contradictions())


def test_it_stays_met_for_just_these_versions_and_opens_again_for_another() -> None:
    viewer, system = obliged("ecdsa==0.13.3", "flask==1.0")
    published()
    ran(proving.ask(viewer, only().name, now=NOW), NOW)
    installed(viewer, system, "ecdsa==0.13.3", now=NOW + DAY)
    known(record("PYSEC-1", "ecdsa", "0.16", aliases=[CVE], modified="2026-12-01T00:00:00Z"))
    work_off(NOW + DAY)
    assert only().state == "completed"
    installed(viewer, system, "ecdsa==0.13.2", now=NOW + 2 * DAY)
    work_off(NOW + 2 * DAY)
    assert (only().state, only().way) == ("open", "")
    installed(viewer, system, "ecdsa==0.13.3", now=NOW + 3 * DAY)
    work_off(NOW + 3 * DAY)
    one = only()
    assert (one.state, one.way) == ("completed", "proof"), "what was run is known"
    assert one.handed_in_at == NOW + 3 * DAY
    assert not list(contradictions())


def test_where_it_shows_on_one_version_the_obligation_stays_and_its_owner_is_told() -> None:
    viewer, system = obliged("ecdsa==0.13.3", "ecdsa==0.13.2")
    published()
    run = proving.ask(viewer, only().name, now=NOW)
    ran(run, NOW, v0_13_2=Outcome.SHOWS)
    assert (run.state, only().state) == (State.SHOWN, "open")
    assert not Evidence.objects.exists()
    with pytest.raises(Conflict, match="already"):
        proving.ask(viewer, only().name, now=NOW + DAY)
    installed(viewer, system, "ecdsa==0.13.3", now=NOW + DAY)
    work_off(NOW + DAY)
    assert only().state == "open", "that it shows on another version says nothing of this alone"
    ran(proving.ask(viewer, only().name, now=NOW + DAY), NOW + DAY)
    assert only().state == "completed"


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.NOT_LISTED, Outcome.UNRUNNABLE, Outcome.INCONCLUSIVE, Outcome.PROOF_FAILS,
        Outcome.NO_RELEASE,
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_no_evidence(outcome: Outcome) -> None:
    viewer, _ = obliged("ecdsa==0.13.3", "ecdsa==0.13.4")
    published()
    run = proving.ask(viewer, only().name, now=NOW)
    ran(run, NOW, v0_13_4=outcome)
    assert (run.state, only().state) == (State.UNTOLD, "open")
    assert not Evidence.objects.exists()
    with pytest.raises(Conflict):
        proving.ask(viewer, only().name, now=NOW)


def test_what_may_come_out_otherwise_another_time_is_run_again() -> None:
    viewer, _ = obliged()
    published()
    run = proving.ask(viewer, only().name, now=NOW)
    with pytest.raises(Conflict):
        proving.ask(viewer, only().name, now=NOW)
    ran(run, NOW, passing=True, v0_13_3=Outcome.INCONCLUSIVE)
    again = proving.ask(viewer, only().name, now=NOW)
    ran(again, NOW)
    assert only().state == "completed"


def test_a_run_that_fails_or_is_called_off_leaves_the_obligation_and_can_be_asked_for_again() -> (
    None
):
    viewer, _ = obliged()
    published()
    first = proving.ask(viewer, only().name, now=NOW)
    kept = list(Blob.objects.all())
    Blob.objects.all().delete()
    inline.work_off(NOW, only=[PROVE])
    first.refresh_from_db()
    assert (first.state, first.document, only().state) == (State.UNTOLD, "", "open")
    assert Job.objects.get(key=job_of(first)).state == Job.State.FAILED
    Blob.objects.bulk_create(kept)
    second = proving.ask(viewer, only().name, now=NOW)
    queue.cancel(job_of(second), NOW)
    third = proving.ask(viewer, only().name, now=NOW)
    second.refresh_from_db()
    assert second.state == State.DROPPED
    ran(third, NOW)
    assert only().state == "completed"
    assert not list(contradictions())


def test_a_worker_that_dies_again_and_again_leaves_it_untold() -> None:
    viewer, _ = obliged()
    published()
    run = proving.ask(viewer, only().name, now=NOW)
    for attempt in range(queue.MOST_ATTEMPTS):
        at = NOW + (attempt + 1) * DAY
        assert queue.claim("killed", at, [PROVE], lease=DAY / 2) is not None
        queue.reclaim(at + DAY)
    run.refresh_from_db()
    assert (run.state, run.may_differ, only().state) == (State.UNTOLD, True, "open")


def test_what_ends_after_the_directive_is_kept_and_changes_nothing() -> None:
    viewer, _ = obliged()
    published()
    run = proving.ask(viewer, only().name, now=NOW)
    end(agency(), DirectiveRow.objects.get().name, "Replaced.", now=NOW + DAY)
    work_off(NOW + DAY)
    assert proving.run_proofs(run.name, lambda _: None) is None
    ran(run, NOW + 2 * DAY)
    assert (run.state, only().state) == (State.NOT_SHOWN, "withdrawn")
    assert not Evidence.objects.exists()
    assert not list(contradictions())


def test_nothing_is_run_for_what_asks_no_more() -> None:
    viewer, _ = obliged()
    published()
    run = proving.ask(viewer, only().name, now=NOW)
    end(agency(), DirectiveRow.objects.get().name, "Replaced.", now=NOW + DAY)
    work_off(NOW + DAY)
    assert inline.work_off(NOW + DAY, only=[PROVE]) == 1
    run.refresh_from_db()
    assert run.state == State.DROPPED
    with pytest.raises(Refused):
        proving.ask(viewer, only().name, now=NOW + DAY)


def test_an_answer_for_what_is_no_longer_installed_meets_nothing() -> None:
    viewer, system = obliged()
    published()
    run = proving.ask(viewer, only().name, now=NOW)
    installed(viewer, system, "ecdsa==0.13.2", now=NOW + DAY)
    work_off(NOW + DAY)
    ran(run, NOW + 2 * DAY)
    assert (run.state, only().state) == (State.NOT_SHOWN, "open")


def test_asking_for_other_versions_drops_what_waits() -> None:
    viewer, system = obliged()
    published()
    first = proving.ask(viewer, only().name, now=NOW)
    installed(viewer, system, "ecdsa==0.13.2", now=NOW + DAY)
    work_off(NOW + DAY)
    second = proving.ask(viewer, only().name, now=NOW + DAY)
    assert proving.run_proofs(first.name, lambda _: None) is None
    ran(first, NOW + DAY)  # by a worker that had begun
    assert (first.state, first.document) == (State.DROPPED, "")
    ran(second, NOW + DAY)
    assert only().state == "completed"


def test_what_waits_for_the_authority_is_no_longer_needed_once_proofs_do_not_show_it() -> None:
    viewer, _ = obliged()
    published()
    run = proving.ask(viewer, only().name, now=NOW)
    hand_in(viewer, only().name, "removed", "It was unplugged.", now=NOW + DAY)
    ran(run, NOW + 2 * DAY)
    assert (only().state, only().way) == ("completed", "proof")
    assert [one.verdict for one in Evidence.objects.order_by("pk")] == ["overtaken", "accepted"]
    assert not list(contradictions())


def test_another_package_or_another_origin_is_told_and_not_run() -> None:
    viewer, system = obliged("ecdsa==0.13.3")
    published()
    known(record("GHSA-1", "starkbank-ecdsa", aliases=[CVE]))
    installed(viewer, system, "ecdsa==0.13.3", "starkbank-ecdsa==1.0", now=NOW + DAY)
    work_off(NOW + DAY)
    name = only().name
    with pytest.raises(Refused, match="about pkg:pypi/ecdsa, and something else is installed"):
        proving.ask(viewer, name, now=NOW + DAY)
    listed = b"purl\npkg:pypi/ecdsa@0.13.3?repository_url=https://pip.example/simple\n"
    receive(viewer, system.name, listed, file="list.csv", now=NOW + 2 * DAY)
    work_off(NOW + 2 * DAY)
    with pytest.raises(Refused, match="came from elsewhere"):
        proving.ask(viewer, name, now=NOW + 2 * DAY)
    assert not ProofRun.objects.exists()


def test_more_versions_than_are_run_are_told_and_not_run() -> None:
    viewer, _ = obliged(*(f"ecdsa==0.{minor}" for minor in range(5, 14)), "ecdsa==0.1",
                        *(f"ecdsa==0.{minor}.1" for minor in range(1, 14)))  # fmt: skip
    published()
    with pytest.raises(Refused, match="more than 20 versions"):
        proving.ask(viewer, only().name, now=NOW)


def test_a_directive_that_takes_no_proof_has_none_offered() -> None:
    viewer, _ = obliged()
    published()
    row = DirectiveRow.objects.get()
    row.document["ways"] = [one for one in row.document["ways"] if one != Way.PROOF.value]
    row.save()
    assert offer_of(only(), directive_of(row)) is None
    with pytest.raises(Refused):
        proving.ask(viewer, only().name, now=NOW)


def test_nobody_else_asks_or_reads_what_was_run() -> None:
    viewer, _ = obliged()
    published()
    name = only().name
    strangers = [
        agency(), somebody("bank", Role.DEPLOYER), somebody("office", Role.COORDINATOR)
    ]  # fmt: skip
    for other in strangers:
        with pytest.raises(NotFound):
            proving.ask(other, name, now=NOW)
    with pytest.raises(NotFound):
        document_for(viewer, name)
    document = ran(proving.ask(viewer, name, now=NOW), NOW)
    for other in strangers:
        with pytest.raises(NotFound):
            document_for(other, name, document["digest"])
    assert json.loads(document_for(viewer, name)) == document
    assert json.loads(document_for(viewer, name, document["digest"])) == document
    with pytest.raises(NotFound):
        document_for(viewer, name, "sha256:00")


def test_every_proof_of_every_case_under_that_name_is_run_each_once() -> None:
    obliged()
    case = published()
    assert proven(somebody("otherlab", Role.FINDER)) == case
    office = somebody("office", Role.COORDINATOR)
    other = proven(somebody("hexfind", Role.FINDER), sample="CVE-2024-5569")
    versions.declare(office, other, "0", "3.19.1", now=NOW)
    set_cve(office, other, CVE, now=NOW)
    advisories.draft(office, other, title="Another", summary="Update.", now=NOW)
    advisories.publish(office, other, now=NOW)
    offer = offer_of(only(), directive_of(only().directive))
    assert offer is not None
    assert (set(offer.cases), len(offer.proofs)) == ({case, other}, 2)
    assert "pkg:pypi/zipp" in offer.refusal, "what is installed is not what the other is about"


def test_a_case_is_found_by_what_it_was_published_with_alone() -> None:
    viewer, _ = obliged()
    case = published(cve="CVE-2020-1000")
    set_cve(somebody("office", Role.COORDINATOR), case, CVE, now=NOW + DAY)
    with pytest.raises(Refused, match="has no proof"):
        proving.ask(viewer, only().name, now=NOW + DAY)
    advisories.publish(somebody("office", Role.COORDINATOR), case, now=NOW + 2 * DAY)
    assert proving.ask(viewer, only().name, now=NOW + 2 * DAY).cases == [case]


def test_a_document_that_was_altered_is_found() -> None:
    viewer, _ = obliged()
    published()
    ran(proving.ask(viewer, only().name, now=NOW), NOW)
    row = Evidence.objects.get()
    other = json.loads(store.read(row.document)) | {"salt": "another"}
    Evidence.objects.update(document=store.put(json.dumps(other).encode()))
    assert [one.says for one in contradictions()] == ["what proofs gave is not what evidence names"]
    Evidence.objects.update(document=row.document, reference=f"other {row.reference}")
    assert [one.says for one in contradictions()] == ["the entry names another document"]


def test_under_embargo_the_same_is_refused_in_the_same_words() -> None:
    viewer, _ = obliged()
    said = []
    for has_case in (False, True):
        if has_case:
            under_embargo()
        with pytest.raises(Refused) as refused:
            proving.ask(viewer, only().name, now=NOW)
        said.append(str(refused.value))
    assert said[0] == said[1]
