"""How much is asked of the database does not grow with what a list or a case holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clearhouse.office.cases import queries
from clearhouse.office.cases.documents import TaskOut
from clearhouse.office.cases.models import (
    Assessment,
    Case,
    Message,
    Participant,
    Patch,
    Proposal,
    Task,
)
from clearhouse.office.names import new_name
from clearhouse.office.orgs.models import Organisation
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.embargo import Consent, EmbargoState
from clearhouse.protocol.report_management import ReportState
from clearhouse.protocol.roles import Role
from tests.office.story import NOW, somebody

pytestmark = pytest.mark.django_db


def case(number: int) -> Case:
    """An open case with a supplier of its own, a patch, an assessment and some messages."""
    made = Case.objects.create(
        name=new_name("CH-2026"), title=f"Flaw {number}", package="pkg:pypi/h11", opened_at=NOW,
        embargo=EmbargoState.ACTIVE, embargo_ends_at=NOW + timedelta(hours=number),
    )  # fmt: skip
    somebody(f"team-{number}", Role.SUPPLIER)
    Participant.objects.create(
        case=made, organisation=Organisation.objects.get(slug=f"team-{number}"),
        role=Role.SUPPLIER, consent=Consent.SIGNATORY, report=ReportState.RECEIVED,
    )  # fmt: skip
    Patch.objects.create(case=made, name=new_name("P"), by="Ada", role="supplier", at=NOW,
                         digest=f"sha256:{number}", blob="00")  # fmt: skip
    Assessment.objects.create(case=made, by="Ada", role="supplier", vector="", score=5.0,
                              severity="medium", at=NOW)  # fmt: skip
    return made


def say(made: Case, times: int) -> None:
    """Messages in a case."""
    for _ in range(times):
        Message.objects.create(case=made, name=new_name("M"), by="Ada", at=NOW, text="Hello",
                               tlp="TLP:AMBER")  # fmt: skip


def asked_by_queue(office: Viewer) -> int:
    """How many queries the queue asks."""
    with CaptureQueriesContext(connection) as asked:
        assert queries.queue(office, now=NOW)
    return len(asked)


def test_the_queue_asks_as_much_of_twenty_cases_as_of_two() -> None:
    office = somebody("office", Role.COORDINATOR)
    for number in range(2):
        case(number)
    few = asked_by_queue(office)
    for number in range(2, 20):
        case(number)
    assert len(queries.queue(office, now=NOW)) == 20
    assert asked_by_queue(office) == few <= 7


def test_the_list_asks_as_much_of_twenty_cases_as_of_two() -> None:
    office = somebody("office", Role.COORDINATOR)
    found = []
    for more in (2, 18):
        for number in range(more):
            case(number + more)
        with CaptureQueriesContext(connection) as asked:
            queries.page_of(office)
        found.append(len(asked))
    assert found[0] == found[1] <= 4


def test_a_case_asks_as_much_of_forty_messages_as_of_two() -> None:
    office, made = somebody("office", Role.COORDINATOR), case(1)
    found = []
    for more in (2, 38):
        say(made, more)
        with CaptureQueriesContext(connection) as asked:
            queries.view(office, made.name, now=NOW)
        found.append(len(asked))
    assert found[0] == found[1]


def test_tasks_ask_once_whoever_they_are_for() -> None:
    office, made = somebody("office", Role.COORDINATOR), case(1)
    found = []
    for more in (2, 18):
        for _ in range(more):
            Task.objects.create(
                case=made, name=new_name("T"), title="Look", made_by="Ada", made_at=NOW,
                assignee=Organisation.objects.get(slug="office"),
            )  # fmt: skip
        with CaptureQueriesContext(connection) as asked:
            assert {TaskOut.of(one).assignee for one in queries.tasks_of(office)} == {"office"}
        found.append(len(asked))
    assert found[0] == found[1] == 1


def test_a_case_asks_as_much_of_twenty_proposals_as_of_two() -> None:
    office, made = somebody("office", Role.COORDINATOR), case(1)
    found = []
    for more in (2, 18):
        for _ in range(more):
            Proposal.objects.create(case=made, by="Ada", ends_at=NOW, reason="A talk.", at=NOW)
        with CaptureQueriesContext(connection) as asked:
            numbered(office, made)
        found.append(len(asked))
    assert found[0] == found[1]
    numbers = numbered(office, made)
    assert list(numbers.values()) == list(range(20, 0, -1))
    assert numbers == {pk: Proposal.objects.get(pk=pk).number for pk in numbers}


def numbered(viewer: Viewer, made: Case) -> dict[int, int]:
    """The numbers of a case's proposals by their keys, as they are shown."""
    view = queries.view(viewer, made.name, now=NOW)
    return {one.pk: one.number for one in view.proposals or ()}
